"""Reading the log by position."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text

from storage import log, records
from storage.database import reading, writing
from storage.domain.errors import NotFound
from storage.log import Head
from tests.records import frame, known_field


@pytest.fixture
def ten_rows(engine: Engine) -> Engine:
    known_field(engine)
    for number in range(10):
        with writing(engine) as connection:
            records.write(connection, frame(("demo.a", 5 * number, 1.0)), datetime.now(UTC))
    return engine


def test_a_stretch_is_open_at_its_start_and_closed_at_its_end(ten_rows: Engine) -> None:
    with reading(ten_rows) as connection:
        assert [message.offset for message in log.read(connection, "demo", 3, 6)] == [4, 5, 6]
        assert log.read(connection, "demo", 10, 20) == []


def test_a_large_stretch_comes_in_pieces_and_never_empty(ten_rows: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "READ_BYTES", 1)
    with reading(ten_rows) as connection:
        assert [message.offset for message in log.read(connection, "demo", 0, 10)] == [1]


def test_heads_say_how_far_a_log_reaches(ten_rows: Engine) -> None:
    known_field(ten_rows, "other")
    with reading(ten_rows) as connection:
        assert log.heads(connection) == {"demo": Head(10, 1), "other": Head(0, 1)}
        assert log.heads(connection, ["other", "nowhere"]) == {"other": Head(0, 1)}


def test_a_snapshot_and_its_position_belong_together(ten_rows: Engine) -> None:
    with reading(ten_rows) as early:
        before = log.position(early, "demo")
        with writing(ten_rows) as connection:
            records.write(connection, frame(("demo.b", 0, 1.0)), datetime.now(UTC))
        assert log.position(early, "demo") == before
        assert early.execute(text("SELECT max(log_offset) FROM records")).scalar_one() == before.offset


def test_a_new_epoch_has_a_new_name(ten_rows: Engine) -> None:
    with writing(ten_rows) as connection:
        old = log.epoch(connection)
        assert log.start_epoch(connection) != old
        assert log.epoch(connection) != old


def test_the_position_of_an_unknown_field_is_refused(engine: Engine) -> None:
    with reading(engine) as connection, pytest.raises(NotFound, match="nowhere"):
        log.position(connection, "nowhere")
