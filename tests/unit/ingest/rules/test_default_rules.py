"""Every rule says when it is broken, in which field, with which value."""

from typing import Any

import pytest

from ingest.parse import parsed_rows
from ingest.rules.document import default
from ingest.rules.rule import Severity
from ingest.verify import verified
from storage.domain.record import QUANTITIES, Verdict
from tests.unit.ingest.candidates import DAILY, KNOWN, LIVE, NOW

SPRING = {"start": "2026-03-28T06:00:00+01:00", "seconds": 82_800}
AUTUMN = {"start": "2025-10-25T06:00:00+02:00", "seconds": 90_000}


def refusals(row: dict[str, Any]) -> list[str]:
    refused = verified(parsed_rows([row], "test"), KNOWN, NOW).refused
    return [f"{reason.rule}-{reason.field}" for one in refused for reason in one.reasons]


def issues(row: dict[str, Any]) -> list[str]:
    records = verified(parsed_rows([row], "test"), KNOWN, NOW).records
    return list(records["issues"][0]) if records.height else ["refused"]


def test_codes_are_unique_and_fit_into_an_issue() -> None:
    codes = [rule.code for rule in default().rules]
    assert len(set(codes)) == len(codes)
    assert all(set(code) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-") for code in codes)


def test_only_suspect_rules_weigh_and_all_of_them_do() -> None:
    assert all((rule.weight > 0) is (rule.severity is Severity.SUSPECT) for rule in default().rules)
    assert all(0 <= rule.weight <= 1 for rule in default().rules)


@pytest.mark.parametrize("quantity", QUANTITIES, ids=lambda quantity: quantity.column)
def test_every_quantity_is_bounded_as_its_table_says(quantity: Any) -> None:
    if quantity.low is not None:
        assert f"below_low-{quantity.column}" in refusals(LIVE | {quantity.column: quantity.low - 0.001})
        assert not refusals(LIVE | {quantity.column: quantity.low})
    if quantity.high is not None:
        assert f"above_high-{quantity.column}" in refusals(LIVE | {quantity.column: quantity.high + 0.001})
        assert not refusals(LIVE | {quantity.column: quantity.high})


@pytest.mark.parametrize("value", [1e300, 1e-320, -1e-120])
def test_a_number_that_cannot_be_reckoned_with_is_refused(value: float) -> None:
    assert "not_finite-oil_sm3" in refusals(LIVE | {"oil_sm3": value})


@pytest.mark.parametrize("value", [0.0, -0.0, 1e-100, 1e15])
def test_numbers_at_the_edge_of_what_can_be_reckoned_with_are_kept(value: float) -> None:
    assert refusals(LIVE | {"oil_sm3": value}) == []


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("column", ["oil_sm3", "choke_pct", "quality"])
def test_a_number_that_is_not_finite_is_refused_for_that_alone(column: str, value: float) -> None:
    row = LIVE | {"verdict": "verified", column: value}
    assert refusals(row) == [f"not_finite-{column}"]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (LIVE | {"field": "nowhere", "well": "nowhere.a"}, "unknown_field-field"),
        (LIVE | {"well": "demo.zz"}, "unknown_well-well"),
        (LIVE | {"well": "other.b"}, "well_of_another_field-well"),
        (LIVE | {"seconds": 0}, "not_positive-seconds"),
        (LIVE | {"seconds": -60}, "not_positive-seconds"),
        (LIVE | {"seconds": 3_601}, "too_long_for_live-seconds"),
        (LIVE | {"start": "1899-12-31T23:59:59Z"}, "too_early-start"),
        (LIVE | {"start": "2026-06-02T12:00:01Z"}, "in_the_future-start"),
        (LIVE | {"on_stream_s": 62}, "on_stream_too_long-on_stream_s"),
        (DAILY | {"start": "2026-05-01T00:00:00+02:00"}, "not_a_production_day-seconds"),
        (DAILY | {"seconds": 90_000}, "not_a_production_day-seconds"),
        (DAILY | SPRING | {"seconds": 86_400}, "not_a_production_day-seconds"),
        (DAILY | AUTUMN | {"seconds": 86_400}, "not_a_production_day-seconds"),
        (DAILY | {"resolution": "monthly"}, "not_a_production_month-seconds"),
        (LIVE | {"quality": 0.5}, "trust_incomplete-verdict"),
        (LIVE | {"issues": []}, "trust_incomplete-verdict"),
        (LIVE | {"verdict": "quarantined"}, "refused_outside-verdict"),
        (LIVE | {"verdict": "suspect", "quality": 1.5}, "above_high-quality"),
    ],
)
def test_a_broken_rule_refuses_the_row(row: dict[str, Any], code: str) -> None:
    assert code in refusals(row)


@pytest.mark.parametrize(
    "row",
    [
        LIVE,
        LIVE | {"on_stream_s": 60.9},
        LIVE | {"start": "2026-06-02T12:00:00Z"},
        LIVE | {"seconds": 3_600},
        DAILY,
        DAILY | SPRING | {"on_stream_s": 82_800},
        DAILY | AUTUMN | {"on_stream_s": 90_000},
        DAILY | {"resolution": "monthly", "seconds": 31 * 86_400},
        DAILY | {"start": "2026-03-01T06:00:00+01:00", "resolution": "monthly", "seconds": 31 * 86_400 - 3_600},
    ],
)
def test_what_is_possible_is_verified(row: dict[str, Any]) -> None:
    assert refusals(row) == []
    assert issues(row) == []


def test_twenty_five_hours_are_too_long_for_any_day_but_that_of_autumn() -> None:
    assert refusals(DAILY | {"on_stream_s": 90_000}) == ["on_stream_too_long-on_stream_s"]


def test_a_nominal_day_on_the_day_of_spring_is_suspect() -> None:
    row = DAILY | SPRING | {"on_stream_s": 86_400}
    assert refusals(row) == []
    assert issues(row) == ["on_stream_of_nominal_day-on_stream_s"]
    assert refusals(row | {"on_stream_s": 86_402}) == ["on_stream_too_long-on_stream_s"]


def test_a_volume_without_hours_is_suspect() -> None:
    assert issues(LIVE | {"on_stream_s": 0}) == ["volume_without_hours-oil_sm3"]
    assert issues(LIVE | {"on_stream_s": 0, "oil_sm3": 0}) == []
    assert issues(LIVE | {"on_stream_s": None}) == []


def test_a_row_that_measured_nothing_is_suspect_and_of_no_quality() -> None:
    row = {name: value for name, value in LIVE.items() if name not in ("oil_sm3", "on_stream_s")}
    records = verified(parsed_rows([row], "test"), KNOWN, NOW).records
    assert records.select("verdict", "quality").row(0) == (Verdict.SUSPECT, 0.0)


def test_a_reason_names_field_value_and_rule() -> None:
    (row,) = verified(parsed_rows([LIVE | {"water_sm3": -457.84}], "test"), KNOWN, NOW).refused
    (reason,) = row.reasons
    assert (reason.rule, reason.field, reason.value) == ("below_low", "water_sm3", -457.84)
    assert reason.message == "water_sm3 is -457.84 Sm3, below the lowest possible 0 Sm3 (rule below_low)"
