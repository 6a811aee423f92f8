"""Real servers for every test: one PostgreSQL and one Redis a session, one clone of a template database a test."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import Engine, create_engine, make_url, text

from compose.embedded import Servers, servers
from storage import log, migrations
from storage.database import engine_for, writing
from tests.own_redis import OwnRedis
from tests.services import Services
from tests.unit.ingest.workbooks import real_workbook

_numbers = itertools.count()

settings.register_profile("untimed", deadline=None)  # how long a test takes is not what it asserts
settings.load_profile("untimed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under CI a test that could not run has failed."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def running_servers() -> Iterator[Servers]:
    """PostgreSQL and Redis: those named in the environment, else embedded ones of this session."""
    folder = Path(tempfile.mkdtemp(prefix="wellstream-tests-"))
    try:
        with servers(
            folder / "data",
            database_url=os.environ.get("WELLSTREAM_DATABASE_URL"),
            redis_url=os.environ.get("WELLSTREAM_REDIS_URL"),
        ) as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def redis_url(running_servers: Servers) -> str:
    return running_servers.redis_url


@pytest.fixture(scope="session")
def template(running_servers: Servers) -> Iterator[tuple[Engine, str]]:
    """A migrated database to clone, and an engine that may create databases."""
    name = f"wellstream_template_{os.getpid()}"
    admin = create_engine(running_servers.database_url, isolation_level="AUTOCOMMIT", poolclass=None)
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine = engine_for(_url(running_servers, name))
    migrations.migrate(engine)
    engine.dispose()
    yield admin, name
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def database_url(running_servers: Servers, template: tuple[Engine, str]) -> Iterator[str]:
    """A fresh database with an epoch of its own; every connection to it must be closed when the test ends."""
    admin, source = template
    name = f"wellstream_test_{os.getpid()}_{next(_numbers)}"
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {source}"))
    url = _url(running_servers, name)
    engine = engine_for(url)
    with writing(engine) as connection:
        log.start_epoch(connection)
    engine.dispose()
    yield url
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = engine_for(database_url)
    yield made
    made.dispose()


@pytest.fixture
def own_redis() -> Iterator[OwnRedis]:
    with tempfile.TemporaryDirectory(prefix="wellstream-redis-") as folder:
        one = OwnRedis(Path(folder))
        yield one
        one.stop()


@pytest.fixture
def volve_file() -> Path:
    return real_workbook()


@pytest.fixture
def services(database_url: str, redis_url: str) -> Iterator[Callable[..., Services]]:
    """Start services in this process: ``services(Role.GATEWAY, ...)``; they are stopped when the test ends."""
    started: list[Services] = []

    def start(*roles: str, **options: object) -> Services:
        one = Services(
            database_url, str(options.get("redis_url", redis_url)), roles, port=int(str(options.get("port", 0)))
        )
        started.append(one)
        return one

    yield start
    for one in started:
        one.stop()


def _url(running: Servers, database: str) -> str:
    return make_url(running.database_url).set(database=database).render_as_string(hide_password=False)
