"""Sums over ranges of production days, and how far the kept grains reach, from rollups: no record is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

import polars as pl
from sqlalchemy import Compiled, Connection, func, select, text

from storage.database import copied_out, prepared
from storage.domain.production_day import month_of
from storage.domain.record import QUANTITY_COLUMNS
from storage.domain.rollup import STATES, Grain
from storage.tables import records
from storage.wells import Kept


@dataclass(frozen=True, slots=True)
class Range:
    """Production days from ``since`` up to, not including, ``until``."""

    since: date
    until: date

    @property
    def days(self) -> int:
        """How many."""
        return (self.until - self.since).days

    @property
    def before(self) -> "Range":
        """The range of as many days that ends where this begins."""
        return Range(self.since - timedelta(days=self.days), self.since)


def sums_schema(quantities: Sequence[str]) -> pl.Schema:
    """What `sums` gives: a row per range (its place) and well (null for the field), with what rollups have."""
    counts = {"place": pl.Int32(), "well": pl.String(), "records": pl.Int64(), "suspects": pl.Int64()}
    floats = ("measured_s", "quality", *quantities, *(f"{name}_measured_s" for name in quantities))
    last = {"buckets": pl.Int32(), "basis": pl.String()}
    return pl.Schema({**counts, **dict.fromkeys(floats, pl.Float64()), **last})


def sums(
    connection: Connection,
    of: Kept,
    ranges: Sequence[Range],
    quantities: Sequence[str] = QUANTITY_COLUMNS,
    *,
    whole_field: bool = False,
) -> pl.DataFrame:
    """Volumes summed and states averaged over each range, per well of a field or of it as a whole. `sums_schema`.

    Whole months come from the months' rollups (the monthly record, where there is one), what is left from the days'.
    ``buckets`` counts days and months, ``basis`` says what they are based on. Sorted by place and well.
    """
    schema = sums_schema(quantities)
    if not ranges:
        return pl.DataFrame(schema=schema)
    values = {name: value for place, one in enumerate(ranges) for name, value in _bounds(place, one).items()}
    return copied_out(
        connection, _prepared(len(ranges), tuple(quantities), whole_field), schema, key=of.field_key, **values
    )


def _bounds(place: int, one: Range) -> dict[str, date]:
    """The months that lie wholly in a range, and the days before and after them."""
    first = one.since if one.since.day == 1 else month_of(month_of(one.since) + timedelta(days=31))
    last = month_of(one.until)
    if first >= last:
        first = last = one.until
    ends = {"months": (first, last), "before": (one.since, min(first, one.until)), "after": (last, one.until)}
    return {f"{part}_{place}_{end}": day for part, pair in ends.items() for end, day in zip("ab", pair, strict=True)}


@lru_cache(maxsize=256)
def _prepared(number_of_ranges: int, quantities: tuple[str, ...], whole_field: bool) -> Compiled:
    """The query for so many ranges; the same for all that differ only in their dates."""
    names = ["records", "suspects", "measured_s", "quality_sum"]
    names += [f"{name}_{part}" for part in ("sum", "s") for name in quantities]
    mine = "well_id = 0" if whole_field else "well_id <> 0"
    parts = " UNION ALL ".join(
        f"SELECT {place} AS place, well_id, basis, {', '.join(names)} FROM {table}"  # noqa: S608
        f" WHERE field_id = :key AND {mine} AND {bucket} >= :{part}_{place}_a AND {bucket} < :{part}_{place}_b"
        for place in range(number_of_ranges)
        for part, table, bucket in _PARTS
    )
    shown = ["records", "suspects", "measured_s", "quality_sum / nullif(measured_s, 0)"]
    shown += [f"{name}_sum / nullif({name}_s, 0)" if name in STATES else f"{name}_sum" for name in quantities]
    shown += [*(f"{name}_s" for name in quantities), "buckets", "basis"]
    return prepared(
        text(
            f"SELECT place, fields.slug || '.' || wells.slug, {', '.join(shown)} FROM ("  # noqa: S608
            f"SELECT place, well_id, {', '.join(f'sum({name}) AS {name}' for name in names)}, count(*) AS buckets,"
            " CASE WHEN min(basis) = max(basis) THEN min(basis) ELSE 'mixed' END AS basis"
            f" FROM ({parts}) AS every GROUP BY place, well_id) AS summed"
            " LEFT JOIN wells ON wells.field_id = :key AND wells.well_id = summed.well_id"
            " LEFT JOIN fields ON fields.field_id = wells.field_id ORDER BY 1, 2"
        )
    )


_PARTS: Final = (
    ("months", "month_rollups", "month"),
    ("before", "day_rollups", "day"),
    ("after", "day_rollups", "day"),
)


def reach(connection: Connection, of: Kept) -> dict[Grain, tuple[date, date]]:
    """The day (of a month the first) of the first and of the last bucket of each grain that a well or field has."""
    ends = connection.execute(_REACH, {"field": of.field_key, "well": of.well_key}).one()
    found = zip(Grain, ends[::2], ends[1::2], strict=True)
    return {grain: (first, last) for grain, first, last in found if first is not None}


def _end(grain: Grain, order: str) -> str:
    bucket = "month" if grain is Grain.MONTH else "day"
    return (
        f"(SELECT {bucket} FROM {grain}_rollups WHERE field_id = :field AND well_id = :well"  # noqa: S608
        f" ORDER BY {bucket} {order} LIMIT 1)"
    )


_REACH: Final = text("SELECT " + ", ".join(_end(grain, order) for grain in Grain for order in ("ASC", "DESC")))


def issues(connection: Connection, of: Kept, within: Range) -> pl.DataFrame:
    """How many records of a well or field and range of production days have each issue: issue, records. Most first."""
    code = func.unnest(records.c.issues).label("issue")
    query = select(code, func.count().label("records")).where(
        records.c.field_id == of.field_key,
        records.c.day >= within.since,
        records.c.day < within.until,
        records.c.verdict == "suspect",
    )
    # the key is by start; production days begin within two days of their date in every time zone
    query = query.where(
        records.c.start >= within.since - timedelta(days=2), records.c.start < within.until + timedelta(days=2)
    )
    if of.well is not None:
        query = query.where(records.c.well_id == of.well_key)
    query = query.group_by(code).order_by(func.count().desc(), code)
    return copied_out(connection, query, pl.Schema({"issue": pl.String(), "records": pl.Int64()}))
