"""Real files through the real path: what is stored adds up to what the files say, summed without any of our code."""

import csv
import io
import math
import zipfile
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import Engine, text

from ingest.load import load
from ingest.pipeline import Pipeline
from ingest.sources import csv_mapping, ogor_a, three_w, volve
from ingest.sources.mapping import parsed
from storage import rollups, well_headers, well_statuses
from storage.database import reading
from storage.domain.record import QUANTITY_COLUMNS
from storage.log import LogMessage
from tests.shared_data import shared
from tests.unit.ingest.workbooks import real_workbook

BARREL_M3 = 0.158987295
MCF_SM3 = 1000 / 35.301  # 60 degF and 14.73 psia


class Silence:
    """A doorbell that nobody hears."""

    def ring(self, messages: Sequence[LogMessage]) -> bool:
        return bool(messages)


@pytest.fixture
def pipeline(engine: Engine) -> Pipeline:
    return Pipeline(engine, Silence(), lambda: datetime(2026, 1, 1, tzinfo=UTC))


def lines_of(path: Path) -> list[list[str]]:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            content = archive.read(archive.namelist()[0]).decode("latin-1")
    else:
        content = path.read_text("latin-1")
    return list(csv.reader(io.StringIO(content)))


def summed(path: Path) -> dict[tuple[str, str], tuple[int, int, int, int]]:
    """Barrels, Mcf, barrels, injected of every field and month, in whole numbers."""
    sums: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for row in lines_of(path):
        for at, column in enumerate((5, 6, 7, 14)):
            sums[row[13].strip().lower(), row[2]][at] += int(row[column])
    return {key: (one[0], one[1], one[2], one[3]) for key, one in sums.items()}


STORED = """
SELECT f.slug, to_char(r.start AT TIME ZONE 'America/Chicago', 'YYYYMM') AS month,
       coalesce(sum(oil_sm3), 0), coalesce(sum(gas_sm3), 0), coalesce(sum(water_sm3), 0),
       coalesce(sum(injected_water_sm3), 0), coalesce(sum(injected_gas_sm3), 0)
FROM records r JOIN fields f USING (field_id) GROUP BY 1, 2
"""


@pytest.mark.parametrize("name", ["slice-15-fields-2008-2025.txt", "ogora2023delimit.zip", "ogora2024delimit.zip"])
def test_every_field_and_month_of_ogor_a_adds_up_to_the_file(pipeline: Pipeline, engine: Engine, name: str) -> None:
    path = shared("bsee-ogora", name)
    source = ogor_a.read(path)
    summary = load(pipeline, source)
    lines = lines_of(path)
    wells = {(row[13].strip(), row[8], row[2]) for row in lines}
    assert (summary.counts.accepted, summary.counts.quarantined) == (len(wells), 0)
    expected = summed(path)
    with reading(engine) as connection:
        stored = {(row[0], row[1]): row[2:] for row in connection.execute(text(STORED))}
    assert set(stored) == set(expected)
    for key, (oil, gas, water, injected) in expected.items():
        found = stored[key]
        assert math.isclose(found[0], oil * BARREL_M3, rel_tol=1e-9, abs_tol=1e-6), key
        assert math.isclose(found[1], gas * MCF_SM3, rel_tol=1e-4, abs_tol=1e-6), key
        assert math.isclose(found[2], water * BARREL_M3, rel_tol=1e-9, abs_tol=1e-6), key
        of_gas = found[4] / MCF_SM3
        assert math.isclose(found[3] / BARREL_M3 + of_gas, injected, rel_tol=1e-4, abs_tol=1e-6), key


def test_both_years_after_the_slice_revise_nothing_and_keep_wells_and_headers(
    pipeline: Pipeline, engine: Engine
) -> None:
    load(pipeline, ogor_a.read(shared("bsee-ogora", "slice-15-fields-2008-2025.txt")))
    again = load(pipeline, ogor_a.read(shared("bsee-ogora", "slice-15-fields-2008-2025.txt"))).counts
    assert (again.accepted, again.revised, again.duplicates) == (0, 0, 96_170)
    year = ogor_a.read(shared("bsee-ogora", "ogora2024delimit.zip"))
    counts = load(pipeline, year).counts
    assert counts.revised + counts.duplicates + counts.accepted == 58_769
    rollups.catch_up(engine, "ei330")
    with reading(engine) as connection:
        headers = well_headers.of_field(connection, "ei330")
        now = well_statuses.of_field(connection, "ei330")
    assert headers["latitude"].null_count() == 0
    assert headers["spud_date"].null_count() < headers.height / 10
    assert now["status"].null_count() == now["borehole"].null_count() == 0
    assert set(now["derived"].drop_nulls()) == {"active", "inactive"}


def test_a_3w_instance_is_stored_second_by_second(pipeline: Pipeline, engine: Engine) -> None:
    path = shared("petrobras-3w", "2", "WELL-00002_20131104014101.parquet")
    summary = load(pipeline, three_w.read(path))
    plain = pl.read_parquet(path)
    assert summary.counts.accepted == plain.height
    with reading(engine) as connection:
        count, mean = connection.execute(text("SELECT count(*), avg(wellhead_pressure_bar) FROM records")).one()
        labels = well_statuses.history(connection, "3w.well-00002")
    assert count == plain.height
    assert math.isclose(mean, float(str(plain["P-TPT"].mean())) / 1e5, rel_tol=1e-9)
    assert labels["code"].to_list() == ["0", "102", "2"]


VOLVE = """
field: Volve
time_zone: Europe/Oslo
columns:
  DATEPRD: day
  NPD_WELL_BORE_NAME: well
  ON_STREAM_HRS: {is: on_stream_s, unit: h}
  AVG_DOWNHOLE_PRESSURE: {is: downhole_pressure_bar, unit: bar, zero_is_no_reading: true}
  AVG_DOWNHOLE_TEMPERATURE: {is: downhole_temperature_degc, unit: degC, zero_is_no_reading: true}
  AVG_ANNULUS_PRESS: {is: annulus_pressure_bar, unit: bar}
  AVG_CHOKE_SIZE_P: {is: choke_pct, unit: "%"}
  AVG_WHP_P: {is: wellhead_pressure_bar, unit: bar}
  AVG_WHT_P: {is: wellhead_temperature_degc, unit: degC}
  BORE_OIL_VOL: {is: oil_sm3, unit: Sm3}
  BORE_GAS_VOL: {is: gas_sm3, unit: Sm3}
  BORE_WAT_VOL: {is: water_sm3, unit: Sm3}
  BORE_WI_VOL: {is: injected_water_sm3, unit: Sm3}
"""


def test_volve_as_csv_is_the_same_as_volve_as_workbook(pipeline: Pipeline, tmp_path: Path) -> None:
    path = tmp_path / "volve.csv"
    sheet = pl.read_excel(real_workbook(), sheet_name="Daily Production Data", read_options={"dtypes": "string"})
    sheet.write_csv(path)
    source, workbook = csv_mapping.read(path, parsed(VOLVE)), volve.read(real_workbook())
    both = workbook.batch.candidates.join(source.batch.candidates, on=["well", "start", "seconds"], suffix=" of csv")
    assert both.height == 15_634
    for column in QUANTITY_COLUMNS:
        assert both[column].is_null().equals(both[f"{column} of csv"].is_null())
        assert float(str((both[column] - both[f"{column} of csv"]).abs().max() or 0)) < 1e-8, column
    counts = load(pipeline, source).counts
    assert (counts.accepted, counts.quarantined_by_rule) == (15_630, {"below_low": 4})
