"""What was produced: the newest records and histories, as frames, from one snapshot; without what was withdrawn."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import polars as pl
from sqlalchemy import ColumnElement, Connection, Select, Table, func, literal, null, select, text, true, union_all

from storage.database import copied_out, microseconds, spaced
from storage.domain.record import QUANTITIES, QUANTITY_COLUMNS, RECORD_SCHEMA, TIMESTAMP, Kind, Resolution, Verdict
from storage.tables import fields, records, superseded_records, wells
from storage.wells import Kept, field_key

KEPT_SCHEMA: Final = pl.Schema(
    {
        **RECORD_SCHEMA,
        "received_at": TIMESTAMP,
        "revision": pl.Int32(),
        "log_offset": pl.Int64(),
    }
)
"""RECORD_SCHEMA and what storage adds: when it came, which revision it is, at which offset the log told of it."""

_SUMMED: Final = tuple(quantity.column for quantity in QUANTITIES if quantity.kind is not Kind.STATE)

TOTALS_SCHEMA: Final = pl.Schema(
    {"start": TIMESTAMP, "seconds": pl.Int32(), "wells": pl.Int32(), **{name: pl.Float64() for name in _SUMMED}}
)


_kept = records.alias("r")
_wells_table = wells
_OF_WELL: Final = (_wells_table.c.field_id == _kept.c.field_id) & (_wells_table.c.well_id == _kept.c.well_id)
"""Read well by well: the records' key begins with field and well."""


def latest(connection: Connection, field_id: str) -> pl.DataFrame:
    """The newest record (by start) of each well of a field that has one, sorted by well. KEPT_SCHEMA.

    Raises:
        NotFound: the field is not kept.
    """
    key = field_key(connection, field_id)
    newest = (
        select(records)
        .where(records.c.field_id == key, records.c.well_id == wells.c.well_id, records.c.verdict != Verdict.WITHDRAWN)
        .order_by(records.c.start.desc(), records.c.seconds)
        .limit(1)
        .lateral("r")
    )
    query = (
        _selected()
        .select_from(wells.join(fields, fields.c.field_id == wells.c.field_id).join(newest, true()))
        .where(wells.c.field_id == key)
        .order_by(wells.c.slug)
    )
    return copied_out(connection, query, KEPT_SCHEMA)


def history(
    connection: Connection,
    field_id: str,
    *,
    resolution: Resolution,
    wells: Sequence[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> pl.DataFrame:
    """Records of one resolution that start in [since, until), of the wells named or of all. KEPT_SCHEMA.

    Sorted by well and start.

    Raises:
        NotFound: the field is not kept.
    """
    conditions = [*_span(field_key(connection, field_id), resolution, since, until)]
    if wells is not None:
        conditions.append(_wells_table.c.slug == func.any([well.partition(".")[2] for well in wells]))
    joined = _kept.join(_wells_table, _OF_WELL).join(fields, fields.c.field_id == _kept.c.field_id)
    query = _selected().select_from(joined).where(*conditions).order_by(_wells_table.c.slug, _kept.c.start)
    return copied_out(connection, query, KEPT_SCHEMA)


def daily_totals(
    connection: Connection, field_id: str, *, since: datetime | None = None, until: datetime | None = None
) -> pl.DataFrame:
    """Sums over the wells of a field for each production day with daily records. TOTALS_SCHEMA, sorted by start.

    ``wells`` counts the wells that reported; a sum is null where no well measured the quantity.

    Raises:
        NotFound: the field is not kept.
    """
    key = field_key(connection, field_id)
    query = (
        select(
            microseconds("r.start"),
            _kept.c.seconds,
            func.count(),
            *(func.sum(_kept.c[name]) for name in _SUMMED),
        )
        .select_from(_kept.join(_wells_table, _OF_WELL))
        .where(*_span(key, Resolution.DAILY, since, until))
        .group_by(_kept.c.start, _kept.c.seconds)
        .order_by(_kept.c.start)
    )
    return copied_out(connection, query, TOTALS_SCHEMA)


def _span(
    key: int, resolution: Resolution, since: datetime | None, until: datetime | None
) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        _kept.c.field_id == key,
        _kept.c.resolution == str(resolution),
        _kept.c.verdict != Verdict.WITHDRAWN,
    ]
    if since is not None:
        conditions.append(_kept.c.start >= since)
    if until is not None:
        conditions.append(_kept.c.start < until)
    return conditions


def _selected() -> Select[Any]:
    return select(
        fields.c.slug,
        text("fields.slug || '.' || wells.slug"),
        microseconds("r.start"),
        text("r.seconds"),
        text("r.resolution"),
        *(text(f"r.{name}") for name in QUANTITY_COLUMNS),
        text("r.verdict"),
        text("r.quality"),
        spaced("r.issues"),
        text("r.audit_id"),
        text("r.source"),
        microseconds("r.received_at"),
        text("r.revision"),
        text("r.log_offset"),
    )


def readings_schema(quantities: Sequence[str]) -> pl.Schema:
    """What `readings` and `readings_then` give: a record of one well, as far as it was asked for."""
    return pl.Schema(
        {
            "start": TIMESTAMP,
            "seconds": pl.Int32(),
            "resolution": pl.String(),
            **{name: pl.Float64() for name in quantities},
            "verdict": pl.String(),
            "quality": pl.Float64(),
            "issues": pl.List(pl.String()),
            "revision": pl.Int32(),
            "log_offset": pl.Int64(),
        }
    )


def readings(
    connection: Connection,
    of: Kept,
    quantities: Sequence[str],
    *,
    resolution: Resolution,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int | None = None,
) -> pl.DataFrame:
    """Records of a well and resolution that start in [since, until), at most ``limit``. `readings_schema`, by start."""
    query = _reading_of(records, of, quantities, since, until)
    query = query.where(records.c.resolution == str(resolution), records.c.verdict != Verdict.WITHDRAWN)
    query = query.order_by(records.c.start, records.c.seconds).limit(limit)
    return copied_out(connection, query, readings_schema(quantities))


def count_readings(
    connection: Connection, of: Kept, upto: int, *, since: datetime | None = None, until: datetime | None = None
) -> int:
    """How many live records of a well start in [since, until); counting stops at ``upto``."""
    query = select(literal(1)).where(*_mine(records, of, since, until), records.c.resolution == str(Resolution.LIVE))
    return int(connection.execute(select(func.count()).select_from(query.limit(upto).subquery())).scalar_one())


def readings_then(
    connection: Connection,
    of: Kept,
    quantities: Sequence[str],
    known_at: datetime,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int | None = None,
) -> pl.DataFrame | None:
    """The records of a well as they were known at a moment: of each key the newest revision received by then.

    Of all resolutions, starting in [since, until). `readings_schema`, by start. Reads the superseded ones too; None if
    there are more than ``limit`` of either to read.
    """
    parts = []
    for table in (records, superseded_records):
        query = _reading_of(table, of, quantities, since, until)
        parts.append(query.where(table.c.received_at <= known_at).limit(None if limit is None else limit + 1))
    schema = readings_schema(quantities)
    read = [copied_out(connection, part, schema) for part in parts]
    if limit is not None and any(frame.height > limit for frame in read):
        return None
    known = pl.concat(read)
    newest = known.sort("revision").unique(["resolution", "start", "seconds"], keep="last")
    return newest.filter(pl.col("verdict") != Verdict.WITHDRAWN).sort("start", "seconds", "resolution")


REVISIONS_SCHEMA: Final = pl.Schema(
    {
        "start": TIMESTAMP,
        "seconds": pl.Int32(),
        "resolution": pl.String(),
        "revision": pl.Int32(),
        "received_at": TIMESTAMP,
        "superseded_at": TIMESTAMP,
        "verdict": pl.String(),
        "quality": pl.Float64(),
        "issues": pl.List(pl.String()),
        "audit_id": pl.String(),
        "source": pl.String(),
        **{name: pl.Float64() for name in QUANTITY_COLUMNS},
    }
)


def revisions(
    connection: Connection,
    of: Kept,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int | None = None,
) -> pl.DataFrame:
    """Every revision, the newest with ``superseded_at`` null, of the records of a well that were ever revised.

    Of those that start in [since, until), at most ``limit``. REVISIONS_SCHEMA, by start and revision.
    """
    parts = []
    for table in (records, superseded_records):
        ended = null() if table is records else superseded_records.c.superseded_at
        revised = table.c.revision > 0 if table is records else true()
        columns = [
            *(table.c[name] for name in ("start", "seconds", "resolution", "revision", "received_at")),
            ended.label("superseded_at"),
            *(table.c[name] for name in ("verdict", "quality", "issues", "audit_id", "source", *QUANTITY_COLUMNS)),
        ]
        parts.append(select(*columns).where(*_mine(table, of, since, until), revised))
    every = union_all(*parts).subquery("every")
    shown = {"start": microseconds, "received_at": microseconds, "superseded_at": microseconds, "issues": spaced}
    query = select(*(shown[name](f"every.{name}") if name in shown else every.c[name] for name in REVISIONS_SCHEMA))
    query = query.select_from(every).order_by(every.c.start, every.c.resolution, every.c.seconds, every.c.revision)
    return copied_out(connection, query.limit(limit), REVISIONS_SCHEMA)


def revised_starts(
    connection: Connection, of: Kept, *, since: datetime | None = None, until: datetime | None = None
) -> pl.Series:
    """The starts in [since, until), sorted, of the records of a well that have earlier revisions."""
    start = superseded_records.c.start
    query = select(start).where(*_mine(superseded_records, of, since, until)).distinct().order_by(start)
    return pl.Series("start", connection.execute(query).scalars().all(), TIMESTAMP)


def _mine(table: Table, of: Kept, since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [table.c.field_id == of.field_key, table.c.well_id == of.well_key]
    if since is not None:
        conditions.append(table.c.start >= since)
    if until is not None:
        conditions.append(table.c.start < until)
    return conditions


def _reading_of(
    table: Table,
    of: Kept,
    quantities: Sequence[str],
    since: datetime | None,
    until: datetime | None,
) -> Select[Any]:
    return (
        select(
            microseconds(f"{table.name}.start"),
            table.c.seconds,
            table.c.resolution,
            *(table.c[name] for name in quantities),
            table.c.verdict,
            table.c.quality,
            spaced(f"{table.name}.issues"),
            table.c.revision,
            table.c.log_offset,
        )
        .select_from(table)
        .where(*_mine(table, of, since, until))
    )


def newest_reading(connection: Connection, of: Kept, resolution: Resolution) -> pl.DataFrame:
    """The record of a well and resolution that starts last, if there is one. `readings_schema` of all quantities."""
    query = _reading_of(records, of, QUANTITY_COLUMNS, None, None)
    query = query.where(records.c.resolution == str(resolution), records.c.verdict != Verdict.WITHDRAWN)
    query = query.order_by(records.c.start.desc(), records.c.seconds).limit(1)
    return copied_out(connection, query, readings_schema(QUANTITY_COLUMNS))
