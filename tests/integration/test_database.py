"""The door to PostgreSQL: what is told when it is away, and the schema."""

import pytest
from sqlalchemy import Engine, text

from storage import migrations
from storage.database import LoopReader, engine_for, reading, writing
from storage.domain.errors import StorageDown, TookTooLong
from storage.tables import metadata


def test_an_unreachable_database_is_one_clear_sentence() -> None:
    engine = engine_for("postgresql+psycopg://nobody@127.0.0.1:9/nothing")
    with pytest.raises(StorageDown, match="PostgreSQL does not answer") as told, writing(engine):
        pass
    assert "\n" not in str(told.value)
    assert told.value.retry


def test_a_connection_that_the_server_ended_is_told_as_storage_down(engine: Engine) -> None:
    with pytest.raises(StorageDown), writing(engine) as connection:
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    with reading(engine) as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_a_question_that_takes_longer_than_its_limit_is_ended_and_told(engine: Engine) -> None:
    with pytest.raises(TookTooLong, match="shorter range"), reading(engine, limit_s=0.05) as connection:
        connection.execute(text("SELECT pg_sleep(5)"))
    with reading(engine) as connection:
        assert connection.execute(text("SHOW statement_timeout")).scalar_one() == "0"


def test_a_reading_transaction_cannot_write(engine: Engine) -> None:
    with pytest.raises(Exception, match="read-only"), reading(engine) as connection:
        connection.execute(text("DELETE FROM wells"))


def test_migrating_again_changes_nothing_and_keeps_the_epoch(engine: Engine) -> None:
    with reading(engine) as connection:
        before = connection.execute(text("SELECT epoch FROM log_epoch")).scalar_one()
    migrations.migrate(engine)
    migrations.require_current(engine)
    with reading(engine) as connection:
        assert connection.execute(text("SELECT epoch FROM log_epoch")).scalar_one() == before


def test_the_migrations_make_the_tables_that_the_code_names(engine: Engine) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    with reading(engine) as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    assert differences == []


def test_a_database_without_the_schema_is_refused_with_what_to_run(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("DROP TABLE alembic_version"))
    with pytest.raises(StorageDown, match="wellstream migrate"):
        migrations.require_current(engine)


async def test_small_queries_are_asked_on_the_loop_and_outlive_a_connection_that_the_server_ended(
    engine: Engine,
) -> None:
    reader = LoopReader(engine)
    first = (await reader.rows("SELECT pg_backend_pid() AS pid"))[0].pid
    assert (await reader.rows("SELECT pg_backend_pid() AS pid"))[0].pid == first
    with writing(engine) as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": first})
    assert (await reader.rows("SELECT pg_backend_pid() AS pid"))[0].pid != first
    await reader.close()


async def test_small_queries_say_that_postgresql_is_away() -> None:
    reader = LoopReader(engine_for("postgresql+psycopg://nobody@127.0.0.1:9/nothing"))
    with pytest.raises(StorageDown, match="PostgreSQL does not answer"):
        await reader.rows("SELECT 1")
