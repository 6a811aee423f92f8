"""The production day: from the field's day start in the field's time zone; 23, 24 or 25 hours long."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from storage.domain.record import TIMESTAMP
from storage.domain.well import Field

HOUR_US: Final = 3_600_000_000


def day_bounds(field: Field, day: date) -> tuple[datetime, datetime]:
    """Start (inclusive) and end (exclusive) of a production day, in UTC.

    A production day is named by the local date on which it starts.
    """
    return _day_start(field, day), _day_start(field, day + timedelta(days=1))


def day_seconds(field: Field, day: date) -> int:
    """Length of a production day in seconds: 82,800, 86,400 or 90,000."""
    start, end = day_bounds(field, day)
    return round((end - start).total_seconds())


def day_of(field: Field, instant: datetime) -> date:
    """The production day that an instant (time zone required) falls into."""
    local = instant.astimezone(field.zone)
    day = local.date()
    return day if instant.astimezone(UTC) >= _day_start(field, day) else day - timedelta(days=1)


def clock_of(field: Field) -> Field:
    """The field without its names: what its days depend on, so that fields of one clock share what was worked out."""
    return replace(field, id="", name="")


def month_of(day: date) -> date:
    """The month that a production day belongs to, named by its first day."""
    return day.replace(day=1)


def month_bounds(field: Field, month: date) -> tuple[datetime, datetime]:
    """Start (inclusive) and end (exclusive) of the production month that a date lies in, in UTC."""
    first = month_of(month)
    return _day_start(field, first), _day_start(field, month_of(first + timedelta(days=31)))


def days_and_hours(field: Field, starts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """For instants (UTC, microseconds): the production day (date) and the hour within it, counted from its start.

    Hours are 3,600 s of elapsed time, so a day of 25 hours has the hours 0 to 24, and a clock change of half an hour
    (Lord Howe) leaves a last hour that is half as long.
    """
    at_us = starts.dt.epoch("us").to_numpy()
    if not len(at_us):
        return pl.Series("day", [], pl.Date), pl.Series("hour", [], pl.Int16)
    years = [datetime.fromtimestamp(int(us) / 1e6, UTC).year for us in (at_us.min(), at_us.max())]
    first, bounds_us = _day_starts(clock_of(field), years[0], years[1])
    place = np.searchsorted(bounds_us, at_us, side="right") - 1
    days = pl.Series("day", place + (first - date(1970, 1, 1)).days, pl.Int32).cast(pl.Date)
    return days, pl.Series("hour", (at_us - bounds_us[place]) // HOUR_US, pl.Int16)


def bounds_of_days(field: Field, days: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Start (UTC) and length in s of production days given as dates."""
    return _bounds(field, days, days.dt.offset_by("1d"))


def bounds_of_months(field: Field, months: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Start (UTC) and length in s of production months given by their first dates."""
    return _bounds(field, months, months.dt.offset_by("1mo"))


def _bounds(field: Field, first: pl.Series, beyond: pl.Series) -> tuple[pl.Series, pl.Series]:
    if first.is_empty():
        return pl.Series("start", [], TIMESTAMP), pl.Series("seconds", [], pl.Int32)
    origin, starts_us = _day_starts(clock_of(field), first.dt.year().min(), beyond.dt.year().max())  # type: ignore[arg-type]
    since = (origin - date(1970, 1, 1)).days
    start, end = (starts_us[one.to_physical().to_numpy() - since] for one in (first, beyond))
    return pl.Series("start", start).cast(TIMESTAMP), pl.Series("seconds", (end - start) // 1_000_000, pl.Int32)


@lru_cache(maxsize=256)
def _day_starts(clock: Field, first_year: int, last_year: int) -> tuple[date, npt.NDArray[np.int64]]:
    """A first day before the first year, and the starts of it and all days after, past the last year (Unix us)."""
    first, beyond = date(max(first_year, 2) - 1, 12, 30), date(min(last_year, 9998) + 1, 1, 3)
    ahead = range((beyond - first).days)
    starts = [round(_day_start(clock, first + timedelta(days=days)).timestamp()) * 1_000_000 for days in ahead]
    return first, np.array(starts, dtype=np.int64)


def _day_start(field: Field, day: date) -> datetime:
    offset = timedelta(seconds=field.day_start_s)
    wall_clock = (datetime.combine(day, time.min) + offset).replace(tzinfo=field.zone)
    return wall_clock.astimezone(UTC)
