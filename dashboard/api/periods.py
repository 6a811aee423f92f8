"""Periods to be compared: the one asked for, or the newest, and the one before it."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from storage.domain.production_day import month_of
from storage.domain.rollup import Grain
from storage.sums import Range

NEWEST_DAYS: Final = 30
_DAYS_A_MONTH: Final = 30.44

Reach = Mapping[Grain, tuple[date, date]]


def newest(reach: Reach, days: int = NEWEST_DAYS) -> Range | None:
    """The last so many production days that hold anything; where only months are known, as many whole months.

    None where nothing is known.
    """
    if Grain.MONTH not in reach:
        return None
    last_month = reach[Grain.MONTH][1]
    last_day = reach[Grain.DAY][1] if Grain.DAY in reach else None
    if last_day is not None and month_of(last_day) >= last_month:
        until = last_day + timedelta(days=1)
        return Range(until - timedelta(days=days), until)
    until = _months_later(last_month, 1)
    return Range(_months_later(until, -max(1, round(days / _DAYS_A_MONTH))), until)


def before(one: Range) -> Range:
    """The period of the same length just before: as many months where it is whole months, else as many days."""
    if one.since.day == one.until.day == 1:
        months = (one.until.year - one.since.year) * 12 + one.until.month - one.since.month
        return Range(_months_later(one.since, -months), one.since)
    return one.before


def asked(reach: Reach, since: date | None, until: date | None, days: int = NEWEST_DAYS) -> Range | None:
    """The range that was asked for; an end that was left out is that of the newest period. None where that is empty."""
    latest = newest(reach, days)
    if latest is None:
        return None
    end = until or latest.until
    found = Range(since or min(latest.since, end - timedelta(days=days)), end)
    return found if found.days > 0 else None


def _months_later(first: date, months: int) -> date:
    place = first.year * 12 + first.month - 1 + months
    return date(place // 12, place % 12 + 1, 1)
