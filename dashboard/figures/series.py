"""Frames as the x and y of lines: field wall clock, rates per day, gaps drawn as gaps. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from dashboard.theme import Pen
from storage.domain.record import QUANTITIES, Kind, Resolution, Verdict
from storage.domain.well import Field

GAP_FACTOR: Final = 3
"""A line breaks where two records are further apart than this many intervals."""

KEEP_POINTS: Final = 20_000
KEEP_LIVE_S: Final = 4 * 3600
"""A live line keeps the points of this long: enough to look back, little enough to draw again and again."""

ISSUE_COLUMN: Final = r"-([a-z]+(?:_[a-z0-9]+)+)$"
"""The column that an issue code is about; the same as in ``assets/issues.mjs``."""

_BY_COLUMN: Final = {quantity.column: quantity for quantity in QUANTITIES}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart and what feeds it live: a column of one well, or of all wells summed (well None)."""

    name: str
    column: str
    well: str | None
    pen: Pen
    axis: str = "y"
    fill: str | None = None
    stack: str | None = None

    @property
    def is_rate(self) -> bool:
        """Whether the column is a volume, shown as a rate per day, and not a state."""
        return _BY_COLUMN[self.column].kind is Kind.VOLUME


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure and, for the browser, which records move which of its lines."""

    id: str
    title: str
    figure: dict[str, Any]
    lines: Sequence[Line]
    field: Field
    resolution: Resolution
    seconds: int
    is_marked: bool = False
    """Whether traces of suspect points, one for each line, follow the lines' traces."""
    kind: str = ""
    """Of what kind all its rates are, where that must be said."""

    @property
    def caption(self) -> str:
        """What holds for the whole chart, to stand beside its title: the kind of its rates and whose clock it shows."""
        clock = f"field time, {self.field.time_zone}"
        return f"{self.kind}, {clock}" if self.kind else clock

    def description(self) -> dict[str, Any]:
        """What the live page is told of this chart; see ``assets/live_page.mjs``."""
        return {
            "id": self.id,
            "topic": f"field/{self.field.id}",
            "resolution": str(self.resolution),
            "keep": max(100, KEEP_LIVE_S // self.seconds) if self.resolution is Resolution.LIVE else KEEP_POINTS,
            "gap_s": GAP_FACTOR * self.seconds,
            "traces": [*self._traces(0), *(self._traces(len(self.lines), only="suspect") if self.is_marked else ())],
        }

    def _traces(self, first: int, *, only: str | None = None) -> Iterator[dict[str, Any]]:
        for index, line in enumerate(self.lines, first):
            shown_as = "rate" if line.is_rate else "value"
            yield {"index": index, "well": line.well, "column": line.column, "as": shown_as, "only": only}


def unit_of(column: str) -> str:
    """The unit that a column is shown in, as people write it: volumes as rates per day."""
    quantity = _BY_COLUMN[column]
    unit = quantity.unit.replace("Sm3", "Sm³").replace("degC", "°C")
    return f"{unit}/d" if quantity.kind is Kind.VOLUME else unit


def label_of(column: str) -> str:
    """What a column is called."""
    return _BY_COLUMN[column].label


def cadence_s(frame: pl.DataFrame, otherwise: int) -> int:
    """The usual interval length of records, in s."""
    return int(str(frame["seconds"].mode().max())) if frame.height else otherwise


def points(frame: pl.DataFrame, line: Line, field: Field, gap_s: float) -> tuple[list[float], list[float | None]]:
    """x (ms of the interval's middle on the field's wall clock) and y of a line, with nulls where it must break.

    ``frame`` is sorted by start and holds the records that the line shows.
    """
    gap = pl.col("start").diff().dt.total_seconds(fractional=True) > gap_s  # in UTC: the wall clock jumps twice a year
    shown = frame.select(at=pl.int_range(pl.len()) * 2, x=_middle_ms(field), y=_value(line), gap=gap)
    breaks = shown.filter("gap").with_columns(pl.col("at") - 1, pl.col("x") - 1, y=pl.lit(None, dtype=pl.Float64))
    joined = pl.concat([shown, breaks]).sort("at") if breaks.height else shown
    return joined["x"].to_list(), joined["y"].to_list()


def suspects(frame: pl.DataFrame, line: Line, field: Field) -> tuple[list[float], list[float], list[str]]:
    """x, y and issues of a line's points that are suspect for an issue about its column, or about no column at all."""
    about = pl.element().str.extract(ISSUE_COLUMN)
    touching = pl.col("issues").list.filter(about.is_null() | (about == line.column))
    unnamed = pl.col("issues").list.len() == 0
    doubted = frame.filter(pl.col("verdict") == Verdict.SUSPECT, pl.col(line.column).is_not_null()).select(
        x=_middle_ms(field),
        y=_value(line),
        text=pl.when(unnamed).then(pl.lit("suspect")).otherwise(touching.list.join(", ")),
    )
    marked = doubted.filter(pl.col("text") != "")
    return marked["x"].to_list(), marked["y"].to_list(), marked["text"].to_list()


def _middle_ms(field: Field) -> pl.Expr:
    middle = pl.col("start") + pl.duration(milliseconds=pl.col("seconds") * 500)
    return middle.dt.convert_time_zone(field.time_zone).dt.replace_time_zone(None).dt.epoch("ms").cast(pl.Float64)


def _value(line: Line) -> pl.Expr:
    value = pl.col(line.column)
    return value * 86_400.0 / pl.col("seconds") if line.is_rate else value
