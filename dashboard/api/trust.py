"""The figures at a glance of all fields, and how far the records of a well or field can be trusted."""

from datetime import date, timedelta
from typing import Any, Final

import polars as pl

from dashboard.api import asked as asking
from dashboard.api import periods
from dashboard.api.answer import COMMON, Answer, Column, iso
from dashboard.api.asked import KpisAsked, Ranged
from dashboard.api.door import Question, Stands
from dashboard.api.ranking import period_sums
from dashboard.api.series import field_head, valued, well_head
from storage import rollups, sums, wells
from storage.domain.derived import METRICS, Metric, Nature, needed, unit
from storage.domain.errors import ParameterRefused
from storage.domain.production_day import day_bounds
from storage.domain.record import QUANTITIES, Kind
from storage.domain.rollup import Grain
from storage.domain.units import SYSTEM_EQUIVALENT
from storage.domain.well import field_of
from storage.wells import Kept, kept_field, kept_well

KPI_METRICS: Final = tuple(
    METRICS[name]
    for name in ("oil_rate", "gas_rate", "water_rate", "oil_equivalent_rate", "injected_water_rate", "oil", "gas",
                 "water", "oil_equivalent", "water_cut", "gor", "uptime")
)  # fmt: skip
QUALITY_DAYS: Final = 90
QUALITY_DAYS_MOST: Final = 20 * 366
_ADDED: Final = tuple(one.column for one in QUANTITIES if one.kind is not Kind.STATE)


def kpis(asked: KpisAsked) -> Question:
    """The figures of the newest period of each field, and of all together, beside those of the period before."""

    def ask(stands: Stands) -> Answer:
        known = [one.id for one in wells.all_fields(stands.connection)] if asked.field is None else [asked.field]
        parts = [_field_sums(stands, kept_field(stands.connection, field_id), asked) for field_id in known]
        rows = [row for part in parts for row in _kpi_rows(part, asked.units)]
        whole = [part for part in parts if not part.is_empty()]
        if len(whole) > 1:
            rows += _kpi_rows(_together(pl.concat(whole), asked.units), asked.units)
        positions = {name: stands.standing.rolled.get(name, 0) for name in known}
        head = {
            "units": asked.units,
            "oil_equivalent": SYSTEM_EQUIVALENT[asked.units].label,
            "days": asked.days,
            "rows": len(rows),
            "position": {"epoch": stands.standing.epoch, "offsets": positions},
        }
        table = pl.DataFrame(rows, schema=_KPI_SCHEMA, orient="row")
        return Answer(head, table, _KPI_COLUMNS, items=True)

    return Question(f"kpis {asked.canonical()}", None if asked.field is None else (asked.field,), ask)


def _field_sums(stands: Stands, of: Kept, asked: KpisAsked) -> pl.DataFrame:
    """Two rows of a field: the newest period and the one before it; none where nothing is known."""
    now = periods.newest(sums.reach(stands.connection, of), asked.days)
    ranges = [] if now is None else [now, periods.before(now)]
    found = period_sums(stands, of, ranges or [_NO_RANGE], list(KPI_METRICS), asked.units, whole_field=True)
    starts = [day_bounds(of.field, one.since)[0] for one in ranges]
    ends = [day_bounds(of.field, one.until)[0] for one in ranges]
    if not ranges:
        return found.clear().with_columns(*_dated([], []), pl.lit(of.field.id).alias("field"))
    return found.with_columns(*_dated(starts, ends), pl.lit(of.field.id).alias("field"))


def _dated(starts: list[Any], ends: list[Any]) -> list[pl.Expr]:
    places, kind = list(range(len(starts))), pl.Datetime("us", "UTC")
    return [
        pl.col("place").replace_strict(places, moments, return_dtype=kind, default=None).alias(name)
        for name, moments in (("start", starts), ("end", ends))
    ]


def _together(every: pl.DataFrame, system: str) -> pl.DataFrame:
    """The sums of several fields, over the period of each; rates are sums of rates over the longest period."""
    columns = [name for name in needed(KPI_METRICS) if name in _ADDED or name.endswith("_measured_s")]
    added = every.group_by("place").agg(
        *(pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).otherwise(None).alias(name) for name in columns),
        pl.col("seconds").max(),
        pl.col("records").sum(),
        pl.col("suspects").sum(),
        ((pl.col("quality") * pl.col("measured_s")).sum() / pl.col("measured_s").sum()).alias("quality"),
        pl.col("start").min(),
        pl.col("end").max(),
        pl.lit(None, pl.String).alias("field"),
    )
    return valued(added, list(KPI_METRICS), system, extremes=False)


def _kpi_rows(two: pl.DataFrame, system: str) -> list[tuple[Any, ...]]:
    by_place = {row["place"]: row for row in two.rows(named=True)}
    if (now := by_place.get(0)) is None:
        return []
    then = by_place.get(1, {})
    return [
        (
            now["field"], one.name, one.label, unit(one, system), str(one.nature), now[one.name], then.get(one.name),
            _change(one, now[one.name], then.get(one.name)), now["start"], now["end"], now["quality"],
            now["records"], now["suspects"],
        )
        for one in KPI_METRICS
    ]  # fmt: skip


def _change(metric: Metric, now: float | None, then: float | None) -> float | None:
    """As a share of before; of ratios the difference."""
    if now is None or then is None:
        return None
    if metric.nature is Nature.RATIO:
        return now - then
    return (now - then) / abs(then) if then else None


_NO_RANGE: Final = sums.Range(date(1900, 1, 1), date(1900, 1, 1))
_KPI_COLUMNS: Final = {
    "field": Column("Field", "", "text", "null for all together"),
    "metric": Column("Metric", "", "text"),
    "label": Column("Label", "", "text"),
    "unit": Column("Unit", "", "text"),
    "kind": Column("Kind", "", "text"),
    "value": Column("Value", "", "value"),
    "previous": Column("Value of the period before", "", "value"),
    "change": Column("Change", "fraction", "share", "of the value before; of a ratio the difference"),
    "start": Column("Start of the period", "ms since 1970", "time"),
    "end": Column("End of the period", "ms since 1970", "time"),
    "quality": COMMON["quality"],
    "records": COMMON["records"],
    "suspects": COMMON["suspects"],
}
_TIME: Final = pl.Datetime("us", "UTC")
_KPI_SCHEMA: Final = {
    **dict.fromkeys(("field", "metric", "label", "unit", "kind"), pl.String()),
    **dict.fromkeys(("value", "previous", "change"), pl.Float64()),
    **dict.fromkeys(("start", "end"), _TIME),
    "quality": pl.Float64(),
    "records": pl.Int64(),
    "suspects": pl.Int64(),
}


def well_quality(well_id: str, asked: Ranged) -> Question:
    """How far the records of a well can be trusted, day by day."""

    def ask(stands: Stands) -> Answer:
        return _quality(stands, kept_well(stands.connection, well_id), asked)

    return Question(f"wells/{well_id}/quality {asked.canonical()}", (field_of(well_id),), ask)


def field_quality(field_id: str, asked: Ranged) -> Question:
    """How far the records of a field can be trusted, day by day."""

    def ask(stands: Stands) -> Answer:
        return _quality(stands, kept_field(stands.connection, field_id), asked)

    return Question(f"fields/{field_id}/quality {asked.canonical()}", (field_id,), ask)


def _quality(stands: Stands, of: Kept, asked: Ranged) -> Answer:
    reach = sums.reach(stands.connection, of)
    within = periods.asked(reach, *asking.days(asked, of.field), QUALITY_DAYS)
    if within is not None and within.days > QUALITY_DAYS_MOST:
        raise ParameterRefused(
            parameter="start", value=asked.start, allowed=f"at most {QUALITY_DAYS_MOST} days before the end"
        )
    grain = Grain.DAY if Grain.DAY in reach else Grain.MONTH
    since = day_bounds(of.field, within.since if within else date(1900, 1, 1))[0]
    until = day_bounds(of.field, within.until)[0] if within else since + timedelta(days=1)
    rows = rollups.series(
        stands.connection, of.field.id, grain, wells=None if of.well is None else [of.well.id],
        whole_field=of.well is None, since=since, until=until, quantities=(),
    )  # fmt: skip
    share = pl.col("measured_s") / (pl.col("seconds") * pl.coalesce("wells", 1))
    table = rows.with_columns(share.alias("measured_share"))
    issues = pl.DataFrame() if within is None else sums.issues(stands.connection, of, within)
    weight = float(table["measured_s"].sum())
    position = stands.rolled(of.field.id)
    names = ["start", "seconds", "basis", "records", "suspects", "quality", "measured_share"]
    names += [] if of.well is not None else ["wells", "wells_expected", "potential_share"]
    head = {
        "field": field_head(of.field),
        "well": well_head(of),
        "resolution": grain,
        "start": iso(since) if within else None,
        "end": iso(until) if within else None,
        "records": int(table["records"].sum()),
        "suspects": int(table["suspects"].sum()),
        "quality": float((table["quality"] * table["measured_s"]).sum()) / weight if weight else None,
        "issues": issues.to_dicts(),
        "rows": table.height,
        "position": {"epoch": position.epoch, "offset": position.offset},
    }
    return Answer(head, table, {name: COMMON[name] for name in names})
