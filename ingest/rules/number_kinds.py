"""Kinds of rules about a row's numbers, each by itself or with the others of the row."""

import math
from typing import Final

import polars as pl

from ingest.parse import shown
from ingest.rules.kind import BOUNDED, DECLARED, GROUPS, RuleKind, Test, Values, with_unit
from ingest.rules.parameter import Parameter
from ingest.rules.rule import Glance, Row, Severity
from storage.domain.record import LARGEST, QUANTITY_COLUMNS, SMALLEST, Resolution

_QUARANTINE: Final = (Severity.QUARANTINE,)
_DAY_S: Final = 86_400
_TOLERANCE: Final = Parameter(
    "tolerance_s", "s", "longer by so much is still kept: hours come with decimals", 1.0, 0, 3_600
)


def _finite(column: str, _: Values) -> Test:
    value = pl.col(column)
    vanishing = (value != 0) & (value.abs() < SMALLEST)

    def sentence(row: Row) -> str:
        what = f"but a number is 0 or between {SMALLEST:g} and {LARGEST:g}"
        told = what if math.isfinite(row[column]) else "not a finite number"
        return f"{column} is {shown(row[column])}, {told}"

    return Test(
        sentence,
        ~value.is_finite() | (value.abs() > LARGEST) | vanishing,
        quiet=lambda batch: batch.empty(column) or batch.finite(column),
    )


def _range(column: str, values: Values) -> Test | None:
    quantity = BOUNDED[column]
    low = quantity.low if values["low"] == DECLARED else values["low"]
    high = quantity.high if values["high"] == DECLARED else values["high"]
    if low is None and high is None:
        return None
    value, unit = pl.col(column), quantity.unit and f" {quantity.unit}"
    broken = value.is_finite() & ~value.is_between(
        float("-inf") if low is None else low, float("inf") if high is None else high
    )
    possible = " possible" if DECLARED in values.values() else ""

    def sentence(row: Row) -> str:
        below = low is not None and row[column] < low
        bound = f"below the lowest{possible} {low:g}" if below else f"above the highest{possible} {high:g}"
        return f"{column} is {shown(row[column])}{unit}, {bound}{unit}"

    def quiet(batch: Glance) -> bool:
        least, most = batch.low(column), batch.high(column)
        return least is None or bool((low is None or least >= low) and (high is None or most <= high))

    return Test(sentence, broken, quiet=quiet)


def _is_nominal(tolerance_s: float) -> pl.Expr:
    """A day shorter than 24 h that is reported with up to 24 h."""
    return (
        (pl.col("resolution") == Resolution.DAILY)
        & (pl.col("seconds") < _DAY_S)
        & (pl.col("on_stream_s") <= _DAY_S + tolerance_s)
    )


def _on_stream(*, nominal: bool, column: str, values: Values) -> Test:
    tolerance_s = values["tolerance_s"]
    longer = pl.col(column).is_finite() & (pl.col(column) > pl.col("seconds") + tolerance_s)
    which = _is_nominal(tolerance_s)

    def quiet(batch: Glance) -> bool:
        most = batch.high(column)
        return most is None or bool(most <= batch.low("seconds") + tolerance_s)

    told = "longer than the interval of {row[seconds]} s"
    return Test(with_unit(column, told), longer & (which if nominal else ~which), quiet=quiet)


def _on_stream_too_long(column: str, values: Values) -> Test:
    return _on_stream(nominal=False, column=column, values=values)


def _nominal_day(column: str, values: Values) -> Test:
    return _on_stream(nominal=True, column=column, values=values)


def _days_against_month(column: str, values: Values) -> Test:
    """On-stream days of a month, whole or not, against the days of that very month."""
    days = pl.col(column) / _DAY_S
    month = (pl.col("seconds") / _DAY_S).round()
    broken = (pl.col("resolution") == Resolution.MONTHLY) & days.is_finite() & (days > month + values["tolerance_d"])

    def sentence(row: Row) -> str:
        return f"{column} is {shown(row[column] / _DAY_S)} days, but the month has {row['seconds'] / _DAY_S:.0f}"

    return Test(sentence, broken, quiet=lambda batch: Resolution.MONTHLY not in batch.words("resolution"))


def _zero(column: str, _: Values) -> Test:
    return Test(
        lambda _row: f"{column} is 0, which its gauge gives when it has no reading; it counts as not measured",
        pl.col(column) == 0,
        quiet=lambda batch: batch.low(column) is None or bool(batch.low(column) > 0),
    )


def _volume_without_hours(column: str, _: Values) -> Test:
    return Test(
        lambda row: f"{column} is {shown(row[column])} Sm3 with 0 s on stream",
        (pl.col(column) > 0) & (pl.col("on_stream_s") == 0),
        quiet=lambda batch: batch.low("on_stream_s") is None or bool(batch.low("on_stream_s") > 0),
    )


def _missing(column: str, _: Values) -> Test:
    return Test(
        lambda row: f"{column} is empty, but {row['well']} is expected to measure it",
        pl.col(column).is_null(),
        quiet=lambda batch: batch.full(column),
    )


def _nothing_measured(column: str, _: Values) -> Test:
    return Test(
        lambda row: f"the row of {shown(row[column])} has no measured quantity",
        pl.all_horizontal(pl.col(name).is_null() for name in QUANTITY_COLUMNS),
        quiet=lambda batch: any(batch.full(name) for name in QUANTITY_COLUMNS),
    )


def _ratio(column: str, part: str, whole: tuple[str, ...], unit: str, values: Values) -> Test:
    """A ratio of volumes within bounds, where its divisor is at least ``least_sm3_per_d``: by division of the volumes
    themselves, and not at all where the divisor is too small to tell."""
    low, high, least = values["low"], values["high"], values["least_sm3_per_d"]
    divisor = pl.sum_horizontal((pl.col(name) for name in whole), ignore_nulls=False)
    ratio = pl.col(part) / divisor
    told_apart = divisor.is_finite() & (divisor > 0) & (divisor * _DAY_S / pl.col("seconds") >= least)
    broken = told_apart & ratio.is_finite() & ~ratio.is_between(low, float("inf") if high is None else high)
    words = {"low": f"below {low:g}{unit}", "high": "" if high is None else f"above {high:g}{unit}"}

    def sentence(row: Row) -> str:
        found = row[part] / sum(row[name] for name in whole)
        bound = words["low"] if found < low else words["high"]
        return f"{column} is {shown(row[column])} Sm3, which makes {shown(found)}{unit}, {bound}"

    return Test(sentence, broken, quiet=lambda batch: batch.empty(part) or any(batch.empty(name) for name in whole))


def _water_cut(column: str, values: Values) -> Test:
    return _ratio(column, "water_sm3", ("oil_sm3", "water_sm3"), " of the liquid as water", values)


def _gor(column: str, values: Values) -> Test:
    return _ratio(column, "gas_sm3", ("oil_sm3",), " Sm3 gas per Sm3 oil", values)


_LEAST: Final = Parameter(
    "least_sm3_per_d", "Sm3/d", "a divisor below this says nothing: the row is kept", 1.0, 0, None
)
_BOUNDED_COLUMNS: Final = tuple(BOUNDED)

NUMBER_KINDS: Final = (
    RuleKind(
        "finite", f"A number is neither infinite nor NaN, and 0 or between {SMALLEST:g} and {LARGEST:g}.",
        _BOUNDED_COLUMNS, _finite,
        severities=_QUARANTINE, indispensable=_BOUNDED_COLUMNS,
    ),
    RuleKind(
        "range", "A number lies within bounds. At least one bound is given.", _BOUNDED_COLUMNS, _range,
        (
            Parameter("low", "in the column's unit", "the lowest allowed; `declared` is what the column's table in"
                      " `storage/domain/record.py` gives as physically possible", words=(DECLARED,)),
            Parameter("high", "in the column's unit", "the highest allowed; `declared` as for `low`",
                      words=(DECLARED,)),
        ),
    ),
    RuleKind(
        "on_stream", "On-stream time is not longer than that very interval: 25 h fit an autumn day and no other. Up to"
        " 24 h on a day of 23 h are left to `nominal_day`.", ("on_stream_s",), _on_stream_too_long, (_TOLERANCE,),
        fixed=True,
    ),
    RuleKind(
        "nominal_day", "On-stream time of up to 24 h on a production day that is shorter: the clock is wrong there, not"
        " the production.", ("on_stream_s",), _nominal_day, (_TOLERANCE,), fixed=True,
    ),
    RuleKind(
        "days_against_month", "On-stream days of a monthly record are not more than the days of that month.",
        ("on_stream_s",), _days_against_month,
        (Parameter("tolerance_d", "days", "more by so much is still kept", 0.05, 0, 31),), fixed=True,
    ),
    RuleKind(
        "zero_is_no_reading", "A gauge that gives exactly 0 has no reading: the value counts as not measured, and the"
        " issue says so.", GROUPS["states"], _zero, severities=(Severity.SUSPECT,), blanks=True,
    ),
    RuleKind(
        "volume_without_hours", "There is a volume, but 0 s on stream.", GROUPS["volumes"], _volume_without_hours,
    ),
    RuleKind(
        "completeness", "A column that these wells measure has a value.", QUANTITY_COLUMNS, _missing,
    ),
    RuleKind(
        "nothing_measured", "The row measured something.", ("well",), _nothing_measured, fixed=True,
    ),
    RuleKind(
        "water_cut", "Water over oil and water, by volume, lies within bounds.", ("water_sm3",), _water_cut,
        (
            Parameter("low", "", "the lowest share of water", 0.0, 0, 1),
            Parameter("high", "", "the highest share of water", needed=True, low=0, high=1),
            _LEAST,
        ),
        fixed=True,
    ),
    RuleKind(
        "gor", "Gas over oil, by volume, lies within bounds.", ("gas_sm3",), _gor,
        (
            Parameter("low", "Sm3/Sm3", "the lowest ratio", 0.0, 0, None),
            Parameter("high", "Sm3/Sm3", "the highest ratio", needed=True, low=0),
            _LEAST,
        ),
        fixed=True,
    ),
)  # fmt: skip
