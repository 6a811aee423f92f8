"""Rows from outside become candidates or are refused, each in exactly one of the two."""

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.parse import CANDIDATE_SCHEMA, ROW_KEYS, Batch, Unreadable, framed, jsonable, parsed_rows, pieces
from ingest.sources.simulator import Simulator

ROW: dict[str, Any] = {
    "field": "demo",
    "well": "demo.d-1",
    "start": "2026-01-01T06:00:00+01:00",
    "seconds": 60,
    "resolution": "live",
    "oil_sm3": 1.5,
}


def parsed(*rows: object) -> Batch:
    return parsed_rows(rows, "test")


def rules(batch: Batch) -> list[tuple[str, str]]:
    return [(reason.rule, reason.field) for row in batch.refused for reason in row.reasons]


def test_a_good_row_becomes_a_typed_candidate() -> None:
    batch = parsed(ROW)
    assert batch.candidates.schema == CANDIDATE_SCHEMA
    row = batch.candidates.row(0, named=True)
    assert row["start"] == datetime(2026, 1, 1, 5, tzinfo=UTC)
    assert (row["seconds"], row["oil_sm3"], row["gas_sm3"]) == (60, 1.5, None)
    assert (row["source"], row["place"], row["index"]) == ("test", "index 0", 0)


def test_a_row_may_name_its_own_source_and_verdict() -> None:
    row = parsed(ROW | {"source": "lab", "verdict": "suspect", "quality": 0.4, "issues": ["a-b"], "audit_id": "x1"})
    candidate = row.candidates.row(0, named=True)
    assert [candidate[name] for name in ("source", "verdict", "quality", "issues", "audit_id")] == [
        "lab", "suspect", 0.4, ["a-b"], "x1"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "rule", "column"),
    [
        ({"oil_sm3": "12"}, "not_a_number", "oil_sm3"),
        ({"oil_sm3": True}, "not_a_number", "oil_sm3"),
        ({"gas_sm3": [1]}, "not_a_number", "gas_sm3"),
        ({"start": "2026-01-01T06:00:00"}, "bad_time", "start"),
        ({"start": "yesterday"}, "bad_time", "start"),
        ({"start": "0001-01-01T00:00:00+14:00"}, "bad_time", "start"),
        ({"start": 1_700_000_000}, "not_text", "start"),
        ({"seconds": 1.5}, "not_whole_seconds", "seconds"),
        ({"seconds": 2**40}, "not_whole_seconds", "seconds"),
        ({"seconds": "60"}, "not_a_number", "seconds"),
        ({"resolution": "hourly"}, "unknown_resolution", "resolution"),
        ({"verdict": "good"}, "unknown_verdict", "verdict"),
        ({"issues": "late"}, "not_issues", "issues"),
        ({"issues": ["two words"]}, "not_issues", "issues"),
        ({"issues": ["NULL"]}, "not_issues", "issues"),
        ({"issues": [{}]}, "not_issues", "issues"),
        ({"oil": 1}, "unknown_key", "oil"),
        ({"field": None}, "missing", "field"),
        ({"well": 7}, "not_text", "well"),
        ({"source": "a\x00b"}, "control_character", "source"),
        ({"audit_id": "x" * 201}, "too_long", "audit_id"),
    ],
)
def test_a_bad_value_refuses_its_row_and_no_other(changed: dict[str, Any], rule: str, column: str) -> None:
    batch = parsed(ROW, ROW | changed, ROW)
    assert batch.candidates["index"].to_list() == [0, 2]
    assert [row.index for row in batch.refused] == [1]
    assert (rule, column) in rules(batch)


def test_a_reason_names_field_value_and_rule() -> None:
    (row,) = parsed(ROW | {"oil_sm3": "much"}).refused
    (reason,) = row.reasons
    assert reason.message == "oil_sm3 is 'much', which is not a number (rule not_a_number)"
    assert reason.value == "much"
    assert row.raw["oil_sm3"] == "much"
    assert (row.field, row.place) == ("demo", "index 0")


def test_every_missing_key_is_told() -> None:
    batch = parsed({})
    assert rules(batch) == [("missing", name) for name in ("field", "well", "start", "seconds", "resolution")]


@pytest.mark.parametrize(
    ("row", "rule"), [(Unreadable("{"), "not_json"), (7, "not_an_object"), (None, "not_an_object")]
)
def test_what_is_no_object_is_refused_once(row: object, rule: str) -> None:
    assert rules(parsed(row)) == [(rule, "row")]


def test_two_bad_values_give_two_reasons() -> None:
    assert len(parsed(ROW | {"oil_sm3": "a", "gas_sm3": "b"}).refused[0].reasons) == 2


def test_no_rows_make_an_empty_batch() -> None:
    batch = parsed()
    assert batch.rows == 0
    assert list(pieces(batch)) == []


def test_what_json_columns_cannot_hold_is_replaced() -> None:
    assert jsonable({"a\x00": [float("nan"), "b\x00", datetime(2026, 1, 1, tzinfo=UTC)]}) == {
        "a\ufffd": ["nan", "b\ufffd", "2026-01-01T00:00:00+00:00"]
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
ROWS = st.lists(
    JSON | st.dictionaries(st.sampled_from([*sorted(ROW_KEYS), "stranger"]), JSON) | st.just(ROW), max_size=12
)


@given(ROWS)
def test_every_row_is_accounted_for_exactly_once(rows: list[object]) -> None:
    batch = parsed(*rows)
    found = [*batch.candidates["index"], *(row.index for row in batch.refused)]
    assert sorted(found) == list(range(len(rows)))
    assert all(row.reasons for row in batch.refused)


@given(ROWS, st.integers(1, 5))
def test_pieces_are_the_batch_in_order(rows: list[object], most: int) -> None:
    parts = list(pieces(parsed(*rows), most))
    found = [sorted([*part.candidates["index"], *(row.index for row in part.refused)]) for part in parts]
    assert [index for part in found for index in part] == list(range(len(rows)))
    assert all(0 < part.rows <= most for part in parts)


def test_typed_records_become_a_batch_whose_rows_can_be_shown() -> None:
    records = Simulator(2).live(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 0, 1, tzinfo=UTC), 30)
    batch = framed("simulator", records)
    assert batch.candidates.select(pl.exclude("index", "place", "noted")).equals(records)
    assert batch.raw(0)["well"] == records["well"][0]
