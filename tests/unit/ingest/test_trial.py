"""Rules tried on a source: the report counts every row, and tells what other rules would change."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ingest.parse import Source, parsed_rows
from ingest.rules.document import default
from ingest.trial import EXAMPLES, compared, known_of, report, tried
from storage.domain.well import Well
from tests.unit.ingest.candidates import LIVE, NOW, OSLO
from tests.unit.ingest.rules.documents import extending


def source(*rows: dict[str, Any]) -> Source:
    begin = datetime(2026, 5, 1, tzinfo=UTC)
    offered = [LIVE | {"start": (begin + timedelta(minutes=n)).isoformat()} | row for n, row in enumerate(rows)]
    return Source((OSLO,), (Well("demo.a", "A", "injector"),), parsed_rows(offered, "test"))


ROWS = [{}, {"oil_sm3": -1}, {"on_stream_s": 0}, {"colour": "black"}, {"verdict": "suspect", "issues": ["drift"]}]


def test_every_row_is_counted_under_one_verdict() -> None:
    of = source(*ROWS)
    found = report(of, default(), tried(of, default(), NOW))
    assert found["rows"] == 5
    assert found["verdicts"] == {"verified": 1, "suspect": 2, "quarantined": 2, "withdrawn": 0}
    assert [(one["rule"], one["field"], one["verdict"], one["rows"]) for one in found["by_rule"]] == [
        ("below_low", "oil_sm3", "quarantined", 1),
        ("unknown_key", "colour", "quarantined", 1),
        ("volume_without_hours", "oil_sm3", "suspect", 1),
    ]


def test_an_example_names_row_field_value_rule_and_message() -> None:
    of = source(*ROWS)
    found = report(of, default(), tried(of, default(), NOW))
    assert found["by_rule"][0]["examples"] == [
        {"index": 1, "place": "index 1", "verdict": "quarantined", "rule": "below_low", "field": "oil_sm3",
         "value": -1.0, "message": "oil_sm3 is -1 Sm3, below the lowest possible 0 Sm3 (rule below_low)"}
    ]  # fmt: skip
    assert found["by_rule"][2]["examples"][0]["message"] == (
        "oil_sm3 is 1 Sm3 with 0 s on stream (rule volume_without_hours)"
    )


def test_the_first_examples_of_a_rule_are_told() -> None:
    of = source(*[{"oil_sm3": -1}] * 9)
    (rule,) = report(of, default(), tried(of, default(), NOW))["by_rule"]
    assert (rule["rows"], [one["index"] for one in rule["examples"]]) == (9, list(range(EXAMPLES)))


def test_what_other_rules_change_is_told() -> None:
    of = source({}, {"oil_sm3": 5}, {"on_stream_s": 0})
    after = extending("id: much, kind: range, columns: [oil_sm3], high: 2", without="[volume_without_hours]")
    found = compared(tried(of, default(), NOW), tried(of, after, NOW))
    assert found["verdicts"] == {"verified": 2, "suspect": 1, "quarantined": 0, "withdrawn": 0}
    assert found["changed"] == 2
    assert {one["change"]: [example["index"] for example in one["examples"]] for one in found["changes"]} == {
        "verified -> suspect": [1], "suspect -> verified": [2]
    }  # fmt: skip
    assert found["by_rule"] == [
        {"rule": "much-oil_sm3", "before": 0, "after": 1},
        {"rule": "volume_without_hours-oil_sm3", "before": 1, "after": 0},
    ]


def test_the_same_rules_change_nothing() -> None:
    of = source(*ROWS)
    found = compared(tried(of, default(), NOW), tried(of, default(), NOW))
    assert (found["changed"], found["changes"], found["by_rule"]) == (0, [], [])


@pytest.mark.parametrize("backwards", [False, True])
def test_the_past_reaches_across_pieces_in_any_order(backwards: bool) -> None:
    of = source(*({"downhole_pressure_bar": 250.125, "oil_sm3": 1 + n % 7} for n in range(1_500)))
    if backwards:
        turned = of.batch.candidates.reverse().with_columns(index=of.batch.candidates["index"])
        of = replace(of, batch=replace(of.batch, candidates=turned))
    frozen = [finding for finding in tried(of, default(), NOW).findings if finding.reason.rule == "frozen"]
    assert len(frozen) == 1_500 - 29 * (2 if backwards else 1)


def test_the_wells_of_a_source_are_known_with_their_purpose() -> None:
    assert known_of(source()).purposes == {"demo.a": "injector"}
