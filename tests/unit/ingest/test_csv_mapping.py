"""CSV by a mapping: signs, encodings, clocks and units as said; every bad cell refused with its line."""

import math
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.parse import Source
from ingest.sources.csv_mapping import read
from ingest.sources.mapping import parsed
from ingest.verify import Known, verified
from storage.domain.errors import InputRefused
from tests.unit.ingest.test_mapping import DAILY

HEAD = "Date,Well,Oil,Gas,WHP,Choke,Note\n"
LIVE = """
field: demo
well: d-1
time_zone: Europe/Oslo
resolution: live
seconds: 60
columns:
  Time: {is: start}
  Oil: {is: oil_sm3, unit: Sm3/d}
"""
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def of(tmp_path: Path, content: str | bytes, mapping: str = DAILY) -> Source:
    path = tmp_path / "d.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read(path, parsed(mapping))


def reasons(source: Source) -> list[tuple[str, str, str, object]]:
    return [(row.place, why.rule, why.field, why.value) for row in source.batch.refused for why in row.reasons]


def test_a_row_becomes_a_record_in_canonical_units(tmp_path: Path) -> None:
    source = of(tmp_path, HEAD + "30.03.2024,15/9-F-12,1000,24,14.5,64,fine\n")
    row = source.batch.candidates.row(0, named=True)
    assert (row["field"], row["well"], row["place"]) == ("demo", "demo.15-9-f-12", "line 2")
    assert (row["start"], row["seconds"]) == (datetime(2024, 3, 30, 5, tzinfo=UTC), 82_800)
    assert math.isclose(row["oil_sm3"], 158.987295)
    assert math.isclose(row["gas_sm3"], 23 * 28.2623, rel_tol=1e-5)
    assert math.isclose(row["wellhead_pressure_bar"], 2.01299, rel_tol=1e-5)
    assert row["choke_pct"] == 50.0
    assert [(well.id, well.name) for well in source.wells] == [("demo.15-9-f-12", "15/9-F-12")]
    assert source.told == ("columns that the mapping does not name were left behind: Note",)


@pytest.mark.parametrize(
    ("decimal", "thousands", "cell", "value"),
    [
        (".", "", "12.5", 12.5), (",", "", "12,5", 12.5), (".", ",", "1,234.5", 1234.5), (",", ".", "1.234,5", 1234.5),
        (",", " ", "1\u00a0234,5", 1234.5), (".", "'", "1'234'567", 1234567.0), (".", "", "1e3", 1000.0),
        (".", "", "-.5", -0.5), (".", "", "\u22125", -5.0), (".", "", " 7 ", 7.0), (".", "", "NULL", None),
        (".", "", "", None), (".", "", "n/a", None),
    ],
)  # fmt: skip
def test_numbers_are_read_by_the_files_signs(
    tmp_path: Path, decimal: str, thousands: str, cell: str, value: float | None
) -> None:
    mapping = (
        DAILY.replace("unit: STB", "unit: Sm3") + f'delimiter: ";"\ndecimal: "{decimal}"\nthousands: "{thousands}"\n'
    )
    source = of(tmp_path, HEAD.replace(",", ";") + f"30.03.2024;a;{cell};;;;\n", mapping)
    assert reasons(source) == []
    assert source.batch.candidates["oil_sm3"].to_list() == [value]


@pytest.mark.parametrize(
    ("decimal", "thousands", "cell"),
    [
        (".", ",", "12,5"),
        (".", "", "12,5"),
        (",", "", "12.5"),
        (".", ",", "1,23,4"),
        (".", "", "1 000"),
        (".", "", "inf"),
    ],
)
def test_a_sign_in_the_wrong_place_is_no_number(tmp_path: Path, decimal: str, thousands: str, cell: str) -> None:
    mapping = DAILY + f'delimiter: ";"\ndecimal: "{decimal}"\nthousands: "{thousands}"\n'
    source = of(tmp_path, HEAD.replace(",", ";") + f"30.03.2024;a;{cell};;;;\n", mapping)
    assert reasons(source) == [("line 2", "not_a_number", "Oil", cell)]


@pytest.mark.parametrize(
    ("given", "encoding"),
    [("utf-8", "utf-8"), ("utf-8", "utf-8-sig"), ("latin-1", "latin-1"), ("cp1252", "cp1252"), ("utf-16", "utf-16")],
)
def test_encodings_are_read_as_said(tmp_path: Path, given: str, encoding: str) -> None:
    source = of(tmp_path, (HEAD + "30.03.2024,MÆRSK,1,,,,\r\n").encode(encoding), DAILY + f"encoding: {given}\n")
    assert [well.name for well in source.wells] == ["MÆRSK"]


def test_a_file_that_begins_as_another_encoding_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="begins as utf-16, but the encoding given is utf-8"):
        of(tmp_path, HEAD.encode("utf-16"))


def test_bytes_of_another_encoding_cost_their_row_only(tmp_path: Path) -> None:
    source = of(tmp_path, (HEAD + "30.03.2024,a,1,,,,\n").encode() + b"31.03.2024,M\xc6,1,,,,\n01.04.2024,a,1,,,,\n")
    assert [(place, rule) for place, rule, *_ in reasons(source)] == [("line 3", "not_the_header_columns")]
    assert source.batch.candidates["place"].to_list() == ["line 2", "line 4"]


CORRUPT = [
    ("31.02.2024,a,1,,,,", "not_a_day", "Date", "31.02.2024"),
    ("2024-03-30,a,1,,,,", "not_a_day", "Date", "2024-03-30"),
    (",a,1,,,,", "not_a_day", "Date", None),
    ("30.03.1824,a,1,,,,", "not_a_day", "Date", "30.03.1824"),
    ("30.03.2024,,1,,,,", "not_a_well", "Well", None),
    ("30.03.2024,///,1,,,,", "not_a_well", "Well", "///"),
    ("30.03.2024,a,one,,,,", "not_a_number", "Oil", "one"),
    ("30.03.2024,a,1,1;5,,,", "not_a_number", "Gas", "1;5"),
    ("30.03.2024,a,1,,,0x10,", "not_a_number", "Choke", "0x10"),
    ("30.03.2024,a,1", "not_the_header_columns", "line", "30.03.2024,a,1"),
    ("30.03.2024,a,1,,,,,,", "not_the_header_columns", "line", "30.03.2024,a,1,,,,,,"),
    ('30.03.2024,"a,1,,,,', "not_the_header_columns", "line", '30.03.2024,"a,1,,,,'),
]


@pytest.mark.parametrize(("bad", "rule", "column", "value"), CORRUPT, ids=[f"{bad[0]}" for bad in CORRUPT])
def test_a_corrupt_row_is_refused_with_line_field_value_and_rule_and_the_good_ones_kept(
    tmp_path: Path, bad: str, rule: str, column: str, value: object
) -> None:
    source = of(tmp_path, f"{HEAD}30.03.2024,a,1,,,,\n{bad}\n31.03.2024,a,1,,,,\n")
    assert source.batch.candidates["place"].to_list() == ["line 2", "line 4"]
    assert reasons(source) == [("line 3", rule, column, value)]
    message = source.batch.refused[0].reasons[0].message
    assert message.startswith(f"{column} is ")
    assert message.endswith(f"(rule {rule})")


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("2024-03-30T12:00:00+01:00", datetime(2024, 3, 30, 11, tzinfo=UTC)),
        ("2024-03-30 12:00:00Z", datetime(2024, 3, 30, 12, tzinfo=UTC)),
        ("2024-03-30 12:00", datetime(2024, 3, 30, 11, tzinfo=UTC)),
        ("2024-07-30T12:00:00.5", datetime(2024, 7, 30, 10, 0, 0, 500_000, tzinfo=UTC)),
    ],
)
def test_local_times_are_of_the_mappings_zone_and_offsets_count(tmp_path: Path, text: str, start: datetime) -> None:
    row = of(tmp_path, f"Time,Oil\n{text},1440\n", LIVE).batch.candidates.row(0, named=True)
    assert (row["start"], row["seconds"], row["oil_sm3"], row["well"]) == (start, 60, 1.0, "demo.d-1")


def test_a_local_time_that_the_clock_has_twice_or_never_is_refused_unless_said(tmp_path: Path) -> None:
    text = "Time,Oil\n2024-10-27 02:30:00,1\n2024-03-31 02:30:00,1\n2024-10-27 03:30:00,1\n"
    assert [(place, rule) for place, rule, *_ in reasons(of(tmp_path, text, LIVE))] == [
        ("line 2", "not_one_instant"), ("line 3", "not_one_instant")
    ]  # fmt: skip
    earliest = of(tmp_path, text, LIVE + "clock_change: earliest\n").batch.candidates["start"].to_list()
    assert earliest == [datetime(2024, 10, 27, 0, 30, tzinfo=UTC), datetime(2024, 10, 27, 2, 30, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("columns", "head", "row"),
    [
        ("{D: {is: day, format: '%d/%m/%y'}, A: {is: time, format: '%H:%M'}, O: {is: oil_sm3, unit: Sm3}}", "D,A,O",
         "30/03/24,12:00,1"),
        ("{T: {is: start, format: '%d.%m.%Y %H:%M'}, O: {is: oil_sm3, unit: Sm3}}", "T,O", "30.03.2024 12:00,1"),
        ("{T: {is: start, format: '%Y%m%d %H%M %z'}, O: {is: oil_sm3, unit: Sm3}}", "T,O", "20240330 1200 +0100,1"),
    ],
)  # fmt: skip
def test_times_have_the_form_that_is_said(tmp_path: Path, columns: str, head: str, row: str) -> None:
    mapping = LIVE[: LIVE.index("columns:")] + f"columns: {columns}\n"
    source = of(tmp_path, f"{head}\n{row}\n", mapping)
    assert source.batch.candidates["start"].to_list() == [datetime(2024, 3, 30, 11, tzinfo=UTC)], reasons(source)


@pytest.mark.parametrize(
    ("columns", "head", "row"),
    [
        ("{M: {is: month}, O: {is: oil_sm3, unit: Sm3}}", "M,O", "2024-03,1"),
        ("{M: {is: month, format: '%Y%m'}, O: {is: oil_sm3, unit: Sm3}}", "M,O", "202403,1"),
        ("{M: {is: month, format: '%b %Y'}, O: {is: oil_sm3, unit: Sm3}}", "M,O", "Mar 2024,1"),
        ("{Y: year, M: month_number, O: {is: oil_sm3, unit: Sm3}}", "Y,M,O", "2024,3,1"),
    ],
)
def test_a_month_is_one_of_the_fields_clock(tmp_path: Path, columns: str, head: str, row: str) -> None:
    mapping = f"field: demo\nwell: a\ntime_zone: Europe/Oslo\nresolution: monthly\ncolumns: {columns}\n"
    candidates = of(tmp_path, f"{head}\n{row}\n", mapping).batch.candidates
    assert candidates.select("start", "seconds").rows() == [
        (datetime(2024, 2, 29, 23, tzinfo=UTC), 31 * 86_400 - 3_600)
    ]


def test_a_zero_that_means_no_reading_is_none_and_is_noted(tmp_path: Path) -> None:
    mapping = DAILY.replace("unit: psig}", "unit: psig, zero_is_no_reading: true}")
    source = of(tmp_path, HEAD + "30.03.2024,a,1,,0,,\n31.03.2024,a,1,,1,,\n", mapping)
    assert source.batch.candidates["noted"].to_list() == [["no_reading-wellhead_pressure_bar"], []]
    assert source.batch.candidates["wellhead_pressure_bar"].null_count() == 1
    known = Known({one.id: one for one in source.fields}, frozenset(well.id for well in source.wells))
    assert verified(source.batch, known, NOW).records["verdict"].to_list() == ["suspect", "verified"]


def test_a_column_may_name_the_field_and_an_injector_is_one(tmp_path: Path) -> None:
    mapping = "columns: {D: day, F: field, W: well, I: {is: injected_water_sm3, unit: Sm3}}\nwell_prefix: 'W-'\n"
    source = of(tmp_path, "D,F,W,I\n2024-01-01,North,1,5\n2024-01-01,South,1,0\n2024-01-01,???,1,5\n", mapping)
    assert [(one.id, one.name) for one in source.fields] == [("north", "North"), ("south", "South")]
    assert [(one.id, one.purpose) for one in source.wells] == [("north.w-1", "injector"), ("south.w-1", "producer")]
    assert reasons(source) == [("line 4", "not_a_field", "F", "???")]


def test_lines_before_the_header_and_under_it_are_skipped_and_lines_still_count(tmp_path: Path) -> None:
    source = of(tmp_path, f"Report\n{HEAD}d,,bbl,,,,\n30.03.2024,a,1,,,,\n", DAILY + "header_line: 2\ndata_line: 4\n")
    assert source.batch.candidates["place"].to_list() == ["line 4"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("Date,Well,Oil\n", "lacks the columns 'Gas', 'WHP', 'Choke'; it has 'Date', 'Well', 'Oil'"),
        (HEAD.replace("Note", "Oil"), "has the column Oil twice"),
        (HEAD, "has no rows after line 1"),
        ("", "is empty"),
    ],
)
def test_a_file_that_does_not_fit_the_mapping_is_refused_in_a_sentence(tmp_path: Path, content: str, told: str) -> None:
    with pytest.raises(InputRefused, match=told):
        of(tmp_path, content)


def test_a_refused_row_is_shown_as_it_was_read(tmp_path: Path) -> None:
    (row,) = of(tmp_path, HEAD + '30.03.2024,"a, b",one,,,,note\n').batch.refused
    assert row.raw["Well"] == "a, b"
    assert row.raw["Oil"] == "one"
