"""A field of any size, made inside PostgreSQL: data to measure with, in minutes instead of hours."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl
from sqlalchemy import Connection, Engine, text

from storage import log, partitions, wells
from storage.database import copy_in, writing
from storage.domain.errors import InputRefused
from storage.domain.production_day import bounds_of_days, day_of, days_and_hours
from storage.domain.record import RECORD_SCHEMA, TIMESTAMP
from storage.domain.well import Field, Well
from storage.log import LogMessage

DAYS_MOST: Final = 3_650
LIVE_S: Final = 60
CHUNK_ROWS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Plan:
    """How many records of each kind a well gets."""

    wells: int
    days: int
    minutes: int

    @property
    def records(self) -> int:
        """Records in all."""
        return self.wells * (self.days + self.minutes)


def plan(number_of_wells: int, wanted: int) -> Plan:
    """At most half of the records as days, at most ten years of them; the others as minutes.

    Raises:
        InputRefused: there is no well, or less than one record a well.
    """
    if number_of_wells < 1 or wanted < number_of_wells:
        message = f"{wanted:,} records of {number_of_wells:,} wells cannot be made: each well needs at least one"
        raise InputRefused(message)
    each = wanted // number_of_wells
    days = min(DAYS_MOST, max(1, each // 2))
    return Plan(number_of_wells, days, each - days)


def make(
    engine: Engine, field: Field, wanted: Plan, until: datetime, on_progress: Callable[[int], None] = lambda _: None
) -> int:
    """Fill a field that has no records yet with days and minutes up to ``until``: smooth declines with ripples, the
    same for the same plan. How many records were made; ``on_progress`` hears how many there are.

    All in one transaction, with one log row. A new epoch begins at the end, so that everybody who follows the
    database loads anew. Rollups follow as ever.

    Raises:
        InputRefused: the field has records already; nothing was changed.
    """
    made = 0
    with writing(engine) as connection:
        key = _begun(connection, field, wanted)
        for resolution, spans in (("daily", _days(field, wanted, until)), ("live", _minutes(field, wanted, until))):
            _lay_out(connection, spans)
            at_once = max(1, CHUNK_ROWS // max(1, spans.height))
            for first in range(1, wanted.wells + 1, at_once):
                filled = connection.execute(
                    _FILL,
                    {"key": key, "resolution": resolution, "first": first, "beyond": first + at_once, "now": until},
                )
                made += filled.rowcount
                on_progress(made)
        connection.execute(text("ANALYZE records"))
        _tell(connection, key, until)
        log.start_epoch(connection)
    return made


def _begun(connection: Connection, field: Field, wanted: Plan) -> int:
    wells.add_field(connection, field)
    wells.add_wells(connection, [Well(f"{field.id}.b-{one}", f"B-{one}") for one in range(1, wanted.wells + 1)])
    key = wells.field_key(connection, field.id)
    if log.hold(connection, [key])[key].newest:
        message = f"the field {field.id!r} has records already; a bulk field begins empty"
        raise InputRefused(message)
    return key


def _days(field: Field, wanted: Plan, until: datetime) -> pl.DataFrame:
    """The production days that ended before ``until``."""
    last = day_of(field, until)
    days = pl.Series("day", [last - timedelta(days=ago) for ago in range(wanted.days, 0, -1)], pl.Date)
    start, seconds = bounds_of_days(field, days)
    return pl.DataFrame([start, seconds, days]).with_columns(hour=pl.lit(0, dtype=pl.Int16))


def _minutes(field: Field, wanted: Plan, until: datetime) -> pl.DataFrame:
    """The minutes before ``until``."""
    end_s = int(until.timestamp()) // LIVE_S * LIVE_S
    starts_us = pl.arange(end_s - LIVE_S * wanted.minutes, end_s, LIVE_S, eager=True) * 1_000_000
    starts = starts_us.cast(TIMESTAMP).alias("start")
    day, hour = days_and_hours(field, starts)
    return pl.DataFrame([starts, day, hour]).with_columns(seconds=pl.lit(LIVE_S, dtype=pl.Int32))


def _lay_out(connection: Connection, spans: pl.DataFrame) -> None:
    """Put the intervals where `_FILL` finds them, and make the partitions that they need."""
    years = spans["start"].dt.year().unique().to_list()
    partitions.ensure(connection, map(partitions.year_of_records, years))
    connection.execute(text("DROP TABLE IF EXISTS spans"))
    connection.execute(
        text("CREATE TEMP TABLE spans (start timestamptz, seconds int, day date, hour smallint) ON COMMIT DROP")
    )
    if not spans.is_empty():
        copy_in(connection, "spans", spans)


def _tell(connection: Connection, key: int, at: datetime) -> None:
    """One log row without rows: who follows has to load anew after the new epoch anyway."""
    held = log.hold(connection, [key])[key]
    partitions.ensure(connection, [partitions.day_of_log(at.astimezone(UTC).date())])
    empty = pl.DataFrame(schema={**RECORD_SCHEMA, "revision": pl.Int32()})
    body = log.body(held.field.id, 1, at, empty.clear())
    log.append(connection, {key: LogMessage(held.epoch, held.field.id, 1, body)}, at)


_WAVE: Final = "sin({turn} + w.number * 12.9898 + extract(epoch FROM s.start)::float8 / {period})"
_RIPPLES: Final = (
    f"(1 + 0.04 * {_WAVE.format(turn=1, period=9_000)} + 0.02 * {_WAVE.format(turn=2, period=700)}"
    f" + 0.01 * {_WAVE.format(turn=3, period=61)})"
)
_DECLINE: Final = (
    "(1 + 0.5 * 0.3 * (extract(epoch FROM (CAST(:now AS timestamptz) - s.start))::float8 / -31557600 + 12)) ^ -2"
)
_FILL: Final = text(
    "INSERT INTO records (field_id, well_id, resolution, start, seconds, oil_sm3, gas_sm3, water_sm3, on_stream_s,"  # noqa: S608
    " wellhead_pressure_bar, downhole_pressure_bar, choke_pct, verdict, quality, issues, audit_id, source,"
    " received_at, log_offset, day, hour)"
    " SELECT :key, w.well_id, :resolution, start, seconds, oil, oil * 140, oil * (0.2 + w.number % 7 * 0.1), seconds,"
    " 30 + rate / 20, 180 + rate / 9, 40 + w.number % 50, 'verified', 1, '{}', 'bulk', 'bulk', :now, 1, day, hour"
    " FROM (SELECT well_id, replace(slug, 'b-', '')::int AS number FROM wells WHERE field_id = :key) AS w,"
    f" LATERAL (SELECT s.*, (200 + w.number % 97 * 10) * {_DECLINE} * {_RIPPLES} AS rate FROM spans AS s) AS rated,"
    " LATERAL (SELECT rate * seconds / 86400 AS oil) AS produced"
    " WHERE w.number >= :first AND w.number < :beyond"
)
