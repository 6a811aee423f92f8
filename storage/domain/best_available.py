"""What rollups hold, computed from a few records at hand: for what was known at another time, which no rollup keeps."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from storage.domain.production_day import bounds_of_days, bounds_of_months, days_and_hours
from storage.domain.record import Resolution
from storage.domain.rollup import EXTREMES, STATES, VOLUMES, Grain
from storage.domain.well import Field

_KEYS: Final = {Grain.HOUR: ["day", "hour"], Grain.DAY: ["day"], Grain.MONTH: ["month"]}
_HOUR_S: Final = 3_600


def best_available(records: pl.DataFrame, field: Field, grain: Grain, quantities: Sequence[str]) -> pl.DataFrame:
    """The buckets of one well, by start: the columns of ROLLUP_SCHEMA from ``start`` to the extremes of quantities.

    ``records`` holds start, seconds, resolution, verdict, quality, log_offset and the quantities; none is withdrawn.
    Volumes and on-stream time come from the record that covers the bucket whole, where there is one, else from the
    sums of the finer ones; states from the whole record where it has them; extremes from the finer ones.
    """
    days, hours = days_and_hours(field, records["start"])
    single = _single(records, quantities).with_columns(days, hours)
    live = single.filter(pl.col("basis") == Resolution.LIVE)
    if grain is Grain.HOUR:
        made = _merged(live, _KEYS[Grain.HOUR], quantities)
    else:
        whole = single.filter(pl.col("basis") == Resolution.DAILY)
        made = _chosen(_merged(live, ["day"], quantities), whole, ["day"], quantities)
        if grain is Grain.MONTH:
            monthly = single.filter(pl.col("basis") == Resolution.MONTHLY).with_columns(_month())
            made = _chosen(_merged(made.with_columns(_month()), ["month"], quantities), monthly, ["month"], quantities)
    return _finished(made, field, grain, quantities)


def _month() -> pl.Expr:
    return pl.col("day").dt.truncate("1mo").alias("month")


def _sums(quantities: Sequence[str]) -> list[str]:
    return [
        *("records", "suspects", "measured_s", "quality_sum"),
        *(f"{name}_{part}" for part in ("sum", "s") for name in quantities),
    ]


def _single(records: pl.DataFrame, quantities: Sequence[str]) -> pl.DataFrame:
    """Each record as a bucket of sums."""
    seconds = pl.col("seconds").cast(pl.Float64)
    levels = [(name, _level(name)) for name in quantities if name in EXTREMES]
    return records.select(
        "start",
        pl.col("resolution").alias("basis"),
        pl.lit(1, pl.Int32).alias("records"),
        (pl.col("verdict") == "suspect").cast(pl.Int32).alias("suspects"),
        seconds.alias("measured_s"),
        (pl.col("quality") * seconds).alias("quality_sum"),
        *((pl.col(name) * seconds if name in STATES else pl.col(name)).alias(f"{name}_sum") for name in quantities),
        *(pl.when(pl.col(name).is_not_null()).then(seconds).otherwise(None).alias(f"{name}_s") for name in quantities),
        *(level.alias(f"{name}_low") for name, level in levels),
        *(level.alias(f"{name}_high") for name, level in levels),
        "log_offset",
    )


def _level(name: str) -> pl.Expr:
    return pl.col(name) * 86_400 / pl.col("seconds") if name in VOLUMES else pl.col(name)


def _merged(buckets: pl.DataFrame, keys: list[str], quantities: Sequence[str]) -> pl.DataFrame:
    extremes = [name for name in quantities if name in EXTREMES]
    one_basis = pl.col("basis").n_unique() == 1
    return buckets.group_by(keys).agg(
        pl.when(one_basis).then(pl.col("basis").first()).otherwise(pl.lit("mixed")).alias("basis"),
        *(_total(name) for name in _sums(quantities)),
        *(pl.col(f"{name}_low").min() for name in extremes),
        *(pl.col(f"{name}_high").max() for name in extremes),
        pl.col("log_offset").max(),
    )


def _total(name: str) -> pl.Expr:
    """A sum that is null where nothing was measured, as SQL has it."""
    return pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).otherwise(None).alias(name)


def _chosen(finer: pl.DataFrame, whole: pl.DataFrame, keys: list[str], quantities: Sequence[str]) -> pl.DataFrame:
    """A bucket from the record that covers it whole and from the finer ones."""
    newest = whole.sort("log_offset", "start", "measured_s", descending=[False, True, True]).unique(keys, keep="last")
    both = finer.join(newest.drop("start"), on=keys, how="full", coalesce=True, suffix="_whole")
    states = {f"{name}_{part}" for name in quantities if name in STATES for part in ("sum", "s")}
    there = pl.col("records_whole").is_not_null()
    picked = [
        pl.coalesce(f"{name}_whole", name)
        if name in states
        else pl.when(there).then(pl.col(f"{name}_whole")).otherwise(pl.col(name)).alias(name)
        for name in ("basis", *_sums(quantities))
    ]
    extremes = [f"{name}_{end}" for end in ("low", "high") for name in quantities if name in EXTREMES]
    return both.select(
        *keys,
        *(one.alias(name) for one, name in zip(picked, ("basis", *_sums(quantities)), strict=True)),
        *(pl.coalesce(name, f"{name}_whole").alias(name) for name in extremes),
        pl.max_horizontal("log_offset", "log_offset_whole").alias("log_offset"),
    )


def _finished(made: pl.DataFrame, field: Field, grain: Grain, quantities: Sequence[str]) -> pl.DataFrame:
    """With start and length, states as averages, and the names that rollups have."""
    made = made.sort(_KEYS[grain])
    if grain is Grain.MONTH:
        made = made.with_columns(*bounds_of_months(field, made["month"]))
    else:
        made = made.with_columns(*bounds_of_days(field, made["day"]))
    if grain is Grain.HOUR:
        into_s = pl.col("hour").cast(pl.Int32) * _HOUR_S
        made = made.with_columns(
            start=pl.col("start") + pl.duration(seconds=into_s),
            seconds=pl.min_horizontal(pl.col("seconds") - into_s, _HOUR_S),
        )
    return made.select(
        *("start", "seconds", "basis", "records", "suspects", "measured_s"),
        (pl.col("quality_sum") / pl.col("measured_s")).alias("quality"),
        *(
            (pl.col(f"{name}_sum") / pl.col(f"{name}_s") if name in STATES else pl.col(f"{name}_sum")).alias(name)
            for name in quantities
        ),
        *(pl.col(f"{name}_s").alias(f"{name}_measured_s") for name in quantities),
        *(f"{name}_{end}" for end in ("low", "high") for name in quantities if name in EXTREMES),
        "log_offset",
    )
