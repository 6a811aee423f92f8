"""The past across batches, processes and restarts: the same records get the same verdicts."""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from ingest import memory
from ingest.parse import parsed_rows
from ingest.pipeline import Pipeline
from ingest.rules.rule import RuleSet
from storage.database import reading, writing
from storage.domain.well import Field, Well
from storage.log import LogMessage
from tests.unit.ingest.rules.documents import extending

DEMO = Field("demo", "Demo", "Europe/Oslo", 6 * 3600)
WELLS = (Well("demo.a", "A"), Well("demo.b", "B"))
RULES = extending(
    "id: leap, kind: jump, columns: [oil_sm3], window: 5, least: 3, threshold: 3",
    "id: still, kind: frozen, columns: [downhole_pressure_bar], records: 3",
    without="[jump, jump_of_gauge, frozen, frozen_day]",
)


class Silence:
    """A doorbell that nobody hears."""

    def ring(self, messages: Sequence[LogMessage]) -> bool:
        return True


class Clock:
    """Stands still until moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 6, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def minute(number: int, oil: float | None = 10.0, well: str = "demo.a", **changed: Any) -> dict[str, Any]:
    start = datetime(2026, 5, 1, tzinfo=UTC) + timedelta(minutes=number)
    return {
        "field": "demo", "well": well, "start": start.isoformat(), "seconds": 60, "resolution": "live",
        "oil_sm3": oil, **changed,
    }  # fmt: skip


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pipeline(engine: Engine, clock: Clock) -> Pipeline:
    made = process(engine, clock)
    made.register(DEMO, WELLS)
    return made


def process(engine: Engine, clock: Clock, rules: RuleSet = RULES) -> Pipeline:
    """Another ingest process on the same database."""
    return Pipeline(engine, Silence(), clock, rules)


def send(pipeline: Pipeline, *rows: dict[str, Any]) -> list[str]:
    return [str(answer.outcome) for answer in pipeline.ingest(parsed_rows(rows, "test")).rows()]


def issues(engine: Engine) -> dict[int, list[str]]:
    """Issues of the records of demo.a by minute."""
    query = "SELECT start, issues FROM records JOIN wells USING (field_id, well_id) WHERE slug = 'a' ORDER BY start"
    first = datetime(2026, 5, 1, tzinfo=UTC)
    with reading(engine) as connection:
        rows = connection.execute(text(query)).all()
    return {int((start - first).total_seconds() // 60): codes for start, codes in rows if codes}


def test_a_jump_against_earlier_batches_is_suspect(pipeline: Pipeline, engine: Engine) -> None:
    for n in range(5):
        send(pipeline, minute(n))
    send(pipeline, minute(5, 90.0), minute(6))
    assert issues(engine) == {5: ["leap-oil_sm3"]}


def test_a_restarted_process_remembers_from_storage(pipeline: Pipeline, engine: Engine, clock: Clock) -> None:
    send(pipeline, *(minute(n, downhole_pressure_bar=250.5) for n in range(2)))
    send(process(engine, clock), minute(2, downhole_pressure_bar=250.5))
    assert issues(engine) == {2: ["still-downhole_pressure_bar"]}


def test_what_another_process_wrote_is_noticed_after_a_second(pipeline: Pipeline, engine: Engine, clock: Clock) -> None:
    other = process(engine, clock)
    for n in range(4):
        send(pipeline, minute(n))
    send(other, *(minute(n, 90.0) for n in range(4, 8)))
    clock.now += memory.BELIEVED
    send(pipeline, minute(8, 90.0), minute(9, 10.0))
    assert issues(engine).keys() == {4, 5, 9}


def test_a_position_that_is_missing_makes_the_past_be_read_anew(
    pipeline: Pipeline, engine: Engine, clock: Clock
) -> None:
    other = process(engine, clock)
    for n in range(4):
        send(pipeline, minute(n))
    send(other, *(minute(n, 90.0) for n in range(4, 8)))
    send(pipeline, minute(0, well="demo.b"))  # stands at a position that does not follow: the field is forgotten
    send(pipeline, minute(8, 90.0))
    assert 8 not in issues(engine)


def test_sending_again_changes_nothing_though_more_is_known_now(pipeline: Pipeline, engine: Engine) -> None:
    rows = [minute(n, 90.0 if n == 20 else 10.0, downhole_pressure_bar=250.5) for n in range(30)]
    late_first = [*rows[15:], *rows[:15]]
    for begin in range(0, 30, 5):
        send(pipeline, *late_first[begin : begin + 5])
    found = issues(engine)
    assert found[20] == ["leap-oil_sm3", "still-downhole_pressure_bar"]
    assert 15 not in found, "nothing was known before it when it came"
    assert send(pipeline, *rows) == ["duplicate"] * 30
    assert [send(pipeline, row) for row in rows] == [["duplicate"]] * 30
    assert issues(engine) == found


def test_a_revision_is_judged_by_what_was_stored_before_it(pipeline: Pipeline, engine: Engine) -> None:
    send(pipeline, *(minute(n) for n in range(8)))
    assert send(pipeline, minute(6, 90.0)) == ["revised"]
    assert issues(engine) == {6: ["leap-oil_sm3"]}
    assert send(pipeline, minute(6)) == ["revised"]
    assert issues(engine) == {}


def test_what_was_withdrawn_is_no_past(pipeline: Pipeline, engine: Engine) -> None:
    send(pipeline, *(minute(n) for n in range(4)), *(minute(n, 90.0) for n in range(4, 7)))
    taken = [minute(n, None, verdict="withdrawn") for n in range(4, 7)]
    assert send(pipeline, *taken) == ["revised"] * 3
    send(pipeline, minute(7, 90.0))
    assert issues(engine) == {7: ["leap-oil_sm3"]}


def test_other_rules_judge_again_what_comes_again(pipeline: Pipeline, engine: Engine, clock: Clock) -> None:
    send(pipeline, *(minute(n) for n in range(5)), minute(5, 90.0))
    tolerant = extending("id: leap, kind: jump, columns: [oil_sm3], window: 5, least: 3, threshold: 999")
    assert send(process(engine, clock, tolerant), minute(5, 90.0)) == ["revised"]
    assert issues(engine) == {}


def test_a_restored_database_is_read_anew(pipeline: Pipeline, engine: Engine, clock: Clock) -> None:
    for n in range(5):
        send(pipeline, minute(n))
    with writing(engine) as connection:
        connection.execute(text("UPDATE log_epoch SET epoch = 'another'"))
        connection.execute(text("UPDATE records SET oil_sm3 = 90"))
    clock.now += memory.BELIEVED
    send(pipeline, minute(5, 90.0))
    assert issues(engine) == {}


def test_more_groups_than_are_remembered_are_read_when_they_come(
    pipeline: Pipeline, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "MOST_GROUPS", 1)
    for n in range(5):
        send(pipeline, minute(n), minute(n, well="demo.b"))
    send(pipeline, minute(5, 90.0))
    assert issues(engine) == {5: ["leap-oil_sm3"]}


VALUES = st.lists(st.sampled_from([10.0, 11.0, 90.0, 0.0, None]), min_size=1, max_size=14)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=VALUES, cuts=st.lists(st.integers(1, 13), max_size=4), restarts=st.booleans())
def test_the_same_records_in_order_get_the_same_verdicts(
    pipeline: Pipeline, engine: Engine, clock: Clock, values: list[float | None], cuts: list[int], restarts: bool
) -> None:
    rows = [minute(n, value, choke_pct=50, downhole_pressure_bar=value) for n, value in enumerate(values)]
    _emptied(engine)
    send(process(engine, clock), *rows)
    at_once = issues(engine)
    _emptied(engine)
    clock.now += memory.BELIEVED
    one = pipeline
    edges = sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})
    for begin, end in itertools.pairwise(edges):
        one = process(engine, clock) if restarts else one
        send(one, *rows[begin:end])
    assert issues(engine) == at_once


def _emptied(engine: Engine) -> None:
    """As if nothing had come yet; a new epoch, so that nobody remembers."""
    with writing(engine) as connection:
        connection.execute(text("TRUNCATE records, superseded_records"))
        connection.execute(text("UPDATE log_epoch SET epoch = epoch || '+'"))
