"""Bring a database to the newest schema, and say whether it is there."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from storage import log
from storage.database import reading, writing
from storage.domain.errors import StorageDown

_MIGRATION_LOCK = 7_305_000


def migrate(engine: Engine) -> str:
    """Bring the database to the newest schema; one migrates at a time, others wait. Returns the schema's revision.

    A database that has no epoch yet gets its first one.

    Raises:
        StorageDown: PostgreSQL is away.
    """
    with writing(engine) as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        if not connection.execute(text("SELECT count(*) FROM log_epoch")).scalar_one():
            log.start_epoch(connection)
        return _revision(connection) or ""


def require_current(engine: Engine) -> None:
    """Refuse a database whose schema is not the one this code was written for.

    Raises:
        StorageDown: says which revision is there, which is needed and what to run.
    """
    with reading(engine) as connection:
        found = _revision(connection)
    needed = ScriptDirectory.from_config(_config()).get_current_head()
    if found != needed:
        message = f"the database is at schema {found or 'none'}, this version needs {needed}: run `wellstream migrate`"
        raise StorageDown(message)


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "storage:migrations")
    return config
