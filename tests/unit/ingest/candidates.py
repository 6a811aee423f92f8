"""Candidates of one demonstration well for tests of verification."""

from datetime import UTC, datetime
from typing import Any

from ingest.parse import Batch, parsed_rows
from ingest.rules.rule import Known
from storage.domain.well import Field

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
OSLO = Field("demo", "Demo", "Europe/Oslo", 6 * 3600)
KNOWN = Known(
    {"demo": OSLO, "other": Field("other", "Other", "UTC")},
    frozenset({"demo.a", "other.b"}),
    {"demo.a": "producer", "other.b": "injector"},
)
LIVE: dict[str, Any] = {
    "field": "demo", "well": "demo.a", "start": "2026-05-01T00:00:00Z", "seconds": 60, "resolution": "live",
    "oil_sm3": 1.0, "on_stream_s": 60,
}  # fmt: skip
DAILY: dict[str, Any] = LIVE | {
    "start": "2026-05-01T06:00:00+02:00", "seconds": 86_400, "resolution": "daily", "on_stream_s": 86_400
}  # fmt: skip


def batch(*rows: dict[str, Any]) -> Batch:
    return parsed_rows(rows, "test")
