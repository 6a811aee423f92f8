"""Answers are written down: columns with units, nulls as nulls, nothing that a spreadsheet would run."""

import gzip
import io
import json
from datetime import UTC, datetime

import polars as pl
import pytest

from dashboard.api.answer import MEDIA_TYPES, Answer, Column, Form, chosen_form, written
from storage.domain.errors import NotOffered

COLUMNS = {
    "start": Column("Start", "ms since 1970", "time"),
    "well": Column("Well", "", "text"),
    "oil": Column("Oil", "Sm3", "volume", "over the interval"),
    "records": Column("Records", "", "count"),
    "revised": Column("Revised", "", "flag"),
}
TABLE = pl.DataFrame(
    {
        "start": [datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)],
        "well": ["=cmd|' /c calc'!A1", "plain"],
        "oil": [1.5, None],
        "records": [3, None],
        "revised": [True, False],
        "unasked": [1, 2],
    },
    schema_overrides={"start": pl.Datetime("us", "UTC")},
)
ANSWER = Answer({"rows": 2}, TABLE, COLUMNS)


def plain(answer: Answer, form: Form) -> bytes:
    body, gzipped = written(answer, form)
    return gzip.decompress(body) if gzipped else body


def test_json_is_columnar_with_label_unit_and_kind_and_nulls_where_nothing_was_measured() -> None:
    content = json.loads(plain(ANSWER, Form.JSON))
    assert content["rows"] == 2
    assert content["columns"]["oil"] == {
        "label": "Oil", "unit": "Sm3", "kind": "volume", "note": "over the interval", "values": [1.5, None],
    }  # fmt: skip
    assert content["columns"]["start"]["values"] == [1767225600000, 1767312000000]
    assert content["columns"]["records"]["values"] == [3, None]
    assert "unasked" not in content["columns"]


def test_a_list_is_told_item_by_item() -> None:
    items = json.loads(plain(Answer({}, TABLE, COLUMNS, items=True), Form.JSON))["items"]
    assert items[1] == {"start": 1767312000000, "well": "plain", "oil": None, "records": None, "revised": False}


@pytest.mark.parametrize("dangerous", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_csv_holds_no_cell_that_a_spreadsheet_would_run(dangerous: str) -> None:
    table = TABLE.with_columns(well=pl.lit(dangerous))
    read = pl.read_csv(plain(Answer({}, table, COLUMNS), Form.CSV))
    assert read["well"][0] == f"'{dangerous}"


def test_csv_names_units_in_its_header_and_gives_times_as_text() -> None:
    lines = plain(ANSWER, Form.CSV).decode().splitlines()
    assert lines[0] == "start,well,oil [Sm3],records,revised"
    assert lines[2] == "2026-01-02T00:00:00Z,plain,,,false"


@pytest.mark.parametrize(("form", "read"), [(Form.PARQUET, pl.read_parquet), (Form.ARROW, pl.read_ipc_stream)])
def test_binary_formats_hold_the_same_table(form: Form, read: object) -> None:
    found: pl.DataFrame = read(io.BytesIO(plain(ANSWER, form)))  # type: ignore[operator]
    assert found.equals(TABLE.select(list(COLUMNS)))


def test_parquet_carries_the_head_and_the_units_beside_the_table() -> None:
    note = pl.read_parquet_metadata(io.BytesIO(plain(ANSWER, Form.PARQUET)))["wellstream"]
    assert json.loads(note)["columns"]["oil"]["unit"] == "Sm3"


def test_an_enumeration_is_its_place_in_json_and_its_name_in_csv() -> None:
    kinds = pl.Enum(["demo.a", "demo.b"])
    answer = Answer(
        {}, pl.DataFrame({"well": pl.Series(["demo.b"], dtype=kinds)}), {"well": Column("Well", "", "code")}
    )
    assert json.loads(plain(answer, Form.JSON))["columns"]["well"]["values"] == [1]
    assert plain(answer, Form.CSV) == b"well\ndemo.b\n"


def test_the_same_answer_is_the_same_bytes() -> None:
    assert written(ANSWER, Form.JSON) == written(ANSWER, Form.JSON)


@pytest.mark.parametrize("form", [Form.CSV, Form.PARQUET, Form.ARROW])
def test_what_is_no_table_is_not_offered_as_one(form: Form) -> None:
    with pytest.raises(NotOffered, match="not a table"):
        written(Answer({"id": "demo"}), form)


@pytest.mark.parametrize(
    ("asked", "accept", "form"),
    [
        (None, "", Form.JSON),
        (None, "*/*", Form.JSON),
        (None, "text/html, application/xhtml+xml, */*;q=0.8", Form.JSON),
        (None, "text/csv", Form.CSV),
        (None, "text/*", Form.CSV),
        (None, "application/json;q=0.2, text/csv;q=0.9", Form.CSV),
        (None, "application/json;q=0, */*;q=0.1", Form.CSV),
        (None, MEDIA_TYPES[Form.PARQUET], Form.PARQUET),
        (None, MEDIA_TYPES[Form.ARROW].upper(), Form.ARROW),
        ("arrow", "text/csv", Form.ARROW),
    ],
)
def test_the_format_is_the_one_named_or_the_one_liked_best(asked: str | None, accept: str, form: Form) -> None:
    assert chosen_form(asked, accept) is form


@pytest.mark.parametrize("accept", ["text/html", "image/*", "application/json;q=0", "text/csv;q=nonsense", ";;,"])
def test_formats_that_are_not_offered_are_refused(accept: str) -> None:
    with pytest.raises(NotOffered, match="application/json"):
        chosen_form(None, accept)
