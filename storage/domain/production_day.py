"""The production day: from the field's day start in the field's time zone; 23, 24 or 25 hours long."""

from datetime import UTC, date, datetime, time, timedelta

from storage.domain.well import Field


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


def _day_start(field: Field, day: date) -> datetime:
    offset = timedelta(seconds=field.day_start_s)
    wall_clock = (datetime.combine(day, time.min) + offset).replace(tzinfo=field.zone)
    return wall_clock.astimezone(UTC)
