"""Buckets from a few records: the whole record goes before the finer ones, states and extremes fill each other up."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from storage.domain.best_available import best_available
from storage.domain.production_day import day_bounds
from storage.domain.record import TIMESTAMP
from storage.domain.rollup import Grain
from storage.domain.well import Field

OSLO = Field("demo", "Demo", "Europe/Oslo", 6 * 3600)
QUANTITIES = ("oil_sm3", "wellhead_pressure_bar")
SCHEMA = {
    "start": TIMESTAMP, "seconds": pl.Int32, "resolution": pl.String, "oil_sm3": pl.Float64,
    "wellhead_pressure_bar": pl.Float64, "verdict": pl.String, "quality": pl.Float64, "log_offset": pl.Int64,
}  # fmt: skip


def record(
    start: datetime, seconds: int, resolution: str, oil: float | None, bar: float | None = None, **more: Any
) -> Any:
    base = {"start": start, "seconds": seconds, "resolution": resolution, "oil_sm3": oil, "wellhead_pressure_bar": bar}
    return base | {"verdict": "verified", "quality": 1.0, "log_offset": 1} | more


def buckets(grain: Grain, *records: Any) -> list[dict[str, Any]]:
    return best_available(pl.DataFrame(list(records), schema=SCHEMA), OSLO, grain, QUANTITIES).rows(named=True)


def hourly(day: date, count: int, oil: float = 1.0) -> list[Any]:
    begins = day_bounds(OSLO, day)[0]
    return [record(begins + timedelta(hours=hour), 3_600, "live", oil + hour, 40.0 + hour) for hour in range(count)]


def daily(day: date, oil: float | None, bar: float | None = None) -> Any:
    start, end = day_bounds(OSLO, day)
    return record(start, round((end - start).total_seconds()), "daily", oil, bar, log_offset=2)


def test_a_day_without_a_daily_record_is_the_sum_of_its_live_ones() -> None:
    (one,) = buckets(Grain.DAY, *hourly(date(2026, 1, 5), 3))
    assert (one["basis"], one["records"], one["oil_sm3"], one["measured_s"]) == ("live", 3, 6.0, 10_800.0)
    assert one["wellhead_pressure_bar"] == 41.0
    assert (one["oil_sm3_low"], one["oil_sm3_high"]) == (24.0, 72.0)


def test_a_daily_record_goes_before_live_ones_even_where_it_measured_nothing_and_keeps_their_extremes() -> None:
    day = date(2026, 1, 5)
    (one,) = buckets(Grain.DAY, *hourly(day, 3), daily(day, 100.0))
    assert (one["basis"], one["records"], one["oil_sm3"], one["log_offset"]) == ("daily", 1, 100.0, 2)
    assert (one["wellhead_pressure_bar"], one["oil_sm3_high"]) == (41.0, 72.0)
    (silent,) = buckets(Grain.DAY, *hourly(day, 3), daily(day, None))
    assert silent["oil_sm3"] is None


@pytest.mark.parametrize("order", [1, -1])
def test_of_daily_records_that_came_together_the_one_that_rollups_take_counts(order: int) -> None:
    begins = day_bounds(OSLO, date(2026, 1, 5))[0]
    two = [record(begins, 86_400, "daily", 10.0), record(begins, 82_800, "daily", 9.0)]
    (one,) = buckets(Grain.DAY, *two[::order])
    assert one["oil_sm3"] == 9.0


def test_a_month_is_the_sum_of_its_days_until_it_has_a_record_of_its_own() -> None:
    days = [daily(date(2026, 1, 5), 100.0), *hourly(date(2026, 1, 6), 2)]
    (mixed,) = buckets(Grain.MONTH, *days)
    assert (mixed["basis"], mixed["oil_sm3"], mixed["seconds"]) == ("mixed", 103.0, 31 * 86_400)
    month = record(day_bounds(OSLO, date(2026, 1, 1))[0], 31 * 86_400, "monthly", 90.0, log_offset=3)
    (whole,) = buckets(Grain.MONTH, *days, month)
    assert (whole["basis"], whole["oil_sm3"], whole["log_offset"]) == ("monthly", 90.0, 3)


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 28), 23), (date(2026, 10, 24), 25)])
def test_the_days_on_which_clocks_change_have_23_and_25_hours(day: date, hours: int) -> None:
    made = buckets(Grain.HOUR, *hourly(day, 25))
    assert [one["seconds"] for one in made] == [3_600] * 25
    (first, *rest) = buckets(Grain.DAY, *hourly(day, 25))
    assert (first["seconds"], first["records"]) == (hours * 3_600, hours)
    assert sum(one["records"] for one in rest) == 25 - hours


def test_nothing_known_is_no_bucket() -> None:
    for grain in Grain:
        assert buckets(grain) == []


def test_suspects_are_counted_and_quality_is_weighted_by_time() -> None:
    at = datetime(2026, 1, 5, 12, tzinfo=UTC)
    (one,) = buckets(
        Grain.HOUR,
        record(at, 600, "live", 1.0, verdict="suspect", quality=0.4),
        record(at + timedelta(minutes=10), 1_200, "live", 1.0),
    )
    assert (one["suspects"], one["quality"]) == (1, pytest.approx(0.8))
