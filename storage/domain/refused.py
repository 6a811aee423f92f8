"""What is refused: the row as it came, where it stood, and every rule that it broke."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Reason:
    """One broken rule: which rule, in which field of the row, with which value, told as one sentence."""

    rule: str
    field: str
    value: str | float | int | None
    message: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that goes to quarantine.

    ``index`` is the row's place in the batch (0-based), ``place`` where it stands in its source ("Daily Production
    Data row 4711", "line 12", "index 3"), ``raw`` the row as it was read, with values that JSON can hold;
    ``read`` what was understood of it, as a record's columns and ``noted``, with values that JSON can hold; it is
    ``whole`` when parsing understood everything.
    """

    index: int
    field: str | None
    source: str
    place: str
    raw: dict[str, Any]
    reasons: tuple[Reason, ...]
    read: dict[str, Any] | None = None
    whole: bool = False
