"""The demonstration field runs: history first, then live; a restart or an outage loses and repeats nothing."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from ingest.parse import Batch
from ingest.pipeline import Counts, Pipeline, Receipt
from ingest.simulate import DAILY_HISTORY, LIVE_HISTORY, simulate
from ingest.sources.simulator import Simulator
from storage.database import reading
from storage.domain.errors import InputRefused, StorageDown
from stream.doorbell import Doorbell

BEGAN = datetime(2026, 3, 1, 12, 0, 0, 300_000, tzinfo=UTC)
EVERY_S = 60


class Clock:
    """Moves on a minute whenever it is asked."""

    def __init__(self, began: datetime = BEGAN) -> None:
        self.now = began

    def __call__(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now


class Away(Pipeline):
    """A pipeline whose storage is away for a while."""

    refusals = 3

    def ingest(self, batch: Batch) -> Receipt:
        if self.refusals and batch.candidates["resolution"][0] == "live":
            self.refusals -= 1
            message = "away"
            raise StorageDown(message)
        return super().ingest(batch)


def until(pipeline: Pipeline, simulator: Simulator, clock: Clock, end: datetime, every_s: int = EVERY_S) -> Counts:
    """Run until what fell due at ``end`` is stored."""
    stop, total = threading.Event(), [Counts()]

    def sent(reached: datetime, counts: Counts) -> None:
        total[0] += counts
        if reached >= end:
            stop.set()

    simulate(pipeline, simulator, every_s, stop, clock, sent)
    return total[0]


def stored(engine: Engine) -> list[tuple[str, int, int]]:
    query = "SELECT resolution, count(*), count(DISTINCT (well_id, start)) FROM records GROUP BY 1 ORDER BY 1"
    with reading(engine) as connection:
        return [(row[0], row[1], row[2]) for row in connection.execute(text(query))]


@pytest.fixture
def pipeline(engine: Engine, redis_url: str) -> Pipeline:
    return Pipeline(engine, Doorbell(redis_url), lambda: BEGAN + timedelta(days=1))


END = BEGAN.replace(microsecond=0) + timedelta(minutes=30)
LIVE_MINUTES = int(LIVE_HISTORY.total_seconds()) // EVERY_S + 29
"""Minutes from the beginning of the live history, which the first look at the clock sets, to END."""


def test_history_comes_first_and_live_records_follow(pipeline: Pipeline, engine: Engine) -> None:
    counts = until(pipeline, Simulator(2), Clock(), END)
    assert counts.accepted == counts.rows
    assert stored(engine) == [
        ("daily", 2 * DAILY_HISTORY.days, 2 * DAILY_HISTORY.days), ("live", 2 * LIVE_MINUTES, 2 * LIVE_MINUTES)
    ]  # fmt: skip


def test_a_restart_continues_the_same_curve(pipeline: Pipeline, engine: Engine) -> None:
    until(pipeline, Simulator(2), Clock(), END)
    again = until(pipeline, Simulator(2), Clock(), END + timedelta(minutes=10))
    assert (again.revised, again.accepted, again.quarantined) == (0, 20, 0)
    assert stored(engine)[1] == ("live", 2 * LIVE_MINUTES + 20, 2 * LIVE_MINUTES + 20)


def test_an_outage_loses_nothing(engine: Engine, redis_url: str) -> None:
    away = Away(engine, Doorbell(redis_url), lambda: BEGAN + timedelta(days=1))
    until(away, Simulator(2), Clock(), END)
    assert away.refusals == 0
    assert stored(engine)[1] == ("live", 2 * LIVE_MINUTES, 2 * LIVE_MINUTES)


@pytest.mark.parametrize(("wells", "every_s"), [(0, 5), (8, 0), (8, 3_601)])
def test_an_impossible_field_is_refused(pipeline: Pipeline, wells: int, every_s: int) -> None:
    with pytest.raises(InputRefused):
        until(pipeline, Simulator(wells), Clock(), END, every_s)
