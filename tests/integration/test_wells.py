"""Fields and wells are kept with the best name that was told."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine, text

from storage import rollups, wells
from storage.database import reading, writing
from storage.domain.well import Field, Well
from tests.records import known_field


def test_a_name_that_only_repeats_the_id_does_not_take_the_place_of_a_better_one(engine: Engine) -> None:
    for field, well in (("Eugene", "EI 314 A001"), ("EI330", "177104021701")):
        with writing(engine) as connection:
            wells.add_fields(connection, [Field("ei330", field, "UTC")])
            wells.add_wells(connection, [Well("ei330.177104021701", well, "injector")])
    with reading(engine) as connection:
        assert [one.name for one in wells.all_fields(connection)] == ["Eugene"]
        assert wells.wells_of(connection, "ei330") == [Well("ei330.177104021701", "EI 314 A001", "injector")]


def test_many_fields_and_wells_are_kept_by_several_at_once(engine: Engine) -> None:
    fields = [Field(f"f{number}", f"Field {number}", "UTC") for number in range(40)]
    added = [Well(f"{field.id}.w{number}", f"W {number}") for field in fields for number in range(200)]
    failures: list[BaseException] = []

    def register(order: int) -> None:
        try:
            with writing(engine) as connection:
                wells.add_fields(connection, fields[::order])
                wells.add_wells(connection, added[::order])
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=register, args=(order,)) for order in (1, -1, 1, -1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    with reading(engine) as connection:
        assert sum(len(wells.wells_of(connection, field.id)) for field in fields) == 8_000


def test_a_field_added_by_two_at_once_with_other_clocks_has_its_records_stamped_by_the_one_that_stays(
    engine: Engine,
) -> None:
    def second() -> None:
        with writing(engine) as connection:
            connection.execute(text("SELECT 1"))
            begun.set()
            wells.add_field(connection, Field("new", "New", "Europe/Oslo", 3_600))

    begun = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        with writing(engine) as connection:
            wells.add_field(connection, Field("new", "New", "UTC"))
            waiting = pool.submit(second)
            begun.wait(10)
            time.sleep(0.3)  # until it waits for this transaction
        waiting.result(timeout=20)
    with reading(engine) as connection:
        assert rollups.lagging(connection) == ["new"]


def test_a_well_that_is_kept_as_it_is_is_not_written_again_and_of_two_the_last_counts(engine: Engine) -> None:
    known_field(engine)

    def written() -> list[tuple[str, str]]:
        with reading(engine) as connection:
            return [tuple(row) for row in connection.execute(text("SELECT name, xmin::text FROM wells ORDER BY slug"))]

    before = written()
    with writing(engine) as connection:
        wells.add_wells(connection, [Well("demo.a", "A"), Well("demo.b", "B")])
    assert written() == before
    with writing(engine) as connection:
        wells.add_wells(connection, [Well("demo.a", "First"), Well("demo.a", "Last")])
    assert [name for name, _ in written()] == ["Last", "B"]


def test_a_field_that_is_kept_as_it_is_is_not_written_again(engine: Engine) -> None:
    field = Field("demo", "Demo", "Europe/Oslo", 6 * 3600)

    def written() -> list[tuple[str, int, str]]:
        with writing(engine) as connection:
            wells.add_field(connection, field)
            return [tuple(row) for row in connection.execute(text("SELECT name, day_start_s, xmin::text FROM fields"))]

    first = written()
    assert written() == first
    field = Field("demo", "Demo", "Europe/Oslo", 0)
    assert [row[:2] for row in written()] == [("Demo", 0)]
