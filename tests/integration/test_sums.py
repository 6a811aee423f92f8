"""Sums over ranges of production days, from months where they are whole and from days where they are not."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from sqlalchemy import Engine

from storage import records, rollups, sums, wells
from storage.database import reading, writing
from storage.domain.production_day import day_of, month_bounds
from storage.domain.record import TIMESTAMP
from storage.domain.rollup import Grain
from storage.domain.well import Field
from storage.sums import Range
from storage.wells import kept_field, kept_well
from tests.records import T0, frame, known_field

DAY_S = 86_400
FIELD = Field("demo", "Demo", "Europe/Oslo", 6 * 3600)
FIRST = day_of(FIELD, T0)
"""Records of the tests start at midnight UTC, within the production day of the date before."""


@pytest.fixture(autouse=True)
def _history(engine: Engine) -> None:
    known_field(engine, names=("a", "b", "silent"))
    rows = [(well, DAY_S * day, oil + day) for day in range(75) for well, oil in (("demo.a", 10.0), ("demo.b", 100.0))]
    with writing(engine) as connection:
        records.write(connection, frame(*rows, resolution="daily", wellhead_pressure_bar=30.0), datetime.now(UTC))
    rollups.catch_up(engine, "demo")


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


@pytest.mark.parametrize(
    ("since", "until"), [(0, 75), (3, 5), (10, 40), (1, 32), (0, 32), (1, 60), (40, 41), (70, 200), (-90, 3)]
)
def test_sums_are_those_of_the_days_however_the_range_lies_to_the_months(
    engine: Engine, since: int, until: int
) -> None:
    within = range(max(since, 0), min(until, 75))
    with reading(engine) as connection:
        of = kept_field(connection, "demo")
        found = sums.sums(connection, of, [Range(day(since), day(until))], ["oil_sm3", "wellhead_pressure_bar"])
        whole = sums.sums(connection, of, [Range(day(since), day(until))], ["oil_sm3"], whole_field=True)
    assert found["well"].to_list() == ["demo.a", "demo.b"]
    assert found["oil_sm3"].to_list() == [sum(10.0 + n for n in within), sum(100.0 + n for n in within)]
    assert found["wellhead_pressure_bar"].to_list() == pytest.approx([30.0, 30.0])
    assert found["records"].to_list() == [len(within)] * 2
    assert found["measured_s"].to_list() == [len(within) * DAY_S] * 2
    assert whole["oil_sm3"].to_list() == [found["oil_sm3"].sum()]


@pytest.mark.parametrize("since", [date(2025, 1, 29), date(2025, 1, 31), date(2025, 1, 30), date(2025, 1, 2)])
def test_the_first_whole_month_after_a_day_late_in_a_month_is_not_passed_over(engine: Engine, since: date) -> None:
    start, end = month_bounds(FIELD, date(2025, 2, 1))
    monthly = frame(("demo.silent", 0, 7.0), resolution="monthly").with_columns(
        pl.lit(start).cast(TIMESTAMP).alias("start"),
        pl.lit(int((end - start).total_seconds()), dtype=pl.Int32).alias("seconds"),
    )
    with writing(engine) as connection:
        records.write(connection, monthly, datetime.now(UTC))
    rollups.catch_up(engine, "demo")
    with reading(engine) as connection:
        of = kept_field(connection, "demo")
        found = sums.sums(connection, of, [Range(since, date(2025, 3, 15))], ["oil_sm3"])
    assert found.filter(well="demo.silent")["oil_sm3"].to_list() == [7.0]


def test_several_ranges_come_by_their_place(engine: Engine) -> None:
    one = Range(day(10), day(20))
    with reading(engine) as connection:
        found = sums.sums(connection, kept_field(connection, "demo"), [one, one.before], ["oil_sm3"])
    assert found.select("place", "well").rows() == [(0, "demo.a"), (0, "demo.b"), (1, "demo.a"), (1, "demo.b")]
    assert found["oil_sm3"][0] - found["oil_sm3"][2] == 100.0


def test_a_range_without_records_and_no_range_at_all_are_no_rows(engine: Engine) -> None:
    with reading(engine) as connection:
        of = kept_field(connection, "demo")
        for ranges in ([], [Range(date(1999, 1, 1), date(1999, 12, 31))]):
            found = sums.sums(connection, of, ranges, ["oil_sm3"])
            assert (found.height, found.schema) == (0, sums.sums_schema(["oil_sm3"]))


def test_the_reach_of_a_well_is_that_of_its_buckets(engine: Engine) -> None:
    with reading(engine) as connection:
        reach = sums.reach(connection, kept_well(connection, "demo.a"))
        silent = sums.reach(connection, kept_well(connection, "demo.silent"))
        whole = sums.reach(connection, kept_field(connection, "demo"))
    assert reach == {Grain.DAY: (day(0), day(74)), Grain.MONTH: (day(0).replace(day=1), day(74).replace(day=1))}
    assert (silent, whole) == ({}, reach)


def test_issues_are_counted_among_suspects_of_the_range(engine: Engine) -> None:
    rows = [("demo.a", DAY_S * number, 1.0) for number in range(100, 110)]
    suspect = frame(*rows, resolution="daily", verdict="suspect", issues=["drift", "jump"])
    with writing(engine) as connection:
        wells.add_field(connection, FIELD)
        records.write(connection, suspect, datetime.now(UTC))
    with reading(engine) as connection:
        of = kept_well(connection, "demo.a")
        found = sums.issues(connection, of, Range(day(100), day(103)))
        other = sums.issues(connection, kept_well(connection, "demo.b"), Range(day(100), day(103)))
    assert found.rows() == [("drift", 3), ("jump", 3)]
    assert other.is_empty()
