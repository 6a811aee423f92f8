"""Verification gives every row its verdict, and every row one verdict."""

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.parse import Batch, framed
from ingest.rules.document import default, parsed
from ingest.rules.rule import Known
from ingest.sources.simulator import FIELD, Simulator
from ingest.verify import VERIFIED_COLUMNS, Past, begun, verified
from storage.domain.record import QUANTITY_COLUMNS, RECORD_SCHEMA, TRUST_COLUMNS
from storage.tails import STORED_SCHEMA
from tests.unit.ingest.candidates import DAILY, KNOWN, LIVE, NOW, batch


def only(row: dict[str, Any]) -> dict[str, Any]:
    return verified(batch(row), KNOWN, NOW).records.row(0, named=True)


def test_records_have_the_schema_that_storage_takes() -> None:
    records = verified(batch(LIVE, DAILY), KNOWN, NOW).records
    assert records.columns == list(VERIFIED_COLUMNS)
    assert records.select(list(RECORD_SCHEMA)).schema == RECORD_SCHEMA
    assert records.select("verdict", "quality", "issues", "audit_id").null_count().row(0) == (0, 0, 0, 0)


def test_an_empty_batch_has_the_same_schema() -> None:
    assert verified(batch(), KNOWN, NOW).records.schema == verified(batch(LIVE), KNOWN, NOW).records.schema


def test_a_row_without_issues_is_verified_with_full_quality() -> None:
    row = only(LIVE)
    assert [row[name] for name in TRUST_COLUMNS] == ["verified", 1.0, []]
    assert row["audit_id"] == default().audit_id


def test_quality_is_the_product_over_the_issues_and_issues_are_sorted() -> None:
    row = only(LIVE | {"on_stream_s": 0, "water_sm3": 1.0})
    assert row["issues"] == ["volume_without_hours-oil_sm3", "volume_without_hours-water_sm3"]
    assert row["quality"] == pytest.approx(0.7 * 0.7)
    assert row["verdict"] == "suspect"


def test_an_outside_verdict_is_kept_as_it_came() -> None:
    outside = {"verdict": "verified", "quality": 0.9, "issues": ["b", "a"], "audit_id": "run-7"}
    row = only(LIVE | {"on_stream_s": 0} | outside)
    assert [row[name] for name in (*TRUST_COLUMNS, "audit_id")] == ["verified", 0.9, ["a", "b"], "run-7"]


@pytest.mark.parametrize(("verdict", "quality"), [("verified", 1.0), ("suspect", 0.5)])
def test_an_outside_verdict_without_a_score_gets_a_plain_one(verdict: str, quality: float) -> None:
    row = only(LIVE | {"verdict": verdict})
    assert (row["quality"], row["issues"], row["audit_id"]) == (quality, [], None)


def test_an_outside_verdict_does_not_pass_an_impossible_row() -> None:
    refused = verified(batch(LIVE | {"verdict": "verified", "oil_sm3": -1}), KNOWN, NOW).refused
    assert [reason.rule for reason in refused[0].reasons] == ["below_low"]


def test_a_withdrawn_row_keeps_its_word_and_has_no_quality() -> None:
    taken = {name: LIVE[name] for name in ("field", "well", "start", "seconds", "resolution")}
    row = only(taken | {"verdict": "withdrawn", "quality": 0.8, "issues": ["wrong_well"], "audit_id": "run-8"})
    assert [row[name] for name in (*TRUST_COLUMNS, "audit_id")] == ["withdrawn", 0.0, ["wrong_well"], "run-8"]
    assert all(row[name] is None for name in QUANTITY_COLUMNS)


def test_a_withdrawn_row_with_quantities_contradicts_itself() -> None:
    (row,) = verified(batch(LIVE | {"verdict": "withdrawn"}), KNOWN, NOW).refused
    assert [reason.rule for reason in row.reasons] == ["withdrawn_has_values"]
    assert "oil_sm3 is 1 and 1 more are given" in row.reasons[0].message


def test_an_audit_id_that_came_without_a_verdict_is_kept_beside_the_rules() -> None:
    assert only(LIVE | {"audit_id": "batch-4"})["audit_id"] == f"batch-4 {default().audit_id}"


def test_what_may_be_broken_can_be_overridden_and_makes_the_row_suspect() -> None:
    offered = batch(LIVE | {"oil_sm3": -1, "choke_pct": 500}, LIVE)
    rows = verified(offered, KNOWN, NOW, override=True).records.select(TRUST_COLUMNS).rows()
    assert rows == [("suspect", 0.25, ["above_high-choke_pct", "below_low-oil_sm3"]), ("verified", 1.0, [])]


def test_an_outside_verdict_on_an_overridden_row_is_no_better_than_suspect() -> None:
    outside = {"verdict": "verified", "quality": 0.8, "issues": ["drift"]}
    offered = batch(LIVE | outside | {"oil_sm3": -1}, LIVE | outside)
    rows = verified(offered, KNOWN, NOW, override=True).records.select(TRUST_COLUMNS).rows()
    assert rows == [("suspect", 0.4, ["below_low-oil_sm3", "drift"]), ("verified", 0.8, ["drift"])]


def test_what_is_indispensable_cannot_be_overridden() -> None:
    (row,) = verified(batch(LIVE | {"oil_sm3": -1, "seconds": 0}), KNOWN, NOW, override=True).refused
    assert [reason.rule for reason in row.reasons] == ["not_positive"]


def test_a_refusal_brings_what_was_read_of_the_row() -> None:
    (row,) = verified(batch(LIVE | {"oil_sm3": -1}), KNOWN, NOW).refused
    assert row.whole
    assert row.read == {
        "field": "demo", "well": "demo.a", "start": "2026-05-01T00:00:00+00:00", "seconds": 60, "resolution": "live",
        "oil_sm3": -1.0, "on_stream_s": 60.0, "source": "test",
    }  # fmt: skip
    (row,) = verified(batch(LIVE | {"oil_sm3": "much"}), KNOWN, NOW).refused
    assert (row.whole, (row.read or {}).get("oil_sm3")) == (False, None)


STORED = {"well": "demo.a", "seconds": 60, "resolution": "live", **dict.fromkeys(QUANTITY_COLUMNS)}


@pytest.mark.parametrize(
    ("stored", "issues"),
    [
        ({}, ["jump-oil_sm3"]),
        ({"oil_sm3": 2.0}, []),
        ({"audit_id": "rules-1-0123456789ab"}, []),
        ({"issues": ["below_low-oil_sm3"]}, []),
    ],
)
def test_what_was_said_of_the_same_row_by_the_same_rules_holds(stored: dict[str, Any], issues: list[str]) -> None:
    offered = batch(LIVE)
    fine = {"oil_sm3": 1.0, "on_stream_s": 60.0, "issues": ["jump-oil_sm3"], "audit_id": default().audit_id}
    row = {**STORED, "start": offered.candidates["start"][0], **fine, **stored}
    past = Past(begun(default(), offered.candidates), pl.DataFrame([row], schema=STORED_SCHEMA))
    assert verified(offered, KNOWN, NOW, past=past).records["issues"].to_list() == [issues]


def test_all_broken_rules_of_a_row_are_told() -> None:
    (row,) = verified(batch(LIVE | {"oil_sm3": -1, "choke_pct": 500}), KNOWN, NOW).refused
    assert [(reason.rule, reason.field) for reason in row.reasons] == [
        ("below_low", "oil_sm3"), ("above_high", "choke_pct")
    ]  # fmt: skip
    assert row.raw == LIVE | {"oil_sm3": -1, "choke_pct": 500}
    assert (row.source, row.place, row.field) == ("test", "index 0", "demo")


def test_rows_of_parsing_and_of_rules_are_refused_in_order() -> None:
    rows = verified(batch(LIVE | {"oil_sm3": -1}, LIVE, {}, LIVE | {"seconds": 0}), KNOWN, NOW)
    assert [row.index for row in rows.refused] == [0, 2, 3]
    assert rows.records["index"].to_list() == [1]


def test_a_reading_that_its_source_denies_is_an_issue() -> None:
    offered = batch(LIVE)
    noted = pl.lit(["no_reading-downhole_pressure_bar"])
    row = verified(Batch("test", offered.candidates.with_columns(noted=noted), offered.raw), KNOWN, NOW).records
    assert row.select("verdict", "quality").row(0) == ("suspect", 0.9)
    assert row["issues"].to_list() == [["no_reading-downhole_pressure_bar"]]


def test_rules_can_be_given() -> None:
    rules = parsed(
        """
        version: site.1
        extends: default
        rules:
          - {id: odd, kind: range, columns: [oil_sm3], high: 0.5, severity: suspect, weight: 0.25, explanation: odd}
        """,
        "site.yaml",
    )
    row = verified(batch(LIVE), KNOWN, NOW, rules).records.row(0, named=True)
    assert (row["issues"], row["quality"]) == (["odd-oil_sm3"], 0.75)
    assert row["audit_id"] == f"rules-site.1-{rules.digest}"


def test_unordered_candidates_come_out_in_order() -> None:
    offered = batch(LIVE, LIVE, LIVE)
    shuffled = Batch("test", offered.candidates.reverse(), offered.raw)
    assert verified(shuffled, KNOWN, NOW).records["index"].to_list() == [0, 1, 2]


NUMBERS = st.none() | st.floats() | st.sampled_from([0.0, -1.0, 1.0, 60.0, 1e9])
CHANGES = st.dictionaries(st.sampled_from(QUANTITY_COLUMNS), NUMBERS, max_size=4)
TRUST = st.sampled_from([{}, {"verdict": "verified"}, {"verdict": "suspect", "quality": 0.3}, {"quality": 2.0}])
TIMES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)).map(lambda at: {"start": at.isoformat() + "Z"})  # noqa: DTZ001
ROWS = st.lists(
    st.builds(lambda *parts: {key: value for part in parts for key, value in part.items()},
              st.sampled_from([LIVE, DAILY]), CHANGES, TRUST, st.just({}) | TIMES),
    max_size=8,
)  # fmt: skip


@given(ROWS)
def test_every_row_is_accounted_for_exactly_once(rows: list[dict[str, Any]]) -> None:
    judged = verified(batch(*rows), KNOWN, NOW)
    found = [*judged.records["index"], *(row.index for row in judged.refused)]
    assert sorted(found) == list(range(len(rows)))


@given(ROWS)
def test_full_quality_and_no_issues_mean_the_same_for_rows_judged_here(rows: list[dict[str, Any]]) -> None:
    own = verified(batch(*rows), KNOWN, NOW).records.filter(pl.col("audit_id") == default().audit_id)
    for verdict, quality, issues in own.select(TRUST_COLUMNS).iter_rows():
        assert (verdict == "verified") is (quality == 1.0) is (issues == [])
        assert 0 <= quality <= 1
        assert issues == sorted(set(issues))


def test_the_demonstration_field_is_verified_but_for_its_frozen_gauge() -> None:
    simulator = Simulator()
    known = Known({FIELD.id: FIELD}, frozenset(well.id for well in simulator.wells()))
    days = [datetime(2026, 3, day, tzinfo=UTC).date() for day in range(1, 32)]
    now = datetime(2026, 5, 1, tzinfo=UTC)
    judged = verified(framed("simulator", simulator.daily(days)), known, now)
    assert judged.refused == ()
    suspect = judged.records.filter(pl.col("verdict") != "verified").select("well", pl.col("issues").list.join(" "))
    assert suspect.unique().rows() == [("demo.d-5", "frozen_day-downhole_pressure_bar")]
