"""What this machine has and lacks for Wellstream, each with what to do."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import redis
from sqlalchemy import text

from compose.embedded import servers
from compose.ports import require_free_port
from compose.settings import Settings
from storage import migrations
from storage.database import engine_for, reading
from storage.domain.errors import WellstreamError


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: what was found, and whether it is fine."""

    subject: str
    found: str
    fine: bool

    def __str__(self) -> str:
        return f"{'ok  ' if self.fine else 'BAD '} {self.subject:12} {self.found}"


def findings(known: Settings) -> list[Finding]:
    """Look at Python, the port, and the servers, which are started for it where they are embedded and not running."""
    found = [
        _tried("python", lambda: sys.version.split()[0]),
        _tried("port", lambda: _port(known.host, known.port)),
    ]
    try:
        with servers(known.folder, **known.server_options()) as running:
            kind = "embedded" if running.embedded else "given"
            found.append(_tried("postgresql", lambda: f"{kind}, {_postgresql(running.database_url)}"))
            found.append(_tried("redis", lambda: f"{kind}, {_redis(running.redis_url)}"))
            found.append(_tried("schema", lambda: _schema(running.database_url)))
    except WellstreamError as error:
        found.append(Finding("servers", str(error), fine=False))
    return found


def _tried(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, look(), fine=True)
    except (WellstreamError, redis.RedisError, OSError) as error:
        return Finding(subject, str(error), fine=False)


def _port(host: str, port: int) -> str:
    require_free_port(host, port)
    return f"{host}:{port} is free"


def _postgresql(url: str) -> str:
    engine = engine_for(url, pool_size=1)
    try:
        with reading(engine) as connection:
            version: str = connection.execute(text("SHOW server_version")).scalar_one()
        return version
    finally:
        engine.dispose()


def _schema(url: str) -> str:
    engine = engine_for(url, pool_size=1)
    try:
        migrations.require_current(engine)
    finally:
        engine.dispose()
    return "current"


def _redis(url: str) -> str:
    with redis.Redis.from_url(url, socket_connect_timeout=2) as client:
        info = client.info("server")
    return str(info.get("valkey_version", info.get("redis_version")))
