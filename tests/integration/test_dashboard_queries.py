"""Snapshots for pages: rows and positions that belong together, also while others write."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, event

from dashboard import queries
from dashboard.queries import FieldSnapshot
from storage import records
from storage.database import engine_for, writing
from storage.domain.errors import NotFound, StorageDown
from storage.production import KEPT_SCHEMA, TOTALS_SCHEMA
from tests.records import T0, frame, known_field

DAY_S = 86_400
Read = Callable[[Engine], FieldSnapshot]
EACH_READ = [
    pytest.param(lambda engine: queries.field(engine, "demo"), id="field"),
    pytest.param(lambda engine: queries.well(engine, "demo.a"), id="well"),
    pytest.param(lambda engine: queries.portfolio(engine)[0], id="portfolio"),
]


@pytest.fixture
def other(database_url: str) -> Iterator[Engine]:
    """Connections of somebody else."""
    made = engine_for(database_url)
    yield made
    made.dispose()


def write(engine: Engine, number: int, *wells: str) -> None:
    """The batch at one offset: the number-th day and the number-th live record of wells."""
    named = wells or ("demo.a", "demo.b")
    with writing(engine) as connection:
        days = frame(*((well, DAY_S * number, 1.0) for well in named), resolution="daily")
        lives = frame(*((well, 1_000 * DAY_S + 5 * number, 1.0) for well in named))
        records.write(connection, days.vstack(lives), datetime.now(UTC))


def belongs_together(snapshot: FieldSnapshot, offset: int) -> bool:
    """Whether a snapshot holds what the first batches wrote, all of it and nothing else."""
    wells = [] if offset == 0 else [well.id for well in snapshot.wells]
    return (
        snapshot.position.offset == offset
        and snapshot.latest["well"].to_list() == wells
        and set(snapshot.latest["log_offset"]) == ({offset} if offset else set())
        and snapshot.live.height == offset * len(snapshot.wells)
        and snapshot.daily["start"].n_unique() == offset
    )


@pytest.mark.parametrize("read", EACH_READ)
def test_what_is_committed_after_the_snapshot_was_opened_is_neither_in_its_rows_nor_in_its_position(
    engine: Engine, other: Engine, read: Read
) -> None:
    known_field(engine)
    write(other, 1)
    assert belongs_together(read(engine), 1)
    in_between = iter([2])

    @event.listens_for(engine, "after_cursor_execute")
    def commit_meanwhile(*_: object) -> None:
        for number in in_between:
            write(other, number)

    assert belongs_together(read(engine), 1)
    assert list(in_between) == []
    assert belongs_together(read(engine), 2)


@pytest.mark.parametrize("read", EACH_READ)
def test_an_open_transaction_neither_shows_nor_keeps_a_page_waiting(engine: Engine, other: Engine, read: Read) -> None:
    known_field(engine)
    write(engine, 1)
    with writing(other) as connection:
        records.write(connection, frame(("demo.a", 1_000 * DAY_S + 500, 9.0)), datetime.now(UTC))
        assert belongs_together(read(engine), 1)
    assert read(engine).position.offset == 2


@pytest.mark.parametrize("read", EACH_READ)
def test_rows_and_position_agree_however_reads_and_writes_fall(engine: Engine, other: Engine, read: Read) -> None:
    known_field(engine)
    writer = threading.Thread(target=lambda: [write(other, number) for number in range(1, 31)])
    writer.start()
    seen = []
    while writer.is_alive() or not seen:
        snapshot = read(engine)
        seen.append(snapshot.position.offset)
        assert belongs_together(snapshot, seen[-1])
    writer.join()
    assert seen == sorted(seen)
    assert belongs_together(read(engine), 30)


def test_fields_have_positions_of_their_own_and_come_by_id(engine: Engine) -> None:
    known_field(engine, "other")
    known_field(engine)
    write(engine, 1)
    write(engine, 2)
    write(engine, 1, "other.b")
    assert [(one.field.id, one.position.offset) for one in queries.portfolio(engine)] == [("demo", 2), ("other", 1)]
    assert len({one.position.epoch for one in queries.portfolio(engine)}) == 1


def test_wells_without_records_are_there_and_their_frames_are_empty(engine: Engine) -> None:
    known_field(engine, names=("a", "b", "silent"))
    write(engine, 1)
    field = queries.field(engine, "demo")
    assert [well.id for well in field.wells] == ["demo.a", "demo.b", "demo.silent"]
    assert field.latest["well"].to_list() == ["demo.a", "demo.b"]
    silent = queries.well(engine, "demo.silent")
    assert [well.id for well in silent.wells] == ["demo.silent"]
    assert silent.position == field.position
    for rows in (silent.latest, silent.live, silent.daily):
        assert rows.is_empty()
        assert rows.schema == KEPT_SCHEMA


def test_a_well_is_shown_without_the_others(engine: Engine) -> None:
    known_field(engine)
    write(engine, 1)
    snapshot = queries.well(engine, "demo.b")
    for rows in (snapshot.latest, snapshot.live, snapshot.daily):
        assert rows["well"].to_list() == ["demo.b"]


def test_a_field_without_records_and_one_without_wells_are_empty_at_offset_zero(engine: Engine) -> None:
    known_field(engine, "bare", names=())
    known_field(engine)
    for snapshot in (queries.field(engine, "bare"), queries.field(engine, "demo")):
        assert snapshot.position.offset == 0
        assert snapshot.live.schema == snapshot.daily.schema == snapshot.latest.schema == KEPT_SCHEMA
        assert snapshot.live.is_empty()
    assert [one.daily.schema for one in queries.portfolio(engine)] == [TOTALS_SCHEMA, TOTALS_SCHEMA]


def test_no_field_is_an_empty_portfolio(engine: Engine) -> None:
    assert queries.portfolio(engine) == []


def test_live_records_go_back_a_span_from_the_newest_one_whatever_the_time_is_now(engine: Engine) -> None:
    known_field(engine)
    with writing(engine) as connection:
        rows = frame(*(("demo.a", 600 * number, float(number)) for number in range(20)), ("demo.b", 600 * 6, 1.0))
        records.write(connection, rows, datetime.now(UTC))
    newest = T0 + timedelta(seconds=600 * 19)
    field = queries.field(engine, "demo").live
    assert field["start"].min() == newest - queries.LIVE_SPAN
    assert queries.portfolio(engine)[0].live["start"].min() == newest - queries.GLANCE_SPAN
    assert field.filter(well="demo.b").is_empty()
    assert queries.well(engine, "demo.b").live.height == 1


def test_an_unknown_field_or_well_is_refused_by_its_name(engine: Engine) -> None:
    known_field(engine)
    known_field(engine, "other", names=("z",))
    with pytest.raises(NotFound, match="no field 'nowhere'"):
        queries.field(engine, "nowhere")
    with pytest.raises(NotFound, match="no field 'nowhere'"):
        queries.well(engine, "nowhere.a")
    for unknown in ("demo.z", "demo", "demo.", "demo.a.b", "other.a"):
        with pytest.raises(NotFound, match=f"no well '{unknown}'"):
            queries.well(engine, unknown)


@pytest.mark.parametrize("read", EACH_READ)
def test_no_postgresql_is_an_error_that_says_to_try_again(read: Read) -> None:
    nowhere = engine_for("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(StorageDown) as raised:
        read(nowhere)
    assert raised.value.retry
    nowhere.dispose()
