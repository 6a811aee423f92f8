"""Wells against each other: the ranking over a period with the one before, side by side, and day by day."""

from datetime import date, timedelta
from typing import Any, Final

import polars as pl

from dashboard.api import asked as asking
from dashboard.api import periods
from dashboard.api.answer import COMMON, Answer, Column, iso, metric_columns
from dashboard.api.asked import ComparisonAsked, HeatmapAsked, RankingAsked
from dashboard.api.door import Question, Stands
from dashboard.api.series import columns_for, field_head, valued
from dashboard.api.thinning import Curve, thinned, with_gaps
from storage import rollups, sums, wells
from storage.domain.derived import METRICS, Metric, Nature, unit
from storage.domain.errors import ParameterRefused
from storage.domain.position import Position
from storage.domain.production_day import bounds_of_days, day_bounds
from storage.domain.rollup import VOLUMES, Grain
from storage.domain.units import SYSTEM_EQUIVALENT
from storage.domain.well import Well
from storage.sums import Range
from storage.wells import Kept, kept_field

CELLS_MOST: Final = 200_000
"""Wells times days of a heatmap."""

HEATMAP_DAYS: Final = 90
COMPARED_DAYS_MOST: Final = 40 * 366
_DAY_S: Final = 86_400.0


def ranking(field_id: str, asked: RankingAsked) -> Question:
    """The wells of a field in the order of a metric."""

    def ask(stands: Stands) -> Answer:
        of = kept_field(stands.connection, field_id)
        metric = METRICS[asked.metric]
        now = periods.asked(sums.reach(stands.connection, of), *asking.days(asked, of.field))
        if now is None:
            return _nothing_ranked(stands, of, asked, metric)
        then = periods.before(now)
        of_wells = period_sums(stands, of, [now, then], [metric], asked.units)
        whole = period_sums(stands, of, [now, then], [metric], asked.units, whole_field=True)
        members = wells.wells_of(stands.connection, field_id)
        table = _ranked(members, of_wells, metric, lowest=asked.lowest)
        head = _head(stands.rolled(field_id), of, asked.units) | {
            "metric": metric.name,
            "period": _period(of, now),
            "previous_period": _period(of, then),
            "field_value": _value(whole, 0, metric),
            "field_previous": _value(whole, 1, metric),
            "coverage": {
                "wells": table["value"].count(),
                "wells_expected": table.filter(pl.col("value").is_not_null() | pl.col("previous").is_not_null()).height,
                "wells_known": len(members),
            },
            "rows": min(asked.limit, table.height),
        }
        return Answer(head, table.head(asked.limit), _ranking_columns(metric, asked.units))

    return Question(f"fields/{field_id}/ranking {asked.canonical()}", (field_id,), ask)


def period_sums(
    stands: Stands,
    of: Kept,
    ranges: list[Range],
    metrics: list[Metric],
    system: str,
    *,
    whole_field: bool = False,
) -> pl.DataFrame:
    """`storage.sums.sums` with ``seconds`` of the period and the metrics, in the units of a system."""
    found = sums.sums(stands.connection, of, ranges, columns_for(metrics), whole_field=whole_field)
    lengths = [length_s(of, one) for one in ranges]
    with_seconds = found.with_columns(
        pl.col("place").replace_strict(list(range(len(ranges))), lengths, return_dtype=pl.Int64).alias("seconds")
    )
    return valued(with_seconds, metrics, system, extremes=False)


def length_s(of: Kept, one: Range) -> int:
    """Seconds of a range of production days: a day may have 23 or 25 hours."""
    begins, ends = day_bounds(of.field, one.since)[0], day_bounds(of.field, one.until)[0]
    return round((ends - begins).total_seconds())


def _ranked(members: list[Well], of_wells: pl.DataFrame, metric: Metric, *, lowest: bool) -> pl.DataFrame:
    names = pl.DataFrame(
        [(one.id, one.name, one.purpose) for one in members],
        schema={"well": pl.String, "name": pl.String, "purpose": pl.String},
        orient="row",
    )
    kept = ["well", "quality", "records", "suspects", "basis", "measured_s", "seconds"]
    now = of_wells.filter(pl.col("place") == 0).select(*kept, pl.col(metric.name).alias("value"))
    then = of_wells.filter(pl.col("place") == 1).select("well", pl.col(metric.name).alias("previous"))
    joined = names.join(now, on="well", how="left").join(then, on="well", how="left")
    made = joined.with_columns(
        pl.col("value").rank("min", descending=not lowest).cast(pl.Int32).alias("rank"),
        pl.col("previous").rank("min", descending=not lowest).cast(pl.Int32).alias("previous_rank"),
        (pl.col("value") - pl.col("previous")).alias("change"),
        pl.when(pl.col("previous") != 0)
        .then((pl.col("value") - pl.col("previous")) / pl.col("previous").abs())
        .otherwise(None)
        .alias("change_share"),
        _share_of_total(metric),
        (pl.col("measured_s") / pl.col("seconds")).alias("measured_share"),
    )
    return made.sort("rank", "well", nulls_last=True)


def _share_of_total(metric: Metric) -> pl.Expr:
    adds_up = metric.nature in (Nature.VOLUME, Nature.DURATION) or metric.under == ("seconds",)
    total = pl.col("value").sum()
    share = pl.when(total != 0).then(pl.col("value") / total) if adds_up else pl.when(pl.lit(value=False)).then(0.0)
    return share.otherwise(None).alias("share")


def _ranking_columns(metric: Metric, system: str) -> dict[str, Column]:
    symbol = unit(metric, system)
    return {
        "rank": Column("Rank", "", "count"),
        "well": COMMON["well"],
        "name": Column("Name", "", "text"),
        "purpose": Column("Purpose", "", "text"),
        "value": Column(metric.label, symbol, metric.nature, metric.formula),
        "previous": Column(f"{metric.label}, period before", symbol, metric.nature),
        "previous_rank": Column("Rank in the period before", "", "count"),
        "change": Column("Change", symbol, metric.nature),
        "change_share": Column("Change", "fraction", "share", "of the period before"),
        "share": Column("Share of all wells", "fraction", "share"),
        "measured_share": COMMON["measured_share"],
        "quality": COMMON["quality"],
        "records": COMMON["records"],
        "suspects": COMMON["suspects"],
        "basis": COMMON["basis"],
    }


def _nothing_ranked(stands: Stands, of: Kept, asked: RankingAsked, metric: Metric) -> Answer:
    columns = _ranking_columns(metric, asked.units)
    head = _head(stands.rolled(of.field.id), of, asked.units) | {"metric": metric.name, "rows": 0}
    return Answer(head, pl.DataFrame(schema=dict.fromkeys(columns, pl.Null)), columns)


def _value(whole: pl.DataFrame, place: int, metric: Metric) -> float | None:
    found = whole.filter(pl.col("place") == place)[metric.name]
    return None if found.is_empty() else found[0]


def _period(of: Kept, one: Range) -> dict[str, Any]:
    begins, ends = (day_bounds(of.field, day)[0] for day in (one.since, one.until))
    return {"start": iso(begins), "end": iso(ends), "days": one.days}


def _head(position: Position, of: Kept, system: str) -> dict[str, Any]:
    return {
        "field": field_head(of.field),
        "units": system,
        "oil_equivalent": SYSTEM_EQUIVALENT[system].label,
        "position": {"epoch": position.epoch, "offset": position.offset},
    }


def comparison(field_id: str, asked: ComparisonAsked) -> Question:
    """Several wells of a field over the same time, or since each began."""

    def ask(stands: Stands) -> Answer:
        of = kept_field(stands.connection, field_id)
        known = [one.id for one in wells.wells_of(stands.connection, field_id)]
        named = asking.well_ids(asked.wells, field_id, known)
        metrics = asking.metrics_of(asked.metrics)
        since, until = asking.span(asked, of.field)
        zeroed = asked.aligned == "time-zero"
        rows = rollups.series(
            stands.connection, field_id, Grain(asked.resolution), wells=named,
            since=None if zeroed else since, until=None if zeroed else until,
            quantities=list(dict.fromkeys([*columns_for(metrics), *(VOLUMES if zeroed else ())])),
        )  # fmt: skip
        rows = _since_zero(rows) if zeroed else rows
        rows = rows.filter(
            pl.lit(value=True) if since is None else pl.col("start") >= since,
            pl.lit(value=True) if until is None else pl.col("start") < until,
        )
        shares = rows.with_columns((pl.col("measured_s") / pl.col("seconds")).alias("measured_share"))
        made = valued(shares, metrics, asked.units, extremes=False)
        curves = [Curve(one.name) for one in metrics]
        parts = [
            thinned(with_gaps(made.filter(pl.col("well") == one)), curves, asked.points).cast({"well": pl.Enum(named)})
            for one in named
        ]
        table = pl.concat(parts)
        columns = {
            "well": Column("Well", "", "code", "place in `wells`, from 0"),
            **{name: COMMON[name] for name in ("start", "seconds")},
            **({"since_zero_d": Column("Days since first flow", "d", "duration")} if zeroed else {}),
            **{name: COMMON[name] for name in ("basis", "quality", "suspects", "measured_share", "gap_before")},
            **metric_columns(metrics, asked.units, SYSTEM_EQUIVALENT[asked.units].label),
        }
        head = _head(stands.rolled(field_id), of, asked.units) | {
            "wells": named,
            "resolution": asked.resolution,
            "aligned": asked.aligned,
            "rows": table.height,
            "downsampled": None if table.height == made.height else {"from_rows": made.height, "points": asked.points},
        }
        return Answer(head, table, columns)

    return Question(f"fields/{field_id}/comparison {asked.canonical()}", (field_id,), ask)


def _since_zero(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows from each well's first flow on, with the days since it."""
    flows = pl.any_horizontal((pl.col(name) > 0).fill_null(value=False) for name in VOLUMES)
    zero = rows.filter(flows).group_by("well").agg(pl.col("start").min().alias("zero"))
    days = (pl.col("start").dt.epoch("ms") - pl.col("zero").dt.epoch("ms")) / (1_000 * _DAY_S)
    return rows.join(zero, on="well", maintain_order="left").with_columns(days.alias("since_zero_d")).filter(days >= 0)


def heatmap(field_id: str, asked: HeatmapAsked) -> Question:
    """A metric of every well of a field on every production day."""

    def ask(stands: Stands) -> Answer:
        of = kept_field(stands.connection, field_id)
        metric = METRICS[asked.metric]
        names = [one.id for one in wells.wells_of(stands.connection, field_id)]
        within = periods.asked(sums.reach(stands.connection, of), *asking.days(asked, of.field), HEATMAP_DAYS)
        table = pl.DataFrame(schema={"well": pl.Enum(names), "start": pl.Datetime("us", "UTC"), "value": pl.Float64})
        days: list[date] = []
        if within is not None:
            _bounded(asked, within, len(names))
            days = [within.since + timedelta(days=ahead) for ahead in range(within.days)]
            begins, ends = (day_bounds(of.field, day)[0] for day in (within.since, within.until))
            rows = rollups.series(
                stands.connection, field_id, Grain.DAY, since=begins, until=ends, quantities=columns_for([metric])
            )
            made = valued(rows, [metric], asked.units, extremes=False)
            table = made.with_columns(pl.col("well").cast(pl.Enum(names)), pl.col(metric.name).alias("value"))
        columns = {
            "well": Column("Well", "", "code", "place in `wells`, from 0"),
            "start": COMMON["start"],
            "value": metric_columns([metric], asked.units, SYSTEM_EQUIVALENT[asked.units].label)[metric.name],
            **({} if within is None else {name: COMMON[name] for name in ("quality", "suspects", "basis")}),
        }
        starts = bounds_of_days(of.field, pl.Series("day", days, pl.Date))[0]
        head = _head(stands.rolled(field_id), of, asked.units) | {
            "metric": metric.name,
            "wells": names,
            "days": starts.dt.epoch("ms").to_list(),
            "period": None if within is None else _period(of, within),
            "rows": table.height,
        }
        return Answer(head, table, columns)

    return Question(f"fields/{field_id}/heatmap {asked.canonical()}", (field_id,), ask)


def _bounded(asked: HeatmapAsked, within: Range, number_of_wells: int) -> None:
    if within.days * number_of_wells > CELLS_MOST:
        most = CELLS_MOST // max(number_of_wells, 1)
        raise ParameterRefused(
            parameter="start",
            value=asked.start,
            allowed=f"at most {most} days before the end for {number_of_wells} wells",
        )
