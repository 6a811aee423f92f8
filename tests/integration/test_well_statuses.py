"""Status and type over time: reported and derived kept apart, newer reports cut into older ones."""

from datetime import UTC, datetime

import polars as pl
import pytest
from sqlalchemy import Engine, text

from storage import records, rollups, well_statuses
from storage.database import reading, writing
from storage.domain.errors import NotFound
from storage.domain.well_status import STATUS_SCHEMA
from tests.records import T0, frame, known_field


def month(number: int) -> datetime:
    return datetime(2025, number, 1, 5, tzinfo=UTC)  # 06:00 in Oslo in winter


def status(*rows: tuple[str, str, datetime, datetime | None, str]) -> pl.DataFrame:
    return pl.DataFrame([(*row, "test") for row in rows], schema=STATUS_SCHEMA, orient="row")


def keep(engine: Engine, statuses: pl.DataFrame) -> int:
    with writing(engine) as connection:
        return well_statuses.keep(connection, statuses, T0)


def history(engine: Engine, aspect: str, well: str = "demo.a") -> list[tuple[object, ...]]:
    with reading(engine) as connection:
        found = well_statuses.history(connection, well)
    return found.filter(pl.col("aspect") == aspect).select("since", "until", "code").rows()


def test_a_newer_report_cuts_into_the_older_one_and_again_changes_nothing(engine: Engine) -> None:
    known_field(engine)
    assert keep(engine, status(("demo.a", "status", month(1), month(12), "08"))) == 1
    newer = status(("demo.a", "status", month(3), month(5), "12"), ("demo.b", "type", month(1), None, "injector"))
    assert keep(engine, newer) == 2
    assert keep(engine, newer) == 0
    assert history(engine, "status") == [
        (month(1), month(3), "08"), (month(3), month(5), "12"), (month(5), month(12), "08")
    ]  # fmt: skip
    assert history(engine, "type", "demo.b") == [(month(1), None, "injector")]


def produced(engine: Engine, well: str, number: int, oil: float) -> None:
    one = frame((well, 0, oil), resolution="monthly").with_columns(
        start=pl.lit(month(number)).cast(pl.Datetime("us", "UTC"))
    )
    with writing(engine) as connection:
        records.write(connection, one, T0)


def test_what_records_say_stands_beside_what_was_reported(engine: Engine) -> None:
    known_field(engine)
    for number, oil in enumerate([5.0, 0.0, 0.0, 0.0], start=1):
        produced(engine, "demo.a", number, oil)
    produced(engine, "demo.b", 3, 1.0)
    rollups.catch_up(engine, "demo")
    keep(engine, status(("demo.a", "status", month(1), month(5), "08")))
    assert history(engine, "derived") == [(month(1), datetime(2025, 4, 1, 4, tzinfo=UTC), "active"),
                                          (datetime(2025, 4, 1, 4, tzinfo=UTC), None, "inactive")]  # fmt: skip
    with reading(engine) as connection:
        now = well_statuses.of_field(connection, "demo")
    assert now.select("well", "status", "derived", "type").rows() == [
        ("demo.a", "08", "inactive", None), ("demo.b", None, "active", None)
    ]  # fmt: skip


def test_intervals_never_overlap_in_the_table(engine: Engine) -> None:
    known_field(engine)
    keep(engine, status(("demo.a", "status", month(1), None, "08")))
    keep(engine, status(("demo.a", "status", month(2), month(4), "12"), ("demo.a", "status", month(6), None, "14")))
    query = """SELECT count(*) FROM well_statuses a JOIN well_statuses b USING (field_id, well_id, aspect)
               WHERE a.since < b.since AND coalesce(a.until, 'infinity') > b.since"""
    with reading(engine) as connection:
        assert connection.execute(text(query)).scalar_one() == 0
    assert [code for *_, code in history(engine, "status")] == ["08", "12", "08", "14"]


def test_the_status_of_an_unknown_well_is_refused(engine: Engine) -> None:
    known_field(engine)
    with pytest.raises(NotFound, match=r"demo\.z"):
        keep(engine, status(("demo.z", "status", month(1), None, "08")))


def test_a_report_that_says_a_part_of_what_is_kept_writes_nothing(engine: Engine) -> None:
    known_field(engine)
    keep(engine, status(("demo.a", "status", month(1), month(6), "08"), ("demo.a", "status", month(6), None, "12")))
    assert keep(engine, status(("demo.a", "status", month(2), month(4), "08"))) == 0
    assert keep(engine, status(("demo.a", "status", month(8), month(9), "12"))) == 0
    assert keep(engine, status(("demo.a", "status", month(5), month(7), "08"))) == 1
    assert [code for *_, code in history(engine, "status")] == ["08", "12"]
