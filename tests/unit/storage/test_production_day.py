"""Production days of 23, 24 and 25 hours."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.domain.production_day import day_bounds, day_of, day_seconds
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
