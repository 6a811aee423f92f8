"""Partitions made ahead, the log's old days dropped, rollups brought to the head."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from storage import log, partitions, records, rollups, upkeep
from storage.database import reading, writing
from storage.domain.errors import StorageDown
from storage.domain.rollup import Grain
from tests.records import frame, known_field

NOW = datetime(2026, 12, 30, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _field(engine: Engine) -> None:
    known_field(engine)
    known_field(engine, "other")


def write(engine: Engine, second: int, at: datetime, field: str = "demo") -> None:
    with writing(engine) as connection:
        records.write(connection, frame((f"{field}.a", second, 1.0)), at)


def test_partitions_are_there_before_the_year_and_the_day_begin(engine: Engine) -> None:
    made = upkeep.keep_partitions(engine, NOW, keep_log_days=7).made
    assert {"records_2026", "records_2027", "log_20261230", "log_20270102"} <= set(made)
    assert upkeep.keep_partitions(engine, NOW, keep_log_days=7).made == ()


def test_days_of_the_log_are_dropped_when_they_are_past_what_is_kept(engine: Engine) -> None:
    for number in range(4):
        write(engine, 5 * number, NOW - timedelta(days=10 - number))
    write(engine, 0, NOW - timedelta(days=10), "other")
    dropped = upkeep.keep_partitions(engine, NOW, keep_log_days=8).dropped
    assert dropped == ("log_20261220", "log_20261221")
    with reading(engine) as connection:
        heads = log.heads(connection)
        left = log.read(connection, "demo", 0, 10)
    assert heads["demo"] == log.Head(newest=4, oldest=3)
    assert heads["other"] == log.Head(newest=1, oldest=2)
    assert [message.offset for message in left] == [3, 4]


def test_positions_go_on_after_all_of_a_log_was_dropped(engine: Engine) -> None:
    write(engine, 0, NOW - timedelta(days=10))
    upkeep.keep_partitions(engine, NOW, keep_log_days=1)
    write(engine, 5, NOW)
    with reading(engine) as connection:
        assert log.heads(connection)["demo"] == log.Head(newest=2, oldest=2)


def test_a_reader_of_the_log_is_not_cut_off(engine: Engine) -> None:
    write(engine, 0, NOW - timedelta(days=10))
    with reading(engine) as connection:
        log.read(connection, "demo", 0, 1)
        with pytest.raises(StorageDown, match="lock timeout"):
            upkeep.keep_partitions(engine, NOW, keep_log_days=1)
        assert len(log.read(connection, "demo", 0, 1)) == 1


def test_only_fields_that_lag_are_rolled_up(engine: Engine) -> None:
    write(engine, 0, NOW)
    assert upkeep.roll_up(engine) == ["demo"]
    assert upkeep.roll_up(engine) == []
    with reading(engine) as connection:
        assert rollups.position(connection, "demo").offset == 1
        assert rollups.series(connection, "demo", Grain.DAY)["oil_sm3"].to_list() == [1.0]


def test_a_partition_is_made_once_by_two_at_the_same_time(engine: Engine) -> None:
    wanted = [partitions.year_of_records(2050)]

    def second() -> list[str]:
        with writing(engine) as connection:
            connection.execute(text("SELECT 1"))
            begun.set()
            return partitions.ensure(connection, wanted)

    begun = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        with writing(engine) as connection:
            assert partitions.ensure(connection, wanted) == ["records_2050"]
            waiting = pool.submit(second)
            begun.wait(10)
            time.sleep(0.3)  # until it waits for this transaction
        assert waiting.result(timeout=20) == []
