"""What somebody did to records or rules, as the audit trail keeps it; and what may be done to a quarantined row."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final


class Action(StrEnum):
    """What was done."""

    CORRECTED = "corrected"
    RELEASED = "released"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    RULES_CHANGED = "rules-changed"


@dataclass(frozen=True, slots=True)
class RecordKey:
    """Which record: its well's public id, start, length in s and resolution; None is not known."""

    well: str | None
    start: datetime | None
    seconds: int | None
    resolution: str | None


@dataclass(frozen=True, slots=True)
class Deed:
    """One entry of the audit trail: when, what, by whom (a person or a source), and why."""

    at: datetime
    action: Action
    by: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None
    record: RecordKey | None = None
    quarantine_id: int | None = None


class State(StrEnum):
    """Where a quarantined row stands. Nothing leaves the quarantine's table."""

    OPEN = "open"
    RELEASED = "released"
    REJECTED = "rejected"


AFTER: Final[Mapping[State, Mapping[Action, State]]] = {
    State.OPEN: {Action.RELEASED: State.RELEASED, Action.REJECTED: State.REJECTED},
    State.RELEASED: {},
    State.REJECTED: {Action.RELEASED: State.RELEASED},
}
"""What may be done to a quarantined row, and where it stands then. A rejection may be reconsidered; what was released
is a record, and goes the way of records."""
