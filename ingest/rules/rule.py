"""A rule, ready to be used: when it is broken, what follows, and how it is told; and the set that judges together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Final, TypeAlias

import numpy as np
import polars as pl

from storage.domain.record import LARGEST, SMALLEST
from storage.domain.well import Field

CONTEXT_COLUMNS: Final = ("known_field", "known_well", "purpose", "now", "day_s", "month_s")
"""What verification adds to a candidate when a rule asks for it: whether field and well are known, the well's purpose,
the time of verification, and the length in s of the production day and month that begins at ``start`` (null: none
does)."""


class Severity(StrEnum):
    """What a broken rule does to a row."""

    QUARANTINE = "quarantine"
    SUSPECT = "suspect"


@dataclass(frozen=True, slots=True)
class Known:
    """The fields (by id) and the ids of the wells that rows may speak of; ``purposes`` by well id."""

    fields: Mapping[str, Field]
    wells: frozenset[str]
    purposes: Mapping[str, str] = field(default_factory=dict)


class Glance:
    """A batch seen from afar: enough to tell, for a fraction of the cost, that a rule cannot be broken in it."""

    def __init__(self, frame: pl.DataFrame, known: Known, now: datetime) -> None:
        self.known = known
        self.now = now
        self._frame = frame
        self._bounds: dict[str, tuple[Any, Any]] = {}
        self._words: dict[str, frozenset[str]] = {}

    def empty(self, column: str) -> bool:
        """Whether no row has a value there."""
        return self._frame[column].null_count() == self._frame.height

    def full(self, column: str) -> bool:
        """Whether every row has a value there."""
        return self._frame[column].null_count() == 0

    def low(self, column: str) -> Any:
        """The least value but NaN; None where there is none."""
        return self._bound(column)[0]

    def high(self, column: str) -> Any:
        """The greatest value but NaN; None where there is none."""
        return self._bound(column)[1]

    def finite(self, column: str) -> bool:
        """Whether all numbers surely are finite, and 0 or of a magnitude that can be reckoned with."""
        sizes = np.abs(self._frame[column].drop_nulls().to_numpy())
        return bool(sizes.max(initial=0.0) <= LARGEST) and not ((sizes < SMALLEST) & (sizes > 0)).any()

    def words(self, column: str) -> frozenset[str]:
        """The different texts."""
        if column not in self._words:
            self._words[column] = frozenset(self._frame[column].to_list())
        return self._words[column]

    def pairs(self, left: str, right: str) -> set[tuple[Any, Any]]:
        """The different pairs of values of two columns."""
        return set(zip(self._frame[left].to_list(), self._frame[right].to_list(), strict=True))

    def _bound(self, column: str) -> tuple[Any, Any]:
        if column not in self._bounds:
            series = self._frame[column]
            self._bounds[column] = (series.min(), series.max())
        return self._bounds[column]


SETTLED: Final = 3
"""A level that the last so many records have is believed: it is no jump any more."""

Row: TypeAlias = Mapping[str, Any]
"""Column name to value, of one candidate with CONTEXT_COLUMNS."""


@dataclass(frozen=True, slots=True)
class Jump:
    """A reading far from the recent ones.

    Broken when the reading differs from the median of the measured among the last SETTLED records by more than
    ``step`` (share of the greater of both), and from the median m of the measured among the last ``window`` records
    within ``reach_s`` by more than ``threshold`` x max(1.4826 x MAD, ``floor_share`` x abs(m), ``floor``). Needs
    ``least`` measured records. ``floor`` is in the column's unit, for volumes per day.
    """

    window: int
    least: int
    threshold: float
    floor_share: float
    floor: float
    step: float
    reach_s: float

    @property
    def depth(self) -> int:
        """How many records before a row are looked at."""
        return max(self.window, SETTLED)


@dataclass(frozen=True, slots=True)
class Frozen:
    """A sensor that gives the same number ``records`` times in a row, all within ``reach_s``; from the last of them on
    it is broken. A record without a reading begins anew."""

    records: int
    reach_s: float

    @property
    def depth(self) -> int:
        """How many records before a row are looked at."""
        return self.records - 1


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule about one column.

    ``broken`` is true for a row that breaks it (null counts as kept) and may use every column of a candidate, and of
    CONTEXT_COLUMNS when ``in_context``. A rule about the well's past has ``past`` instead. ``quiet`` says that no row
    of a batch can break it. ``weight`` is the share of the quality score that a broken suspect rule takes;
    ``breakable`` says that a person may release a row that breaks it; ``blanks`` that the value then counts as not
    measured.
    """

    name: str
    column: str
    kind: str
    severity: Severity
    sentence: Callable[[Row], str]
    broken: pl.Expr | None = None
    past: Jump | Frozen | None = None
    applies: pl.Expr | None = None
    quiet: Callable[[Glance], bool] = lambda _: False
    weight: float = 0.0
    in_context: bool = False
    breakable: bool = True
    blanks: bool = False
    explanation: str = ""

    @property
    def code(self) -> str:
        """Rule and column: the issue that a suspect record carries."""
        return f"{self.name}-{self.column}"

    def told(self, row: Row) -> str:
        """The message for one row."""
        return f"{self.sentence(row)} (rule {self.name})"


@dataclass(frozen=True)
class RuleSet:
    """The rules that judge together, as read from one document (rules of a document it extends among them).

    ``digest`` is the start of the SHA-256 of the content: equal digests mean equal verdicts. ``document`` is the
    content as JSON can hold it.
    """

    version: str
    digest: str
    rules: tuple[Rule, ...]
    document: Mapping[str, Any]

    @property
    def audit_id(self) -> str:
        """What a record says about who judged it: these rules, this version."""
        return f"rules-{self.version}-{self.digest}"

    @cached_property
    def by_code(self) -> Mapping[str, Rule]:
        """The rules by their code."""
        return {rule.code: rule for rule in self.rules}

    @cached_property
    def blanking(self) -> tuple[Rule, ...]:
        """Rules that go first, because the others shall not see what they take for no reading."""
        return tuple(rule for rule in self.rules if rule.blanks)

    @cached_property
    def of_rows(self) -> tuple[Rule, ...]:
        """Rules that a row alone decides."""
        return tuple(rule for rule in self.rules if rule.past is None and not rule.blanks)

    @cached_property
    def of_past(self) -> tuple[Rule, ...]:
        """Rules that the well's recent past decides; all are of Severity.SUSPECT."""
        return tuple(rule for rule in self.rules if rule.past is not None)

    @cached_property
    def past_columns(self) -> tuple[str, ...]:
        """The columns whose past is looked at."""
        return tuple(dict.fromkeys(rule.column for rule in self.of_past))

    @cached_property
    def depth(self) -> int:
        """How many records before a row are looked at; 0 when no rule does."""
        return max((rule.past.depth for rule in self.of_past if rule.past is not None), default=0)
