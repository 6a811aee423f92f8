"""Periods: the newest, the one asked for, and the one before."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from dashboard.api.periods import asked, before, newest
from storage.domain.rollup import Grain
from storage.sums import Range

DAYS = {Grain.DAY: (date(2025, 1, 3), date(2026, 3, 14)), Grain.MONTH: (date(2025, 1, 1), date(2026, 3, 1))}
MONTHS = {Grain.MONTH: (date(2020, 1, 1), date(2026, 2, 1))}


def test_the_newest_period_ends_with_the_newest_day() -> None:
    assert newest(DAYS, 30) == Range(date(2026, 2, 13), date(2026, 3, 15))


def test_where_only_months_are_known_the_newest_period_is_whole_months() -> None:
    assert newest(MONTHS, 30) == Range(date(2026, 2, 1), date(2026, 3, 1))
    assert newest(MONTHS, 90) == Range(date(2025, 12, 1), date(2026, 3, 1))
    assert newest(DAYS | MONTHS | {Grain.DAY: (date(2020, 1, 1), date(2020, 2, 1))}, 30) == newest(MONTHS, 30)


def test_before_whole_months_lie_as_many_whole_months_and_before_days_as_many_days() -> None:
    assert before(Range(date(2026, 2, 1), date(2026, 4, 1))) == Range(date(2025, 12, 1), date(2026, 2, 1))
    assert before(Range(date(2026, 2, 2), date(2026, 2, 5))) == Range(date(2026, 1, 30), date(2026, 2, 2))


def test_an_end_that_was_left_out_is_that_of_the_newest_period() -> None:
    assert asked(DAYS, date(2026, 1, 1), None) == Range(date(2026, 1, 1), date(2026, 3, 15))
    assert asked(DAYS, None, date(2025, 6, 1)) == Range(date(2025, 5, 2), date(2025, 6, 1))
    assert asked(DAYS, date(2027, 1, 1), None) is None
    assert asked({}, None, None) is None


@given(st.dates(date(2000, 1, 1), date(2030, 1, 1)), st.integers(1, 400))
def test_the_period_before_ends_where_the_period_begins(since: date, days: int) -> None:
    one = Range(since, date.fromordinal(since.toordinal() + days))
    earlier = before(one)
    assert earlier.until == one.since
    assert earlier.days > 0
