"""What the pages ask of storage: each answer is one snapshot, with the positions it was read at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import polars as pl
from sqlalchemy import Connection, Engine

from storage import log, production, wells
from storage.database import reading
from storage.domain.errors import NotFound
from storage.domain.position import Position
from storage.domain.record import Resolution
from storage.domain.well import Field, Well, field_of

LIVE_SPAN: Final = timedelta(hours=2)
"""How much of the live records before the newest one a field's or well's page shows."""

GLANCE_SPAN: Final = timedelta(minutes=20)
"""The same for each field on the overview."""


@dataclass(frozen=True, slots=True)
class FieldSnapshot:
    """A field at one position: its wells, their newest records, and the histories that a page draws (KEPT_SCHEMA)."""

    field: Field
    wells: Sequence[Well]
    position: Position
    latest: pl.DataFrame
    live: pl.DataFrame
    daily: pl.DataFrame


def portfolio(engine: Engine) -> list[FieldSnapshot]:
    """Every field, with the daily totals of its wells as ``daily`` (TOTALS_SCHEMA) and the last minutes of ``live``."""
    with reading(engine) as connection:
        return [
            _snapshot(connection, field, daily=production.daily_totals(connection, field.id), span=GLANCE_SPAN)
            for field in wells.all_fields(connection)
        ]


def field(engine: Engine, field_id: str) -> FieldSnapshot:
    """A field with the histories of all its wells.

    Raises:
        NotFound: there is no such field.
    """
    with reading(engine) as connection:
        found = _field(connection, field_id)
        daily = production.history(connection, field_id, resolution=Resolution.DAILY)
        return _snapshot(connection, found, daily=daily)


def well(engine: Engine, well_id: str) -> FieldSnapshot:
    """One well, as a field snapshot that holds only it.

    Raises:
        NotFound: there is no such field or well.
    """
    with reading(engine) as connection:
        found = _field(connection, field_of(well_id))
        if well_id not in (one.id for one in wells.wells_of(connection, found.id)):
            message = f"there is no well {well_id!r}"
            raise NotFound(message)
        daily = production.history(connection, found.id, resolution=Resolution.DAILY, wells=[well_id])
        return _snapshot(connection, found, daily=daily, only=well_id)


def _field(connection: Connection, field_id: str) -> Field:
    for field in wells.all_fields(connection):
        if field.id == field_id:
            return field
    message = f"there is no field {field_id!r}"
    raise NotFound(message)


def _snapshot(
    connection: Connection, field: Field, *, daily: pl.DataFrame, span: timedelta = LIVE_SPAN, only: str | None = None
) -> FieldSnapshot:
    latest = production.latest(connection, field.id)
    members = wells.wells_of(connection, field.id)
    if only is not None:
        latest = latest.filter(pl.col("well") == only)
        members = [one for one in members if one.id == only]
    live = _live(connection, field, latest, span, None if only is None else [only])
    return FieldSnapshot(field, members, log.position(connection, field.id), latest, live, daily)


def _live(
    connection: Connection, field: Field, latest: pl.DataFrame, span: timedelta, of: Sequence[str] | None
) -> pl.DataFrame:
    newest: datetime | None = latest.filter(pl.col("resolution") == Resolution.LIVE)["start"].max()  # type: ignore[assignment]
    if newest is None:
        return pl.DataFrame(schema=production.KEPT_SCHEMA)
    return production.history(connection, field.id, resolution=Resolution.LIVE, wells=of, since=newest - span)
