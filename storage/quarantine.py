"""Where refused rows are kept with their reasons, and what was done about them. Nothing is ever deleted."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, select, update
from sqlalchemy.dialects.postgresql import insert

from storage import audit
from storage.domain.deed import AFTER, Action, Deed, RecordKey, State
from storage.domain.errors import Conflict, NotFound
from storage.domain.refused import Reason, Refused
from storage.tables import quarantine

PAGE_ROWS: Final = 1_000
"""Most entries of one page."""


@dataclass(frozen=True, slots=True)
class Closing:
    """How an entry was closed: when, by whom, why; for a release also what was corrected and what became of it."""

    at: datetime
    by: str
    because: str
    correction: dict[str, Any] | None = None
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A quarantined row. ``read`` is what was understood of it (a record's columns and ``noted``), None if
    nothing; it is ``whole`` if that was all of it."""

    id: int
    state: State
    field: str | None
    record: RecordKey
    source: str
    place: str
    received_at: datetime
    raw: dict[str, Any]
    read: dict[str, Any] | None
    whole: bool
    reasons: tuple[Reason, ...]
    closing: Closing | None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries: of a field, a source, broken a rule, in a state, received in [since, until)."""

    field: str | None = None
    source: str | None = None
    rule: str | None = None
    state: State | None = None
    since: datetime | None = None
    until: datetime | None = None


def keep(connection: Connection, refused: Sequence[Refused], received_at: datetime) -> int:
    """Keep refused rows; the same row of the same source with the same reasons is kept once.

    Returns how many were new.
    """
    if not refused:
        return 0
    rows = [_row(one, received_at) for one in refused]
    statement = insert(quarantine).values(rows).on_conflict_do_nothing(index_elements=["digest"])
    return len(connection.execute(statement.returning(quarantine.c.quarantine_id)).all())


def listed(connection: Connection, which: Filter, before: int | None, most: int) -> list[Entry]:
    """The newest entries of a filter, newest first, at most ``most``; ``before`` an id, to go on from a page's last."""
    conditions = [*_conditions(which), *([quarantine.c.quarantine_id < before] if before is not None else [])]
    query = select(quarantine).where(*conditions).order_by(quarantine.c.quarantine_id.desc()).limit(most)
    return [_entry(row) for row in connection.execute(query)]


def entry(connection: Connection, quarantine_id: int, *, held: bool = False) -> Entry:
    """One entry; ``held`` keeps it from others until the transaction ends.

    Raises:
        NotFound: there is no such entry.
    """
    query = select(quarantine).where(quarantine.c.quarantine_id == quarantine_id)
    row = connection.execute(query.with_for_update() if held else query).one_or_none()
    if row is None:
        message = f"there is no quarantined row {quarantine_id}"
        raise NotFound(message)
    return _entry(row)


def close(connection: Connection, found: Entry, action: Action, closing: Closing, record: RecordKey) -> None:
    """Close an entry and say so in the audit trail; ``record`` is the one that it became, or would have.

    Raises:
        Conflict: the entry is in a state in which this cannot be done.
    """
    after = allowed(found, action)
    done = connection.execute(
        update(quarantine)
        .where(quarantine.c.quarantine_id == found.id, quarantine.c.state == str(found.state))
        .values(
            state=str(after),
            closed_at=closing.at,
            closed_by=closing.by,
            closed_because=closing.because,
            correction=closing.correction,
            outcome=closing.outcome,
        )
    )
    if done.rowcount != 1:
        message = f"the quarantined row {found.id} was closed by somebody else meanwhile"
        raise Conflict(message)
    audit.note(connection, _deeds(found, action, closing, record))


def allowed(found: Entry, action: Action) -> State:
    """Where an entry stands after an action.

    Raises:
        Conflict: says who closed the entry, when and why.
    """
    after = AFTER[found.state].get(action)
    if after is None:
        closing = found.closing
        how = f" by {closing.by} at {closing.at:%Y-%m-%dT%H:%M:%SZ}: {closing.because}" if closing else ""
        message = f"the quarantined row {found.id} was {found.state}{how}; it cannot be {action} now"
        raise Conflict(message)
    return after


def _deeds(found: Entry, action: Action, closing: Closing, record: RecordKey) -> list[Deed]:
    """The entries of the audit trail: a correction is told apart from the release."""
    read = found.read or {}
    detail = {"rules": sorted({reason.rule for reason in found.reasons}), "outcome": closing.outcome}
    deeds = [Deed(closing.at, action, closing.by, detail, closing.because, record, found.id)]
    if closing.correction:
        changes = {name: {"from": read.get(name), "to": value} for name, value in closing.correction.items()}
        deeds.insert(0, Deed(closing.at, Action.CORRECTED, closing.by, changes, closing.because, record, found.id))
    return deeds


def _conditions(which: Filter) -> list[ColumnElement[bool]]:
    columns = quarantine.c
    conditions: list[ColumnElement[bool]] = []
    for column, value in ((columns.field, which.field), (columns.source, which.source), (columns.state, which.state)):
        if value is not None:
            conditions.append(column == str(value))
    if which.rule is not None:
        conditions.append(columns.reasons.contains([{"rule": which.rule}]))
    if which.since is not None:
        conditions.append(columns.received_at >= which.since)
    if which.until is not None:
        conditions.append(columns.received_at < which.until)
    return conditions


def _entry(row: Row[Any]) -> Entry:
    closed = row.closed_at is not None
    return Entry(
        id=row.quarantine_id,
        state=State(row.state),
        field=row.field,
        record=RecordKey(row.well, row.start, row.seconds, row.resolution),
        source=row.source,
        place=row.place,
        received_at=row.received_at,
        raw=row.raw,
        read=row.read,
        whole=row.whole,
        reasons=tuple(Reason(**reason) for reason in row.reasons),
        closing=Closing(row.closed_at, row.closed_by, row.closed_because, row.correction, row.outcome)
        if closed
        else None,
    )


def _row(refused: Refused, received_at: datetime) -> dict[str, object]:
    reasons = [asdict(reason) for reason in refused.reasons]
    content = msgspec.json.encode([refused.source, refused.place, refused.raw, reasons], order="deterministic")
    read = refused.read or {}
    return {
        "field": refused.field,
        "source": refused.source,
        "place": refused.place,
        "raw": msgspec.json.decode(msgspec.json.encode(refused.raw)),
        "read": read or None,
        "whole": refused.whole,
        **asdict(_key(read)),
        "reasons": reasons,
        "digest": hashlib.sha256(content).digest(),
        "received_at": received_at,
    }


def _key(read: dict[str, Any]) -> RecordKey:
    """Which record a refused row would be, as far as it says."""
    start = read.get("start")
    instant = None if start is None else datetime.fromisoformat(start).astimezone(UTC)
    return RecordKey(read.get("well"), instant, read.get("seconds"), read.get("resolution"))
