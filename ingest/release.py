"""What people do about quarantined rows: correct and release them, or reject them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import polars as pl

from ingest.parse import ROW_KEYS, Batch, parsed_rows
from ingest.pipeline import Committing, Pipeline
from storage import quarantine
from storage.database import reading, writing
from storage.domain.deed import Action, RecordKey
from storage.domain.errors import InputRefused, WellstreamError
from storage.domain.record import Verdict
from storage.domain.refused import Reason
from storage.quarantine import Closing, Entry

TEXT_LIMIT: Final = 500
"""Most letters of a name or a reason."""


class StillRefused(WellstreamError):
    """A row that was to be released breaks rules all the same; nothing was stored."""

    code = "still-refused"

    def __init__(self, message: str, reasons: tuple[Reason, ...]) -> None:
        super().__init__(message)
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class Release:
    """Somebody's word that a row shall be stored: with ``values`` instead of what it said (a record's columns; None is
    "not measured"), and with ``override`` although it breaks rules that a person may break."""

    by: str
    because: str
    values: Mapping[str, Any]
    override: bool


def release(pipeline: Pipeline, quarantine_id: int, wish: Release) -> Entry:
    """Send a quarantined row the same way as any other; it is closed in the transaction that stores it.

    Doing it again with the same values changes nothing. The record says in its audit id which quarantined row it was.
    An outside refusal that is overridden becomes suspect.

    Raises:
        NotFound: there is no such row.
        Conflict: it was closed otherwise.
        InputRefused: name, reason or values cannot be; or a row that could not be read comes without values.
        StillRefused: it breaks rules still, and which.
        StorageDown: nothing was done.
    """
    _check(wish.by, wish.because)
    with reading(pipeline.engine) as connection:
        found = quarantine.entry(connection, quarantine_id)
    if _done_already(found, wish):
        return found
    quarantine.allowed(found, Action.RELEASED)
    offered = _batch(found, wish)
    if offered.refused:
        raise _still_refused(found, offered.refused[0].reasons)
    pipeline.ingest(offered, override=wish.override, within=lambda done: _released(done, found, wish))
    with reading(pipeline.engine) as connection:
        return quarantine.entry(connection, quarantine_id)


def reject(pipeline: Pipeline, quarantine_id: int, by: str, because: str) -> Entry:
    """Close a quarantined row for good: it stays where it is, with the reason. Doing it again changes nothing.

    Raises:
        NotFound: there is no such row.
        Conflict: it was released.
        InputRefused: name or reason is missing.
        StorageDown: nothing was done.
    """
    _check(by, because)
    with writing(pipeline.engine) as connection:
        found = quarantine.entry(connection, quarantine_id, held=True)
        closing = found.closing
        if closing is not None and (closing.by, closing.because, closing.outcome) == (by, because, None):
            return found
        quarantine.close(connection, found, Action.REJECTED, Closing(pipeline.now(), by, because), found.record)
        return quarantine.entry(connection, quarantine_id)


def _done_already(found: Entry, wish: Release) -> bool:
    closing = found.closing
    return (
        closing is not None
        and closing.outcome is not None
        and (closing.by, closing.because) == (wish.by, wish.because)
        and (closing.correction or {}) == dict(wish.values)
    )


def _released(done: Committing, found: Entry, wish: Release) -> None:
    """Close the row beside what was stored of it, or undo all."""
    if done.judged.refused:
        raise _still_refused(found, done.judged.refused[0].reasons)
    (row,) = done.judged.records.select("well", "start", "seconds", "resolution").rows()
    held = quarantine.entry(done.connection, found.id, held=True)
    if _done_already(held, wish):
        return
    (outcome,) = done.written.outcomes
    closing = Closing(done.at, wish.by, wish.because, dict(wish.values) or None, str(outcome))
    quarantine.close(done.connection, held, Action.RELEASED, closing, RecordKey(*row))


def _still_refused(found: Entry, reasons: tuple[Reason, ...]) -> StillRefused:
    told = "; ".join(reason.message for reason in reasons)
    return StillRefused(f"the quarantined row {found.id} cannot be released as it is: {told}", reasons)


def _batch(found: Entry, wish: Release) -> Batch:
    """The row as it shall be judged, a batch of its own."""
    read = dict(found.read or {})
    noted = read.pop("noted", None)
    strangers = sorted(wish.values.keys() - ROW_KEYS)
    if strangers:
        message = f"{strangers[0]!r} is no column of a record; values may name {', '.join(sorted(ROW_KEYS))}"
        raise InputRefused(message)
    if not found.whole and not wish.values:
        message = f"the quarantined row {found.id} could not be read as it came: release it with corrected values"
        raise InputRefused(message)
    row = read | dict(wish.values)
    if wish.override and row.get("verdict") == Verdict.QUARANTINED:
        row["verdict"] = str(Verdict.SUSPECT)
    audit_id = " ".join(word for word in (row.pop("audit_id", None), f"quarantine-{found.id}") if word)
    offered = parsed_rows([row], found.source, [found.place])
    candidates = offered.candidates.with_columns(
        audit_id=pl.lit(audit_id), noted=pl.lit(_left(noted, wish.values), dtype=pl.List(pl.String))
    )
    return replace(offered, candidates=candidates)


def _left(noted: list[str] | None, values: Mapping[str, Any]) -> list[str]:
    """What the source noted about columns that were not corrected."""
    return [issue for issue in noted or [] if issue.partition("-")[2] not in values]


def _check(by: str, because: str) -> None:
    for name, text in (("by", by), ("reason", because)):
        if not 0 < len(text.strip()) <= TEXT_LIMIT or not text.isprintable():
            message = f"{name} is {text[:60]!r}, but it is a text of 1 to {TEXT_LIMIT} letters in one line"
            raise InputRefused(message)
