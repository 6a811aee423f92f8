"""Series: one well or a whole field over time, at the resolution that fits, thinned to the points asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, TypeVar

import polars as pl
from sqlalchemy import Connection

from dashboard.api.answer import COMMON, Answer, Column, iso, metric_columns
from dashboard.api.asked import FieldSeriesAsked, SeriesAsked, SeriesResolution, aware, metrics_of, span
from dashboard.api.door import Question, Stands
from dashboard.api.thinning import Curve, thinned, with_gaps
from storage import production, rollups, sums
from storage.domain.best_available import best_available
from storage.domain.derived import Metric, needed, shown, value, with_measured
from storage.domain.errors import ParameterRefused
from storage.domain.position import Position
from storage.domain.production_day import day_bounds, month_bounds
from storage.domain.record import QUANTITY_COLUMNS, Resolution, Verdict
from storage.domain.rollup import Grain
from storage.domain.units import SYSTEM_EQUIVALENT
from storage.domain.well import Field, field_of
from storage.wells import Kept, kept_field, kept_well

ROWS_MOST: Final = 200_000
"""How many rows are read for one series, before it is thinned."""

READ_MOST: Final = 1_000_000
"""How many records are read to work out what was known at a moment: no rollup keeps that."""

Rows = TypeVar("Rows", pl.DataFrame, pl.LazyFrame)

_METHOD: Final = "MinMaxLTTB per metric, with the extremes of every metric and the edges of gaps kept"
_GRAINS: Final = {one.value: one for one in Grain}
_LENGTHS: Final = {Grain.HOUR: 3_600, Grain.DAY: 86_400, Grain.MONTH: 28 * 86_400}


@dataclass(frozen=True, slots=True)
class _Found:
    """A series before it is thinned: its rows, how fine they are and where they are from."""

    rows: pl.DataFrame
    resolution: str
    source: str
    position: Position


def well_series(well_id: str, asked: SeriesAsked) -> Question:
    """The series of one well."""

    def ask(stands: Stands) -> Answer:
        of = kept_well(stands.connection, well_id)
        since, until = span(asked, of.field)
        metrics = metrics_of(asked.metrics)
        found = _of_well(stands, of, asked, metrics, since, until)
        revised = production.revised_starts(stands.connection, of, since=since, until=until)
        rows = _with_revised(found.rows, revised)
        head = {"field": field_head(of.field), "well": well_head(of), "known_at": iso(asked.known_at)}
        links = {"revisions": f"/api/v1/wells/{well_id}/revisions"} if rows["revised"].any() else {}
        return _answer(found, rows, head | {"links": links}, asked, metrics, since, until)

    return Question(f"wells/{well_id}/production {asked.canonical()}", (field_of(well_id),), ask)


def field_series(field_id: str, asked: FieldSeriesAsked) -> Question:
    """The series of a field: the sums over its wells."""

    def ask(stands: Stands) -> Answer:
        of = kept_field(stands.connection, field_id)
        since, until = span(asked, of.field)
        metrics = metrics_of(asked.metrics)
        grain = _fitting(stands.connection, of, asked.resolution, asked.points, since, until)
        found = _rolled(stands, of, grain, metrics, since, until)
        return _answer(found, found.rows, {"field": field_head(of.field)}, asked, metrics, since, until)

    return Question(f"fields/{field_id}/production {asked.canonical()}", (field_id,), ask)


def field_head(field: Field) -> dict[str, Any]:
    """A field and its clock, as it stands in the head of an answer."""
    return {"id": field.id, "name": field.name, "time_zone": field.time_zone, "day_start_s": field.day_start_s}


def well_head(of: Kept) -> dict[str, Any] | None:
    """A well, as it stands in the head of an answer; None of a field."""
    return None if of.well is None else {"id": of.well.id, "name": of.well.name, "purpose": of.well.purpose}


def columns_for(metrics: Sequence[Metric]) -> list[str]:
    """The quantities of records and rollups that metrics are made from."""
    return [name for name in QUANTITY_COLUMNS if name in needed(metrics)]


def valued(rows: Rows, metrics: Sequence[Metric], system: str, *, extremes: bool) -> Rows:
    """Rows with the metrics in the units of a system, and ``<metric>_low`` and ``_high`` where rollups keep them."""
    made = [value(one, SYSTEM_EQUIVALENT[system]) for one in metrics]
    kept = [one for one in metrics if extremes and one.low is not None and one.high is not None]
    made += [pl.col(str(one.low)).alias(f"{one.name}_low") for one in kept]
    made += [pl.col(str(one.high)).alias(f"{one.name}_high") for one in kept]
    in_units = [shown(one, system) for one in metrics]
    in_units += [shown(one, system, suffix) for one in kept for suffix in ("_low", "_high")]
    return rows.with_columns(made).with_columns(in_units)


def _of_well(
    stands: Stands,
    of: Kept,
    asked: SeriesAsked,
    metrics: Sequence[Metric],
    since: datetime | None,
    until: datetime | None,
) -> _Found:
    known_at = aware("known_at", asked.known_at)
    resolution = asked.resolution
    if resolution is SeriesResolution.AUTO and _live_fits(stands.connection, of, asked, since, until):
        resolution = SeriesResolution.LIVE
    if known_at is not None:
        return _then(stands, of, resolution, asked.points, metrics, known_at, since, until)
    if resolution is SeriesResolution.LIVE:
        rows = production.readings(
            stands.connection, of, columns_for(metrics), resolution=Resolution.LIVE,
            since=since, until=until, limit=ROWS_MOST + 1,
        )  # fmt: skip
        return _Found(_as_buckets(_few(rows)), "live", "records", stands.head(of.field.id))
    grain = _fitting(stands.connection, of, resolution, asked.points, since, until)
    return _rolled(stands, of, grain, metrics, since, until)


def _few(rows: pl.DataFrame) -> pl.DataFrame:
    if rows.height > ROWS_MOST:
        raise _too_many(ROWS_MOST, "follow, or the resolution must be coarser")
    return rows


def _too_many(most: int, where: str) -> ParameterRefused:
    return ParameterRefused(parameter="start", value=None, allowed=f"so late that at most {most:,} records {where}")


def _rolled(
    stands: Stands,
    of: Kept,
    grain: Grain,
    metrics: Sequence[Metric],
    since: datetime | None,
    until: datetime | None,
) -> _Found:
    rows = rollups.series(
        stands.connection, of.field.id, grain, wells=None if of.well is None else [of.well.id],
        whole_field=of.well is None, since=since, until=until, quantities=columns_for(metrics),
    )  # fmt: skip
    return _Found(_few(rows), grain, f"{grain}_rollups", stands.rolled(of.field.id))


def _then(
    stands: Stands,
    of: Kept,
    resolution: SeriesResolution,
    points: int,
    metrics: Sequence[Metric],
    known_at: datetime,
    since: datetime | None,
    until: datetime | None,
) -> _Found:
    """What was known at a moment. Records before the range are read too: a bucket's may begin before it does."""
    early = None if since is None else since - timedelta(days=32)
    late = None if until is None else until + timedelta(days=32)
    known = production.readings_then(
        stands.connection, of, columns_for(metrics), known_at, since=early, until=late, limit=READ_MOST
    )
    if known is None:
        raise _too_many(READ_MOST, "lie between it and the end, to tell what was known at a moment")
    position = stands.head(of.field.id)
    if resolution is SeriesResolution.LIVE:
        rows = _as_buckets(_within(known.filter(pl.col("resolution") == Resolution.LIVE), since, until))
        return _Found(rows, "live", "records and superseded records", position)
    grain = _fitting(stands.connection, of, resolution, points, since, until)
    rows = _within(best_available(known, of.field, grain, columns_for(metrics)), since, until)
    rows = rows.with_columns(wells=pl.lit(1, pl.Int32))
    return _Found(rows, grain, "records and superseded records", position)


def _within(rows: pl.DataFrame, since: datetime | None, until: datetime | None) -> pl.DataFrame:
    if since is not None:
        rows = rows.filter(pl.col("start") >= since)
    return rows if until is None else rows.filter(pl.col("start") < until)


def _as_buckets(records: pl.DataFrame) -> pl.DataFrame:
    """Records with the columns that rollups have."""
    return with_measured(records) if "on_stream_s" in records.columns else records


def _live_fits(
    connection: Connection, of: Kept, asked: SeriesAsked, since: datetime | None, until: datetime | None
) -> bool:
    """Whether the live records of the range fit the points, and reach as far as the days and months do."""
    reach = sums.reach(connection, of)
    if Grain.HOUR not in reach or not _reaches(of.field, reach, Grain.HOUR, since, until):
        return False
    counted = production.count_readings(connection, of, asked.points + 1, since=since, until=until)
    return 0 < counted <= asked.points


def _fitting(
    connection: Connection, of: Kept, resolution: str, points: int, since: datetime | None, until: datetime | None
) -> Grain:
    """The grain that was asked for; of auto the finest whose buckets fit the points and reach as far as the coarser."""
    if resolution != SeriesResolution.AUTO:
        return _GRAINS[str(resolution)]
    reach = sums.reach(connection, of)
    for grain in Grain:
        if grain in reach and _reaches(of.field, reach, grain, since, until):
            first, last = _extent(of.field, grain, *reach[grain])
            length_s = (_earlier(until, last) - _later(since, first)).total_seconds()
            if length_s / _LENGTHS[grain] <= points:
                return grain
    return next((grain for grain in reversed(Grain) if grain in reach), Grain.DAY)


def _reaches(
    field: Field, reach: dict[Grain, tuple[date, date]], grain: Grain, since: datetime | None, until: datetime | None
) -> bool:
    """Whether a grain's buckets go as far as those of every coarser grain, but for one of these, within the range."""
    first, last = _extent(field, grain, *reach[grain])
    for coarser in list(Grain)[list(Grain).index(grain) + 1 :]:
        if coarser in reach:
            begins, ends = _extent(field, coarser, *reach[coarser])
            one = timedelta(seconds=_LENGTHS[coarser] + 3 * 86_400 * (coarser is Grain.MONTH))
            if first >= _later(since, begins) + one or last <= _earlier(until, ends) - one:
                return False
    return True


def _extent(field: Field, grain: Grain, first: date, last: date) -> tuple[datetime, datetime]:
    bounds = month_bounds if grain is Grain.MONTH else day_bounds
    return bounds(field, first)[0], bounds(field, last)[1]


def _later(since: datetime | None, first: datetime) -> datetime:
    return first if since is None else max(since, first)


def _earlier(until: datetime | None, last: datetime) -> datetime:
    return last if until is None else min(until, last)


def _with_revised(rows: pl.DataFrame, revised: pl.Series) -> pl.DataFrame:
    """Rows with ``revised``: a record that starts within the row has earlier revisions."""
    if revised.is_empty() or rows.is_empty():
        return rows.with_columns(pl.lit(value=False).alias("revised"))
    ends = rows.select(pl.col("start") + pl.duration(seconds=pl.col("seconds"))).to_series()
    before = revised.search_sorted(rows["start"], side="left")
    upto = revised.search_sorted(ends, side="left")
    return rows.with_columns((upto > before).alias("revised"))


def _answer(
    found: _Found,
    rows: pl.DataFrame,
    head: dict[str, Any],
    asked: SeriesAsked | FieldSeriesAsked,
    metrics: Sequence[Metric],
    since: datetime | None,
    until: datetime | None,
) -> Answer:
    live = found.resolution == "live"
    rows = with_gaps(valued(_common(rows.lazy(), live=live), metrics, asked.units, extremes=not live)).collect()
    curves = [_curve(one, rows) for one in metrics]
    kept = thinned(rows, curves, asked.points)
    basis = _basis(rows)
    columns = _columns(rows, metrics, asked.units, mixed=basis == "mixed")
    told = head | {
        "resolution": found.resolution,
        "source": found.source,
        "start": iso(since or _first(rows)),
        "end": iso(until or _end(rows)),
        "units": asked.units,
        "oil_equivalent": SYSTEM_EQUIVALENT[asked.units].label,
        "basis": basis,
        "position": {"epoch": found.position.epoch, "offset": found.position.offset},
        "quality": _weighted(rows, "quality"),
        "suspects": int(rows["suspects"].sum() or 0),
        "coverage": _coverage(rows),
        "rows": kept.height,
        "downsampled": None
        if kept.height == rows.height
        else {"from_rows": rows.height, "points": asked.points, "method": _METHOD},
    }
    return Answer(told, kept, columns)


def _common(rows: pl.LazyFrame, *, live: bool) -> pl.LazyFrame:
    if not live:
        share = pl.col("measured_s") / (pl.col("seconds") * pl.coalesce("wells", 1))
        return rows.with_columns(share.alias("measured_share"))
    return rows.with_columns(
        pl.col("resolution").alias("basis"),
        pl.lit(1, pl.Int32).alias("records"),
        (pl.col("verdict") == Verdict.SUSPECT).cast(pl.Int32).alias("suspects"),
        pl.lit(1.0).alias("measured_share"),
        pl.col("issues").list.join(" ").alias("issues"),
        pl.col("seconds").cast(pl.Float64).alias("measured_s"),
    )


def _curve(metric: Metric, rows: pl.DataFrame) -> Curve:
    low, high = (f"{metric.name}_{end}" if f"{metric.name}_{end}" in rows.columns else None for end in ("low", "high"))
    return Curve(metric.name, low, high)


def _columns(rows: pl.DataFrame, metrics: Sequence[Metric], system: str, *, mixed: bool) -> dict[str, Column]:
    """The columns of an answer in order; the basis stands in every row only where rows differ in it."""
    names = ["start", "seconds", *(["basis"] if mixed else []), "records", "suspects", "quality", "measured_share"]
    of_field = "revised" not in rows.columns
    names += ["wells", "wells_expected", "potential_share"] if of_field else ["revised"]
    names += [*(["issues"] if "issues" in rows.columns else []), "gap_before"]
    found = {name: COMMON[name] for name in names}
    for name, one in metric_columns(metrics, system, SYSTEM_EQUIVALENT[system].label).items():
        found[name] = one
        if f"{name}_low" in rows.columns:
            note = "of the records behind the row" if not of_field else "of the wells behind the row"
            found[f"{name}_low"] = Column(f"{one.label}, lowest", one.unit, one.kind, note)
            found[f"{name}_high"] = Column(f"{one.label}, highest", one.unit, one.kind, note)
    return found


def _basis(rows: pl.DataFrame) -> str | None:
    bases = rows["basis"].unique().to_list()
    return None if not bases else bases[0] if len(bases) == 1 else "mixed"


def _first(rows: pl.DataFrame) -> datetime | None:
    return None if rows.is_empty() else rows["start"][0]


def _end(rows: pl.DataFrame) -> datetime | None:
    return None if rows.is_empty() else rows["start"][-1] + timedelta(seconds=int(rows["seconds"][-1]))


def _weighted(rows: pl.DataFrame, name: str) -> float | None:
    weight = rows["measured_s"].sum()
    return float((rows[name] * rows["measured_s"]).sum()) / float(weight) if weight else None


def _coverage(rows: pl.DataFrame) -> dict[str, Any]:
    """How much stands behind the series: time covered, and of a field the wells of its newest row."""
    if rows.is_empty():
        return {"measured_share": None, "wells": None, "wells_expected": None, "potential_share": None}
    wells = rows["wells"].sum() if "wells" in rows.columns else None
    possible = rows.select((pl.col("seconds") * (pl.col("wells") if wells else 1)).sum()).item()
    of_field = "revised" not in rows.columns
    return {
        "measured_share": float(rows["measured_s"].sum()) / float(possible) if possible else None,
        **{name: rows[name][-1] if of_field else None for name in ("wells", "wells_expected", "potential_share")},
    }
