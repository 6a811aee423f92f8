"""Mappings are checked whole: every fault with its key, its value and what is allowed."""

from pathlib import Path

import pytest

from ingest.sources.mapping import CsvMapping, parsed, read
from storage.domain.errors import InputRefused
from storage.domain.record import Resolution

DAILY = """
field: Demo
time_zone: Europe/Oslo
day_start: "06:00"
columns:
  Date: {is: day, format: "%d.%m.%Y"}
  Well: {is: well}
  Oil: {is: oil_sm3, unit: STB}
  Gas: {is: gas_sm3, unit: Mscf/d}
  WHP: {is: wellhead_pressure_bar, unit: psig}
  Choke: {is: choke_pct, unit: 1/64 in, fully_open_64ths: 128}
  Note: ignore
"""


def faults(text: str) -> str:
    with pytest.raises(InputRefused) as caught:
        parsed(text)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_mapping_is_read_with_its_units_and_clock() -> None:
    mapping = parsed(DAILY)
    assert (mapping.field, mapping.time_zone, mapping.day_start_s) == ("Demo", "Europe/Oslo", 21_600)
    assert (mapping.resolution, mapping.encoding, mapping.delimiter, mapping.decimal) == (
        Resolution.DAILY, "utf-8", ",", "."
    )  # fmt: skip
    columns = {column.name: column for column in mapping.columns}
    assert set(columns) == {"Date", "Well", "Oil", "Gas", "WHP", "Choke"}
    assert columns["Oil"].scale == 0.158987295
    assert (columns["Gas"].per_day, columns["Oil"].per_day) == (True, False)
    assert columns["WHP"].offset == 1.01325
    assert columns["Choke"].scale == 100 / 128


def test_all_faults_are_told_at_once_with_key_value_and_what_is_allowed() -> None:
    told = faults(
        """
encoding: ebcdic
delimiter: tab
decimal: ","
thousands: ","
colour: black
time_zone: Mars/Base
day_start: 360
resolution: weekly
columns:
  Date: {is: day, format: "%d.%m"}
  Oil: {is: oil_sm3, unit: gallon}
  Gas: {is: gas, unit: Mscf}
  WHP: {is: wellhead_pressure_bar}
  Choke: {is: choke_pct, unit: 1/64 in}
  Temp: {is: wellhead_temperature_degc, unit: degF, zero_is_no_reading: maybe}
"""
    )
    assert told.startswith("the mapping has 15 faults: ")
    for part in (
        "encoding is 'ebcdic', but it must be one of 'utf-8', 'latin-1', 'cp1252', 'utf-16'",
        "delimiter is 'tab', but it must be one of ",
        "thousands is ',', but it must be another sign than decimal",
        "colour is not a key; the keys are ",
        "time_zone is 'Mars/Base', but it must be an IANA name",
        "day_start is 360, but it must be a time of day in quotes",
        "resolution is 'weekly', but it must be one of 'live', 'daily', 'monthly'",
        "columns.Date.format is '%d.%m', but it must be iso, or a format",
        "columns.Oil.unit is 'gallon', but it must be one of Sm3, ",
        "columns.Gas.is is 'gas', but it must be one of field, well, ",
        "columns.WHP.unit is empty, but it must be one of bar, ",
        "columns.Choke.fully_open_64ths is empty, but it must be the largest bean",
        "columns.Temp.zero_is_no_reading is 'maybe', but it must be true or false",
        "field is empty, but it must be given, or a column that is field",
        "well is empty, but it must be given, or a column that is well",
    ):
        assert part in told, part


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ("  Date: {is: day", "  Date: {is: start"),
        ("  Well: {is: well}", "  Well: {is: well}\n  Bore: {is: well}"),
        ("field: Demo", "field: Demo\nseconds: 60"),
        ("field: Demo", "field: Demo\nresolution: live"),
        ("field: Demo", "field: '///'"),
        ("field: Demo", "field: Demo\nwell: F-1"),
        ("field: Demo", "field: Demo\nheader_line: 0"),
        ("field: Demo", "field: Demo\ndata_line: 1"),
        ("field: Demo", "field: Demo\nnull_words: [0]"),
        ("  Note: ignore", "  Note: 7"),
    ],
)
def test_what_does_not_fit_together_is_a_fault(changed: str, told: str) -> None:
    assert "fault" in faults(DAILY.replace(changed, told))


def test_a_mapping_without_a_quantity_is_a_fault() -> None:
    assert "columns name no quantity" in faults("field: a\nwell: b\ncolumns: {Date: day}")


@pytest.mark.parametrize(
    "text", ["", "- a", "a: [", "x: !!python/object/apply:os.system [ls]", "a: &a [*a]", "? {a: b}"]
)
def test_what_is_no_mapping_is_refused_in_a_sentence(text: str) -> None:
    assert "mapping" in faults(text)


def test_a_file_of_a_mapping_is_read_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(DAILY)
    assert isinstance(read(path), CsvMapping)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputRefused, match="not text in utf-8"):
        read(path)
    with pytest.raises(InputRefused, match="there is no file"):
        read(tmp_path / "none.yaml")
