"""Units at the edges: what a value in another unit is in the canonical one, and back; unit systems; oil equivalents.

Inside, everything is in Sm3 (15 degC, 1.01325 bar), bar absolute, degC, %, s. Conversions are linear:
``canonical = value * factor + offset``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol, TypeVar, cast

from storage.domain.errors import InputRefused


class Dimension(StrEnum):
    """What kind of thing a unit measures. Gas and liquid are apart: a gas volume depends on its base."""

    LIQUID = "liquid volume"
    GAS = "gas volume"
    LIQUID_RATE = "liquid rate"
    GAS_RATE = "gas rate"
    DURATION = "duration"
    PRESSURE = "pressure"
    TEMPERATURE = "temperature"
    OPENING = "opening"
    SHARE = "share"
    GAS_PER_LIQUID = "gas per liquid"
    LIQUID_PER_GAS = "liquid per gas"
    LIQUID_PER_LIQUID = "liquid per liquid"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of one dimension. ``source`` says where the factor comes from; names are matched without case."""

    symbol: str
    dimension: Dimension
    factor: float
    offset: float
    source: str
    names: tuple[str, ...] = ()


BARREL_M3: Final = 0.158987295
"""Sodir. A stock tank barrel is measured at 60 degF: the 0.05 % that oil shrinks to 15 degC is left out, as usual."""

FOOT_M: Final = 0.3048
CUBIC_FOOT_M3: Final = FOOT_M**3
PSI_BAR: Final = 0.0689475729316836
ATMOSPHERE_BAR: Final = 1.01325
_SIXTY_DEGF_K: Final = (60.0 - 32.0) / 1.8 + 273.15
_FIFTEEN_DEGC_K: Final = 15.0 + 273.15
SIXTY_FOURTH_MM: Final = 0.396875
DAY_S: Final = 86_400.0


def scf_sm3(base_psia: float) -> float:
    """Sm3 of one standard cubic foot at 60 degF and so many psia, as ideal gas: 1/35.383 for 14.696."""
    return CUBIC_FOOT_M3 * (_FIFTEEN_DEGC_K / _SIXTY_DEGF_K) * (base_psia * PSI_BAR / ATMOSPHERE_BAR)


_SCF: Final = scf_sm3(14.696)
_AT_SIXTY_DEGF: Final = "gas at 60 degF and 14.696 psia"
_AS_IT_STANDS: Final = "taken as it stands, without a or g"
_BASES: Final = {"": 14.696, "@14.65": 14.65, "@14.73": 14.73}


def _gas() -> list[Unit]:
    """Standard cubic feet in thousands (M) and millions (MM), for volumes and rates, at each contract base."""
    found = []
    for suffix, psia in _BASES.items():
        scf, told = scf_sm3(psia), f"60 degF and {psia:g} psia to 15 degC and 1.01325 bar, ideal gas"
        for prefix, count in (("", 1.0), ("M", 1e3), ("MM", 1e6)):
            volume, per_day = f"{prefix}scf{suffix}", f"{prefix}scf/d{suffix}"
            plain = (f"{prefix}cf{suffix}",)
            rates = (
                f"{prefix}cf/d{suffix}",
                f"{prefix}scfd{suffix}",
                f"{prefix}cfd{suffix}",
                f"{prefix}scf/day{suffix}",
            )
            found.append(Unit(volume, Dimension.GAS, count * scf, 0.0, told, plain))
            found.append(Unit(per_day, Dimension.GAS_RATE, count * scf, 0.0, told, rates))
    return found


def _metric_volumes() -> list[Unit]:
    """Sm3 and its thousands (k) and millions (M, as written: MSm3), for both dimensions of volume and of rate."""
    found = []
    for volume, rate in ((Dimension.LIQUID, Dimension.LIQUID_RATE), (Dimension.GAS, Dimension.GAS_RATE)):
        for prefix, count in (("", 1.0), ("k", 1e3), ("M", 1e6)):
            plain = (f"{prefix}m3",) if prefix != "M" else ()
            found.append(Unit(f"{prefix}Sm3", volume, count, 0.0, "canonical", plain))
            rates = tuple(f"{name}/day" for name in (f"{prefix}Sm3", *plain)) + tuple(f"{name}/d" for name in plain)
            found.append(Unit(f"{prefix}Sm3/d", rate, count, 0.0, "canonical", rates))
        found.append(Unit("Sm3/h", rate, 24.0, 0.0, "24 h a day", ("m3/h",)))
        found.append(Unit("Sm3/s", rate, DAY_S, 0.0, "86,400 s a day", ("m3/s",)))
    return found


UNITS: Final = (
    *_metric_volumes(),
    *_gas(),
    Unit("bbl", Dimension.LIQUID, BARREL_M3, 0.0, "Sodir", ("stb", "barrel", "barrels", "bbls")),
    Unit("Mbbl", Dimension.LIQUID, BARREL_M3 * 1e3, 0.0, "Sodir", ("mstb",)),
    Unit("MMbbl", Dimension.LIQUID, BARREL_M3 * 1e6, 0.0, "Sodir", ("mmstb",)),
    Unit(
        "bbl/d", Dimension.LIQUID_RATE, BARREL_M3, 0.0, "Sodir", ("stb/d", "bopd", "bwpd", "bpd", "bbl/day", "stb/day")
    ),
    Unit("L", Dimension.LIQUID, 1e-3, 0.0, "SI", ("litre", "liter")),
    Unit("s", Dimension.DURATION, 1.0, 0.0, "canonical", ("sec", "second", "seconds")),
    Unit("min", Dimension.DURATION, 60.0, 0.0, "SI", ("minute", "minutes", "mins")),
    Unit("h", Dimension.DURATION, 3_600.0, 0.0, "SI", ("hr", "hrs", "hour", "hours")),
    Unit("d", Dimension.DURATION, DAY_S, 0.0, "24 hours, whatever the clock did", ("day", "days")),
    Unit("bar", Dimension.PRESSURE, 1.0, 0.0, _AS_IT_STANDS, ("bara", "bar a", "bar(a)")),
    Unit("barg", Dimension.PRESSURE, 1.0, ATMOSPHERE_BAR, "1 atm above absolute", ("bar g", "bar(g)")),
    Unit("psi", Dimension.PRESSURE, PSI_BAR, 0.0, _AS_IT_STANDS, ("psia", "lbf/in2")),
    Unit("psig", Dimension.PRESSURE, PSI_BAR, ATMOSPHERE_BAR, "1 atm above absolute", ("psi g", "psi(g)")),
    Unit("Pa", Dimension.PRESSURE, 1e-5, 0.0, "SI", ("pascal",)),
    Unit("kPa", Dimension.PRESSURE, 1e-2, 0.0, "SI", ("kpaa",)),
    Unit("kPag", Dimension.PRESSURE, 1e-2, ATMOSPHERE_BAR, "1 atm above absolute", ("kpa(g)",)),
    Unit("MPa", Dimension.PRESSURE, 10.0, 0.0, "SI"),
    Unit("kgf/cm2", Dimension.PRESSURE, 0.980665, 0.0, "standard gravity", ("kg/cm2",)),
    Unit("degC", Dimension.TEMPERATURE, 1.0, 0.0, "canonical", ("c", "°c", "celsius", "deg c")),
    Unit("degF", Dimension.TEMPERATURE, 1 / 1.8, -32 / 1.8, "definition", ("f", "°f", "fahrenheit", "deg f")),
    Unit("K", Dimension.TEMPERATURE, 1.0, -273.15, "definition", ("kelvin",)),
    Unit("%", Dimension.OPENING, 1.0, 0.0, "canonical", ("pct", "percent", "per cent")),
    Unit("fraction", Dimension.OPENING, 100.0, 0.0, "definition", ("frac", "0..1")),
    Unit("fraction", Dimension.SHARE, 1.0, 0.0, "canonical", ("frac", "0..1")),
    Unit("%", Dimension.SHARE, 0.01, 0.0, "definition", ("pct", "percent", "per cent")),
    Unit("Sm3/Sm3", Dimension.GAS_PER_LIQUID, 1.0, 0.0, "canonical", ("m3/m3",)),
    Unit("scf/bbl", Dimension.GAS_PER_LIQUID, _SCF / BARREL_M3, 0.0, _AT_SIXTY_DEGF, ("scf/stb", "cf/bbl")),
    Unit("Mscf/bbl", Dimension.GAS_PER_LIQUID, 1e3 * _SCF / BARREL_M3, 0.0, _AT_SIXTY_DEGF, ("mcf/bbl",)),
    Unit("Sm3/Sm3", Dimension.LIQUID_PER_GAS, 1.0, 0.0, "canonical", ("m3/m3",)),
    Unit("bbl/MMscf", Dimension.LIQUID_PER_GAS, BARREL_M3 / (1e6 * _SCF), 0.0, _AT_SIXTY_DEGF, ("stb/mmscf",)),
    Unit("Sm3/Sm3", Dimension.LIQUID_PER_LIQUID, 1.0, 0.0, "canonical", ("m3/m3",)),
    Unit("bbl/bbl", Dimension.LIQUID_PER_LIQUID, 1.0, 0.0, "same unit above and below", ("stb/stb",)),
)
"""All units. A unit can stand for two dimensions (Sm3, %); symbol and dimension together are unique.

A pressure without a or g is taken as it stands, since nothing says which it is: gauge must be written barg or psig."""

DIMENSIONS: Final[Mapping[str, Dimension]] = {
    "oil_sm3": Dimension.LIQUID,
    "gas_sm3": Dimension.GAS,
    "water_sm3": Dimension.LIQUID,
    "condensate_sm3": Dimension.LIQUID,
    "injected_water_sm3": Dimension.LIQUID,
    "injected_gas_sm3": Dimension.GAS,
    "on_stream_s": Dimension.DURATION,
    "wellhead_pressure_bar": Dimension.PRESSURE,
    "downhole_pressure_bar": Dimension.PRESSURE,
    "annulus_pressure_bar": Dimension.PRESSURE,
    "wellhead_temperature_degc": Dimension.TEMPERATURE,
    "downhole_temperature_degc": Dimension.TEMPERATURE,
    "choke_pct": Dimension.OPENING,
    "gas_lift_sm3_per_d": Dimension.GAS_RATE,
    "oil_sm3_per_d": Dimension.LIQUID_RATE,
    "gas_sm3_per_d": Dimension.GAS_RATE,
    "water_sm3_per_d": Dimension.LIQUID_RATE,
    "condensate_sm3_per_d": Dimension.LIQUID_RATE,
    "injected_water_sm3_per_d": Dimension.LIQUID_RATE,
    "injected_gas_sm3_per_d": Dimension.GAS_RATE,
    "liquid_sm3": Dimension.LIQUID,
    "liquid_sm3_per_d": Dimension.LIQUID_RATE,
    "oil_equivalent_sm3": Dimension.LIQUID,
    "oil_equivalent_sm3_per_d": Dimension.LIQUID_RATE,
    "water_cut": Dimension.SHARE,
    "uptime": Dimension.SHARE,
    "gor": Dimension.GAS_PER_LIQUID,
    "glr": Dimension.GAS_PER_LIQUID,
    "wor": Dimension.LIQUID_PER_LIQUID,
    "condensate_yield": Dimension.LIQUID_PER_GAS,
}
"""Dimension of every quantity column of a record, of the rate of every volume, and of the derived quantities."""

_METRIC: Final = {
    Dimension.LIQUID: "Sm3",
    Dimension.GAS: "Sm3",
    Dimension.LIQUID_RATE: "Sm3/d",
    Dimension.GAS_RATE: "Sm3/d",
    Dimension.DURATION: "s",
    Dimension.PRESSURE: "bar",
    Dimension.TEMPERATURE: "degC",
    Dimension.OPENING: "%",
    Dimension.SHARE: "fraction",
    Dimension.GAS_PER_LIQUID: "Sm3/Sm3",
    Dimension.LIQUID_PER_GAS: "Sm3/Sm3",
    Dimension.LIQUID_PER_LIQUID: "Sm3/Sm3",
}
_FIELD: Final = {
    Dimension.LIQUID: "bbl",
    Dimension.GAS: "Mscf",
    Dimension.LIQUID_RATE: "bbl/d",
    Dimension.GAS_RATE: "Mscf/d",
    Dimension.DURATION: "h",
    Dimension.PRESSURE: "psi",
    Dimension.TEMPERATURE: "degF",
    Dimension.OPENING: "%",
    Dimension.SHARE: "fraction",
    Dimension.GAS_PER_LIQUID: "scf/bbl",
    Dimension.LIQUID_PER_GAS: "bbl/MMscf",
    Dimension.LIQUID_PER_LIQUID: "bbl/bbl",
}
SYSTEMS: Final[Mapping[str, Mapping[str, str]]] = {
    "metric": {column: _METRIC[dimension] for column, dimension in DIMENSIONS.items()},
    "field": {column: _FIELD[dimension] for column, dimension in DIMENSIONS.items()},
}
"""Unit symbol per column in each unit system; metric is canonical throughout."""

_EXACT: Final = {(unit.symbol, unit.dimension): unit for unit in UNITS}
_LOOSE: Final = {
    (name.casefold(), unit.dimension): unit
    for unit in UNITS
    if not unit.symbol.startswith("MSm3")
    for name in (unit.symbol, *unit.names)
}
"""Without case, but for the million of MSm3: in lower case its m could mean a thousand."""


def unit_of(column: str, name: str) -> Unit:
    """The unit of a column's dimension that goes by this name: a symbol, or another name of it in any case.

    Raises:
        InputRefused: the column measures nothing, or its dimension has no unit of that name; all allowed are named.
    """
    dimension = DIMENSIONS.get(column)
    if dimension is None:
        message = f"{column!r} is not a quantity; one of {', '.join(DIMENSIONS)} is"
        raise InputRefused(message)
    written = name.strip().replace("³", "3")
    found = _EXACT.get((written, dimension)) or _LOOSE.get((written.casefold(), dimension))
    if found is None:
        message = f"{name!r} is not a unit of {column} ({dimension}); one of {', '.join(units_of(column))} is"
        raise InputRefused(message)
    return found


def units_of(column: str) -> tuple[str, ...]:
    """The symbols that a column can be given or shown in, canonical first."""
    return tuple(unit.symbol for unit in UNITS if unit.dimension is DIMENSIONS[column])


def to_canonical(column: str, unit: str) -> tuple[float, float]:
    """(factor, offset) with canonical = value * factor + offset.

    Raises:
        InputRefused: as for `unit_of`.
    """
    found = unit_of(column, unit)
    return found.factor, found.offset


def from_canonical(column: str, unit: str) -> tuple[float, float]:
    """(factor, offset) with value = canonical * factor + offset.

    Raises:
        InputRefused: as for `unit_of`.
    """
    found = unit_of(column, unit)
    return 1.0 / found.factor, -found.offset / found.factor


def choke_pct_per_64th(fully_open_64ths: float) -> float:
    """Per cent of opening for each 1/64 in of a choke's bean, which says nothing before its largest is known.

    Raises:
        InputRefused: the largest bean is not a positive number.
    """
    if not 0 < fully_open_64ths < float("inf"):
        message = f"a choke is fully open at {fully_open_64ths}/64 in, but it must be a positive number"
        raise InputRefused(message)
    return 100.0 / fully_open_64ths


class _Arithmetic(Protocol):
    def __add__(self, other: Any, /) -> Any: ...
    def __truediv__(self, other: Any, /) -> Any: ...


Amount = TypeVar("Amount", bound=_Arithmetic)


@dataclass(frozen=True, slots=True)
class OilEquivalent:
    """A convention for adding gas to oil, which must be named wherever its sums are shown.

    ``gas_sm3_per_sm3`` is how much gas counts as 1 Sm3 of oil; ``unit`` is what people read the sum in, and
    ``unit_sm3`` how many Sm3 of oil equivalent that is.
    """

    name: str
    label: str
    unit: str
    unit_sm3: float
    gas_sm3_per_sm3: float

    def sm3(self, oil_sm3: Amount, gas_sm3: Amount) -> Amount:
        """Sm3 of oil equivalent, from oil (with condensate) and gas; of numbers, arrays, series or expressions."""
        return cast("Amount", oil_sm3 + gas_sm3 / self.gas_sm3_per_sm3)

    def units(self, oil_sm3: Amount, gas_sm3: Amount) -> Amount:
        """The same in ``unit``."""
        return cast("Amount", self.sm3(oil_sm3, gas_sm3) / self.unit_sm3)


NORWEGIAN: Final = OilEquivalent("norwegian", "1,000 Sm3 gas = 1 Sm3 o.e.", "Sm3 o.e.", 1.0, 1_000.0)
"""Sodir: 1 Sm3 of oil or condensate is 1 Sm3 o.e. As gas per barrel this is 5.6 Mscf: not the field's number."""

FIELD_BOE: Final = OilEquivalent("boe", "6 Mscf = 1 bbl", "BOE", BARREL_M3, 6e3 * _SCF / BARREL_M3)
"""6 Mscf at 60 degF and 14.696 psia count as 1 bbl: 1,066.6 Sm3 of gas as 1 Sm3 of oil."""

OIL_EQUIVALENTS: Final[Mapping[str, OilEquivalent]] = {one.name: one for one in (NORWEGIAN, FIELD_BOE)}
SYSTEM_EQUIVALENT: Final[Mapping[str, OilEquivalent]] = {"metric": NORWEGIAN, "field": FIELD_BOE}
