"""Where rollups are kept: they follow each field's log, and an answer says the position at which it is right."""

import contextlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import Enum
from functools import lru_cache
from typing import Any, Final

import polars as pl
from sqlalchemy import ARRAY, Compiled, Connection, Date, Engine, Table, Text, and_, bindparam, func, select, text

from storage import log, rollup_sql
from storage.database import copied_out, copy_in, prepared, reading, rows_of, writing_from_snapshot
from storage.domain.errors import Overtaken
from storage.domain.position import Position
from storage.domain.production_day import bounds_of_days, bounds_of_months, day_bounds, day_of
from storage.domain.record import QUANTITY_COLUMNS
from storage.domain.rollup import EXTREMES, ROLLUP_SCHEMA, STATES, Grain
from storage.domain.well import Field
from storage.tables import day_rollups, fields, hour_rollups, month_rollups, wells
from storage.wells import field_key

_TABLES: Final[dict[Grain, Table]] = {
    Grain.HOUR: hour_rollups,
    Grain.DAY: day_rollups,
    Grain.MONTH: month_rollups,
}
_WHOLE_FIELD: Final = 0


def lagging(connection: Connection) -> list[str]:
    """The fields whose rollups are behind their log, or by another clock than the field's, by id."""
    found = rows_of(
        connection,
        "SELECT f.slug FROM fields f JOIN log_heads h USING (field_id) JOIN rollup_heads r USING (field_id)"
        " WHERE h.head > r.log_offset OR r.clock_changed ORDER BY f.slug",
    )
    return [row.slug for row in found]


def catch_up(engine: Engine, field_id: str) -> Position:
    """Bring a field's rollups to the head of its log, unless somebody else does so right now; where they stand then.

    Hours get what is new added; what a revision, a late or a withdrawn record touched is summed again, so the same
    records give the same rollups in whatever order they came (but for the rounding of sums). A field whose time zone
    or day start changed has all its records stamped again and all rollups made anew.

    Raises:
        NotFound: the field is not kept.
        StorageDown: nothing was changed.
    """
    with reading(engine) as connection:
        key = field_key(connection, field_id)
        behind = field_id in lagging(connection)
    if behind:
        with contextlib.suppress(Overtaken):  # somebody else just did the same
            _follow(engine, key)
    with reading(engine) as connection:
        return position(connection, field_id)


def position(connection: Connection, field_id: str) -> Position:
    """The position of a field's log at which its rollups are right, in this transaction's snapshot.

    Raises:
        NotFound: the field is not kept.
    """
    head = rows_of(connection, _HEAD, key=field_key(connection, field_id))[0]
    return Position(log.epoch(connection), head.log_offset)


def series(
    connection: Connection,
    field_id: str,
    grain: Grain,
    *,
    wells: Sequence[str] | None = None,
    whole_field: bool = False,
    since: datetime | None = None,
    until: datetime | None = None,
    quantities: Sequence[str] = QUANTITY_COLUMNS,
) -> pl.DataFrame:
    """Rollups of wells (those named, or all), or of the field as a whole: ROLLUP_SCHEMA, sorted by well and start.

    Of the buckets that start in [since, until). Columns of quantities that are not asked for are null. Volumes are
    best available: those of the monthly or daily record where there is one, else the sums of finer ones; the basis
    says which.

    Raises:
        NotFound: the field is not kept.
    """
    key = field_key(connection, field_id)
    clock = _clock(connection, key, field_id)
    statement, schema, restored = _prepared(
        grain, tuple(quantities), _Of.FIELD if whole_field else _Of.ALL if wells is None else _Of.NAMED
    )
    found = copied_out(
        connection, statement, schema, key=key, slugs=[well.partition(".")[2] for well in wells or ()],
        since=day_of(clock, since) if since is not None else date.min,
        until=day_of(clock, until) if until is not None else date.max,
    )  # fmt: skip
    found = _timed(found, grain, clock)
    if since is not None:
        found = found.filter(pl.col("start") >= since)
    if until is not None:
        found = found.filter(pl.col("start") < until)
    return found.select(restored)


class _Of(Enum):
    """Whose rollups are read."""

    FIELD = "field"
    ALL = "all"
    NAMED = "named"


@lru_cache(maxsize=256)
def _prepared(grain: Grain, quantities: tuple[str, ...], of: _Of) -> tuple[Compiled, pl.Schema, list[pl.Expr]]:
    """What `series` asks, what comes, and the columns that are made of it; the same again and again."""
    table = _TABLES[grain]
    query, schema = _selected(table, grain, quantities)
    bucket = _buckets(table, grain)[0]
    # every bucket that starts in the range, and few others
    query = query.where(table.c.field_id == bindparam("key"), bucket >= bindparam("since", type_=Date))
    query = query.where(bucket <= bindparam("until", type_=Date), _of_wells(table, of))
    query = query.order_by(text("2"), *_buckets(table, grain))
    return prepared(query), schema, [_restored(name, quantities) for name in ROLLUP_SCHEMA]


def _follow(engine: Engine, key: int) -> None:
    with writing_from_snapshot(engine) as connection:
        taken = rows_of(connection, f"{_HEAD} FOR UPDATE SKIP LOCKED", key=key)
        if not taken:
            return
        for statement in rollup_sql.MAKE_TOUCHED:
            connection.execute(statement)
        field = _field(connection, key)
        after = taken[0].log_offset
        if taken[0].clock_changed:
            _stamp_again(connection, key, field)
            after = 0
        if after == 0:
            for table in _TABLES.values():
                connection.execute(table.delete().where(table.c.field_id == key))
        connection.execute(text("SET LOCAL work_mem = '64MB'"))
        for statement in rollup_sql.STEPS:
            connection.execute(statement, {"key": key, "after": after})
        connection.execute(text(_MOVE), {"key": key, "zone": field.time_zone, "day_start_s": field.day_start_s})


def _stamp_again(connection: Connection, key: int, field: Field) -> None:
    """Give every record of a field its production day and hour by the field's clock of now."""
    first, last = rows_of(connection, "SELECT min(start), max(start) FROM records WHERE field_id = :key", key=key)[0]
    if first is None:
        return
    connection.execute(
        text(
            "CREATE TEMP TABLE clock_days (utc_date date, day date, since timestamptz, until timestamptz)"
            " ON COMMIT DROP"
        )
    )
    days = [
        day_of(field, first) + timedelta(days=ahead)
        for ahead in range((day_of(field, last) - day_of(field, first)).days + 1)
    ]
    bounds = [
        (utc_date, day, since, until)
        for day in days
        for since, until in [day_bounds(field, day)]
        for utc_date in (since.date() + timedelta(days=into) for into in range((until.date() - since.date()).days + 1))
    ]
    schema = ["utc_date", "day", "since", "until"]
    copy_in(connection, "clock_days", pl.DataFrame(bounds, schema=schema, orient="row"))
    connection.execute(text("ANALYZE clock_days"))
    connection.execute(text(_STAMP), {"key": key})


def _clock(connection: Connection, key: int, field_id: str) -> Field:
    """The field by the clock that its rollups were made with."""
    head = rows_of(connection, _HEAD, key=key)[0]
    return Field(field_id, field_id, head.time_zone, head.day_start_s)


def _field(connection: Connection, key: int) -> Field:
    columns = (fields.c.slug, fields.c.name, fields.c.time_zone, fields.c.day_start_s)
    return Field(*connection.execute(select(*columns).where(fields.c.field_id == key)).one())


def _buckets(table: Table, grain: Grain) -> list[Any]:
    names = {Grain.HOUR: ("day", "hour"), Grain.DAY: ("day",), Grain.MONTH: ("month",)}[grain]
    return [table.c[name] for name in names]


def _selected(table: Table, grain: Grain, quantities: Sequence[str]) -> tuple[Any, pl.Schema]:
    """The query of a grain's rollups, and what it gives: bucket, well id, and the columns as they are kept."""
    extremes = [name for name in EXTREMES if name in quantities]
    kept: dict[str, pl.DataType] = {
        "basis": pl.String(),
        "records": pl.Int32(),
        "suspects": pl.Int32(),
        "measured_s": pl.Float64(),
        "quality_sum": pl.Float64(),
        **{f"{name}_{part}": pl.Float64() for part in ("sum", "s") for name in quantities},
        **{f"{name}_{part}": pl.Float64() for part in ("low", "high") for name in extremes},
        "wells": pl.Int32(),
        "wells_expected": pl.Int32(),
        "potential_share": pl.Float64(),
        "log_offset": pl.Int64(),
    }
    bucket: dict[str, pl.DataType] = {"bucket": pl.Date()}
    columns = [_buckets(table, grain)[0].label("bucket"), (fields.c.slug + "." + wells.c.slug).label("well")]
    if grain is Grain.HOUR:
        kept["hour"] = pl.Int16()
    joined = table.join(fields, fields.c.field_id == table.c.field_id).outerjoin(
        wells, and_(wells.c.field_id == table.c.field_id, wells.c.well_id == table.c.well_id)
    )
    query = select(*columns, *(table.c[name] for name in kept)).select_from(joined)
    return query, pl.Schema({**bucket, "well": pl.String(), **kept})


def _of_wells(table: Table, of: _Of) -> Any:
    if of is _Of.FIELD:
        return table.c.well_id == _WHOLE_FIELD
    if of is _Of.ALL:
        return table.c.well_id != _WHOLE_FIELD
    asked = wells.alias("asked")
    named = asked.c.slug == func.any(bindparam("slugs", type_=ARRAY(Text)))
    keys = select(asked.c.well_id).where(asked.c.field_id == table.c.field_id, named)
    return table.c.well_id.in_(keys.correlate(table))


def _timed(found: pl.DataFrame, grain: Grain, clock: Field) -> pl.DataFrame:
    """With start and length of each bucket."""
    if grain is Grain.MONTH:
        return found.with_columns(*bounds_of_months(clock, found["bucket"]))
    start, seconds = bounds_of_days(clock, found["bucket"])
    if grain is Grain.DAY:
        return found.with_columns(start, seconds)
    into_s = pl.col("hour").cast(pl.Int32) * 3600
    return found.with_columns(start, seconds).with_columns(
        start=pl.col("start") + pl.duration(seconds=into_s), seconds=pl.min_horizontal(pl.col("seconds") - into_s, 3600)
    )


def _restored(name: str, quantities: Sequence[str]) -> pl.Expr:
    """A column of ROLLUP_SCHEMA from the sums as they are kept."""
    kind = ROLLUP_SCHEMA[name]
    if name == "quality":
        return (pl.col("quality_sum") / pl.col("measured_s")).alias(name)
    quantity = next((one for one in QUANTITY_COLUMNS if name == one or name.startswith(f"{one}_")), None)
    if quantity is None:
        return pl.col(name).cast(kind)
    if quantity not in quantities:
        return pl.lit(None, dtype=kind).alias(name)
    if name == quantity:
        total = pl.col(f"{name}_sum")
        return (total / pl.col(f"{name}_s") if name in STATES else total).alias(name)
    return (pl.col(f"{quantity}_s") if name == f"{quantity}_measured_s" else pl.col(name)).alias(name)


_HEAD: Final = "SELECT log_offset, time_zone, day_start_s, clock_changed FROM rollup_heads WHERE field_id = :key"
_MOVE: Final = (
    "UPDATE rollup_heads SET log_offset = (SELECT head FROM log_heads WHERE field_id = :key),"
    " time_zone = :zone, day_start_s = :day_start_s, clock_changed = false WHERE field_id = :key"
)
_STAMP: Final = (
    "UPDATE records SET day = clock.day, hour = floor(extract(epoch FROM records.start - clock.since) / 3600)"
    " FROM clock_days AS clock WHERE records.field_id = :key"
    " AND (records.start AT TIME ZONE 'UTC')::date = clock.utc_date"
    " AND records.start >= clock.since AND records.start < clock.until"
)
"""By the UTC date first: by instants alone every day would look through all records of the field."""
