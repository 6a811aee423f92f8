"""Kinds of rules about a row's numbers that the shipped rules do not show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.rules.rule import RuleSet
from ingest.verify import verified
from tests.unit.ingest.candidates import DAILY, KNOWN, NOW, batch
from tests.unit.ingest.rules.documents import extending, issues

CUT = extending("id: cut, kind: water_cut, low: 0.1, high: 0.9, least_sm3_per_d: 1")
GOR = extending("id: gor, kind: gor, high: 300")
MONTH = extending("id: days, kind: days_against_month", without="[on_stream_too_long]")


@pytest.mark.parametrize(
    ("oil", "water", "broken"),
    [(1, 9, False), (1, 9.1, True), (9, 0.9, True), (0, 1, True), (0, 0, False), (None, 9, False), (1, None, False)],
)
def test_a_water_cut_is_a_ratio_of_volumes(oil: float, water: float, broken: bool) -> None:
    assert issues(CUT, {"oil_sm3": oil, "water_sm3": water}) == [["cut-water_sm3"] if broken else []]


def test_a_water_cut_says_by_how_much() -> None:
    rule = CUT.by_code["cut-water_sm3"]
    told = rule.told({"oil_sm3": 1.0, "water_sm3": 99.0})
    assert (
        told
        == "water_sm3 is 99 Sm3, which makes 0.99 of the liquid as water, above 0.9 of the liquid as water (rule cut)"
    )


def test_a_ratio_over_next_to_nothing_says_nothing() -> None:
    assert issues(GOR, {"oil_sm3": 0.0005, "gas_sm3": 10}) == [[]]
    assert issues(GOR, {"oil_sm3": 0.001, "gas_sm3": 10}) == [["gor-gas_sm3"]]
    assert issues(GOR, {"oil_sm3": 0.0, "gas_sm3": 10}) == [[]]


@given(st.floats(0.01, 1e6), st.floats(0.01, 1e6), st.floats(1, 1e3))
def test_a_ratio_does_not_change_with_the_size_of_both(oil: float, gas: float, by: float) -> None:
    ratio = gas / oil
    if abs(ratio / 300 - 1) > 1e-9:
        one, other = issues(GOR, {"oil_sm3": oil, "gas_sm3": gas}, {"oil_sm3": oil * by, "gas_sm3": gas * by})
        assert one == other == (["gor-gas_sm3"] if ratio > 300 else [])


def test_days_of_a_month_are_counted_against_that_month() -> None:
    def month(start: str, days: float, hours: int = 0) -> dict[str, object]:
        seconds = int(days * 86_400) + hours * 3_600
        return {"start": start, "seconds": seconds, "resolution": "monthly"}

    february = month("2026-02-01T06:00:00+01:00", 28)
    march = month("2026-03-01T06:00:00+01:00", 31, -1)
    assert issues(MONTH, {**february, "on_stream_s": 28 * 86_400}) == [[]]
    assert issues(MONTH, {**february, "on_stream_s": 29 * 86_400}) == [["days-on_stream_s"]]
    assert issues(MONTH, {**march, "on_stream_s": 31 * 86_400}) == [[]], "31 nominal days, though an hour is missing"


def test_completeness_asks_only_the_wells_it_applies_to() -> None:
    def rules(purpose: str) -> RuleSet:
        return extending(f"id: gap, kind: completeness, columns: [gas_sm3], applies_to: {{purpose: [{purpose}]}}")

    assert issues(rules("producer"), {}) == [["gap-gas_sm3"]]
    assert issues(rules("producer"), {"gas_sm3": 0}) == [[]]
    assert issues(rules("injector"), {}) == [[]]


def test_a_zero_that_is_no_reading_counts_as_not_measured() -> None:
    offered = batch(DAILY | {"downhole_pressure_bar": 0, "downhole_temperature_degc": 90.0})
    row = verified(offered, KNOWN, NOW).records.row(0, named=True)
    assert (row["downhole_pressure_bar"], row["downhole_temperature_degc"]) == (None, 90.0)
    assert (row["issues"], row["quality"]) == (["zero_reading-downhole_pressure_bar"], 0.9)


def test_an_outside_verdict_keeps_a_zero_as_it_came() -> None:
    offered = batch(DAILY | {"downhole_pressure_bar": 0, "verdict": "verified"})
    row = verified(offered, KNOWN, NOW).records.row(0, named=True)
    assert (row["downhole_pressure_bar"], row["issues"]) == (0.0, [])


def test_a_row_whose_only_reading_was_none_measured_nothing() -> None:
    row = {name: value for name, value in DAILY.items() if name not in ("oil_sm3", "on_stream_s")}
    records = verified(batch(row | {"downhole_pressure_bar": 0}), KNOWN, NOW).records
    assert records["issues"].to_list() == [["nothing_measured-well", "zero_reading-downhole_pressure_bar"]]
    assert records["quality"].to_list() == [0.0]
