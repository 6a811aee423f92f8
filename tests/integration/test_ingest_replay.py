"""A source sent again at a pace: every row once, an outage waited out."""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from ingest.parse import Batch, Source
from ingest.pipeline import Counts, Pipeline, Receipt
from ingest.replay import replay
from ingest.sources.volve import read
from storage.database import reading
from storage.domain.errors import StorageDown
from storage.log import LogMessage
from tests.unit.ingest.workbooks import daily_workbook, day


class Silence:
    """A doorbell that nobody hears."""

    def ring(self, messages: Sequence[LogMessage]) -> bool:
        return bool(messages)


class Flaky(Pipeline):
    """A pipeline whose storage is away every other time."""

    calls = 0

    def ingest(self, batch: Batch) -> Receipt:
        self.calls += 1
        if self.calls % 2:
            message = "away"
            raise StorageDown(message)
        return super().ingest(batch)


def now() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    days = [day(DATEPRD=f"2014-06-{number:02}", NPD_WELL_BORE_NAME=name)
            for name in ("15/9-F-12", "15/9-F-14") for number in range(1, 11)]  # fmt: skip
    return read(daily_workbook(tmp_path / "v.xlsx", [*days, day(FLOW_KIND="?")]))


def test_every_day_is_sent_once_in_order_with_all_wells(engine: Engine, source: Source) -> None:
    ends: list[datetime] = []
    pipeline = Pipeline(engine, Silence(), now)
    counts = replay(pipeline, source, 86_400 * 100, threading.Event(), lambda end, _: ends.append(end))
    frozen = 2 * (10 - 4)  # the days of these wells are equal to the last digit, which is told from the fifth on
    assert counts == Counts(accepted=20, quarantined=1, suspect=frozen, quarantined_by_rule={"unknown_flow_kind": 1})
    assert len(ends) == 10
    assert ends == sorted(ends)
    with reading(engine) as connection:
        rows = connection.execute(text("SELECT log_offset, count(*) FROM records GROUP BY 1 ORDER BY 1")).all()
        assert [tuple(row) for row in rows] == [(offset, 2) for offset in range(1, 11)]
        assert connection.execute(text("SELECT DISTINCT source FROM records")).scalars().all() == ["replay volve"]


def test_an_outage_is_told_and_waited_out(engine: Engine, source: Source) -> None:
    failures: list[StorageDown] = []
    flaky = Flaky(engine, Silence(), now)
    counts = replay(flaky, source, 1e9, threading.Event(), on_failure=failures.append)
    assert counts.accepted == 20
    assert len(failures) == 10


def test_stop_ends_it_and_again_finds_duplicates(engine: Engine, source: Source) -> None:
    stop = threading.Event()
    pipeline = Pipeline(engine, Silence(), now)
    first = replay(pipeline, source, 1e9, stop, lambda *_: stop.set())
    assert first.accepted < 20
    whole = replay(pipeline, source, 1e9, threading.Event())
    assert whole.accepted + whole.duplicates == 20
    assert whole.duplicates == first.accepted
