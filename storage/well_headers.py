"""Where headers of wells are kept."""

from datetime import datetime
from typing import Final

import polars as pl
from sqlalchemy import Connection, select, text

from storage.database import copied_out, copy_in, microseconds
from storage.domain.record import TIMESTAMP
from storage.domain.well_header import HEADER_SCHEMA
from storage.tables import fields, well_headers, wells
from storage.wells import field_key, keys_of

_FACTS: Final = tuple(name for name in HEADER_SCHEMA if name not in ("well", "source"))
HEADERS_SCHEMA: Final = pl.Schema(
    {"well": pl.String(), "name": pl.String(), "purpose": pl.String(), **HEADER_SCHEMA, "received_at": TIMESTAMP}
)
"""HEADER_SCHEMA with the well's name and purpose, and when the header came."""


def keep(connection: Connection, headers: pl.DataFrame, received_at: datetime) -> None:
    """Keep headers (HEADER_SCHEMA, one row a well). What a newer one leaves open stays; the earlier of two first
    productions counts, for a later file need not reach back to it. A header that says nothing new writes nothing.

    Raises:
        NotFound: a well is not kept.
    """
    if headers.is_empty():
        return
    keyed = headers.join(keys_of(connection, headers["well"].to_list()), on="well")
    staged = keyed.sort("field_id", "well_id").select(
        "field_id", "well_id", *_FACTS, "source", pl.lit(received_at, dtype=TIMESTAMP).alias("received_at")
    )
    connection.execute(text("CREATE TEMP TABLE staged_headers (LIKE well_headers) ON COMMIT DROP"))
    copy_in(connection, "staged_headers", staged)
    connection.execute(text(_UPSERT))
    connection.execute(text("DROP TABLE staged_headers"))


def of_field(connection: Connection, field_id: str) -> pl.DataFrame:
    """One row for every well of a field, by id, with what is known of it. HEADERS_SCHEMA.

    Raises:
        NotFound: the field is not kept.
    """
    key = field_key(connection, field_id)
    headed = (well_headers.c.field_id == wells.c.field_id) & (well_headers.c.well_id == wells.c.well_id)
    query = (
        select(
            text("fields.slug || '.' || wells.slug"),
            wells.c.name,
            wells.c.purpose,
            *(well_headers.c[name] for name in _FACTS),
            well_headers.c.source,
            microseconds("well_headers.received_at"),
        )
        .select_from(wells.join(fields, fields.c.field_id == wells.c.field_id).outerjoin(well_headers, headed))
        .where(wells.c.field_id == key)
        .order_by(wells.c.slug)
    )
    return copied_out(connection, query, HEADERS_SCHEMA)


def _newest(name: str) -> str:
    if name == "first_production":
        return f"LEAST(kept.{name}, excluded.{name})"
    return f"COALESCE(excluded.{name}, kept.{name})"


_MERGED: Final = ", ".join(_newest(name) for name in _FACTS)
_LISTED: Final = ", ".join(_FACTS)
_UPSERT: Final = (
    f"INSERT INTO well_headers AS kept (field_id, well_id, {_LISTED}, source, received_at)"  # noqa: S608
    f" SELECT field_id, well_id, {_LISTED}, source, received_at FROM staged_headers"
    f" ON CONFLICT (field_id, well_id) DO UPDATE SET ({_LISTED}, source, received_at)"
    f" = ({_MERGED}, excluded.source, excluded.received_at)"
    f" WHERE ({', '.join(f'kept.{name}' for name in _FACTS)}) IS DISTINCT FROM ({_MERGED})"
)
