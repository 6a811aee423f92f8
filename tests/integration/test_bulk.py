"""A field of any size, made inside PostgreSQL."""

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text

from storage import bulk, log, records, rollups
from storage.database import reading, writing
from storage.domain.errors import InputRefused
from storage.domain.rollup import Grain
from storage.domain.well import Field
from tests.records import frame, known_field

UNTIL = datetime(2026, 6, 1, 12, 0, 30, tzinfo=UTC)
FIELD = Field("bulk", "Bulk", "Europe/Oslo", 6 * 3600)


def test_half_of_the_records_are_days_and_at_most_ten_years_of_them() -> None:
    assert bulk.plan(10, 1_000) == bulk.Plan(10, 50, 50)
    assert bulk.plan(10, 1_000_000) == bulk.Plan(10, 3_650, 96_350)
    with pytest.raises(InputRefused, match="3 records of 10 wells"):
        bulk.plan(10, 3)


def test_a_field_is_filled_with_what_was_planned_and_its_rollups_follow(engine: Engine) -> None:
    heard: list[int] = []
    wanted = bulk.plan(5, 2_000)
    with reading(engine) as connection:
        before = log.epoch(connection)
    assert bulk.make(engine, FIELD, wanted, UNTIL, heard.append) == wanted.records == heard[-1] == 2_000
    rollups.catch_up(engine, "bulk")
    with reading(engine) as connection:
        kept = connection.execute(text("SELECT resolution, count(*), max(start) FROM records GROUP BY 1 ORDER BY 1"))
        days = rollups.series(connection, "bulk", Grain.DAY, wells=["bulk.b-1"])
        (message,) = log.read(connection, "bulk", 0, 10)
        assert log.epoch(connection) != before
    newest_day, newest_minute = datetime(2026, 5, 31, 4, tzinfo=UTC), datetime(2026, 6, 1, 11, 59, tzinfo=UTC)
    assert [tuple(row) for row in kept] == [("daily", 1_000, newest_day), ("live", 1_000, newest_minute)]
    assert days["basis"].to_list() == ["daily"] * 200 + ["live"]
    assert days["oil_sm3"][0] > days["oil_sm3"][199] > 0
    assert json.loads(message.body)["well"] == []


def test_a_field_with_records_is_left_alone(engine: Engine) -> None:
    known_field(engine, "bulk")
    with writing(engine) as connection:
        records.write(connection, frame(("bulk.a", 0, 1.0)), UNTIL)
    with pytest.raises(InputRefused, match="has records already"):
        bulk.make(engine, FIELD, bulk.plan(1, 10), UNTIL)
