"""Fewer points of a long series: extremes stay, gaps stay, every row that is left is one that was there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl
from tsdownsample import MinMaxDownsampler, MinMaxLTTBDownsampler

from storage.domain.errors import InputRefused

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

Rows = TypeVar("Rows", pl.DataFrame, pl.LazyFrame)

LEAST: Final = 5
"""Points that a metric needs at least: its two extremes and three of its line."""

_LINE: Final = MinMaxLTTBDownsampler()  # type: ignore[no-untyped-call]
_STRETCHES: Final = MinMaxDownsampler()  # type: ignore[no-untyped-call]
_GAP_SHARE: Final = 10
"""One point in so many is kept for rows beside gaps."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One metric to be drawn: its column, and those of its extremes within each row where rollups keep them."""

    value: str
    low: str | None = None
    high: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns whose shape must survive."""
        return tuple(name for name in (self.value, self.low, self.high) if name is not None)


def least_points(curves: Sequence[Curve]) -> int:
    """How few points these curves can be brought to."""
    wanted = LEAST * sum(len(curve.columns) for curve in curves)
    return max(-(-wanted * _GAP_SHARE // (_GAP_SHARE - 1)), 2 * _GAP_SHARE)


def with_gaps(series: Rows) -> Rows:
    """A series (sorted by start) with ``gap_before``: nothing is known between the row before and this one."""
    start_us, length_us = pl.col("start").dt.epoch("us"), pl.col("seconds").cast(pl.Int64) * 1_000_000
    late = start_us > (start_us + length_us).shift(1) + length_us // 2  # half an interval is not worth a word
    return series.with_columns(late.fill_null(value=False).alias("gap_before"))


def thinned(series: pl.DataFrame, curves: Sequence[Curve], points: int) -> pl.DataFrame:
    """At most ``points`` rows of a series with ``start`` (sorted) and ``gap_before``.

    Kept are, for each curve, what MinMaxLTTB chooses, its lowest and highest value, the lowest ``low`` and the highest
    ``high`` of every stretch, the first row of the longest stretches without a value, and the first and last row.
    ``gap_before`` is also true of a kept row when a gap lies among the rows left out before it.

    Raises:
        InputRefused: the curves need more points than were asked for.
    """
    if series.height <= points:
        return series
    if points < least_points(curves):
        message = f"points is {points}, but {len(curves)} metrics need at least {least_points(curves)}"
        raise InputRefused(message)
    kept = _kept(series, curves, points)
    gaps = pl.col("gap_before").cum_sum()
    counted: pl.DataFrame = series.with_columns(gaps.alias("_gaps"))[kept.tolist()]
    return counted.with_columns((pl.col("_gaps").diff().fill_null(0) > 0).alias("gap_before")).drop("_gaps")


def _kept(series: pl.DataFrame, curves: Sequence[Curve], points: int) -> Indices:
    """The rows to keep. Curves often choose the same ones; what that leaves is shared out once more."""
    each = (points - points // _GAP_SHARE) // sum(len(curve.columns) for curve in curves)
    kept = np.unique(np.concatenate(_chosen(series, curves, points, each)))
    more = np.unique(np.concatenate(_chosen(series, curves, points, each * points // len(kept))))
    return more if len(kept) < len(more) <= points else kept


def _chosen(series: pl.DataFrame, curves: Sequence[Curve], points: int, each: int) -> list[Indices]:
    at = series["start"].to_physical().to_numpy().astype(np.int64)
    ends = np.array([0, series.height - 1], dtype=np.int64)
    for_gaps = points // _GAP_SHARE - len(ends)
    found = [ends]
    for curve in curves:
        values = _values(series, curve.value)
        found.append(_line(at, values, each))
        found.append(_empty_stretches(values, for_gaps // len(curves)))
        found += [_extremes(at, _values(series, name), each) for name in curve.columns[1:]]
    return found


def _values(series: pl.DataFrame, column: str) -> Floats:
    return series[column].cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _line(at: Indices, values: Floats, points: int) -> Indices:
    """What MinMaxLTTB keeps of the measured values, and their two extremes, which it may leave out."""
    measured = np.flatnonzero(~np.isnan(values)).astype(np.int64)
    if len(measured) <= points:
        return measured
    y = np.ascontiguousarray(values[measured])
    outermost = np.array([y.argmin(), y.argmax()], dtype=np.int64)
    few = max(points - len(outermost), 3)
    line: Indices = _LINE.downsample(np.ascontiguousarray(at[measured]), y, n_out=few).astype(np.int64)
    kept: Indices = measured[np.unique(np.concatenate([outermost, line]))]
    return kept


def _extremes(at: Indices, values: Floats, points: int) -> Indices:
    """The lowest and the highest of each stretch of time."""
    measured = np.flatnonzero(~np.isnan(values)).astype(np.int64)
    if len(measured) <= points:
        return measured
    x, y = np.ascontiguousarray(at[measured]), np.ascontiguousarray(values[measured])
    kept: Indices = measured[_STRETCHES.downsample(x, y, n_out=points - points % 2).astype(np.int64)]
    return kept


def _empty_stretches(values: Floats, most: int) -> Indices:
    """The first row of each stretch without a value; of the longest when there are too many."""
    empty = np.isnan(values)
    begins = np.flatnonzero(empty & ~np.concatenate([[False], empty[:-1]])).astype(np.int64)
    if len(begins) <= most:
        return begins
    ends = np.flatnonzero(empty & ~np.concatenate([empty[1:], [False]]))
    longest = np.argsort(begins - ends, kind="stable")[: max(most, 0)]
    return begins[longest]
