"""The worker: what one of its duties waits for does not keep it from the others."""

import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from compose.worker import Worker
from storage import log, records, rollups
from storage.database import reading, writing
from tests.records import frame, known_field


def test_rollups_follow_while_a_reader_keeps_a_day_of_the_log_that_is_to_be_dropped(engine: Engine) -> None:
    known_field(engine)
    with writing(engine) as connection:
        records.write(connection, frame(("demo.a", 0, 1.0)), datetime.now(UTC) - timedelta(days=40))
    failures: list[str] = []
    worker = Worker(engine, 7, lambda: failures.append("ended"))
    with reading(engine) as reader:
        log.read(reader, "demo", 0, 1)
        worker.start()
        try:
            until = time.monotonic() + 20
            while _rolled(engine) < 1 and time.monotonic() < until:
                time.sleep(0.1)
            assert _rolled(engine) == 1
        finally:
            worker.stop(20)
    assert failures == []


def _rolled(engine: Engine) -> int:
    with reading(engine) as connection:
        return rollups.position(connection, "demo").offset
