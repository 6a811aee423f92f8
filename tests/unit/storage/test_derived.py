"""Calculated tags: what people compute by hand, and the laws that hold for every history."""

import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.domain import units
from storage.domain.derived import METRICS, Nature, needed, shown, unit, value, with_measured
from storage.domain.record import QUANTITY_COLUMNS
from storage.domain.units import FIELD_BOE, NORWEGIAN

VOLUMES = ("oil_sm3", "gas_sm3", "water_sm3", "condensate_sm3")
COLUMNS = ("seconds", *QUANTITY_COLUMNS, "on_stream_s_measured_s")


def frame(*rows: dict[str, float | None]) -> pl.DataFrame:
    schema = dict.fromkeys(COLUMNS, pl.Float64)
    return pl.DataFrame([{"seconds": 86_400.0} | row for row in rows], schema=schema)


def of(name: str, **row: float | None) -> float | None:
    found: float | None = frame(row).select(value(METRICS[name]))[name][0]
    return found


def test_every_metric_has_a_unit_in_every_system_and_is_made_of_columns() -> None:
    for metric in METRICS.values():
        assert set(metric.needs) <= set(COLUMNS), metric.name
        for system in units.SYSTEMS:
            assert unit(metric, system)
        assert metric.formula
    assert set(QUANTITY_COLUMNS) <= {metric.column for metric in METRICS.values()}


def test_ratios_are_what_a_hand_computes() -> None:
    row = {"oil_sm3": 80.0, "water_sm3": 20.0, "gas_sm3": 8_000.0, "condensate_sm3": 4.0}
    assert of("water_cut", **row) == 0.2
    assert of("gor", **row) == 100.0
    assert of("wor", **row) == 0.25
    assert of("glr", **row) == 80.0
    assert of("condensate_yield", **row) == 0.0005
    assert of("liquid", **row) == 100.0
    assert of("oil_equivalent", **row) == 92.0
    assert of("uptime", on_stream_s=43_200.0, on_stream_s_measured_s=86_400.0) == 0.5


def test_calendar_day_and_producing_day_rates_differ_by_the_time_on_stream() -> None:
    row = {"seconds": 90_000.0, "oil_sm3": 25.0, "on_stream_s": 45_000.0}
    assert of("oil_rate", **row) == pytest.approx(24.0)
    assert of("oil_producing_rate", **row) == pytest.approx(48.0)


@pytest.mark.parametrize("name", ["gor", "wor", "water_cut", "glr", "condensate_yield", "uptime", "oil_producing_rate"])
def test_a_ratio_to_nothing_is_undefined_not_zero_nor_infinite(name: str) -> None:
    zeros = dict.fromkeys((*VOLUMES, "on_stream_s", "on_stream_s_measured_s"), 0.0)
    assert of(name, **zeros) is None
    above = {column: 5.0 for column in METRICS[name].over if column not in METRICS[name].under}
    assert of(name, **zeros | above) is None


def test_what_was_not_measured_makes_a_ratio_unknown_and_oil_equivalent_takes_what_there_is() -> None:
    assert of("water_cut", oil_sm3=10.0) is None
    assert of("liquid", oil_sm3=10.0) is None
    assert of("oil_equivalent", oil_sm3=10.0) == 10.0
    assert of("oil_equivalent", gas_sm3=1_000.0) == 1.0
    assert of("oil_equivalent", injected_water_sm3=10.0) is None


def test_oil_equivalent_follows_the_basis_that_it_is_asked_in() -> None:
    row = frame({"oil_sm3": 10.0, "gas_sm3": 5_000.0})
    metric = METRICS["oil_equivalent"]
    assert row.select(value(metric, NORWEGIAN))["oil_equivalent"][0] == NORWEGIAN.sm3(10.0, 5_000.0)
    assert row.select(value(metric, FIELD_BOE))["oil_equivalent"][0] == FIELD_BOE.sm3(10.0, 5_000.0)


def test_field_units_are_those_of_the_table() -> None:
    made = frame({"oil_sm3": units.BARREL_M3, "downhole_temperature_degc": 100.0}).select(
        value(METRICS["oil"]), value(METRICS["downhole_temperature"])
    )
    assert made.select(shown(METRICS["oil"], "field"))["oil"][0] == pytest.approx(1.0)
    assert made.select(shown(METRICS["downhole_temperature"], "field"))[:, 0][0] == pytest.approx(212.0)
    assert made.select(shown(METRICS["oil"], "metric")).equals(made.select("oil"))


def test_records_get_the_seconds_in_which_on_stream_time_was_measured() -> None:
    rows = frame({"on_stream_s": 5.0, "seconds": 10.0}, {"seconds": 10.0}).drop("on_stream_s_measured_s")
    assert with_measured(rows)["on_stream_s_measured_s"].to_list() == [10.0, None]


def test_needed_columns_come_once_and_without_the_seconds_that_every_frame_has() -> None:
    assert needed([METRICS["water_cut"], METRICS["oil_rate"]]) == ("water_sm3", "oil_sm3")


amounts = st.none() | st.just(0.0) | st.floats(0, 1e9)
rows = st.lists(
    st.fixed_dictionaries(dict.fromkeys((*VOLUMES, "on_stream_s", "on_stream_s_measured_s"), amounts)),
    min_size=1,
    max_size=8,
)


@given(rows)
def test_no_metric_is_ever_infinite_or_not_a_number(made: list[dict[str, float | None]]) -> None:
    shown_all = frame(*made).select(value(metric) for metric in METRICS.values())
    for series in shown_all:
        assert all(math.isfinite(one) for one in series.drop_nulls())


@given(rows)
def test_a_ratio_of_sums_lies_between_the_ratios_of_its_parts(made: list[dict[str, float | None]]) -> None:
    whole = [{name: amount or 0.0 for name, amount in one.items()} for one in made]
    summed = {name: math.fsum(one[name] for one in whole) for name in whole[0]}
    for name in ("water_cut", "gor", "wor", "glr"):
        parts = frame(*whole).select(value(METRICS[name]))[name].drop_nulls()
        total = of(name, **summed)
        metric = METRICS[name]
        if total is None or any(
            sum(one[c] for c in metric.under) == 0 < sum(one[c] for c in metric.over) for one in whole
        ):
            continue
        assert float(parts.min()) * (1 - 1e-9) <= total <= float(parts.max()) * (1 + 1e-9)  # type: ignore[arg-type]


@given(rows)
def test_volumes_and_oil_equivalent_of_a_sum_are_the_sum_of_the_parts(made: list[dict[str, float | None]]) -> None:
    whole = [{name: amount or 0.0 for name, amount in one.items()} for one in made]
    summed = {name: math.fsum(one[name] for one in whole) for name in whole[0]}
    for metric in METRICS.values():
        if metric.nature is Nature.VOLUME and set(metric.needs) <= set(summed):
            parts = frame(*whole).select(value(metric))[metric.name]
            assert of(metric.name, **summed) == pytest.approx(math.fsum(parts), rel=1e-9)
