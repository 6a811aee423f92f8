"""Records, revisions, the log and its positions, in PostgreSQL."""

import json
import threading
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from storage import log, production, records
from storage.database import engine_for, reading, writing
from storage.domain.errors import AlreadyKept, NotFound
from storage.domain.record import Outcome, Resolution
from storage.records import Continuation, Written
from tests.records import T0, frame, known_field

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _field(engine: Engine) -> None:
    known_field(engine)


def write(engine: Engine, rows: pl.DataFrame, at: datetime = NOW) -> Written:
    with writing(engine) as connection:
        return records.write(connection, rows, at)


def test_what_is_written_is_read_back_as_it_was(engine: Engine) -> None:
    rows = frame(("demo.a", 0, 0.1), ("demo.b", 5, 1e-17), choke_pct=33.3, issues=["late", "no_reading"], audit_id="x")
    write(engine, rows)
    with reading(engine) as connection:
        kept = production.history(connection, "demo", resolution=Resolution.LIVE)
    assert kept.select(rows.columns).equals(rows)
    assert kept["log_offset"].to_list() == [1, 1]
    assert kept["received_at"].to_list() == [NOW, NOW]


def test_the_same_record_again_is_a_duplicate_and_writes_nothing(engine: Engine) -> None:
    write(engine, frame(("demo.a", 0, 1.0)))
    again = write(engine, frame(("demo.a", 0, 1.0), source="another"))
    assert again.outcomes == [Outcome.DUPLICATE]
    assert again.messages == []
    with reading(engine) as connection:
        assert log.position(connection, "demo").offset == 1


def test_a_null_that_becomes_zero_is_a_revision_and_the_old_one_is_kept(engine: Engine) -> None:
    write(engine, frame(("demo.a", 0, 1.0)))
    revised = write(engine, frame(("demo.a", 0, 1.0), water_sm3=0.0), NOW + timedelta(seconds=1))
    assert revised.outcomes == [Outcome.REVISED]
    with reading(engine) as connection:
        old = connection.execute(
            text("SELECT revision, oil_sm3, water_sm3, superseded_at FROM superseded_records")
        ).all()
        kept = production.latest(connection, "demo")
    assert [tuple(row) for row in old] == [(0, 1.0, None, NOW + timedelta(seconds=1))]
    assert kept["revision"].to_list() == [1]


def test_rows_of_one_key_in_one_batch_count_one_after_the_other(engine: Engine) -> None:
    written = write(engine, frame(("demo.a", 0, 1.0), ("demo.a", 0, 1.0), ("demo.a", 0, 2.0), ("demo.b", 0, 3.0)))
    assert written.outcomes == [Outcome.ACCEPTED, Outcome.DUPLICATE, Outcome.REVISED, Outcome.ACCEPTED]
    (message,) = written.messages
    body = json.loads(message.body)
    assert (body["well"], body["oil_sm3"], body["revision"]) == (["demo.a", "demo.a", "demo.b"], [1, 2, 3], [0, 1, 0])


def test_an_unknown_well_writes_nothing_at_all(engine: Engine) -> None:
    with pytest.raises(NotFound, match=r"demo\.z"):
        write(engine, frame(("demo.a", 0, 1.0), ("demo.z", 0, 1.0)))
    with reading(engine) as connection:
        assert production.latest(connection, "demo").is_empty()


def test_a_batch_that_fails_takes_no_position(engine: Engine) -> None:
    with pytest.raises(RuntimeError), writing(engine) as connection:  # noqa: PT012
        records.write(connection, frame(("demo.a", 0, 1.0)), NOW)
        raise RuntimeError
    assert write(engine, frame(("demo.a", 5, 1.0))).messages[0].offset == 1


def test_one_transaction_may_write_more_than_once(engine: Engine) -> None:
    with writing(engine) as connection:
        first = records.write(connection, frame(("demo.a", 0, 1.0)), NOW)
        second = records.write(connection, frame(("demo.a", 5, 1.0)), NOW)
    assert [one.messages[0].offset for one in (first, second)] == [1, 2]
    assert second.outcomes == [Outcome.ACCEPTED]


def test_each_field_has_positions_of_its_own(engine: Engine) -> None:
    known_field(engine, "other")
    written = write(engine, frame(("other.a", 0, 1.0), ("demo.a", 0, 1.0), ("other.b", 5, 2.0)))
    assert sorted((message.field, message.offset) for message in written.messages) == [("demo", 1), ("other", 1)]
    assert write(engine, frame(("other.a", 5, 1.0))).messages[0].offset == 2


def test_a_record_of_any_year_finds_a_partition(engine: Engine) -> None:
    far = frame(("demo.a", 0, 1.0), ("demo.b", 0, 1.0)).with_columns(
        start=pl.Series(
            [datetime(1987, 12, 31, 23, 59, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)]
        ).dt.cast_time_unit("us")
    )
    assert write(engine, far).outcomes == [Outcome.ACCEPTED] * 2


def test_eight_writers_on_two_fields_leave_positions_without_holes(engine: Engine, database_url: str) -> None:
    known_field(engine, "other")

    def write_many(number: int) -> None:
        own = engine_for(database_url, pool_size=1)
        for turn in range(15):
            after = 5 * (number * 100 + turn)
            write(own, frame(("demo.a", after, 1.0), ("other.b", after, 2.0)))
        own.dispose()

    threads = [threading.Thread(target=write_many, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    with reading(engine) as connection:
        for field in ("demo", "other"):
            offsets = [message.offset for message in log.read(connection, field, 0, 10_000)]
            assert offsets == list(range(1, 121))
            kept = production.history(connection, field, resolution=Resolution.LIVE)
            assert sorted(kept["log_offset"]) == offsets


rows = st.lists(st.tuples(st.sampled_from(["demo.a", "demo.b"]), st.integers(0, 3), st.integers(0, 2)), max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(rows, max_size=4))
def test_the_log_replayed_gives_the_records_that_are_kept(
    engine: Engine, batches: list[list[tuple[str, int, int]]]
) -> None:
    with writing(engine) as connection:
        connection.execute(text("TRUNCATE records, superseded_records"))
        start = log.position(connection, "demo").offset
    for batch in batches:
        write(engine, frame(*((well, 5 * n, float(oil)) for well, n, oil in batch)) if batch else frame())
    replayed: dict[tuple[str, int], tuple[float, int]] = {}
    with reading(engine) as connection:
        kept = production.history(connection, "demo", resolution=Resolution.LIVE)
        for message in log.read(connection, "demo", start, 10**9):
            body = json.loads(message.body)
            for well, ms, oil, revision in zip(
                *(body[name] for name in ("well", "start", "oil_sm3", "revision")), strict=True
            ):
                replayed[well, ms] = (oil, revision)
    stored = kept.select("well", pl.col("start").dt.epoch("ms"), "oil_sm3", "revision").rows()
    assert {(well, ms): (oil, revision) for well, ms, oil, revision in stored} == replayed


def test_the_start_of_records_is_kept_to_the_microsecond(engine: Engine) -> None:
    exact = T0 + timedelta(microseconds=123_457)
    write(
        engine,
        frame(("demo.a", 0, 1.0)).with_columns(start=pl.lit(exact).dt.cast_time_unit("us").dt.convert_time_zone("UTC")),
    )
    with reading(engine) as connection:
        assert production.latest(connection, "demo")["start"].to_list() == [exact]


def test_a_writer_that_outlives_its_database_does_not_write_to_the_wells_of_another_life(engine: Engine) -> None:
    continuation = Continuation()
    with writing(engine) as connection:
        continuation.remember(records.write(connection, frame(("demo.a", 0, 1.0)), NOW, continuation))
    with writing(engine) as connection:  # restored to before its wells were added, which came again in another order
        connection.execute(text("UPDATE wells SET slug = CASE slug WHEN 'a' THEN 'b' ELSE 'a' END || 'x'"))
        connection.execute(text("UPDATE wells SET slug = left(slug, 1)"))
        log.start_epoch(connection)
    with pytest.raises(AlreadyKept), writing(engine) as connection:
        records.write(connection, frame(("demo.a", 60, 1.0)), NOW, continuation)
    continuation.forget()
    with writing(engine) as connection:
        records.write(connection, frame(("demo.a", 60, 1.0)), NOW, continuation)
    with reading(engine) as connection:
        kept = production.history(connection, "demo", resolution=Resolution.LIVE)
    assert kept.filter(pl.col("log_offset") == 2)["well"].to_list() == ["demo.a"]
