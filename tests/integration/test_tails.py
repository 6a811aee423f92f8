"""What was stored before a batch, read set-wise."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from sqlalchemy import Engine

from storage import records, tails
from storage.database import reading, writing
from tests.records import T0, frame, known_field

NOW = datetime(2026, 1, 2, tzinfo=UTC)
COLUMNS = ("oil_sm3", "downhole_pressure_bar")


@pytest.fixture(autouse=True)
def _field(engine: Engine) -> None:
    known_field(engine)


def write(engine: Engine, rows: pl.DataFrame) -> None:
    with writing(engine) as connection:
        records.write(connection, rows, NOW)


def before(engine: Engine, groups: dict[tuple[str, str], datetime], depth: int = 3) -> tuple[pl.DataFrame, set[str]]:
    with reading(engine) as connection:
        found, later = tails.before(connection, groups, COLUMNS, depth)
    return found, {well for well, _ in later}


def test_the_last_records_before_a_moment_come_in_order(engine: Engine) -> None:
    write(engine, frame(*(("demo.a", 5 * n, float(n)) for n in range(6)), ("demo.b", 0, 7.0)))
    found, later = before(engine, {("demo.a", "live"): T0 + timedelta(seconds=25), ("demo.b", "live"): NOW})
    assert found["oil_sm3"].to_list() == [2.0, 3.0, 4.0, 7.0]
    assert found["well"].to_list() == ["demo.a"] * 3 + ["demo.b"]
    assert later == {"demo.a"}, "the sixth starts at the moment itself"


def test_records_of_all_years_count(engine: Engine) -> None:
    old = frame(("demo.a", 0, 1.0)).with_columns(start=pl.lit(T0 - timedelta(days=900)).dt.cast_time_unit("us"))
    write(engine, pl.concat([old.match_to_schema(frame().schema), frame(("demo.a", 0, 2.0))]))
    found, _ = before(engine, {("demo.a", "live"): NOW})
    assert found["oil_sm3"].to_list() == [1.0, 2.0]


def test_resolutions_are_kept_apart_and_what_was_withdrawn_is_left_out(engine: Engine) -> None:
    write(engine, frame(("demo.a", 0, 1.0), ("demo.a", 5, 2.0)))
    write(engine, frame(("demo.a", 0, 9.0), resolution="daily"))
    write(engine, frame(("demo.a", 5, 0.0), verdict="withdrawn").with_columns(oil_sm3=pl.lit(None, dtype=pl.Float64)))
    found, _ = before(engine, {("demo.a", "live"): NOW, ("demo.a", "daily"): NOW})
    assert found.select("resolution", "oil_sm3").rows() == [("daily", 9.0), ("live", 1.0)]


def test_a_well_that_is_not_kept_or_has_no_records_has_no_past(engine: Engine) -> None:
    found, later = before(engine, {("demo.z", "live"): NOW, ("nowhere.z", "live"): NOW, ("demo.b", "live"): NOW})
    assert (found.height, later) == (0, set())


def test_stored_rows_are_found_by_their_key(engine: Engine) -> None:
    kept = frame(("demo.a", 0, 1.0), ("demo.b", 5, 2.0), issues=["jump-oil_sm3", "late"], audit_id="rules-1-x")
    write(engine, kept)
    keys = pl.concat([kept, frame(("demo.a", 5, 1.0))]).select("well", "start", "seconds", "resolution")
    with reading(engine) as connection:
        found = tails.stored(connection, keys).sort("well")
    assert found.schema == tails.STORED_SCHEMA
    assert found.select("well", "oil_sm3", "issues", "audit_id").rows() == [
        ("demo.a", 1.0, ["jump-oil_sm3", "late"], "rules-1-x"),
        ("demo.b", 2.0, ["jump-oil_sm3", "late"], "rules-1-x"),
    ]
