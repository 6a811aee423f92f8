"""OGOR-A: completions become well-months, and every trap of the file is met."""

import math
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from ingest.parse import Source
from ingest.sources.ogor_a import COLUMNS, read
from ingest.verify import Known, Verified, verified
from storage.domain.errors import InputRefused
from storage.domain.units import to_canonical
from tests.shared_data import shared
from tests.unit.ingest.ogor_files import line, ogor_file, reference_folder

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SUMS = {"MON_O_PROD_VOL": "oil_sm3", "MON_G_PROD_VOL": "gas_sm3", "MON_W_PROD_VOL": "water_sm3"}


def judged(source: Source) -> Verified:
    return verified(
        source.batch, Known({one.id: one for one in source.fields}, frozenset(w.id for w in source.wells)), NOW
    )


def of_lines(tmp_path: Path, *lines: str, reference: Path | None = None) -> Source:
    return read(ogor_file(tmp_path / "o.txt", lines), reference)


def one(tmp_path: Path, *lines: str) -> dict[str, object]:
    (row,) = of_lines(tmp_path, *lines).batch.candidates.to_dicts()
    return row


def issues(source: Source) -> list[list[str]]:
    return judged(source).records["issues"].to_list()


def reasons(source: Source) -> list[tuple[str, str, str, object]]:
    return [(row.place, why.rule, why.field, why.value) for row in judged(source).refused for why in row.reasons]


def test_a_completion_becomes_a_month_of_its_well_in_canonical_units(tmp_path: Path) -> None:
    row = one(tmp_path, line())
    assert (row["field"], row["well"], row["resolution"]) == ("ei330", "ei330.177104021701", "monthly")
    assert (row["start"], row["seconds"]) == (datetime(2024, 1, 1, 6, tzinfo=UTC), 31 * 86_400)
    assert math.isclose(float(str(row["oil_sm3"])), 158.987295)
    assert math.isclose(float(str(row["gas_sm3"])), 2_000 / 0.0353010 / 1, rel_tol=1e-4)
    assert (row["on_stream_s"], row["injected_water_sm3"], row["injected_gas_sm3"]) == (31 * 86_400.0, None, None)
    assert (row["place"], row["source"], row["noted"]) == ("line 1", "ogor-a o.txt", [])


def test_completions_of_a_well_are_summed_and_it_is_on_stream_for_the_longest(tmp_path: Path) -> None:
    second = line(COMPLETION_NAME="A001D", PROD_INTERVAL_CD="D02", DAYS_ON_PROD="10", MON_O_PROD_VOL="000000500")
    source = of_lines(tmp_path, line(DAYS_ON_PROD="20"), second, line(PRODUCTION_DATE="202402"))
    january, february = source.batch.candidates.to_dicts()
    assert math.isclose(january["oil_sm3"], 1_500 * 0.158987295)
    assert (january["on_stream_s"], january["place"]) == (20 * 86_400.0, "lines 1, 2")
    assert february["place"] == "line 3"
    assert [row["line"] for row in source.batch.raw(0)["completions"]] == [1, 2]
    assert source.told[0] == "3 completion-months of 1 fields summed to 2 well-months"


@pytest.mark.parametrize(("month", "days", "seconds"), [("202403", "31", 2_674_800), ("202411", "30", 2_595_600)])
def test_a_whole_month_on_production_is_as_long_as_the_clock_says(
    tmp_path: Path, month: str, days: str, seconds: int
) -> None:
    source = of_lines(tmp_path, line(PRODUCTION_DATE=month, DAYS_ON_PROD=days))
    row = source.batch.candidates.row(0, named=True)
    assert (row["seconds"], row["on_stream_s"]) == (seconds, float(seconds))
    assert issues(source) == [[]]


def test_more_days_than_the_month_has_are_never_clipped(tmp_path: Path) -> None:
    source = of_lines(tmp_path, line(PRODUCTION_DATE="202402", DAYS_ON_PROD="31"), line(PRODUCTION_DATE="202403"))
    assert reasons(source) == [("line 1", "on_stream_too_long", "on_stream_s", 31 * 86_400.0)]
    assert judged(source).records.height == 1


def test_a_shut_in_month_is_a_month_of_zeros_with_its_status(tmp_path: Path) -> None:
    zeros = dict.fromkeys(("MON_O_PROD_VOL", "MON_G_PROD_VOL", "MON_W_PROD_VOL"), "000000000")
    source = of_lines(tmp_path, line(), line(PRODUCTION_DATE="202402", DAYS_ON_PROD="00", WELL_STAT_CD="12", **zeros))
    shut = judged(source).records.row(1, named=True)
    assert [shut[name] for name in ("oil_sm3", "gas_sm3", "water_sm3", "on_stream_s")] == [0.0] * 4
    assert (shut["verdict"], shut["injected_water_sm3"]) == ("verified", None)
    status = source.statuses.filter(pl.col("aspect") == "status").select("since", "until", "code").rows()
    february, march = datetime(2024, 2, 1, 6, tzinfo=UTC), datetime(2024, 3, 1, 6, tzinfo=UTC)
    assert status == [(datetime(2024, 1, 1, 6, tzinfo=UTC), february, "08"), (february, march, "12")]


def test_volume_with_no_day_on_production_is_kept_and_suspect(tmp_path: Path) -> None:
    assert issues(of_lines(tmp_path, line(DAYS_ON_PROD="00"))) == [
        ["volume_without_hours-gas_sm3", "volume_without_hours-oil_sm3", "volume_without_hours-water_sm3"]
    ]


@pytest.mark.parametrize(
    ("status", "water", "gas"),
    [("04", 50 * 0.158987295, None), ("03", None, 50 * to_canonical("gas_sm3", "Mscf@14.73")[0])],
)
def test_an_injector_injects_what_its_status_says_and_does_not_produce(
    tmp_path: Path, status: str, water: float | None, gas: float | None
) -> None:
    zeros = dict.fromkeys(SUMS, "000000000")
    row = one(tmp_path, line(WELL_STAT_CD=status, PRODUCT_CODE="S", INJECTION_VOLUME="000000050", **zeros))
    assert (row["injected_water_sm3"], row["injected_gas_sm3"], row["oil_sm3"]) == (water, gas, None)


def test_an_injection_whose_fluid_nothing_says_is_suspect(tmp_path: Path) -> None:
    assert issues(of_lines(tmp_path, line(INJECTION_VOLUME="000000050"))) == [["fluid_assumed-injected_water_sm3"]]


def test_an_empty_field_is_that_of_the_wells_other_rows_or_the_row_is_refused(tmp_path: Path) -> None:
    source = of_lines(
        tmp_path,
        line(FIELD_NAME_CODE=" "),
        line(PRODUCTION_DATE="202403"),
        line(API_WELL_NUMBER="608000000001", FIELD_NAME_CODE=""),
        line(API_WELL_NUMBER="608000000002", FIELD_NAME_CODE="", PRODUCTION_DATE="202405"),
        line(API_WELL_NUMBER="608000000002", FIELD_NAME_CODE="WILD"),
        line(API_WELL_NUMBER="608000000002", FIELD_NAME_CODE="VK1000", PRODUCTION_DATE="202407"),
    )
    assert issues(source) == [["field_inferred-field"], [], [], []]
    assert reasons(source) == [(f"line {n}", "no_field", "FIELD_NAME_CODE", "") for n in (3, 4)]
    assert [one.id for one in source.fields] == ["ei330", "vk1000", "wild"]


def test_a_row_without_a_lease_keeps_its_production_and_says_so(tmp_path: Path) -> None:
    assert issues(of_lines(tmp_path, line(LEASE_NUMBER="   "))) == [["lease_missing-well"]]


def test_a_completion_that_is_there_twice_counts_once(tmp_path: Path) -> None:
    source = of_lines(tmp_path, line(), line())
    assert math.isclose(source.batch.candidates["oil_sm3"].item(), 158.987295)
    assert issues(source) == [[]]
    assert reasons(source) == [("line 1", "repeated_completion", "COMPLETION_NAME", "A001")]


def test_of_two_reports_of_a_completion_the_later_counts_and_the_month_is_suspect(tmp_path: Path) -> None:
    source = of_lines(tmp_path, line(), line(MON_O_PROD_VOL="000002000"))
    assert math.isclose(source.batch.candidates["oil_sm3"].item(), 2 * 158.987295)
    assert issues(source) == [["completions_conflict-well"]]
    (row,) = source.batch.refused
    assert row.reasons[0].message == (
        "COMPLETION_NAME is 'A001', which line 2 gives for the same month with other content: the later line counts"
        " (rule superseded_completion)"
    )


def test_a_month_that_lost_a_completion_says_so(tmp_path: Path) -> None:
    source = of_lines(tmp_path, line(), line(COMPLETION_NAME="A001D", MON_G_PROD_VOL="-00000001"))
    assert issues(source) == [["completions_incomplete-well"]]
    assert reasons(source) == [("line 2", "below_low", "MON_G_PROD_VOL", "-00000001")]


CORRUPT = [
    (line(PRODUCTION_DATE="202413"), "not_a_month", "PRODUCTION_DATE", "202413"),
    (line(PRODUCTION_DATE="2024-1"), "not_a_month", "PRODUCTION_DATE", "2024-1"),
    (line(API_WELL_NUMBER="17710402170"), "not_an_api_number", "API_WELL_NUMBER", "17710402170"),
    (line(MON_O_PROD_VOL="12O"), "not_a_number", "MON_O_PROD_VOL", "12O"),
    (line(MON_G_PROD_VOL=""), "not_a_number", "MON_G_PROD_VOL", ""),
    (line(DAYS_ON_PROD="-1"), "below_low", "DAYS_ON_PROD", "-1"),
    (line(MON_W_PROD_VOL="-000000005"), "below_low", "MON_W_PROD_VOL", "-000000005"),
    (line(INJECTION_VOLUME="NaN"), "not_finite", "INJECTION_VOLUME", "NaN"),
    (line(FIELD_NAME_CODE="***"), "not_a_field", "FIELD_NAME_CODE", "***"),
    (line()[:60], "not_19_columns", "line", line()[:60]),
    (line() + ',"x"', "not_19_columns", "line", line() + ',"x"'),
    ("\x00\x01 binary", "not_19_columns", "line", "\ufffd\x01 binary"),
]


@pytest.mark.parametrize(("bad", "rule", "column", "value"), CORRUPT, ids=lambda one: repr(one)[:30])
def test_a_corrupt_line_is_refused_with_line_field_value_and_rule_and_the_good_ones_kept(
    tmp_path: Path, bad: str, rule: str, column: str, value: str
) -> None:
    source = of_lines(tmp_path, line(), bad, line(PRODUCTION_DATE="202402"))
    assert source.batch.candidates["place"].to_list() == ["line 1", "line 3"]
    (row,) = source.batch.refused
    assert (row.place, [(why.rule, why.field, why.value) for why in row.reasons]) == ("line 2", [(rule, column, value)])
    assert rule in row.reasons[0].message


def test_a_file_in_a_zip_is_the_same_file(tmp_path: Path) -> None:
    plain = ogor_file(tmp_path / "o.txt", [line()])
    packed = tmp_path / "o.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(plain, "ogora/o.txt")
    assert read(packed).batch.candidates.drop("source").equals(read(plain).batch.candidates.drop("source"))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"a,b,c\n1,2,3\n", "is not an OGOR-A file of 19 columns: line 1 is one which has 3 columns"),
        (b"PK\x03\x04" + bytes(100), "is damaged or cut short"),
    ],
)
def test_what_is_no_ogor_a_file_is_refused_in_a_sentence(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "o.txt"
    path.write_bytes(content)
    with pytest.raises(InputRefused, match=told):
        read(path)


def test_a_zip_of_several_files_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "o.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", line())
        archive.writestr("b.txt", line())
    with pytest.raises(InputRefused, match="a zip archive of 2 files"):
        read(path)


def test_the_reference_names_fields_and_wells_and_heads_them(tmp_path: Path) -> None:
    folder = reference_folder(tmp_path / "reference")
    source = of_lines(tmp_path, line(), line(API_WELL_NUMBER="177104023200", FIRST_PROD_DATE=""), reference=folder)
    assert [field.name for field in source.fields] == ["Eugene"]
    assert [well.name for well in source.wells] == ["EI 314 A001 ST01BP00", "EI 314 A002"]
    first, second = source.headers.drop("source").to_dicts()
    assert first == {
        "well": "ei330.177104021701", "api_number": "177104021701", "company": "Exxon, Mobil",
        "spud_date": date(1995, 6, 3), "total_depth_m": 3_048.0, "water_depth_m": 254 * 0.3048, "latitude": 28.25,
        "longitude": -91.35, "first_production": date(1995, 6, 6),
    }  # fmt: skip
    assert {name for name, value in second.items() if value is not None} == {"well", "api_number", "company"}
    assert source.told[1].startswith("2 values of the reference file")
    borehole = source.statuses.filter(pl.col("aspect") == "borehole").select("since", "until", "code").rows()
    assert borehole == [(datetime(2000, 7, 6, 5, tzinfo=UTC), None, "COM")]


def test_the_reference_beside_the_files_folder_is_found_by_itself(tmp_path: Path) -> None:
    reference_folder(tmp_path / "bsee-reference")
    (tmp_path / "bsee-ogora").mkdir()
    assert of_lines(tmp_path / "bsee-ogora", line()).fields[0].name == "Eugene"


def test_without_a_reference_wells_and_fields_go_by_their_numbers(tmp_path: Path) -> None:
    source = of_lines(tmp_path, line())
    assert (source.fields[0].name, source.wells[0].name) == ("EI330", "177104021701")
    assert source.told[1].startswith("no reference files")


@pytest.mark.parametrize("missing", ["folder", "boreholes", "column"])
def test_a_reference_that_is_not_whole_is_refused(tmp_path: Path, missing: str) -> None:
    folder = tmp_path / "reference"
    if missing != "folder":
        reference_folder(folder)
    if missing == "boreholes":
        (folder / "mv_boreholes_all.txt").unlink()
    if missing == "column":
        (folder / "mv_boreholes_all.txt").write_text('"API_WELL_NUMBER"\n"177104021701"\n')
    with pytest.raises(InputRefused, match=r"reference|boreholes"):
        of_lines(tmp_path, line(), reference=folder)


def test_types_operators_and_leases_are_dated(tmp_path: Path) -> None:
    source = of_lines(
        tmp_path,
        line(),
        line(PRODUCTION_DATE="202402", SORT_NAME="BUYER LLC", LEASE_NUMBER="G00001"),
        line(
            PRODUCTION_DATE="202403", SORT_NAME="BUYER LLC", LEASE_NUMBER="G00001", PRODUCT_CODE="S", WELL_STAT_CD="04"
        ),
    )
    codes = {aspect: source.statuses.filter(pl.col("aspect") == aspect)["code"].to_list() for aspect in
             ("type", "operator", "lease", "status")}  # fmt: skip
    assert codes == {
        "type": ["producer", "injector"], "operator": ["EXXON MOBIL CORPORATION", "BUYER LLC"],
        "lease": ["G02111", "G00001"], "status": ["08", "04"],
    }  # fmt: skip
    assert source.wells[0].purpose == "injector"


REAL = ["slice-15-fields-2008-2025.txt", "ogora2023delimit.zip", "ogora2024delimit.zip"]


@pytest.mark.parametrize("name", REAL)
def test_the_real_files_are_read_whole_and_every_well_has_its_header(name: str) -> None:
    source = read(shared("bsee-ogora", name))
    assert source.batch.refused == ()
    assert judged(source).refused == ()
    assert source.headers["latitude"].null_count() == 0
    assert set(source.headers["api_number"].str.len_chars()) == {12}
    assert len(COLUMNS) == 19
