"""What a kind of rule is: which columns and parameters it takes, and what it makes of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import polars as pl

from ingest.parse import shown
from ingest.rules.parameter import Parameter
from ingest.rules.rule import Frozen, Glance, Jump, Row, Severity
from storage.domain.record import QUANTITIES, QUANTITY_COLUMNS, Kind, Quantity

DECLARED: Final = "declared"
"""Stands for the bound that the record's own table gives the column."""

QUALITY: Final = Quantity("quality", "Quality", "", Kind.STATE, 0, 1)
BOUNDED: Final = {quantity.column: quantity for quantity in (*QUANTITIES, QUALITY)}
GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "quantities": QUANTITY_COLUMNS,
    "volumes": tuple(quantity.column for quantity in QUANTITIES if quantity.kind is Kind.VOLUME),
    "states": tuple(quantity.column for quantity in QUANTITIES if quantity.kind is Kind.STATE),
    "pressures": tuple(quantity.column for quantity in QUANTITIES if quantity.unit == "bar"),
    "temperatures": tuple(quantity.column for quantity in QUANTITIES if quantity.unit == "degC"),
}
"""Words that stand for several columns."""

Values: TypeAlias = Mapping[str, Any]
"""A rule's parameters by name, defaults filled in."""


@dataclass(frozen=True, slots=True)
class Test:
    """What one rule asks of one column: see `ingest.rules.rule.Rule`."""

    __test__ = False  # not a test of pytest

    sentence: Callable[[Row], str]
    broken: pl.Expr | None = None
    past: Jump | Frozen | None = None
    quiet: Callable[[Glance], bool] = lambda _: False


@dataclass(frozen=True, slots=True)
class RuleKind:
    """A kind of rule.

    A rule names columns of ``columns``, or none when ``fixed``: then it is about all of them. ``tested`` makes the
    test of one column, or None where there is nothing to test (no bound is declared). A document must have quarantine
    rules of this kind for the columns in ``indispensable``, without `applies_to`: without them a row could not be
    stored, or would contradict itself. Nobody can release a row that breaks such a rule.
    """

    name: str
    means: str
    columns: tuple[str, ...]
    tested: Callable[[str, Values], Test | None]
    parameters: tuple[Parameter, ...] = ()
    fixed: bool = False
    severities: tuple[Severity, ...] = tuple(Severity)
    indispensable: tuple[str, ...] = ()
    in_context: bool = False
    blanks: bool = False
    by_name: Mapping[str, Parameter] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {parameter.name: parameter for parameter in self.parameters})


def about(column: str, what: str) -> Callable[[Row], str]:
    """ "<column> is <value>, <what>", where ``what`` may name {row[...]}."""

    def sentence(row: Row) -> str:
        return f"{column} is {shown(row[column])}, {what.format(row=row)}"

    return sentence


def with_unit(column: str, what: str) -> Callable[[Row], str]:
    """The same with the column's unit after the value."""
    unit = BOUNDED[column].unit

    def sentence(row: Row) -> str:
        return f"{column} is {shown(row[column])}{unit and ' ' + unit}, {what.format(row=row)}"

    return sentence
