"""Metrics: every quantity and every calculated tag, defined once, for records, rollups and sums over wells alike.

A calculated tag is one sum of columns over another, times a scale. Sums are taken first (over intervals, over wells),
then divided: a ratio is never averaged (field guide B5). Null is "not measured": a tag is null where a column that it
needs is, and where its denominator is zero, since a ratio to nothing is undefined, not zero.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import polars as pl

from storage.domain import units
from storage.domain.record import QUANTITIES, Kind
from storage.domain.units import DAY_S, NORWEGIAN, OilEquivalent


class Nature(StrEnum):
    """How a metric behaves when intervals are put together."""

    VOLUME = "volume"
    DURATION = "duration"
    STATE = "state"
    RATE = "rate"
    RATIO = "ratio"


@dataclass(frozen=True, slots=True)
class Metric:
    """A name that people and programs ask for, and what it is made of.

    ``column`` names it among canonical columns (and in `units.DIMENSIONS`); ``over`` are the columns that are summed,
    ``under`` those it is divided by (none for a sum), ``scale`` the factor to the canonical unit. With ``any_of`` the
    sum is over what was measured, null when nothing was; else all must be. ``formula`` says it for people. Where
    ``low`` and ``high`` are named, rollups keep its extremes in those columns.
    """

    name: str
    column: str
    label: str
    nature: Nature
    formula: str
    over: tuple[str, ...]
    under: tuple[str, ...] = ()
    scale: float = 1.0
    any_of: bool = False
    low: str | None = None
    high: str | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """The columns that it is made from."""
        return tuple(dict.fromkeys((*self.over, *self.under)))


_NATURES: Final = {Kind.VOLUME: Nature.VOLUME, Kind.DURATION: Nature.DURATION, Kind.STATE: Nature.STATE}
_SUFFIXES: Final = ("_sm3_per_d", "_sm3", "_bar", "_degc", "_pct", "_s")
ON_STREAM: Final = "on_stream_s"
ON_STREAM_MEASURED: Final = "on_stream_s_measured_s"
"""Seconds in which on-stream time was measured: what uptime is possible."""


def _plain(column: str) -> str:
    """A column's name without its unit."""
    return next((column.removesuffix(suffix) for suffix in _SUFFIXES if column.endswith(suffix)), column)


def _quantities() -> list[Metric]:
    found = []
    for one in QUANTITIES:
        bounds = (f"{one.column}_low", f"{one.column}_high") if one.kind is Kind.STATE else (None, None)
        told = "average over the interval" if one.kind is Kind.STATE else "over the interval"
        found.append(
            Metric(
                _plain(one.column), one.column, one.label, _NATURES[one.kind], told, (one.column,),
                low=bounds[0], high=bounds[1],
            )
        )  # fmt: skip
    return found


def _rates() -> list[Metric]:
    found = []
    for one in QUANTITIES:
        if one.kind is not Kind.VOLUME:
            continue
        name, per_day = _plain(one.column), f"{one.column}_per_d"
        found.append(
            Metric(
                f"{name}_rate", per_day, f"{one.label} rate", Nature.RATE, "volume / days of the interval",
                (one.column,), ("seconds",), DAY_S, low=f"{one.column}_low", high=f"{one.column}_high",
            )
        )  # fmt: skip
        found.append(
            Metric(
                f"{name}_producing_rate", per_day, f"{one.label} rate on stream", Nature.RATE,
                "volume / days on stream (producing-day); of a field: per well", (one.column,), (ON_STREAM,), DAY_S,
            )
        )  # fmt: skip
    return found


_OIL, _GAS, _WATER, _CONDENSATE = "oil_sm3", "gas_sm3", "water_sm3", "condensate_sm3"
_LIQUID: Final = (_OIL, _WATER)
_EQUIVALENT: Final = (_OIL, _CONDENSATE, _GAS)

_TAGS: Final = (
    Metric("liquid", "liquid_sm3", "Liquid", Nature.VOLUME, "oil + water", _LIQUID),
    Metric(
        "liquid_rate", "liquid_sm3_per_d", "Liquid rate", Nature.RATE, "(oil + water) / days of the interval",
        _LIQUID, ("seconds",), DAY_S,
    ),
    Metric(
        "oil_equivalent", "oil_equivalent_sm3", "Oil equivalent", Nature.VOLUME,
        "oil + condensate + gas as oil, of those that were measured", _EQUIVALENT, any_of=True,
    ),
    Metric(
        "oil_equivalent_rate", "oil_equivalent_sm3_per_d", "Oil equivalent rate", Nature.RATE,
        "oil equivalent / days of the interval", _EQUIVALENT, ("seconds",), DAY_S, any_of=True,
    ),
    Metric("water_cut", "water_cut", "Water cut", Nature.RATIO, "water / (oil + water)", (_WATER,), _LIQUID),
    Metric("gor", "gor", "Gas-oil ratio", Nature.RATIO, "gas / oil", (_GAS,), (_OIL,)),
    Metric("glr", "glr", "Gas-liquid ratio", Nature.RATIO, "gas / (oil + water)", (_GAS,), _LIQUID),
    Metric("wor", "wor", "Water-oil ratio", Nature.RATIO, "water / oil", (_WATER,), (_OIL,)),
    Metric(
        "condensate_yield", "condensate_yield", "Condensate yield", Nature.RATIO, "condensate / gas",
        (_CONDENSATE,), (_GAS,),
    ),
    Metric(
        "uptime", "uptime", "Uptime", Nature.RATIO, "on stream / seconds in which it was measured",
        (ON_STREAM,), (ON_STREAM_MEASURED,),
    ),
)  # fmt: skip

METRICS: Final[Mapping[str, Metric]] = {one.name: one for one in (*_quantities(), *_rates(), *_TAGS)}
"""Every metric by its name. Names carry no unit, because the answer's unit is the asker's choice."""


def needed(metrics: Sequence[Metric]) -> tuple[str, ...]:
    """The columns that some metrics are made from, each once, ``seconds`` left out: every frame has it."""
    found = dict.fromkeys(column for metric in metrics for column in metric.needs)
    return tuple(column for column in found if column != "seconds")


def value(metric: Metric, equivalent: OilEquivalent = NORWEGIAN) -> pl.Expr:
    """A metric of each row of a frame that holds its columns, in the canonical unit, named by the metric."""
    parts = [_weighed(column, metric, equivalent) for column in metric.over]
    summed = _sum(parts)
    if metric.any_of:
        measured = pl.any_horizontal(pl.col(column).is_not_null() for column in metric.over)
        summed = pl.when(measured).then(pl.sum_horizontal(parts)).otherwise(None)
    if metric.under:
        ratio = summed * metric.scale / _sum([pl.col(column) for column in metric.under])
        summed = pl.when(ratio.is_finite()).then(ratio).otherwise(None)  # neither 0/0 nor x/0 is a number
    return summed.cast(pl.Float64).alias(metric.name)


def shown(metric: Metric, system: str, suffix: str = "") -> pl.Expr:
    """A column ``<metric><suffix>`` of canonical values turned into the unit of a system ("metric", "field")."""
    factor, offset = units.from_canonical(metric.column, unit(metric, system))
    column = pl.col(f"{metric.name}{suffix}")
    return column if (factor, offset) == (1.0, 0.0) else column * factor + offset


def unit(metric: Metric, system: str) -> str:
    """The symbol of the unit that a metric is shown in."""
    return units.SYSTEMS[system][metric.column]


def with_measured(records: pl.DataFrame) -> pl.DataFrame:
    """Records with what rollups have too: the seconds in which on-stream time was measured."""
    measured = pl.when(pl.col(ON_STREAM).is_not_null()).then(pl.col("seconds").cast(pl.Float64))
    return records.with_columns(measured.alias(ON_STREAM_MEASURED))


def _sum(parts: Sequence[pl.Expr]) -> pl.Expr:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _weighed(column: str, metric: Metric, equivalent: OilEquivalent) -> pl.Expr:
    gas_as_oil = metric.any_of and column == _GAS
    return pl.col(column) / equivalent.gas_sm3_per_sm3 if gas_as_oil else pl.col(column)
