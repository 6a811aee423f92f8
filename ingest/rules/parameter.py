"""What can be set in a rule: its name, unit, bounds and default, as data that loading and the reference read."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Sort(StrEnum):
    """What a parameter's value is."""

    NUMBER = "number"
    COUNT = "whole number"
    DAY = "date"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a kind. ``low`` and ``high`` are allowed themselves; None is unbounded. ``words`` may stand
    instead of a value. Without ``needed`` it may be left out and is ``default`` then."""

    name: str
    unit: str
    means: str
    default: float | int | str | date | None = None
    low: float | date | None = None
    high: float | date | None = None
    sort: Sort = Sort.NUMBER
    words: tuple[str, ...] = ()
    needed: bool = False

    def allowed(self) -> str:
        """What may stand there, for a person."""
        span = f"a {self.sort}"
        if self.low is not None and self.high is not None:
            span += f" from {_shown(self.low)} to {_shown(self.high)}"
        elif self.low is not None:
            span += f" of at least {_shown(self.low)}"
        elif self.high is not None:
            span += f" of at most {_shown(self.high)}"
        return " or ".join([span + (f" {self.unit}" if self.unit else ""), *self.words])

    def fits(self, value: object) -> bool:
        """Whether a value of a document may stand there."""
        if isinstance(value, str):
            return value in self.words
        if self.sort is Sort.DAY:
            return type(value) is date and (not isinstance(self.low, date) or value >= self.low)
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < float("inf"):
            return False
        if self.sort is Sort.COUNT and not isinstance(value, int):
            return False
        low, high = self.low, self.high
        return (not isinstance(low, int | float) or value >= low) and (
            not isinstance(high, int | float) or value <= high
        )


def _shown(bound: float | date) -> str:
    return bound.isoformat() if isinstance(bound, date) else f"{bound:,g}"
