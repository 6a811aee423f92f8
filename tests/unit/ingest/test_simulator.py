"""The demonstration field is a pure function of seed, well and time, and looks like a field."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.sources.simulator import Simulator
from storage.domain.production_day import day_bounds
from storage.domain.record import RECORD_SCHEMA

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
YEAR = [date(2025, 1, 1) + timedelta(days=day) for day in range(365)]
MOMENTS = st.datetimes(datetime(2015, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.fixture(scope="module")
def year() -> pl.DataFrame:
    """A year of days, with rates of the hours on stream."""
    return Simulator().daily(YEAR).with_columns(oil_rate=pl.col("oil_sm3") * 86_400 / pl.col("on_stream_s"))


def of(frame: pl.DataFrame, number: int) -> pl.DataFrame:
    return frame.filter(pl.col("well") == f"demo.d-{number}")


@settings(max_examples=25, deadline=None)
@given(MOMENTS, st.integers(0, 600), st.integers(0, 600), st.integers(1, 60), st.integers(1, 20), st.integers(0, 9))
def test_asking_in_parts_gives_what_asking_once_gives(
    start: datetime, first_s: int, second_s: int, every_s: int, wells: int, seed: int
) -> None:
    simulator = Simulator(wells, seed)
    middle = start + timedelta(seconds=first_s)
    end = middle + timedelta(seconds=second_s)
    parts = [simulator.live(start, middle, every_s), simulator.live(middle, end, every_s)]
    assert pl.concat(parts).equals(simulator.live(start, end, every_s))


def test_the_same_question_to_another_simulator_gives_the_same_records() -> None:
    later = NOON + timedelta(minutes=5)
    assert Simulator().live(NOON, later, 5).equals(Simulator().live(NOON, later, 5))
    assert Simulator().daily(YEAR[:3]).equals(Simulator().daily(YEAR[:3]))


def test_another_seed_is_another_field() -> None:
    later = NOON + timedelta(minutes=5)
    assert not Simulator(seed=2).live(NOON, later, 5).equals(Simulator().live(NOON, later, 5))


def test_records_have_the_schema_of_records() -> None:
    assert Simulator().live(NOON, NOON + timedelta(minutes=1), 5).schema == RECORD_SCHEMA
    assert Simulator().daily([]).schema == RECORD_SCHEMA
    assert Simulator().live(NOON, NOON, 5).is_empty()


def test_something_ends_every_second() -> None:
    for second in range(20):
        since = NOON + timedelta(seconds=second)
        assert Simulator().live(since, since + timedelta(seconds=1), 5).height in (1, 2)


def test_a_well_has_one_record_for_every_interval_without_gap_or_overlap() -> None:
    frame = of(Simulator().live(NOON, NOON + timedelta(minutes=10), 7), 6).sort("start")
    assert frame["start"].diff().drop_nulls().unique().to_list() == [timedelta(seconds=7)]
    assert frame["seconds"].unique().to_list() == [7]


@pytest.mark.parametrize("day", [date(2026, 3, 28), date(2025, 10, 25), date(2026, 1, 10)])
def test_a_day_is_the_sum_of_its_minutes(day: date) -> None:
    simulator = Simulator(3)
    start, end = day_bounds(simulator.field(), day)
    daily = simulator.daily([day])
    assert daily["seconds"].to_list() == [round((end - start).total_seconds())] * 3
    minutes = simulator.live(start, end + timedelta(minutes=1), 60).filter(
        pl.col("start") >= start, pl.col("start") < end
    )
    summed = minutes.group_by("well").agg(pl.col("oil_sm3", "gas_sm3", "water_sm3", "on_stream_s").sum()).sort("well")
    for column in ("oil_sm3", "gas_sm3", "water_sm3", "on_stream_s"):
        assert summed[column].to_list() == pytest.approx(daily.sort("well")[column].to_list(), rel=0.01)


def test_on_stream_time_and_volumes_stop_together(year: pl.DataFrame) -> None:
    assert year.filter(pl.col("on_stream_s") > pl.col("seconds")).is_empty()
    down = year.filter(pl.col("on_stream_s") == 0)
    assert not down.is_empty()
    assert down["oil_sm3"].drop_nulls().sum() == 0
    assert 0.95 < year["on_stream_s"].sum() / year["seconds"].sum() < 0.999


def test_producers_look_like_producers(year: pl.DataFrame) -> None:
    wells = year.filter(pl.col("oil_sm3") > 0, pl.col("on_stream_s") > 80_000)
    gor = wells["gas_sm3"] / wells["oil_sm3"]
    assert wells["oil_rate"].min() > 30  # type: ignore[operator]
    assert wells["oil_rate"].max() < 1_800  # type: ignore[operator]
    assert (gor.min(), gor.max()) == (pytest.approx(140, abs=60), pytest.approx(200, abs=60))
    assert wells["wellhead_pressure_bar"].is_between(20, 125).all()
    assert wells["choke_pct"].is_between(30, 100).all()


def test_a_shut_well_builds_up_pressure(year: pl.DataFrame) -> None:
    producers = year.filter(pl.col("oil_sm3").is_not_null())
    shut, flowing = producers.filter(pl.col("on_stream_s") == 0), producers.filter(pl.col("on_stream_s") > 80_000)
    assert shut["wellhead_pressure_bar"].mean() > flowing["wellhead_pressure_bar"].mean()  # type: ignore[operator]


def test_rates_decline_and_water_breaks_through_between_workovers() -> None:
    days = [date(2018, 1, 1) + timedelta(days=10 * step) for step in range(220)]
    well = of(Simulator(1).daily(days), 1).filter(pl.col("oil_sm3") > 0)
    cut = well["water_sm3"] / (well["water_sm3"] + well["oil_sm3"])
    assert cut.min() < 0.06  # type: ignore[operator]
    assert cut.max() > 0.25  # type: ignore[operator]
    low, high = well["oil_sm3"].quantile(0.1), well["oil_sm3"].quantile(0.9)
    assert low is not None
    assert high is not None
    assert high > 2 * low


def test_the_gauge_of_the_fifth_well_is_frozen_and_that_of_the_first_is_not() -> None:
    frame = Simulator().live(NOON, NOON + timedelta(hours=1), 5)
    assert of(frame, 5)["downhole_pressure_bar"].n_unique() == 1
    assert of(frame, 1)["downhole_pressure_bar"].n_unique() > 100


def test_the_fourth_well_injects_and_the_third_is_gas_lifted(year: pl.DataFrame) -> None:
    injector, lifted = of(year, 4), of(year, 3)
    assert injector["injected_water_sm3"].drop_nulls().max() > 1_000  # type: ignore[operator]
    assert injector["oil_sm3"].null_count() == injector.height
    assert lifted["gas_lift_sm3_per_d"].max() > 40_000  # type: ignore[operator]
    assert of(year, 1)["gas_lift_sm3_per_d"].null_count() == 365
    assert [well.purpose for well in Simulator().wells()].index("injector") == 3


def test_live_records_of_many_wells_take_milliseconds() -> None:
    frame = Simulator(1_000).live(NOON, NOON + timedelta(seconds=1), 1)
    assert frame.height == 1_000
    assert frame["well"].n_unique() == 1_000
