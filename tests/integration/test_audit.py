"""The audit trail: append-only, and every revision of a record with who judged it."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from storage import audit, records
from storage.audit import Trail
from storage.database import reading, writing
from storage.domain.deed import Action, Deed, RecordKey
from tests.records import T0, frame, known_field

NOW = datetime(2026, 1, 2, tzinfo=UTC)
KEY = RecordKey("demo.a", T0, 5, "live")


@pytest.fixture(autouse=True)
def _field(engine: Engine) -> None:
    known_field(engine)


def write(engine: Engine, oil: float, at: datetime, **columns: object) -> None:
    with writing(engine) as connection:
        records.write(connection, frame(("demo.a", 0, oil), **columns), at)


def trail(engine: Engine, known_at: datetime | None = None, seconds: int | None = None) -> Trail:
    with reading(engine) as connection:
        return audit.trail(connection, "demo.a", T0, "live", seconds, known_at)


@pytest.mark.parametrize("table", ["audit", "rule_sets"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_database_refuses_to_change_what_was_noted(engine: Engine, table: str, statement: str) -> None:
    with writing(engine) as connection:
        audit.note(connection, [Deed(NOW, Action.RULES_CHANGED, "ingest", {"version": "1", "digest": "0" * 12})])
    column = {"audit": "by", "rule_sets": "version"}[table]
    with pytest.raises(DBAPIError, match=f"{table} is append-only"), writing(engine) as connection:
        connection.execute(text(statement.format(table, column)))
    with reading(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM audit")).scalar_one() == 1


def test_every_revision_is_told_as_it_stood(engine: Engine) -> None:
    later = NOW + timedelta(hours=1)
    write(engine, 1.0, NOW, audit_id="rules-1-aaaaaaaaaaaa", water_sm3=0.5)
    write(engine, 2.0, later, verdict="suspect", quality=0.5, issues=["drift"], source="plant")
    first, second = trail(engine).revisions
    assert (first.revision, first.received_at, first.superseded_at, first.audit_id) == (
        0, NOW, later, "rules-1-aaaaaaaaaaaa"
    )  # fmt: skip
    assert (first.values["oil_sm3"], first.values["water_sm3"], first.values["gas_sm3"]) == (1.0, 0.5, None)
    assert (second.superseded_at, second.verdict, second.quality, second.issues, second.source) == (
        None, "suspect", 0.5, ["drift"], "plant"
    )  # fmt: skip


def test_what_was_known_at_a_moment_is_what_had_come_by_then(engine: Engine) -> None:
    write(engine, 1.0, NOW)
    write(engine, 2.0, NOW + timedelta(hours=1))
    assert [one.values["oil_sm3"] for one in trail(engine, NOW).revisions] == [1.0]
    assert trail(engine, NOW - timedelta(seconds=1)) == Trail([], [], [])
    assert len(trail(engine, NOW + timedelta(hours=1)).revisions) == 2


def test_lengths_of_intervals_can_be_told_apart(engine: Engine) -> None:
    write(engine, 1.0, NOW)
    with writing(engine) as connection:
        longer = frame(("demo.a", 0, 9.0)).with_columns(seconds=pl.lit(10, dtype=pl.Int32))
        records.write(connection, longer, NOW)
    assert len(trail(engine).revisions) == 2
    assert [one.values["oil_sm3"] for one in trail(engine, seconds=10).revisions] == [9.0]


def test_withdrawals_are_noted_with_their_source(engine: Engine) -> None:
    with writing(engine) as connection:
        rows = frame(("demo.a", 0, 1.0), ("demo.b", 0, 1.0), source="plant", issues=["wrong_well"])
        verdicts = pl.Series("verdict", ["withdrawn", "verified"])
        audit.note_withdrawn(connection, rows.with_columns(verdicts), NOW)
    (deed,) = trail(engine).deeds
    assert (deed["action"], deed["by"], deed["detail"]["issues"]) == ("withdrawn", "plant", ["wrong_well"])


def test_deeds_about_another_record_are_not_in_the_trail(engine: Engine) -> None:
    other = RecordKey("demo.b", T0, 5, "live")
    with writing(engine) as connection:
        audit.note(connection, [Deed(NOW, Action.REJECTED, "kari", {}, "no", key) for key in (KEY, other)])
    assert [deed["by"] for deed in trail(engine).deeds] == ["kari"]
    assert trail(engine, seconds=60).deeds == []
