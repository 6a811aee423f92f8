"""A batch is verified, committed whole, and told after the commit."""

import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from ingest.parse import Batch, parsed_rows
from ingest.pipeline import Counts, Pipeline, Receipt, ingested
from storage.database import engine_for, reading, writing
from storage.domain.errors import StorageDown
from storage.domain.well import Field, Well
from storage.log import LogMessage

DEMO = Field("demo", "Demo", "Europe/Oslo", 6 * 3600)
WELLS = (Well("demo.a", "A"), Well("demo.b", "B"))
ROW: dict[str, Any] = {
    "field": "demo", "well": "demo.a", "start": "2026-05-01T00:00:00Z", "seconds": 60, "resolution": "live",
    "oil_sm3": 1.0, "on_stream_s": 60,
}  # fmt: skip


class Clock:
    """Stands still until moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 6, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Bell:
    """Hears what is rung, and what the database held at that moment; may be away."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.away = False
        self.heard: list[LogMessage] = []
        self.committed: list[int] = []

    def ring(self, messages: Sequence[LogMessage]) -> bool:
        self.heard += messages
        self.committed.append(count(self.engine, "log"))
        return not self.away


def count(engine: Engine, table: str) -> int:
    with reading(engine) as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608


def waiting_pid(engine: Engine) -> int:
    """The backend of this database that waits for a lock."""
    query = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    deadline_s = time.monotonic() + 10
    while time.monotonic() < deadline_s:
        with reading(engine) as connection:
            found: int | None = connection.execute(text(query)).scalar()
        if found is not None:
            return found
    pytest.fail("nobody waits for a lock")


def batch(*rows: dict[str, Any]) -> Batch:
    return parsed_rows(rows, "test")


def minute(number: int, **changed: Any) -> dict[str, Any]:
    start = datetime(2026, 5, 1, tzinfo=UTC) + timedelta(minutes=number)
    return ROW | {"start": start.isoformat()} | changed


@pytest.fixture
def bell(engine: Engine) -> Bell:
    return Bell(engine)


@pytest.fixture
def pipeline(engine: Engine, bell: Bell) -> Pipeline:
    made = Pipeline(engine, bell, Clock())
    made.register(DEMO, WELLS)
    return made


def outcomes(receipt: Receipt) -> list[tuple[int, str]]:
    return [(row.index, str(row.outcome)) for row in receipt.rows()]


def test_every_row_is_answered(pipeline: Pipeline, engine: Engine) -> None:
    pipeline.ingest(batch(minute(0), minute(1)))
    receipt = pipeline.ingest(batch(
        minute(2), minute(0), minute(1, oil_sm3=2.0), minute(3, oil_sm3=-1), minute(4, x=1), minute(5, on_stream_s=0)
    ))  # fmt: skip
    assert outcomes(receipt) == [
        (0, "accepted"), (1, "duplicate"), (2, "revised"), (3, "quarantined"), (4, "quarantined"), (5, "accepted")
    ]  # fmt: skip
    assert receipt.counts == Counts(2, 1, 1, 2, 1, {"below_low": 1, "unknown_key": 1})
    assert receipt.counts.rows == 6
    assert receipt.rows()[3].reasons[0].value == -1
    assert (count(engine, "records"), count(engine, "superseded_records"), count(engine, "quarantine")) == (4, 1, 2)


def test_the_doorbell_rings_after_the_commit_with_the_position(pipeline: Pipeline, bell: Bell) -> None:
    first = pipeline.ingest(batch(minute(0)))
    second = pipeline.ingest(batch(minute(1)))
    assert [message.offset for message in bell.heard] == [1, 2]
    assert bell.committed == [1, 2]
    assert (first.positions, second.positions, second.told) == ({"demo": 1}, {"demo": 2}, True)


def test_the_same_batch_again_changes_and_tells_nothing(pipeline: Pipeline, bell: Bell, engine: Engine) -> None:
    offered = batch(minute(0), minute(1), minute(2, oil_sm3=-1))
    pipeline.ingest(offered)
    receipt = pipeline.ingest(offered)
    assert receipt.counts == Counts(duplicates=2, quarantined=1, quarantined_by_rule={"below_low": 1})
    assert receipt.positions == {}
    assert len(bell.heard) == 1
    assert (count(engine, "records"), count(engine, "quarantine"), count(engine, "log")) == (2, 1, 1)


def test_a_doorbell_that_is_away_costs_no_record(pipeline: Pipeline, bell: Bell, engine: Engine) -> None:
    bell.away = True
    receipt = pipeline.ingest(batch(minute(0)))
    assert (receipt.told, receipt.counts.accepted, count(engine, "records")) == (False, 1, 1)


def test_rows_of_one_key_in_a_batch_count_one_after_the_other(pipeline: Pipeline) -> None:
    receipt = pipeline.ingest(batch(minute(0), minute(0), minute(0, oil_sm3=3)))
    assert [outcome for _, outcome in outcomes(receipt)] == ["accepted", "duplicate", "revised"]


def test_refused_rows_of_no_known_field_are_kept_too(pipeline: Pipeline, engine: Engine) -> None:
    receipt = pipeline.ingest(batch(minute(0, field="x", well="x.y"), {}))
    assert receipt.counts.quarantined_by_rule == {"unknown_field": 1, "unknown_well": 1, "missing": 1}
    assert count(engine, "quarantine") == 2


def test_what_a_json_column_cannot_hold_is_quarantined_all_the_same(pipeline: Pipeline, engine: Engine) -> None:
    rows = [minute(0, oil_sm3=float("nan")), minute(1, source="a\x00"), minute(2, **{"k\x00": {"\x00": float("inf")}})]
    assert pipeline.ingest(batch(*rows)).counts.quarantined == 3
    assert count(engine, "quarantine") == 3


def test_an_empty_batch_is_nothing(pipeline: Pipeline, bell: Bell) -> None:
    assert pipeline.ingest(batch()).counts == Counts()
    assert bell.heard == []


def test_a_well_made_known_later_is_noticed_at_once(pipeline: Pipeline, engine: Engine) -> None:
    assert pipeline.ingest(batch(minute(0, well="demo.c"))).counts.quarantined == 1
    Pipeline(engine, Bell(engine), Clock()).register(DEMO, [Well("demo.c", "C")])
    assert pipeline.ingest(batch(minute(0, well="demo.c"))).counts.accepted == 1


def test_a_well_that_is_gone_is_noticed_and_its_row_refused(pipeline: Pipeline, engine: Engine) -> None:
    pipeline.ingest(batch(minute(0)))
    with writing(engine) as connection:
        connection.execute(text("DELETE FROM wells WHERE slug = 'b'"))
    receipt = pipeline.ingest(batch(minute(1), minute(1, well="demo.b")))
    assert [outcome for _, outcome in outcomes(receipt)] == ["accepted", "quarantined"]


def test_storage_that_is_away_is_told_as_such_and_the_same_call_works_later(engine: Engine, bell: Bell) -> None:
    nowhere = engine_for("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(StorageDown, match="PostgreSQL does not answer"):
        Pipeline(nowhere, bell, Clock()).ingest(batch(minute(0)))
    nowhere.dispose()
    assert bell.heard == []


def test_a_transaction_that_is_ended_from_outside_keeps_nothing(pipeline: Pipeline, engine: Engine, bell: Bell) -> None:
    pipeline.ingest(batch(minute(0)))
    outcome: list[Exception] = []

    def ingest_meanwhile() -> None:
        try:
            pipeline.ingest(batch(minute(1), minute(2, oil_sm3=-1)))
        except StorageDown as error:
            outcome.append(error)

    with writing(engine) as connection:
        connection.execute(text("SELECT * FROM log_heads FOR UPDATE"))
        thread = threading.Thread(target=ingest_meanwhile)
        thread.start()
        pid = waiting_pid(engine)
        connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        thread.join(timeout=10)
    assert len(outcome) == 1
    assert (count(engine, "records"), count(engine, "quarantine"), len(bell.heard)) == (1, 0, 1)
    assert pipeline.ingest(batch(minute(1), minute(2, oil_sm3=-1))).counts.accepted == 1


def test_a_large_batch_is_committed_in_pieces(pipeline: Pipeline, engine: Engine, bell: Bell) -> None:
    counts = ingested(pipeline, batch(*(minute(number) for number in range(2_500))))
    assert counts.accepted == 2_500
    assert [message.offset for message in bell.heard] == [1, 2, 3]
    assert count(engine, "records") == 2_500


def test_writers_at_once_lose_nothing_and_leave_no_hole(pipeline: Pipeline, engine: Engine, bell: Bell) -> None:
    def write(writer: int) -> None:
        for step in range(5):
            pipeline.ingest(batch(*(minute(writer * 100 + step * 10 + row) for row in range(10))))

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(engine, "records") == 400
    assert sorted(message.offset for message in bell.heard) == list(range(1, 41))


def test_counts_add_up() -> None:
    total = Counts(1, 2, 3, 4, 5, {"a": 1, "b": 2}) + Counts(1, 1, 1, 1, 1, {"b": 1, "c": 1})
    assert total == Counts(2, 3, 4, 5, 6, {"a": 1, "b": 3, "c": 1})
    assert total.rows == 14
