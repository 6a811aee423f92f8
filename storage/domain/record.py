"""The record: what one well produced over one interval, its columns, units and bounds."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import polars as pl


class Resolution(StrEnum):
    """How long the interval of a record is."""

    LIVE = "live"
    DAILY = "daily"
    MONTHLY = "monthly"


class Verdict(StrEnum):
    """What verification said. A quarantined row never becomes a record; it is kept apart with its reasons. A withdrawn
    record was taken back by its sender: it has no quantities, and counts for nothing."""

    VERIFIED = "verified"
    SUSPECT = "suspect"
    QUARANTINED = "quarantined"
    WITHDRAWN = "withdrawn"


class Outcome(StrEnum):
    """What became of one offered row."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REVISED = "revised"
    QUARANTINED = "quarantined"


class Kind(StrEnum):
    """How a quantity behaves when intervals are put together."""

    VOLUME = "volume"
    DURATION = "duration"
    STATE = "state"


@dataclass(frozen=True, slots=True)
class Quantity:
    """One measured column of a record.

    ``low`` and ``high`` bound what is physically possible for one record, in ``unit``; None is unbounded. Volumes
    are over the record's interval, states are averages over it. Verification, forms and property tests read this.
    """

    column: str
    label: str
    unit: str
    kind: Kind
    low: float | None
    high: float | None


QUANTITIES: Final = (
    Quantity("oil_sm3", "Oil", "Sm3", Kind.VOLUME, 0, None),
    Quantity("gas_sm3", "Gas", "Sm3", Kind.VOLUME, 0, None),
    Quantity("water_sm3", "Water", "Sm3", Kind.VOLUME, 0, None),
    Quantity("condensate_sm3", "Condensate", "Sm3", Kind.VOLUME, 0, None),
    Quantity("injected_water_sm3", "Injected water", "Sm3", Kind.VOLUME, 0, None),
    Quantity("injected_gas_sm3", "Injected gas", "Sm3", Kind.VOLUME, 0, None),
    Quantity("on_stream_s", "On stream", "s", Kind.DURATION, 0, None),
    Quantity("wellhead_pressure_bar", "Wellhead pressure", "bar", Kind.STATE, -1.1, 1500),
    Quantity("downhole_pressure_bar", "Downhole pressure", "bar", Kind.STATE, -1.1, 3000),
    Quantity("annulus_pressure_bar", "Annulus pressure", "bar", Kind.STATE, -1.1, 1500),
    Quantity("wellhead_temperature_degc", "Wellhead temperature", "degC", Kind.STATE, -60, 400),
    Quantity("downhole_temperature_degc", "Downhole temperature", "degC", Kind.STATE, -60, 400),
    Quantity("choke_pct", "Choke", "%", Kind.STATE, 0, 110),
    Quantity("gas_lift_sm3_per_d", "Gas lift rate", "Sm3/d", Kind.STATE, 0, None),
)

SMALLEST: Final = 1e-100
LARGEST: Final = 1e15
"""A number of a record is 0 or of a magnitude between these: sums, means and ratios of such numbers neither overflow
nor vanish, and no well has ever produced more."""

QUANTITY_COLUMNS: Final = tuple(quantity.column for quantity in QUANTITIES)
"""Null is "not measured"; zero is zero."""

KEY_COLUMNS: Final = ("field", "well", "start", "seconds", "resolution")
"""What makes a record the same record: (field id, well id, start in UTC, interval length in s, resolution)."""

TRUST_COLUMNS: Final = ("verdict", "quality", "issues")
"""Verdict; quality 0..1; issue codes, sorted."""

CONTENT_COLUMNS: Final = QUANTITY_COLUMNS + TRUST_COLUMNS
"""What makes a record of the same key a revision when it differs."""

TIMESTAMP: Final = pl.Datetime("us", "UTC")

RECORD_SCHEMA: Final = pl.Schema(
    {
        "field": pl.String(),
        "well": pl.String(),
        "start": TIMESTAMP,
        "seconds": pl.Int32(),
        "resolution": pl.String(),
        **{column: pl.Float64() for column in QUANTITY_COLUMNS},
        "verdict": pl.String(),
        "quality": pl.Float64(),
        "issues": pl.List(pl.String()),
        "audit_id": pl.String(),
        "source": pl.String(),
    }
)
"""The frame that ingest hands to storage. ``field`` and ``well`` are public ids ("volve", "volve.15-9-f-12");
``audit_id`` names the verification run or outside audit entry; ``source`` says where the row came from."""


def rate_per_day(volume: str) -> pl.Expr:
    """Calendar-day rate of a volume column: volume / interval length, in the volume's unit per day."""
    return (pl.col(volume) * 86_400.0 / pl.col("seconds")).alias(volume.removesuffix("_sm3") + "_sm3_per_d")
