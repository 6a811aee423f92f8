"""Production days of 23, 24 and 25 hours."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.domain.production_day import day_bounds, day_of, day_seconds, days_and_hours, month_bounds, month_of
from storage.domain.record import TIMESTAMP
from storage.domain.well import Field

days = st.dates(date(1971, 1, 1), date(2037, 12, 30))
fields = st.builds(
    Field,
    id=st.just("f"),
    name=st.just("F"),
    time_zone=st.sampled_from(["UTC", "Europe/Oslo", "America/Chicago", "Australia/Lord_Howe", "Asia/Kolkata"]),
    day_start_s=st.sampled_from([0, 6 * 3600, 7 * 3600, 23 * 3600]),
)


@given(fields, days)
def test_days_follow_each_other_without_seam(field: Field, day: date) -> None:
    assert day_bounds(field, day)[1] == day_bounds(field, day + timedelta(days=1))[0]


@given(fields, days, st.integers(0, 86_399))
def test_an_instant_lies_inside_the_day_it_belongs_to(field: Field, day: date, second: int) -> None:
    instant = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=second)
    start, end = day_bounds(field, day_of(field, instant))
    assert start <= instant < end


@pytest.mark.parametrize(
    ("day", "seconds"), [(date(2010, 3, 28), 82_800), (date(2010, 6, 1), 86_400), (date(2010, 10, 31), 90_000)]
)
def test_clock_changes_make_days_of_23_and_25_hours(day: date, seconds: int) -> None:
    assert day_seconds(Field("volve", "Volve", "Europe/Oslo"), day) == seconds


def test_a_day_that_starts_at_six_is_named_by_the_date_it_starts_on() -> None:
    field = Field("f", "F", "Europe/Oslo", 6 * 3600)
    assert day_of(field, datetime(2024, 1, 2, 4, 59, tzinfo=UTC)) == date(2024, 1, 1)
    assert day_of(field, datetime(2024, 1, 2, 5, 0, tzinfo=UTC)) == date(2024, 1, 2)


@given(fields, st.lists(st.integers(788_918_400, 2_082_758_400), max_size=20))
def test_instants_are_stamped_with_the_day_they_lie_in_and_the_hours_since_its_start(
    field: Field, unix_s: list[int]
) -> None:
    instants = [datetime.fromtimestamp(one, UTC) for one in unix_s]
    days, hours = days_and_hours(field, pl.Series(instants, dtype=TIMESTAMP))
    assert days.to_list() == [day_of(field, one) for one in instants]
    assert hours.to_list() == [
        (one - day_bounds(field, day_of(field, one))[0]) // timedelta(hours=1) for one in instants
    ]


@given(fields, days)
def test_a_month_is_made_of_its_production_days(field: Field, day: date) -> None:
    start, end = month_bounds(field, day)
    assert start == day_bounds(field, day.replace(day=1))[0]
    assert month_of(day_of(field, end)) == month_of(month_of(day) + timedelta(days=31))
    assert month_of(day_of(field, end - timedelta(seconds=1))) == month_of(day)
