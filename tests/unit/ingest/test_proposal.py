"""A proposed mapping can be read again, says why, and marks what nobody can know."""

from pathlib import Path

import pytest

from ingest.sources import csv_mapping
from ingest.sources.mapping import CsvMapping, parsed
from ingest.sources.proposal import proposed
from storage.domain.errors import InputRefused
from storage.domain.record import Resolution

EUROPEAN = "Månedsrapport;;;;;\nDate;Well name;Oil (Sm3);Gas [Mscf/d];WHP psi;Choke\n" + "".join(
    f"{day:02}.03.2024;15/9-F-{well};1.234,{day};{day},5;20,1;50\n" for well in (1, 2) for day in range(1, 29)
)
AMERICAN = "timestamp,api,oil bbl/d,water bbl/d,bhp (psia),on stream (hrs),comment\n" + "".join(
    f'2024-03-30T00:{minute:02}:00Z,042501200001,"1,{minute:03}.5",2,3000,1,fine\n' for minute in range(30)
)


def of(tmp_path: Path, content: str, encoding: str = "utf-8") -> tuple[str, CsvMapping]:
    path = tmp_path / "d.csv"
    path.write_bytes(content.encode(encoding))
    text = proposed(path)
    return text, parsed(text)


def test_a_european_file_is_understood_and_its_doubts_are_marked(tmp_path: Path) -> None:
    text, mapping = of(tmp_path, EUROPEAN, "cp1252")
    assert (mapping.delimiter, mapping.decimal, mapping.thousands, mapping.header_line) == (";", ",", ".", 2)
    assert mapping.encoding in ("cp1252", "latin-1")
    assert mapping.resolution is Resolution.DAILY
    columns = {column.what: column for column in mapping.columns}
    assert set(columns) == {"day", "well", "oil_sm3", "gas_sm3", "wellhead_pressure_bar", "choke_pct"}
    assert (columns["day"].format, columns["gas_sm3"].per_day) == ("%d.%m.%Y", True)
    unsure = [line.partition(":")[0].strip() for line in text.splitlines() if "# UNSURE: " in line]
    assert unsure == ["encoding", "field", "time_zone", "day_start", '"WHP psi"', "Choke"]


def test_what_is_proposed_reads_the_file(tmp_path: Path) -> None:
    _, mapping = of(tmp_path, EUROPEAN, "cp1252")
    source = csv_mapping.read(tmp_path / "d.csv", mapping)
    assert (source.batch.candidates.height, source.batch.refused) == (56, ())
    assert source.batch.candidates["oil_sm3"][0] == 1234.1


def test_a_live_file_with_grouped_numbers_is_understood(tmp_path: Path) -> None:
    text, mapping = of(tmp_path, AMERICAN)
    assert (mapping.delimiter, mapping.decimal, mapping.thousands) == (",", ".", ",")
    assert (mapping.resolution, mapping.seconds) == (Resolution.LIVE, 60)
    assert {column.what for column in mapping.columns} == {
        "start", "well", "oil_sm3", "water_sm3", "downhole_pressure_bar", "on_stream_s"
    }  # fmt: skip
    assert "comment: ignore  # nothing known by this name" in text
    source = csv_mapping.read(tmp_path / "d.csv", mapping)
    assert source.batch.refused == ()
    assert source.wells[0].name == "042501200001"


def test_dots_of_dates_are_no_signs_of_numbers(tmp_path: Path) -> None:
    _, mapping = of(tmp_path, "Date;Well;Oil\n31.03.2024;F-1;12,5\n30.03.2024;F-1;13,5\n")
    assert (mapping.decimal, mapping.thousands) == (",", "")


def test_days_that_could_be_months_are_unsure(tmp_path: Path) -> None:
    text, _ = of(tmp_path, "Date,Well,Oil (bbl)\n" + "".join(f"0{n}/0{n}/2024,a,1\n" for n in range(1, 9)))
    assert "UNSURE: day first, but %m/%d/%Y reads all cells, too" in text
    text, mapping = of(tmp_path, "Date,Well,Oil (bbl)\n" + "".join(f"03/{n}/2024,a,1\n" for n in range(10, 29)))
    assert [column.format for column in mapping.columns if column.what == "day"] == ["%m/%d/%Y"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_the_first_bytes_say_the_encoding(tmp_path: Path, encoding: str) -> None:
    text, mapping = of(tmp_path, AMERICAN, encoding)
    assert mapping.encoding == encoding.removesuffix("-sig")
    assert "the file's first bytes say so" in text


def test_months_by_year_and_number_are_monthly(tmp_path: Path) -> None:
    _, mapping = of(
        tmp_path, "Wellbore name\tYear\tMonth\tOil\tWI\n" + "".join(f"F-1\t2014\t{n}\t1\t2\n" for n in range(1, 12))
    )
    assert (mapping.resolution, mapping.delimiter) == (Resolution.MONTHLY, "\t")
    assert [column.what for column in mapping.columns] == [
        "well",
        "year",
        "month_number",
        "oil_sm3",
        "injected_water_sm3",
    ]


def test_every_line_of_a_proposal_gives_a_reason(tmp_path: Path) -> None:
    text, _ = of(tmp_path, EUROPEAN)
    assert all("  # " in line or line.startswith("#") or line == "columns:" for line in text.splitlines())


@pytest.mark.parametrize("content", ["", "one column\nonly\n", "a,b\n\x00\x01,\x02\n"])
def test_what_is_no_table_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(InputRefused):
        of(tmp_path, content)
