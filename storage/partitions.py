"""Partitions by time: made ahead or when first needed, and old ones of the log dropped."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import Connection, text

from storage.database import rows_of

_LOCK: Final = 7_305_001
_WAIT_FOR_READERS: Final = "2s"


@dataclass(frozen=True, slots=True)
class Partition:
    """One stretch of time, [since, until) from 0:00 UTC, of the table ``of``."""

    of: str
    name: str
    since: date
    until: date


def year_of_records(year: int) -> Partition:
    """The partition of the records that start in a UTC year (up to 9998)."""
    return Partition("records", f"records_{year}", date(year, 1, 1), date(year + 1, 1, 1))


def day_of_log(day: date) -> Partition:
    """The partition of the log rows that were written on a UTC day."""
    return Partition("log", f"log_{day:%Y%m%d}", day, day + timedelta(days=1))


def ensure(connection: Connection, wanted: Iterable[Partition]) -> list[str]:
    """Make the partitions that are not there; one makes them at a time, others wait. Returns the names of the new.

    They are attached when they are whole, which keeps neither readers nor writers of the table waiting.
    """
    by_name = {one.name: one for one in wanted}
    missing = _missing(connection, by_name)
    if missing:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        missing = _missing(connection, missing)
    for name in missing:
        one = by_name[name]
        connection.execute(text(f"CREATE TABLE {one.name} (LIKE {one.of} INCLUDING ALL)"))
        connection.execute(
            text(
                f"ALTER TABLE {one.of} ATTACH PARTITION {one.name}"
                f" FOR VALUES FROM ('{one.since:%Y-%m-%d}+00') TO ('{one.until:%Y-%m-%d}+00')"
            )
        )
    return missing


def drop_log_before(connection: Connection, day: date) -> list[str]:
    """Drop the log's partitions of days before ``day``, and say in the counter rows what is the oldest row now.

    Who stands further back is told to reload. Waits for readers of the log for at most two seconds.

    Raises:
        StorageDown: readers kept the log for longer; nothing was dropped, try again later.
    """
    found = rows_of(
        connection,
        "SELECT c.relname AS name FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid"
        " WHERE inhparent = to_regclass('log') AND c.relname < :first ORDER BY 1",
        first=day_of_log(day).name,
    )
    names = [row.name for row in found]
    if names:
        connection.execute(text(f"SET LOCAL lock_timeout = '{_WAIT_FOR_READERS}'"))
        connection.execute(text("SELECT field_id FROM log_heads ORDER BY field_id FOR UPDATE"))
        connection.execute(text(f"DROP TABLE {', '.join(names)}"))
        connection.execute(
            text(
                "UPDATE log_heads SET oldest = coalesce("
                "(SELECT min(log_offset) FROM log WHERE log.field_id = log_heads.field_id), head + 1)"
            )
        )
    return names


def _missing(connection: Connection, names: Iterable[str]) -> list[str]:
    found = rows_of(
        connection,
        # not to_regclass: what it remembers is not refreshed while the other one's commit was waited for
        "SELECT name FROM unnest(CAST(:names AS text[])) AS name WHERE NOT EXISTS (SELECT FROM pg_class"
        " WHERE relname = name AND relnamespace = to_regnamespace(current_schema()::text))",
        names=list(names),
    )
    return [row.name for row in found]
