"""What was produced: the newest records and histories, as frames, from one snapshot; without what was withdrawn."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import polars as pl
from sqlalchemy import ColumnElement, Connection, Select, func, select, text, true

from storage.database import copied_out, microseconds, spaced
from storage.domain.record import QUANTITIES, QUANTITY_COLUMNS, RECORD_SCHEMA, TIMESTAMP, Kind, Resolution, Verdict
from storage.tables import fields, records, wells
from storage.wells import field_key

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
