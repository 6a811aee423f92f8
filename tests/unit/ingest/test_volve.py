"""The Volve workbook is read whole, and what is not one is refused in one sentence."""

import os
import tempfile
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from ingest.parse import Source
from ingest.sources.volve import DAILY_SHEET, MONTHLY_SHEET, monthly_sheet, read
from ingest.verify import Known, Verified, verified
from storage.domain.errors import InputRefused
from tests.unit.ingest.workbooks import HEADER, Cell, daily_workbook, day, real_workbook, workbook

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def judged(source: Source) -> Verified:
    known = Known({field.id: field for field in source.fields}, frozenset(well.id for well in source.wells))
    return verified(source.batch, known, NOW)


@pytest.fixture(scope="module")
def volve() -> Source:
    return read(real_workbook())


def one_day(tmp_path: Path, **changed: Cell) -> Source:
    return read(daily_workbook(tmp_path / "v.xlsx", [day(**changed)]))


def test_a_day_becomes_a_record_in_canonical_units(tmp_path: Path) -> None:
    source = one_day(tmp_path)
    row = source.batch.candidates.row(0, named=True)
    assert (row["field"], row["well"], row["resolution"]) == ("volve", "volve.15-9-f-12", "daily")
    assert row["start"] == datetime(2014, 5, 31, 22, tzinfo=UTC)
    assert (row["seconds"], row["on_stream_s"]) == (86_400, 86_400.0)
    assert (row["oil_sm3"], row["gas_sm3"], row["water_sm3"]) == (1000.0, 150_000.0, 10.0)
    assert (row["downhole_pressure_bar"], row["choke_pct"], row["wellhead_pressure_bar"]) == (255.5, 50.0, 40.0)
    assert row["place"] == "Daily Production Data row 2"
    assert row["source"] == "volve v.xlsx"


@pytest.mark.parametrize(
    ("date", "seconds"), [("2014-03-30", 82_800), ("2014-10-26", 90_000), ("2014-10-26 00:00:00", 90_000)]
)
def test_a_day_is_as_long_as_the_clock_says(tmp_path: Path, date: str, seconds: int) -> None:
    assert one_day(tmp_path, DATEPRD=date).batch.candidates["seconds"].to_list() == [seconds]


def test_a_gauge_at_zero_is_no_reading_and_says_so(tmp_path: Path) -> None:
    row = one_day(tmp_path, AVG_DOWNHOLE_PRESSURE=0.0, AVG_WHP_P=0.0).batch.candidates.row(0, named=True)
    assert (row["downhole_pressure_bar"], row["wellhead_pressure_bar"]) == (None, 0.0)
    assert row["noted"] == ["no_reading-downhole_pressure_bar"]


@pytest.mark.parametrize("cell", [None, "NULL", "", " "])
def test_an_empty_cell_is_not_measured(tmp_path: Path, cell: Cell) -> None:
    source = one_day(tmp_path, BORE_WAT_VOL=cell)
    assert source.batch.candidates["water_sm3"].to_list() == [None]


def test_a_number_written_as_text_is_a_number(tmp_path: Path) -> None:
    assert one_day(tmp_path, BORE_WI_VOL=" 12.5 ").batch.candidates["injected_water_sm3"].to_list() == [12.5]


@pytest.mark.parametrize(
    ("column", "cell", "rule"),
    [
        ("ON_STREAM_HRS", "all day", "not_a_number"),
        ("BORE_OIL_VOL", "12,5", "not_a_number"),
        ("DATEPRD", "soon", "not_a_day"),
        ("DATEPRD", None, "not_a_day"),
        ("DATEPRD", "2014-06-01 12:00:00", "not_a_day"),
        ("NPD_WELL_BORE_NAME", None, "not_a_well"),
        ("NPD_WELL_BORE_NAME", "???", "not_a_well"),
        ("NPD_FIELD_NAME", "TROLL", "another_field"),
        ("FLOW_KIND", "both", "unknown_flow_kind"),
        ("AVG_CHOKE_UOM", "1/64", "not_in_percent"),
    ],
)
def test_a_bad_cell_refuses_its_row_and_keeps_the_good_ones(tmp_path: Path, column: str, cell: Cell, rule: str) -> None:
    source = read(daily_workbook(tmp_path / "v.xlsx", [day(), day(**{column: cell}), day(DATEPRD="2014-06-02")]))
    assert source.batch.candidates["place"].to_list() == [f"{DAILY_SHEET} row 2", f"{DAILY_SHEET} row 4"]
    (row,) = source.batch.refused
    assert row.place == "Daily Production Data row 3"
    (reason,) = row.reasons
    assert (reason.rule, reason.field, reason.value) == (rule, column, cell)
    assert column in reason.message
    assert rule in reason.message
    assert row.raw[column] == cell


def test_blank_rows_count_for_places_but_are_no_rows(tmp_path: Path) -> None:
    source = read(daily_workbook(tmp_path / "v.xlsx", [day(), {}, day(FLOW_KIND="?"), day(DATEPRD="2014-06-02"), {}]))
    assert source.batch.rows == 3
    assert source.batch.candidates["place"].to_list() == [f"{DAILY_SHEET} row 2", f"{DAILY_SHEET} row 5"]
    assert source.batch.refused[0].place == f"{DAILY_SHEET} row 4"
    assert source.batch.refused[0].raw["FLOW_KIND"] == "?"


def test_an_injector_is_one_by_its_newest_day(tmp_path: Path) -> None:
    days = [
        day(NPD_WELL_BORE_NAME="15/9-F-5", FLOW_KIND="injection", BORE_WI_VOL=5000.0),
        day(NPD_WELL_BORE_NAME="15/9-F-5", DATEPRD="2016-04-11"),
        day(NPD_WELL_BORE_NAME="15/9-F-4", FLOW_KIND="injection"),
    ]
    source = read(daily_workbook(tmp_path / "v.xlsx", days))
    assert [(well.id, well.purpose) for well in source.wells] == [
        ("volve.15-9-f-4", "injector"), ("volve.15-9-f-5", "producer")
    ]  # fmt: skip
    assert source.batch.candidates["injected_water_sm3"].to_list() == [5000.0, None, None]


def test_the_type_of_a_well_is_dated_by_its_days(volve: Source) -> None:
    f5 = volve.statuses.filter(pl.col("well") == "volve.15-9-f-5")
    assert f5["code"].to_list() == ["injector", "producer", "injector"]
    assert f5["since"][1] == f5["until"][0] == datetime(2016, 4, 10, 22, tzinfo=UTC)
    assert volve.statuses.filter(pl.col("well") == "volve.15-9-f-4")["code"].to_list() == ["injector"]


def refusal(path: Path) -> str:
    with pytest.raises(InputRefused) as caught:
        read(path)
    message = str(caught.value)
    assert "\n" not in message
    assert "Traceback" not in message
    return message


def test_a_path_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.xlsx") == f"there is no file '{tmp_path / 'none.xlsx'}'"


def test_a_name_too_long_for_the_disk_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path / ("x" * 300))


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "is not a file" in refusal(tmp_path)


@contextmanager
def as_ordinary_user() -> Iterator[None]:
    """Root may read every file, so for a moment be somebody else."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_that_may_not_be_read_is_refused() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = daily_workbook(Path(folder) / "v.xlsx", [day()])
        path.chmod(0)
        with as_ordinary_user():
            told = refusal(path)
    assert "may not be read" in told or "Permission denied" in told


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "v.xlsx"
    path.touch()
    assert "is empty" in refusal(path)


@pytest.mark.parametrize("content", [b"%PDF-1.7 text", b"DATEPRD,ON_STREAM_HRS\n", b"\xd0\xcf\x11\xe0old excel", b"P"])
def test_a_file_of_another_type_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "v.xlsx"
    path.write_bytes(content)
    assert "is not an Excel workbook" in refusal(path)


def test_a_zip_without_a_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "v.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    assert "is a zip archive but not an Excel workbook" in refusal(path)


@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_a_file_cut_short_is_refused(tmp_path: Path, share: float) -> None:
    whole = daily_workbook(tmp_path / "whole.xlsx", [day() for _ in range(50)]).read_bytes()
    path = tmp_path / "v.xlsx"
    path.write_bytes(whole[: int(len(whole) * share)])
    assert "is damaged or cut short" in refusal(path)


def test_a_damaged_part_is_refused(tmp_path: Path) -> None:
    path = daily_workbook(tmp_path / "v.xlsx", [day() for _ in range(50)])
    with zipfile.ZipFile(path) as archive:
        part = archive.getinfo("xl/worksheets/sheet1.xml")
    content = bytearray(path.read_bytes())
    middle = part.header_offset + 30 + len(part.filename) + part.compress_size // 2
    content[middle : middle + 8] = bytes(8)
    path.write_bytes(content)
    assert "damaged" in refusal(path)


def test_a_sheet_that_is_not_xml_is_refused(tmp_path: Path) -> None:
    whole = daily_workbook(tmp_path / "whole.xlsx", [day()])
    path = tmp_path / "v.xlsx"
    with zipfile.ZipFile(whole) as archive, zipfile.ZipFile(path, "w") as made:
        for name in archive.namelist():
            made.writestr(name, "<worksheet><sheetD" if name.endswith("sheet1.xml") else archive.read(name))
    assert f"the sheet '{DAILY_SHEET}'" in refusal(path)


@pytest.mark.parametrize("begin", [b"junk", b"PK\x03\x04"])
def test_two_hundred_megabytes_of_junk_are_refused_with_little_memory(tmp_path: Path, begin: bytes) -> None:
    path = tmp_path / "v.xlsx"
    with path.open("wb") as file:
        file.write(begin)
        file.truncate(200_000_000)
    tracemalloc.start()
    try:
        refusal(path)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < 5_000_000


def test_an_archive_that_unpacks_to_gigabytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "v.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            for _ in range(65):
                part.write(bytes(1 << 24))
    assert "unpacks to more than 1 GiB" in refusal(path)


def test_a_missing_sheet_is_named_with_those_there(tmp_path: Path) -> None:
    path = workbook(tmp_path / "v.xlsx", {"Prices": [["a"]]})
    assert refusal(path).endswith(f"has no sheet '{DAILY_SHEET}'; it has 'Prices'")


def test_missing_columns_are_all_named(tmp_path: Path) -> None:
    header = [name for name in HEADER if name not in ("ON_STREAM_HRS", "BORE_GAS_VOL")]
    path = daily_workbook(tmp_path / "v.xlsx", [day()], header)
    assert refusal(path).endswith("lacks the columns ON_STREAM_HRS, BORE_GAS_VOL")


def test_a_sheet_without_rows_is_refused(tmp_path: Path) -> None:
    assert "has no rows" in refusal(daily_workbook(tmp_path / "v.xlsx", []))


def test_a_text_in_a_month_is_refused(tmp_path: Path) -> None:
    header = ["Wellbore name", "Year", "Month", "On Stream", "Oil", "Gas", "Water", "WI"]
    units = [None, None, None, "hrs", "Sm3", "Sm3", "Sm3", "Sm3"]
    rows = [header, units, ["15/9-F-12", 2014.0, "June", 1.0, 1.0, 1.0, 1.0, "NULL"]]
    with pytest.raises(InputRefused, match="has a text in a number"):
        monthly_sheet(workbook(tmp_path / "v.xlsx", {MONTHLY_SHEET: rows}))


def test_all_rows_of_the_real_file_are_accounted_for(volve: Source) -> None:
    rows = judged(volve)
    assert volve.batch.rows == 15_634
    assert (rows.records.height, len(rows.refused)) == (15_630, 4)
    assert dict(rows.records["verdict"].value_counts().iter_rows()) == {"verified": 12_977, "suspect": 2_653}
    assert [well.id.partition("f-")[2] for well in volve.wells] == ["1-c", "11", "12", "14", "15-d", "4", "5"]


def test_the_four_days_of_negative_water_are_refused_with_row_value_and_rule(volve: Source) -> None:
    told = [(row.place, row.raw["DATEPRD"][:10], reason.rule, reason.field, reason.value)
            for row in judged(volve).refused for reason in row.reasons]  # fmt: skip
    assert told == [
        ("Daily Production Data row 1984", "2008-04-23", "below_low", "water_sm3", -14.19),
        ("Daily Production Data row 3504", "2012-08-13", "below_low", "water_sm3", -457.84),
        ("Daily Production Data row 5352", "2009-03-03", "below_low", "water_sm3", -0.95),
        ("Daily Production Data row 6560", "2012-08-13", "below_low", "water_sm3", -59.19),
    ]


def test_days_of_twenty_five_hours_in_the_real_file_are_accepted(volve: Source) -> None:
    long_days = judged(volve).records.filter(pl.col("on_stream_s") > 86_401)
    assert long_days.filter(pl.col("on_stream_s") == 90_000).height == 13
    assert long_days["seconds"].unique().to_list() == [90_000]


def test_the_issues_of_the_real_file_are_these(volve: Source) -> None:
    issues = judged(volve).records["issues"].explode(empty_as_null=True).drop_nulls().value_counts()
    assert dict(issues.iter_rows()) == {
        "no_reading-downhole_pressure_bar": 2_311,
        "no_reading-downhole_temperature_degc": 2_311,
        "nothing_measured-well": 285,
        "on_stream_of_nominal_day-on_stream_s": 7,
        "volume_without_hours-gas_sm3": 3,
        "volume_without_hours-injected_water_sm3": 31,
        "volume_without_hours-oil_sm3": 1,
        "volume_without_hours-water_sm3": 3,
        "jump-water_sm3": 2,
        "jump_of_gauge-downhole_pressure_bar": 3,
        "frozen_day-downhole_pressure_bar": 5,
        "frozen_day-downhole_temperature_degc": 13,
        "frozen_day-wellhead_pressure_bar": 2,
        "frozen_day-wellhead_temperature_degc": 6,
    }


@pytest.mark.parametrize("column", ["oil_sm3", "gas_sm3", "water_sm3", "injected_water_sm3", "on_stream_h"])
def test_days_summed_by_month_equal_the_monthly_sheet(volve: Source, column: str) -> None:
    local = pl.col("start").dt.convert_time_zone("Europe/Oslo")
    days = volve.batch.candidates.with_columns(
        local.dt.year().alias("year"),
        local.dt.month().cast(pl.Int32).alias("month"),
        (pl.col("on_stream_s") / 3_600).alias("on_stream_h"),
    )
    summed = days.group_by("well", "year", "month").agg(pl.col(column).sum().alias("of_days"))
    months = monthly_sheet(real_workbook()).join(summed, on=["well", "year", "month"], how="full", coalesce=True)
    assert months.height == 526
    difference = (months[column].fill_null(0) - months["of_days"].fill_null(0)).abs()
    assert months["of_days"].null_count() == 0
    assert difference.max() <= 1
