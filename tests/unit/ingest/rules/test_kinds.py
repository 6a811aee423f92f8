"""The closed table of kinds."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.rules.document import default
from ingest.rules.kinds import KINDS
from ingest.rules.rule import Glance, Rule, Severity
from ingest.verify import with_context
from storage.domain.record import QUANTITY_COLUMNS
from tests.unit.ingest.candidates import DAILY, KNOWN, LIVE, NOW, batch
from tests.unit.ingest.rules.documents import extending

EVERY = extending(
    "id: cut, kind: water_cut, high: 0.9", "id: gor, kind: gor, high: 300", "id: days, kind: days_against_month",
    "id: gap, kind: completeness, columns: [gas_sm3]",
)  # fmt: skip


def test_the_shipped_rules_and_the_test_s_use_every_kind() -> None:
    assert {rule.kind for rule in EVERY.rules} == KINDS.keys()


def test_kinds_of_the_past_only_make_a_row_suspect() -> None:
    assert all(rule.severity is Severity.SUSPECT for rule in EVERY.of_past)
    assert all(KINDS[rule.kind].severities == (Severity.SUSPECT,) for rule in EVERY.of_past)


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.indispensable], ids=lambda kind: kind.name)
def test_nobody_can_release_a_row_that_breaks_what_is_indispensable(kind: Any) -> None:
    of_kind = [rule for rule in default().rules if rule.kind == kind.name]
    assert {rule.column for rule in of_kind} == set(kind.indispensable)
    assert not any(rule.breakable for rule in of_kind)


NUMBERS = st.none() | st.floats() | st.sampled_from([0.0, -1.0, 1.0, 60.0, 86_400.0, 1e9])
ROWS = st.lists(
    st.builds(
        lambda base, changes, trust: base | changes | trust,
        st.sampled_from([LIVE, DAILY, DAILY | {"resolution": "monthly"}, LIVE | {"field": "x"}, LIVE | {"well": "o.b"},
                         LIVE | {"start": "1850-01-01T00:00:00Z"}, LIVE | {"start": "2031-01-01T00:00:00Z"}]),
        st.dictionaries(st.sampled_from([*QUANTITY_COLUMNS]), NUMBERS, max_size=4),
        st.sampled_from([{}, {"seconds": -1}, {"verdict": "quarantined"}, {"verdict": "withdrawn"}, {"quality": 2.0},
                         {"verdict": "suspect", "issues": ["a"]}]),
    ),
    min_size=1, max_size=4,
)  # fmt: skip


@given(ROWS)
def test_a_rule_that_is_quiet_is_broken_by_no_row(rows: list[dict[str, Any]]) -> None:
    candidates = batch(*rows).candidates
    if candidates.is_empty():
        return
    frame = with_context(candidates, KNOWN, NOW)
    glance = Glance(candidates, KNOWN, NOW)
    quiet: list[Rule] = [rule for rule in EVERY.rules if rule.broken is not None and rule.quiet(glance)]
    flags = frame.select(rule.broken for rule in quiet if rule.broken is not None)
    assert [name for name in flags.columns if flags[name].fill_null(value=False).any()] == []
    assert flags.height == candidates.height or not quiet


def test_every_column_of_a_rule_is_one_of_a_candidate() -> None:
    columns = batch(LIVE).candidates.columns
    assert all(rule.column in columns for rule in EVERY.rules)
    assert all(isinstance(rule.broken, pl.Expr) for rule in EVERY.of_rows)
