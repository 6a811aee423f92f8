"""How everything stands, in one query: whatever changes moves it."""

from datetime import UTC, datetime

from sqlalchemy import Engine

from storage import log, records, rollups, wells
from storage.database import reading, writing
from storage.domain.well import Field, Well
from storage.standing import Standing, standing
from tests.records import frame, known_field


def stands(engine: Engine) -> Standing:
    with reading(engine) as connection:
        return standing(connection)


def test_heads_and_rollups_of_every_field_and_who_is_behind(engine: Engine) -> None:
    known_field(engine)
    known_field(engine, "other")
    with writing(engine) as connection:
        records.write(connection, frame(("demo.a", 0, 1.0)), datetime.now(UTC))
    found = stands(engine)
    assert (found.heads, found.rolled, found.behind) == ({"demo": 1, "other": 0}, {"demo": 0, "other": 0}, {"demo"})
    rollups.catch_up(engine, "demo")
    found = stands(engine)
    assert (found.rolled["demo"], found.behind) == (1, frozenset())


def test_a_field_with_another_clock_is_behind(engine: Engine) -> None:
    known_field(engine)
    rollups.catch_up(engine, "demo")
    with writing(engine) as connection:
        wells.add_field(connection, Field("demo", "Demo", "Europe/Oslo", 0))
    assert stands(engine).behind == {"demo"}


def test_a_field_or_well_that_is_added_or_renamed_is_another_catalogue(engine: Engine) -> None:
    seen = [stands(engine).catalogue]
    for change in (
        lambda connection: wells.add_field(connection, Field("demo", "Demo", "UTC")),
        lambda connection: wells.add_wells(connection, [Well("demo.a", "A")]),
        lambda connection: wells.add_wells(connection, [Well("demo.a", "Renamed")]),
        lambda connection: wells.add_field(connection, Field("demo", "Renamed", "UTC")),
    ):
        with writing(engine) as connection:
            change(connection)
        seen.append(stands(engine).catalogue)
    assert len(set(seen)) == len(seen)
    assert stands(engine).catalogue == seen[-1]


def test_a_database_without_fields_has_an_epoch_and_a_new_life_another(engine: Engine) -> None:
    before = stands(engine)
    assert (before.heads, before.behind) == ({}, frozenset())
    with writing(engine) as connection:
        log.start_epoch(connection)
    assert stands(engine).epoch != before.epoch
