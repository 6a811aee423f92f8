"""What was produced, read as frames."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from sqlalchemy import Engine

from storage import production, records
from storage.database import reading, writing
from storage.domain.errors import NotFound
from storage.domain.record import Resolution
from tests.records import T0, frame, known_field

DAY_S = 86_400


@pytest.fixture(autouse=True)
def _records(engine: Engine) -> None:
    known_field(engine, names=("a", "b", "silent"))
    known_field(engine, "other")
    daily = [(well, DAY_S * day, oil) for day in range(3) for well, oil in (("demo.a", 10.0), ("demo.b", 20.0 + day))]
    with writing(engine) as connection:
        records.write(connection, frame(*daily, resolution="daily"), datetime.now(UTC))
        records.write(connection, frame(("demo.a", 7, 1.0), ("other.a", 7, 9.0)), datetime.now(UTC))


def test_the_newest_record_of_each_well_is_that_which_starts_last(engine: Engine) -> None:
    with reading(engine) as connection:
        newest = production.latest(connection, "demo")
    assert newest.select("well", "resolution", "oil_sm3").rows() == [
        ("demo.a", "daily", 10.0),
        ("demo.b", "daily", 22.0),
    ]


def test_a_history_holds_the_wells_asked_for_inside_its_span_in_order(engine: Engine) -> None:
    with reading(engine) as connection:
        found = production.history(
            connection, "demo", resolution=Resolution.DAILY, wells=["demo.b"],
            since=T0 + timedelta(days=1), until=T0 + timedelta(days=2),
        )  # fmt: skip
        every = production.history(connection, "demo", resolution=Resolution.DAILY)
    assert found.select("well", "start").rows() == [("demo.b", T0 + timedelta(days=1))]
    assert every["well"].to_list() == ["demo.a"] * 3 + ["demo.b"] * 3
    assert every.height == 6


def test_daily_totals_are_sums_that_say_how_many_wells_reported(engine: Engine) -> None:
    with reading(engine) as connection:
        totals = production.daily_totals(connection, "demo")
    assert totals.select("oil_sm3", "wells", "gas_sm3").rows() == [(30.0, 2, None), (31.0, 2, None), (32.0, 2, None)]


def test_an_unknown_field_is_refused_and_a_field_without_records_is_empty(engine: Engine) -> None:
    known_field(engine, "empty")
    with reading(engine) as connection:
        assert production.latest(connection, "empty").is_empty()
        assert production.daily_totals(connection, "empty").schema == production.TOTALS_SCHEMA
        with pytest.raises(NotFound, match="nowhere"):
            production.latest(connection, "nowhere")


def test_what_was_withdrawn_is_nowhere_to_be_seen(engine: Engine) -> None:
    with writing(engine) as connection:
        gone = frame(("demo.a", 7, 1.0), verdict="withdrawn", quality=0.0).with_columns(
            oil_sm3=pl.lit(None, pl.Float64)
        )
        records.write(connection, gone, datetime.now(UTC))
    with reading(engine) as connection:
        assert 1.0 not in production.latest(connection, "demo")["oil_sm3"].to_list()
        assert production.history(connection, "demo", resolution=Resolution.LIVE, wells=["demo.a"]).is_empty()
