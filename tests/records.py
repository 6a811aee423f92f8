"""Small frames of records for tests."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import polars as pl
from sqlalchemy import Engine

from storage import wells
from storage.database import writing
from storage.domain.record import RECORD_SCHEMA
from storage.domain.well import Field, Well

T0 = datetime(2026, 1, 1, tzinfo=UTC)


def known_field(engine: Engine, field: str = "demo", names: Sequence[str] = ("a", "b")) -> None:
    """Keep a field and its wells."""
    with writing(engine) as connection:
        wells.add_field(connection, Field(field, field.title(), "Europe/Oslo", 6 * 3600))
        wells.add_wells(connection, [Well(f"{field}.{name}", name.upper()) for name in names])


def frame(
    *rows: tuple[str, int, float], resolution: str = "live", source: str = "test", **columns: object
) -> pl.DataFrame:
    """Records of 5 s (or a day), from (well id, seconds after T0, oil in Sm3)."""
    seconds = 86_400 if resolution == "daily" else 5
    made = [
        {
            "field": well.partition(".")[0], "well": well, "start": T0 + timedelta(seconds=after), "seconds": seconds,
            "resolution": resolution, "oil_sm3": oil, "verdict": "verified", "quality": 1.0, "issues": [],
            "audit_id": None, "source": source, **columns,
        }
        for well, after, oil in rows
    ]  # fmt: skip
    if not made:
        return pl.DataFrame(schema=RECORD_SCHEMA)
    return pl.DataFrame(made, schema_overrides=dict(RECORD_SCHEMA)).match_to_schema(
        RECORD_SCHEMA, missing_columns="insert"
    )
