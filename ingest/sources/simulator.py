"""The demonstration field: what every well does at any moment is a pure function of seed, well number and time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from storage.domain.production_day import day_bounds
from storage.domain.record import QUANTITIES, RECORD_SCHEMA, TIMESTAMP, Kind, Resolution
from storage.domain.well import Field, Well, well_id

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FIELD: Final = Field("demo", "Demonstration field", "Europe/Oslo", 6 * 3600)
SOURCE: Final = "simulator"
DAY_S: Final = 86_400.0
YEAR_S: Final = 365.25 * DAY_S
CELL_S: Final = 1_800
"""Daily volumes are summed over cells of this length: rates at their middles, downtime exactly."""

_TRIP_WINDOW_S: Final = 9 * DAY_S
_CHOKE_WINDOW_S: Final = 21 * DAY_S
_FROZEN_WINDOW_S: Final = 120 * DAY_S
_GAUGE_LIVES_S: Final = 4 * DAY_S
_GAS_LIFTED, _INJECTOR, _FROZEN, _ROLES = 3, 4, 5, 8
_MIX: Final = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
_MASK: Final = (1 << 64) - 1


def _shares(salt: int, numbers: Ints, steps: npt.ArrayLike = 0) -> Floats:
    """Evenly spread, reproducible numbers in [0, 1) for (salt, well number, step); splitmix64."""
    stirred = (np.asarray(steps, dtype=np.int64).astype(np.uint64) + np.uint64(1)) * np.uint64(_MIX[0])
    stirred = stirred ^ ((numbers.astype(np.uint64) + np.uint64((salt * _MIX[2]) & _MASK)) * np.uint64(_MIX[1]))
    for shift, factor in ((30, _MIX[1]), (27, _MIX[2])):
        stirred = (stirred ^ (stirred >> np.uint64(shift))) * np.uint64(factor)
    return ((stirred ^ (stirred >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) / float(1 << 53)


@dataclass(frozen=True, eq=False)
class Moments:
    """Wells at moments: ``number`` counts wells from 1, ``at_s`` is Unix time. What many curves need is kept."""

    seed: int
    number: Ints
    at_s: Floats

    def share(self, salt: int, steps: npt.ArrayLike = 0) -> Floats:
        """Reproducible numbers in [0, 1)."""
        return _shares(self.seed * 1_000 + salt, self.number, steps)

    def between(self, salt: int, low: float, high: float) -> Floats:
        """A property of the well, somewhere in [low, high)."""
        return low + (high - low) * self.share(salt)

    def noise(self, salt: int, period_s: float) -> Floats:
        """A smooth random curve in [-1, 1] that turns about every ``period_s``."""
        place = self.at_s / period_s
        step = np.floor(place).astype(np.int64)
        share = place - step
        blend = share * share * (3.0 - 2.0 * share)
        return (self.share(salt, step) * (1.0 - blend) + self.share(salt, step + 1) * blend) * 2.0 - 1.0

    def at(self, at_s: Floats) -> "Moments":
        """The same wells at other moments."""
        return Moments(self.seed, self.number, at_s)

    def role(self, role: int) -> npt.NDArray[np.bool_]:
        """Which wells play a special part."""
        plays: npt.NDArray[np.bool_] = self.number % _ROLES == role
        return plays

    @cached_property
    def trip(self) -> tuple[Floats, Floats]:
        """Begin and end of the trip in each moment's nine-day window; most windows have none (begin = end)."""
        window = np.floor(self.at_s / _TRIP_WINDOW_S).astype(np.int64)
        begin_s = (window + 0.6 * self.share(11, window)) * _TRIP_WINDOW_S
        length_s = 240.0 * (900.0 ** self.share(12, window))
        happens = self.share(13, window) < 0.35
        return begin_s, begin_s + np.where(happens, length_s, 0.0)

    @cached_property
    def age_s(self) -> Floats:
        """Time since the well was last worked over; every four to six years it begins anew."""
        life_s = self.between(31, 4.0, 6.0) * YEAR_S
        return np.mod(self.at_s + self.share(32) * life_s, life_s)

    @cached_property
    def choke_pct(self) -> Floats:
        """The choke: a level for about three weeks, moved within twenty minutes."""
        window = np.floor(self.at_s / _CHOKE_WINDOW_S).astype(np.int64)
        moved_s = (window + 0.1 + 0.8 * self.share(21, window)) * _CHOKE_WINDOW_S
        moved = np.clip((self.at_s - moved_s) / 1_200.0, 0.0, 1.0)
        before, after = self.share(22, window - 1), self.share(22, window)
        return 35.0 + 60.0 * (before + (after - before) * moved)

    @cached_property
    def restart(self) -> Floats:
        """Share of the rate that is back after a trip: a ramp of 45 minutes."""
        begin_s, end_s = self.trip
        back = np.clip((self.at_s - end_s) / 2_700.0, 0.15, 1.0)
        return np.where((self.at_s >= begin_s) & (end_s > begin_s), back, 1.0)

    @cached_property
    def flicker(self) -> Floats:
        """The restlessness of a flow: seconds, minutes, hours and days, around 1."""
        wave = 0.012 * self.noise(61, 37.0) + 0.018 * self.noise(62, 900.0)
        return 1.0 + wave + 0.02 * self.noise(63, 6 * 3_600.0) + 0.03 * self.noise(64, 5 * DAY_S)

    @cached_property
    def opening(self) -> Floats:
        """Share of the potential that the choke lets through."""
        return 1.0 - (1.0 - self.choke_pct / 100.0) ** 2

    @cached_property
    def water_cut(self) -> Floats:
        """Share of water in the liquid: little before the breakthrough, then rising within half a year."""
        breakthrough_s = self.between(51, 0.4, 2.5) * YEAR_S
        final = self.between(52, 0.25, 0.6)
        return 0.02 + final / (1.0 + np.exp(-(self.age_s - breakthrough_s) / (0.12 * YEAR_S)))

    @cached_property
    def reservoir_bar(self) -> Floats:
        """Pressure far from the well, falling some 9 bar a year."""
        return self.between(81, 270.0, 310.0) - 9.0 * self.age_s / YEAR_S


def _on_stream_s(moments: Moments, seconds: Floats) -> Floats:
    """Seconds on stream of the intervals that begin at the moments; they are shorter than a window."""
    ends_s = moments.at_s + seconds
    begin_s, end_s = moments.trip
    lost_s = np.clip(np.minimum(end_s, ends_s) - np.maximum(begin_s, moments.at_s), 0.0, None)
    next_begin_s, next_end_s = moments.at(ends_s).trip
    again_s = np.clip(np.minimum(next_end_s, ends_s) - np.maximum(next_begin_s, moments.at_s), 0.0, None)
    on_stream_s: Floats = seconds - lost_s - np.where(next_begin_s != begin_s, again_s, 0.0)
    return on_stream_s


def _potential(moments: Moments) -> Floats:
    """Share of the first rate that is left: hyperbolic decline q/qi = (1 + b Di t)^(-1/b), Arps (1945)."""
    b, nominal_per_year = moments.between(41, 0.3, 0.9), moments.between(42, 0.15, 0.4)
    return (1.0 + b * nominal_per_year * moments.age_s / YEAR_S) ** (-1.0 / b)


def _rates(moments: Moments) -> dict[str, Floats]:
    """Flowing rates in Sm3/d, downtime left out; NaN for what a well does not do."""
    injects = moments.role(_INJECTOR)
    flow = moments.opening * moments.restart * moments.flicker
    lifted = np.where(moments.role(_GAS_LIFTED), 1.15, 1.0)
    liquid = moments.between(71, 1_000.0, 1_900.0) * _potential(moments) * flow * lifted
    oil = np.where(injects, np.nan, liquid * (1.0 - moments.water_cut))
    gor = moments.between(72, 90.0, 180.0) * (1.0 + 0.06 * moments.age_s / YEAR_S) + 3.0 * moments.noise(73, 1_800.0)
    injected = moments.between(74, 2_200.0, 3_800.0) * moments.restart * moments.flicker
    return {
        "oil_sm3": oil,
        "gas_sm3": oil * gor,
        "water_sm3": np.where(injects, np.nan, liquid * moments.water_cut),
        "injected_water_sm3": np.where(injects, injected, np.nan),
    }


def _shut_share(moments: Moments, tau_s: float) -> Floats:
    """How far a shut-in well has come towards its shut-in state; 0 while it flows."""
    begin_s, end_s = moments.trip
    shut = (moments.at_s >= begin_s) & (moments.at_s < end_s)
    return np.where(shut, 1.0 - np.exp(-np.clip(moments.at_s - begin_s, 0.0, None) / tau_s), 0.0)


def _downhole_bar(moments: Moments) -> Floats:
    """Flowing pressure at the gauge: reservoir less the drawdown, building up while shut in."""
    drawdown = moments.between(82, 40.0, 80.0) * moments.opening * moments.restart
    flowing = moments.reservoir_bar - drawdown * (1.0 - _shut_share(moments, 7_200.0))
    return flowing + 0.4 * moments.noise(83, 60.0) + 1.2 * moments.noise(84, 7_200.0)


def _gauge_bar(moments: Moments) -> Floats:
    """The downhole gauge; that of one well freezes at what it showed last."""
    window_s = np.floor(moments.at_s / _FROZEN_WINDOW_S) * _FROZEN_WINDOW_S
    frozen_at_s = np.minimum(moments.at_s, window_s + _GAUGE_LIVES_S)
    return _downhole_bar(moments.at(np.where(moments.role(_FROZEN), frozen_at_s, moments.at_s)))


def _wellhead_bar(moments: Moments) -> Floats:
    """Lower the more the choke is open; a shut well rises towards its shut-in pressure; an injector is pumped up."""
    closed = 0.38 * moments.reservoir_bar
    flowing = 20.0 + (closed - 20.0) * (1.0 - 0.85 * moments.opening * moments.restart)
    shut = flowing + (closed - flowing) * _shut_share(moments, 5_400.0)
    injecting = moments.between(91, 95.0, 140.0) * (1.0 - 0.7 * _shut_share(moments, 1_800.0))
    at_head = np.where(moments.role(_INJECTOR), injecting, shut)
    return at_head + 0.25 * moments.noise(92, 41.0) + 0.5 * moments.noise(93, 1_200.0)


def _states(moments: Moments) -> dict[str, Floats]:
    """Pressures in bar, temperatures in degC, choke in %, gas lift in Sm3/d at the moments."""
    injects, cooling = moments.role(_INJECTOR), _shut_share(moments, 6 * 3_600.0)
    flows = _shut_share(moments, 1.0) < 0.5
    lift = moments.between(101, 45_000.0, 80_000.0) * (1.0 + 0.02 * moments.noise(102, 1_800.0)) * flows
    warm = 8.0 + moments.between(103, 50.0, 75.0) * np.sqrt(moments.opening) * (1.0 - cooling)
    return {
        "wellhead_pressure_bar": _wellhead_bar(moments),
        "downhole_pressure_bar": _gauge_bar(moments),
        "annulus_pressure_bar": moments.between(104, 10.0, 24.0) + 1.5 * moments.noise(105, 9_000.0) - 2.0 * cooling,
        "wellhead_temperature_degc": np.where(injects, 24.0, warm) + 0.2 * moments.noise(106, 300.0),
        "downhole_temperature_degc": np.where(injects, 40.0, moments.between(107, 98.0, 108.0))
        + 0.15 * moments.noise(108, 3_600.0),
        "choke_pct": np.where(injects, np.nan, moments.choke_pct * flows),
        "gas_lift_sm3_per_d": np.where(moments.role(_GAS_LIFTED), lift, np.nan),
    }


def _measured(seed: int, number: Ints, start_s: Floats, seconds: Floats) -> dict[str, Floats]:
    """Every quantity over intervals shorter than an hour: rates and states at the middle, downtime exactly."""
    on_stream_s = _on_stream_s(Moments(seed, number, start_s), seconds)
    middle = Moments(seed, number, start_s + seconds / 2.0)
    volumes = {name: rate * on_stream_s / DAY_S for name, rate in _rates(middle).items()}
    return volumes | {"on_stream_s": on_stream_s} | _states(middle)


@dataclass(frozen=True, slots=True)
class Simulator:
    """The demonstration field with wells numbered from 1.

    Of every eight wells the third is gas-lifted, the fourth injects water and the fifth has a downhole gauge that
    freezes. The same seed, wells and times give the same records, whenever and however often they are asked for.
    """

    number_of_wells: int = 8
    seed: int = 1

    def field(self) -> Field:
        """The demonstration field: Europe/Oslo, production day from 06:00."""
        return FIELD

    def wells(self) -> tuple[Well, ...]:
        """The wells in order of their number."""
        return tuple(self._well(number) for number in range(1, self.number_of_wells + 1))

    def live(self, since: datetime, until: datetime, every_s: int) -> pl.DataFrame:
        """Live records (RECORD_SCHEMA) whose intervals of ``every_s`` (1 to 3,600 s) end in (since, until], by end.

        The wells' intervals are staggered evenly over ``every_s``, so that with enough wells some end every second.
        """
        number, end_s = self._ends(since.timestamp(), until.timestamp(), every_s)
        start_s, seconds = end_s - every_s, np.full(len(number), every_s)
        measured = _measured(self.seed, number, start_s.astype(np.float64), seconds.astype(np.float64))
        frame = pl.DataFrame({"number": number, "start_s": start_s, "seconds": seconds, **measured})
        return self._records(frame, Resolution.LIVE)

    def daily(self, days: Iterable[date]) -> pl.DataFrame:
        """Daily records (RECORD_SCHEMA) of production days, by day and well: the sum and mean of the same curves."""
        bounds = [day_bounds(FIELD, day) for day in days]
        lengths_s = np.array([(end - start).total_seconds() for start, end in bounds], dtype=np.float64)
        starts_s = np.array([start.timestamp() for start, _ in bounds], dtype=np.float64)
        cells = (lengths_s / CELL_S).astype(np.int64)
        day = np.repeat(np.arange(len(bounds), dtype=np.int64), cells)
        first = np.repeat(np.cumsum(cells) - cells, cells)
        cell_s = starts_s[day] + (np.arange(len(day)) - first) * CELL_S
        wells = np.arange(1, self.number_of_wells + 1, dtype=np.int64)
        number, start_s = np.tile(wells, len(day)), np.repeat(cell_s, len(wells))
        measured = _measured(self.seed, number, start_s, np.full(len(number), float(CELL_S)))
        frame = pl.DataFrame({"number": number, "day": np.repeat(day, len(wells)), **measured})
        summed = frame.group_by("day", "number", maintain_order=True).agg(
            pl.col(quantity.column).mean() if quantity.kind is Kind.STATE else pl.col(quantity.column).sum()
            for quantity in QUANTITIES
            if quantity.column in measured
        )
        order = summed["day"].to_numpy()
        times = {"start_s": starts_s[order].astype(np.int64), "seconds": lengths_s[order].astype(np.int64)}
        return self._records(
            summed.with_columns(**{name: pl.Series(of) for name, of in times.items()}), Resolution.DAILY
        )

    def _ends(self, since_s: float, until_s: float, every_s: int) -> tuple[Ints, Ints]:
        """Well numbers and interval ends (Unix time) in (since, until], in order of the ends."""
        numbers = np.arange(1, self.number_of_wells + 1, dtype=np.int64)
        phases = (numbers - 1) * every_s // self.number_of_wells
        first = np.floor((since_s - phases) / every_s).astype(np.int64) + 1
        last = np.floor((until_s - phases) / every_s).astype(np.int64)
        counts = np.clip(last - first + 1, 0, None)
        number = np.repeat(numbers, counts)
        step = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        end_s = (np.repeat(first, counts) + step) * every_s + np.repeat(phases, counts)
        order = np.lexsort((number, end_s))
        return number[order], end_s[order]

    def _well(self, number: int) -> Well:
        name = f"D-{number}"
        purpose = "injector" if number % _ROLES == _INJECTOR else "producer"
        return Well(well_id(FIELD.id, name), name, purpose)

    def _records(self, frame: pl.DataFrame, resolution: Resolution) -> pl.DataFrame:
        ids = {number: well.id for number, well in enumerate(self.wells(), start=1)}
        columns: dict[str, Any] = {
            "field": pl.lit(FIELD.id),
            "well": pl.col("number").replace_strict(ids, return_dtype=pl.String),
            "start": (pl.col("start_s") * 1_000_000).cast(TIMESTAMP),
            "resolution": pl.lit(str(resolution)),
            "source": pl.lit(SOURCE),
        }
        rounded = [pl.col(q.column).fill_nan(None).round(6) for q in QUANTITIES if q.column in frame.columns]
        given = frame.with_columns(*rounded, **columns)
        absent = [name for name in RECORD_SCHEMA if name not in given.columns]
        given = given.with_columns(pl.lit(None).alias(name) for name in absent)
        return given.select(pl.col(name).cast(kind) for name, kind in RECORD_SCHEMA.items())
