"""A whole file into storage, once or again, interrupted or not."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import Engine, text

from ingest.load import load
from ingest.parse import Source
from ingest.pipeline import Counts, Pipeline
from ingest.sources.volve import read
from storage.database import reading
from storage.wells import all_fields, wells_of
from stream.doorbell import Doorbell
from tests.unit.ingest.workbooks import daily_workbook, day, real_workbook


def now() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def pipeline(engine: Engine, redis_url: str) -> Pipeline:
    return Pipeline(engine, Doorbell(redis_url), now)


@pytest.fixture(scope="module")
def volve() -> Source:
    return read(real_workbook())


def test_all_rows_of_volve_are_accounted_for_and_again_are_duplicates(
    pipeline: Pipeline, engine: Engine, volve: Source
) -> None:
    seen: list[tuple[int, int]] = []
    summary = load(pipeline, volve, lambda done, rows: seen.append((done, rows)))
    assert summary.counts == Counts(15_630, 0, 0, 4, 2_653, {"below_low": 4})
    assert seen[0] == (0, 15_634)
    assert seen[-1] == (15_634, 15_634)
    assert seen == sorted(seen)
    again = load(pipeline, volve).counts
    assert again == Counts(duplicates=15_630, quarantined=4, quarantined_by_rule={"below_low": 4})
    with reading(engine) as connection:
        assert [field.id for field in all_fields(connection)] == ["volve"]
        assert len(wells_of(connection, "volve")) == 7
        kept = connection.execute(
            text("SELECT (SELECT count(*) FROM records), (SELECT count(*) FROM quarantine), (SELECT count(*) FROM log)")
        ).one()
    assert tuple(kept) == (15_630, 4, 16)


def test_the_quarantine_keeps_row_value_and_rule(pipeline: Pipeline, engine: Engine, volve: Source) -> None:
    load(pipeline, volve)
    query = "SELECT place, raw->>'BORE_WAT_VOL', reasons->0->>'rule', reasons->0->>'message' FROM quarantine ORDER BY 1"
    with reading(engine) as connection:
        first, *others = connection.execute(text(query)).all()
    assert len(others) == 3
    assert tuple(first) == (
        "Daily Production Data row 1984", "-14.19", "below_low",
        "water_sm3 is -14.19 Sm3, below the lowest possible 0 Sm3 (rule below_low)",
    )  # fmt: skip


def test_an_interrupted_load_is_finished_by_doing_it_again(pipeline: Pipeline, volve: Source) -> None:
    class Interrupted(Exception):
        """Stands for Ctrl-C."""

    def interrupt(done: int, _rows: int) -> None:
        if done >= 5_000:
            raise Interrupted

    with pytest.raises(Interrupted):
        load(pipeline, volve, interrupt)
    counts = load(pipeline, volve).counts
    assert counts.duplicates + counts.accepted == 15_630
    assert counts.accepted < 15_630 - 4_900


def test_stored_numbers_are_the_file_s_numbers(pipeline: Pipeline, engine: Engine, volve: Source) -> None:
    load(pipeline, volve)
    with reading(engine) as connection:
        stored = connection.execute(text("SELECT sum(oil_sm3), max(downhole_pressure_bar) FROM records")).one()
    good = volve.batch.candidates.filter(~(pl.col("water_sm3") < 0).fill_null(value=False))
    assert stored[0] == pytest.approx(good["oil_sm3"].sum(), rel=1e-12)
    assert stored[1] == good["downhole_pressure_bar"].max()


def test_good_rows_are_kept_beside_a_text_in_a_number(pipeline: Pipeline, engine: Engine, tmp_path: Path) -> None:
    source = read(daily_workbook(tmp_path / "v.xlsx", [day(), day(DATEPRD="2014-06-02", BORE_OIL_VOL="n/a")]))
    assert load(pipeline, source).counts == Counts(accepted=1, quarantined=1, quarantined_by_rule={"not_a_number": 1})
    with reading(engine) as connection:
        message = connection.execute(text("SELECT reasons->0->>'message' FROM quarantine")).scalar_one()
    assert message == "BORE_OIL_VOL is 'n/a', which is not a number (rule not_a_number)"
