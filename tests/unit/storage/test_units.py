"""Units there and back: factors of the books, and the laws of linear conversions."""

import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.domain.errors import InputRefused
from storage.domain.record import QUANTITIES, QUANTITY_COLUMNS, Kind, rate_per_day
from storage.domain.units import (
    DIMENSIONS,
    FIELD_BOE,
    NORWEGIAN,
    SYSTEM_EQUIVALENT,
    SYSTEMS,
    UNITS,
    choke_pct_per_64th,
    from_canonical,
    scf_sm3,
    to_canonical,
    unit_of,
    units_of,
)

PAIRS = [(column, unit) for column in DIMENSIONS for unit in units_of(column)]
pairs = st.sampled_from(PAIRS)
numbers = st.floats(-1e9, 1e9, allow_subnormal=False)


def canonical(column: str, unit: str, value: float) -> float:
    factor, offset = to_canonical(column, unit)
    return value * factor + offset


def shown(column: str, unit: str, value: float) -> float:
    factor, offset = from_canonical(column, unit)
    return value * factor + offset


@given(pairs, numbers)
def test_there_and_back_is_the_same_value(pair: tuple[str, str], value: float) -> None:
    assert math.isclose(shown(*pair, canonical(*pair, value)), value, rel_tol=1e-9, abs_tol=1e-6)


@given(pairs, numbers, numbers)
def test_volumes_and_times_add_up_in_every_unit(pair: tuple[str, str], one: float, other: float) -> None:
    if to_canonical(*pair)[1] != 0:
        return
    parts = canonical(*pair, one) + canonical(*pair, other)
    assert math.isclose(parts, canonical(*pair, one + other), rel_tol=1e-9, abs_tol=1e-6 * abs(to_canonical(*pair)[0]))


@given(pairs, numbers, numbers)
def test_order_stays(pair: tuple[str, str], one: float, other: float) -> None:
    if one < other:
        assert canonical(*pair, one) <= canonical(*pair, other)


@pytest.mark.parametrize(
    ("column", "unit", "value", "expected"),
    [
        ("oil_sm3", "STB", 1.0, 0.158987295),
        ("water_sm3", "bbl", 6.28981, 1.0),
        ("gas_sm3", "Mscf", 35.383, 1000.0),
        ("gas_sm3", "MCF@14.65", 35.494, 1000.0),
        ("gas_sm3", "Mcf@14.73", 35.301, 1000.0),
        ("gas_sm3", "MMscf", 1.0, 28_262.3),
        ("injected_gas_sm3", "MSm3", 2.0, 2e6),
        ("wellhead_pressure_bar", "psi", 1.0, 0.0689476),
        ("wellhead_pressure_bar", "psig", 0.0, 1.01325),
        ("wellhead_pressure_bar", "psia", 14.696, 1.01325),
        ("downhole_pressure_bar", "kPa", 250.0, 2.5),
        ("downhole_pressure_bar", "Pa", 1e5, 1.0),
        ("annulus_pressure_bar", "barg", 1.0, 2.01325),
        ("wellhead_temperature_degc", "degF", 212.0, 100.0),
        ("wellhead_temperature_degc", "K", 273.15, 0.0),
        ("on_stream_s", "hours", 25.0, 90_000.0),
        ("on_stream_s", "days", 31.0, 2_678_400.0),
        ("choke_pct", "fraction", 0.5, 50.0),
        ("gas_lift_sm3_per_d", "m3/s", 1.0, 86_400.0),
        ("oil_sm3_per_d", "BOPD", 1_000.0, 158.987295),
        ("gor", "scf/STB", 1.0, 0.1781),
        ("condensate_yield", "bbl/MMscf", 1.0, 0.158987295 / 28_262.3),
    ],
)
def test_factors_are_those_of_the_books(column: str, unit: str, value: float, expected: float) -> None:
    assert math.isclose(
        canonical(column, unit, value), expected, rel_tol=2e-3 if column == "gor" else 2e-5, abs_tol=2e-5
    )


def test_the_base_of_gas_changes_its_volume() -> None:
    found = [1000 / scf_sm3(psia) for psia in (14.65, 14.696, 14.73)]
    assert [round(scf / 1000, 3) for scf in found] == [35.494, 35.383, 35.301]


def test_a_name_means_one_unit_of_its_dimension() -> None:
    meant: dict[tuple[str, str], set[str]] = {}
    for unit in UNITS:
        for name in {unit.symbol.casefold(), *(name.casefold() for name in unit.names)}:
            meant.setdefault((name, unit.dimension), set()).add(unit.symbol)
    assert [name for name, symbols in meant.items() if len(symbols) > 1] == []


def test_a_million_is_not_read_from_a_small_letter() -> None:
    assert unit_of("gas_sm3", "MSm3").factor == 1e6
    with pytest.raises(InputRefused, match="'msm3' is not a unit of gas_sm3"):
        unit_of("gas_sm3", "msm3")


@pytest.mark.parametrize(("column", "unit"), [("oil_sm3", "Mscf"), ("gas_sm3", "bbl"), ("choke_pct", "1/64 in")])
def test_a_unit_of_something_else_is_refused_with_those_allowed(column: str, unit: str) -> None:
    with pytest.raises(InputRefused, match=f"'{unit}' is not a unit of {column}") as caught:
        to_canonical(column, unit)
    assert all(symbol in str(caught.value) for symbol in units_of(column))


def test_what_measures_nothing_has_no_unit() -> None:
    with pytest.raises(InputRefused, match="'well' is not a quantity"):
        to_canonical("well", "bar")


def test_every_quantity_and_every_rate_has_a_unit_in_each_system() -> None:
    volumes = [quantity.column for quantity in QUANTITIES if quantity.kind is Kind.VOLUME]
    rates = [rate_per_day(column).meta.output_name() for column in volumes]
    for system in SYSTEMS.values():
        assert {*QUANTITY_COLUMNS, *rates} <= set(system)
        assert all(symbol in units_of(column) for column, symbol in system.items())


def test_the_metric_system_is_canonical() -> None:
    assert {to_canonical(column, unit) for column, unit in SYSTEMS["metric"].items()} == {(1.0, 0.0)}
    units = {quantity.column: quantity.unit for quantity in QUANTITIES}
    assert {column: SYSTEMS["metric"][column] for column in units} == units


def test_the_two_oil_equivalents_are_not_the_same_number() -> None:
    assert NORWEGIAN.units(100.0, 50_000.0) == 150.0
    assert math.isclose(FIELD_BOE.units(0.158987295, 6_000 * scf_sm3(14.696)), 2.0)
    per_barrel = NORWEGIAN.gas_sm3_per_sm3 * 0.158987295 / scf_sm3(14.696) / 1000
    assert round(per_barrel, 2) == 5.63
    assert SYSTEM_EQUIVALENT == {"metric": NORWEGIAN, "field": FIELD_BOE}


def test_oil_equivalents_are_of_columns_too() -> None:
    frame = pl.DataFrame({"oil": [1.0, None], "gas": [1_000.0, 1.0]})
    assert frame.select(NORWEGIAN.sm3(pl.col("oil"), pl.col("gas"))).to_series().to_list() == [2.0, None]


def test_a_choke_in_sixty_fourths_needs_its_largest_bean() -> None:
    assert 64 * choke_pct_per_64th(128) == 50.0
    with pytest.raises(InputRefused, match="positive"):
        choke_pct_per_64th(0)
