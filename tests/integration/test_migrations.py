"""A database with data in it, brought forward."""

from datetime import UTC, date, datetime, timedelta

from alembic import command
from sqlalchemy import Engine, text

from storage import log, migrations, rollups
from storage.database import reading, writing
from storage.domain.rollup import Grain

T0 = datetime(2010, 3, 27, 22, 30, tzinfo=UTC)


def to_revision(engine: Engine, revision: str) -> None:
    """An empty database with the schema of an earlier version."""
    with writing(engine) as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
        config = migrations._config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def test_records_and_log_of_the_first_version_are_all_there_after_it(engine: Engine) -> None:
    to_revision(engine, "0001")
    with writing(engine) as connection:
        for statement in (
            "INSERT INTO log_epoch (epoch) VALUES ('first')",
            "INSERT INTO fields (slug, name, time_zone, day_start_s) VALUES ('volve', 'Volve', 'Europe/Oslo', 0)",
            "INSERT INTO wells (field_id, slug, name) VALUES (1, 'a', 'A')",
            "INSERT INTO log_heads (field_id, head) VALUES (1, 3)",
            "CREATE TABLE records_2010 PARTITION OF records FOR VALUES FROM ('2010-01-01+00') TO ('2011-01-01+00')",
        ):
            connection.execute(text(statement))
        for number in range(3):
            at = T0 + timedelta(hours=number)
            connection.execute(
                text(
                    "INSERT INTO records (field_id, well_id, resolution, start, seconds, oil_sm3, verdict, quality,"
                    " issues, source, received_at, log_offset)"
                    " VALUES (1, 1, 'live', :at, 3600, 2, 'verified', 1, '{}', 'test', :at, :offset)"
                ),
                {"at": at, "offset": number + 1},
            )
            connection.execute(
                text("INSERT INTO log (field_id, log_offset, body, logged_at) VALUES (1, :offset, :body, :at)"),
                {"at": T0 + timedelta(days=number), "offset": number + 1, "body": b"{}"},
            )
    migrations.migrate(engine)
    rollups.catch_up(engine, "volve")
    with reading(engine) as connection:
        stamped = connection.execute(text("SELECT day, hour FROM records ORDER BY start")).all()
        told = log.read(connection, "volve", 0, 9)
        days = rollups.series(connection, "volve", Grain.DAY, whole_field=True)
    assert [tuple(row) for row in stamped] == [(date(2010, 3, 27), 23), (date(2010, 3, 28), 0), (date(2010, 3, 28), 1)]
    assert [(one.epoch, one.offset, one.body) for one in told] == [("first", number, b"{}") for number in (1, 2, 3)]
    assert days["oil_sm3"].to_list() == [2.0, 4.0]
    assert days["seconds"].to_list() == [86_400, 82_800]
