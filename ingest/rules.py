"""The rules of verification, as data: what they look at, when they are broken, and what follows."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import polars as pl

from ingest.parse import shown
from storage.domain.record import QUANTITIES, TIMESTAMP, Kind, Quantity, Resolution

RULES_VERSION: Final = "1"
"""Changes with every change of a rule; stands in the audit id of what was verified here."""

EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
AHEAD_D: Final = 1
LIVE_LIMIT_S: Final = 3_600
NOMINAL_DAY_S: Final = 86_400
ON_STREAM_TOLERANCE_S: Final = 1.0
"""On-stream time comes as hours with decimals; a second absorbs their rounding and no real error."""


class Severity(StrEnum):
    """What a broken rule does to a row."""

    QUARANTINE = "quarantine"
    SUSPECT = "suspect"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    ``broken`` is true for a row that breaks it (null counts as kept), is called by the rule's code, and may use every
    column of a candidate and of CONTEXT_COLUMNS. ``message`` may name {column}, {value} and {row[...]}. ``weight`` is
    the share of the quality score that a broken suspect rule takes.
    """

    name: str
    column: str
    severity: Severity
    broken: pl.Expr
    message: str
    weight: float = 0.0

    @property
    def code(self) -> str:
        """Rule and column: the issue that a suspect record carries."""
        return f"{self.name}-{self.column}"

    def told(self, row: dict[str, Any]) -> str:
        """The message for one row (column name to value)."""
        text = self.message.format(column=self.column, value=shown(row[self.column]), row=row)
        return f"{text} (rule {self.name})"


CONTEXT_COLUMNS: Final = ("known_field", "known_well", "well_field", "now", "day_s", "month_s")
"""What verification adds to a candidate: whether field and well are known, the field that the well's id names, the
time of verification, and the length in s of the production day and month that begins at ``start`` (null: none does)."""

_START_IS_SANE: Final = (pl.col("start") >= pl.lit(EARLIEST, dtype=TIMESTAMP)) & (
    pl.col("start") <= pl.col("now").dt.offset_by(f"{AHEAD_D}d")
)


def _quarantine(name: str, column: str, broken: pl.Expr, message: str) -> Rule:
    return Rule(name, column, Severity.QUARANTINE, broken.alias(f"{name}-{column}"), message)


def _suspect(name: str, column: str, broken: pl.Expr, message: str, weight: float) -> Rule:
    return Rule(name, column, Severity.SUSPECT, broken.alias(f"{name}-{column}"), message, weight)


def _bounds(column: str, low: float | None, high: float | None, unit: str) -> list[Rule]:
    """Rules that a number is finite and within its bounds."""
    value = pl.col(column)
    unit = f" {unit}" if unit else ""
    found = [_quarantine("not_finite", column, ~value.is_finite(), "{column} is {value}, not a finite number")]
    if low is not None:
        told = f"{{column}} is {{value}}{unit}, below the lowest possible {low:g}{unit}"
        found.append(_quarantine("below_low", column, value.is_finite() & (value < low), told))
    if high is not None:
        told = f"{{column}} is {{value}}{unit}, above the highest possible {high:g}{unit}"
        found.append(_quarantine("above_high", column, value.is_finite() & (value > high), told))
    return found


def _no_reading(quantity: Quantity) -> Rule:
    noted = pl.col("noted").list.contains(pl.lit(f"no_reading-{quantity.column}"))
    told = "{column} has no reading: its source says 0 where the gauge gave none"
    return _suspect("no_reading", quantity.column, noted, told, 0.1)


def _volume_without_hours(quantity: Quantity) -> Rule:
    broken = (pl.col(quantity.column) > 0) & (pl.col("on_stream_s") == 0)
    return _suspect("volume_without_hours", quantity.column, broken, "{column} is {value} Sm3 with 0 s on stream", 0.3)


def _identity() -> list[Rule]:
    known, stranger = pl.col("known_field"), ~pl.col("known_well")
    return [
        _quarantine("unknown_field", "field", ~known, "{column} is {value}, which is not a known field"),
        _quarantine("unknown_well", "well", stranger, "{column} is {value}, which is not a known well"),
        _quarantine(
            "well_of_another_field",
            "well",
            pl.col("well_field") != pl.col("field"),
            "{column} is {value}, which is not a well of the field '{row[field]}'",
        ),
    ]


def _interval() -> list[Rule]:
    """Rules on start and length. A daily or monthly record covers a whole production day or month of its field."""
    start, seconds, resolution = pl.col("start"), pl.col("seconds"), pl.col("resolution")
    too_early = start < pl.lit(EARLIEST, dtype=TIMESTAMP)
    too_late = start > pl.col("now").dt.offset_by(f"{AHEAD_D}d")
    datable = pl.col("known_field") & _START_IS_SANE
    not_day = datable & (resolution == Resolution.DAILY) & ~seconds.eq_missing(pl.col("day_s"))
    not_month = datable & (resolution == Resolution.MONTHLY) & ~seconds.eq_missing(pl.col("month_s"))
    too_long = (resolution == Resolution.LIVE) & (seconds > LIVE_LIMIT_S)
    told = "{column} is {value} s from {row[start]:%Y-%m-%dT%H:%MZ}, which is not a whole production %s of the field"
    return [
        _quarantine("not_positive", "seconds", seconds <= 0, "{column} is {value}, but an interval has a length"),
        _quarantine("too_early", "start", too_early, "{column} is {value}, before 1900"),
        _quarantine("in_the_future", "start", too_late, "{column} is {value}, more than a day ahead of now"),
        _quarantine("not_a_production_day", "seconds", not_day, told.replace("%s", "day")),
        _quarantine("not_a_production_month", "seconds", not_month, told.replace("%s", "month")),
        _quarantine("too_long_for_live", "seconds", too_long, f"{{column}} is {{value}} s, above {LIVE_LIMIT_S} s"),
    ]


def _on_stream() -> list[Rule]:
    """On-stream time against the length of that very interval: 25 h fit an autumn day and no other.

    Some sources report a nominal 24 h on the 23-hour day of spring (Volve does for all wells on 2015-03-29). The
    clock is wrong there, not the production: such a row is suspect, not refused.
    """
    on_stream, seconds = pl.col("on_stream_s"), pl.col("seconds")
    longer = on_stream.is_finite() & (on_stream > seconds + ON_STREAM_TOLERANCE_S)
    nominal = (
        (pl.col("resolution") == Resolution.DAILY)
        & (seconds < NOMINAL_DAY_S)
        & (on_stream <= NOMINAL_DAY_S + ON_STREAM_TOLERANCE_S)
    )
    told = "{column} is {value} s, longer than the interval of {row[seconds]} s"
    return [
        _quarantine("on_stream_too_long", "on_stream_s", longer & ~nominal, told),
        _suspect("on_stream_of_nominal_day", "on_stream_s", longer & nominal, told, 0.1),
    ]


def _outside_trust() -> list[Rule]:
    """Rules on what an outside verification says: its verdict comes whole or not at all, and its refusal is kept."""
    partial = pl.col("verdict").is_null() & (pl.col("quality").is_not_null() | pl.col("issues").is_not_null())
    refused = pl.col("verdict") == "quarantined"
    return [
        _quarantine("trust_incomplete", "verdict", partial, "{column} is {value}, but quality or issues are given"),
        _quarantine("refused_outside", "verdict", refused, "{column} is {value}: the outside verification refused it"),
        *_bounds("quality", 0, 1, ""),
    ]


def _source_notes() -> list[Rule]:
    """What a source noted while it read: the production is kept, and says what is doubtful about it."""
    return [
        _suspect(name, column, pl.col("noted").list.contains(pl.lit(f"{name}-{column}")), message, weight)
        for name, column, message, weight in _NOTES
    ]


_NOTES: Final = (
    ("field_inferred", "field", "{column} is {value} by the well's other rows: this one leaves it out", 0.1),
    ("lease_missing", "well", "a completion of {value} names no lease", 0.05),
    ("fluid_assumed", "injected_water_sm3", "{column} is {value} Sm3 if water was injected, which nothing says", 0.2),
    ("completions_conflict", "well", "a completion of {value} was reported twice with different contents", 0.3),
    ("completions_incomplete", "well", "a completion of {value} was refused: the sum may be short", 0.5),
)


def _completeness() -> list[Rule]:
    """A row that measured nothing is kept, as a suspect: it says that somebody looked at the day and had nothing,
    which a missing row does not; nobody should trust it, so it takes the whole quality."""
    nothing = pl.all_horizontal(pl.col(quantity.column).is_null() for quantity in QUANTITIES)
    return [_suspect("nothing_measured", "well", nothing, "the row of {value} has no measured quantity", 1.0)]


RULES: Final = (
    *_identity(),
    *_interval(),
    *_on_stream(),
    *(rule for quantity in QUANTITIES for rule in _bounds(quantity.column, quantity.low, quantity.high, quantity.unit)),
    *_outside_trust(),
    *(_no_reading(quantity) for quantity in QUANTITIES if quantity.kind is Kind.STATE),
    *(_volume_without_hours(quantity) for quantity in QUANTITIES if quantity.kind is Kind.VOLUME),
    *_source_notes(),
    *_completeness(),
)
