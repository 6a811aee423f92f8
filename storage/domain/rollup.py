"""The rollup: what a well or a whole field did in an hour, a production day or a month, and how far to trust it."""

from enum import StrEnum
from typing import Final

import polars as pl

from storage.domain.record import QUANTITIES, TIMESTAMP, Kind


class Grain(StrEnum):
    """How long a bucket is.

    Hours are counted from the start of their production day, so that a day is the sum of its hours in every time zone;
    days are production days, months the production days that are named by a calendar month's dates.
    """

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


class Basis(StrEnum):
    """Which records a bucket's volumes come from: of one resolution, or a month's of days of several."""

    LIVE = "live"
    DAILY = "daily"
    MONTHLY = "monthly"
    MIXED = "mixed"


PATIENCE: Final = {Grain.HOUR: 24, Grain.DAY: 7, Grain.MONTH: 3}
"""For how many buckets, the first counted, a well is expected that reported in one. Of months three reporting periods
make a well active (field-guide B8); a silent well is missed for a week of days and for a day of hours."""

VOLUMES: Final = tuple(quantity.column for quantity in QUANTITIES if quantity.kind is Kind.VOLUME)
STATES: Final = tuple(quantity.column for quantity in QUANTITIES if quantity.kind is Kind.STATE)
DURATIONS: Final = tuple(quantity.column for quantity in QUANTITIES if quantity.kind is Kind.DURATION)
EXTREMES: Final = VOLUMES + STATES
"""Quantities whose extremes within a bucket are kept."""

ROLLUP_SCHEMA: Final = pl.Schema(
    {
        "well": pl.String(),
        "start": TIMESTAMP,
        "seconds": pl.Int32(),
        "basis": pl.String(),
        "records": pl.Int32(),
        "suspects": pl.Int32(),
        "measured_s": pl.Float64(),
        "quality": pl.Float64(),
        **{name: pl.Float64() for name in (*VOLUMES, *DURATIONS, *STATES)},
        **{f"{name}_measured_s": pl.Float64() for name in (*VOLUMES, *DURATIONS, *STATES)},
        **{f"{name}_low": pl.Float64() for name in EXTREMES},
        **{f"{name}_high": pl.Float64() for name in EXTREMES},
        "wells": pl.Int32(),
        "wells_expected": pl.Int32(),
        "potential_share": pl.Float64(),
        "log_offset": pl.Int64(),
    }
)
"""A row per well and bucket, or per bucket where ``well`` is null: the whole field.

``start`` and ``seconds`` are the bucket's; ``measured_s`` the seconds of it that records cover (of a field: summed over
wells), ``<quantity>_measured_s`` the seconds in which that quantity was measured. Volumes and on-stream seconds are
sums, states means weighted by time; null is "not measured". ``_low`` and ``_high`` are the extremes among the records
behind the bucket (of a field: among its wells): of a volume those of its rate in unit per day, of a state of the state.
``quality`` is the records' mean weighted by time, ``suspects`` how many of the ``records`` are suspect.
A field's row says its coverage: ``wells`` of ``wells_expected`` reported (see PATIENCE), and ``potential_share`` is the
reporting wells' share of the oil equivalent (Sm3 o.e., 1,000 Sm3 of gas for one), in which a missing well stands with
its last bucket's. ``log_offset`` is the newest position behind the row.
"""
