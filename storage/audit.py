"""The audit trail: what people and sources did, and every revision of a record, oldest first."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

import polars as pl
from sqlalchemy import Connection, insert

from storage.database import rows_of
from storage.domain.deed import Action, Deed, RecordKey
from storage.domain.record import QUANTITY_COLUMNS, Verdict
from storage.tables import audit

ENTRIES: Final = 10_000
"""Most entries of one answer."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A record as it stood from ``received_at`` to ``superseded_at`` (None: it stands)."""

    revision: int
    start: datetime
    seconds: int
    resolution: str
    received_at: datetime
    superseded_at: datetime | None
    source: str
    verdict: str
    quality: float
    issues: list[str]
    audit_id: str | None
    values: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Trail:
    """Everything that concerns one record, each oldest first; ``quarantined`` holds ids of quarantined rows."""

    revisions: list[Revision]
    quarantined: list[dict[str, Any]]
    deeds: list[dict[str, Any]]


def note(connection: Connection, deeds: Sequence[Deed]) -> None:
    """Append entries."""
    if deeds:
        connection.execute(insert(audit), [_row(deed) for deed in deeds])


def note_withdrawn(connection: Connection, records: pl.DataFrame, at: datetime) -> None:
    """Append an entry for each of the records (RECORD_SCHEMA) that takes a record back."""
    gone = records.filter(pl.col("verdict") == Verdict.WITHDRAWN)
    columns = ("well", "start", "seconds", "resolution", "source", "issues", "audit_id")
    note(connection, [_withdrawal(row, at) for row in gone.select(columns).iter_rows(named=True)])


def _withdrawal(row: dict[str, Any], at: datetime) -> Deed:
    key = RecordKey(row["well"], row["start"], row["seconds"], row["resolution"])
    detail = {"issues": row["issues"], "audit_id": row["audit_id"]}
    return Deed(at, Action.WITHDRAWN, row["source"], detail, record=key)


def trail(
    connection: Connection,
    well: str,
    start: datetime,
    resolution: str,
    seconds: int | None = None,
    known_at: datetime | None = None,
) -> Trail:
    """What is known of a record, or was at a moment: its revisions, quarantined rows and deeds.

    A record that was never heard of has an empty trail.
    """
    key: dict[str, object] = {
        "field": well.partition(".")[0],
        "slug": well.partition(".")[2],
        "well": well,
        "start": start,
        "resolution": resolution,
        "seconds": seconds,
        "known_at": known_at,
        "most": ENTRIES,
    }
    return Trail(
        [_revision(row) for row in rows_of(connection, _REVISIONS, **key)],
        [dict(row._mapping) for row in rows_of(connection, _QUARANTINED, **key)],  # noqa: SLF001
        [dict(row._mapping) for row in rows_of(connection, _DEEDS, **key)],  # noqa: SLF001
    )


def _revision(row: Any) -> Revision:
    found = dict(row._mapping)  # noqa: SLF001
    values = {name: found.pop(name) for name in QUANTITY_COLUMNS}
    return Revision(**found, values=values)


def _row(deed: Deed) -> dict[str, object]:
    key = deed.record or RecordKey(None, None, None, None)
    return {
        "at": deed.at,
        "action": str(deed.action),
        "by": deed.by,
        "reason": deed.reason,
        **asdict(key),
        "quarantine_id": deed.quarantine_id,
        "detail": dict(deed.detail),
    }


_COLUMNS: Final = ", ".join(
    f"r.{name}"
    for name in (
        *("revision", "start", "seconds", "resolution", "received_at", "source"),
        *("verdict", "quality", "issues", "audit_id"),
        *QUANTITY_COLUMNS,
    )
)
_OF_RECORD: Final = (
    "JOIN fields f USING (field_id) JOIN wells w USING (field_id, well_id)"
    " WHERE f.slug = :field AND w.slug = :slug AND r.start = :start AND r.resolution = :resolution"
    " AND (CAST(:seconds AS int) IS NULL OR r.seconds = :seconds)"
    " AND (CAST(:known_at AS timestamptz) IS NULL OR r.received_at <= :known_at)"
)
_REVISIONS: Final = (
    f"SELECT {_COLUMNS}, r.superseded_at FROM superseded_records r {_OF_RECORD}"  # noqa: S608
    f" UNION ALL SELECT {_COLUMNS}, NULL FROM records r {_OF_RECORD}"
    " ORDER BY received_at, seconds, revision LIMIT :most"
)
_OF_KEY: Final = (
    "well = :well AND start = :start AND resolution = :resolution"
    " AND (CAST(:seconds AS int) IS NULL OR seconds = :seconds)"
)
_QUARANTINED: Final = (
    "SELECT quarantine_id, received_at, source, place, reasons, raw, read FROM quarantine"  # noqa: S608
    f" WHERE (({_OF_KEY}) OR quarantine_id IN (SELECT quarantine_id FROM audit WHERE {_OF_KEY}))"
    " AND (CAST(:known_at AS timestamptz) IS NULL OR received_at <= :known_at)"
    " ORDER BY received_at, quarantine_id LIMIT :most"
)
_DEEDS: Final = (
    "SELECT at, action, by, reason, seconds, quarantine_id, detail FROM audit"  # noqa: S608
    f" WHERE (({_OF_KEY}) OR quarantine_id IN (SELECT quarantine_id FROM quarantine WHERE {_OF_KEY}))"
    " AND (CAST(:known_at AS timestamptz) IS NULL OR at <= :known_at)"
    " ORDER BY at, audit_id LIMIT :most"
)
