"""Frames of kept records for figures."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from storage.domain.record import Resolution
from storage.domain.well import Field, Well
from storage.production import KEPT_SCHEMA

FIELD = Field("demo", "Demonstration field", "Europe/Oslo", 6 * 3600)
WELLS = [Well("demo.a", "A"), Well("demo.b", "B"), Well("demo.i", "I", "injector")]
T0 = datetime(2026, 1, 1, tzinfo=UTC)


def records(*rows: dict[str, Any], resolution: Resolution = Resolution.DAILY) -> pl.DataFrame:
    """Records of well A by day (or of 5 s), each with what is given: ``after`` counts days (or s) from T0."""
    step, seconds = (timedelta(days=1), 86_400) if resolution is Resolution.DAILY else (timedelta(seconds=1), 5)
    made = [
        {
            "field": "demo", "well": "demo.a", "seconds": seconds, "resolution": str(resolution), "verdict": "verified",
            "quality": 1.0, "issues": [], "source": "test", "revision": 0, "log_offset": 1, "received_at": T0,
            "start": T0 + step * row.get("after", place), **{name: row[name] for name in row if name != "after"},
        }
        for place, row in enumerate(rows)
    ]  # fmt: skip
    if not made:
        return pl.DataFrame(schema=KEPT_SCHEMA)
    return pl.DataFrame(made, schema_overrides=dict(KEPT_SCHEMA)).match_to_schema(KEPT_SCHEMA, missing_columns="insert")
