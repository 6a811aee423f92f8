"""`wellstream up`: everything on one machine, from nothing to an address that moves, and away again on Ctrl-C."""

import signal
import sys
import threading
import time
import urllib.request
from collections.abc import Sequence
from typing import Final

import typer

from compose.embedded import Servers, servers
from compose.ports import free_port, require_free_port
from compose.programs import Happened, Program, What
from compose.settings import Settings, environment
from compose.supervise import Supervisor
from storage import migrations
from storage.database import engine_for
from storage.domain.errors import ServerNotStarted

READY_TIMEOUT_S: Final = 60.0
DEATHS_BORNE: Final = 2
"""How often the services may die before they were ever ready."""


def up(known: Settings, feed: Sequence[str]) -> None:
    """Start servers, services and the feed (a `wellstream` subcommand with arguments, or nothing); wait for a signal.

    Raises:
        ServerNotStarted: the port, the data folder or a server could not be had; nothing is left running.
        StorageDown: the database named does not answer.
    """
    port = known.port or free_port(known.host)
    require_free_port(known.host, port)
    stop = stop_on_signals()
    facts = _Facts(stop)
    with servers(known.folder, **known.server_options(), told=facts.told) as found:
        _migrated(found)
        with Supervisor(_programs(found, known, port, feed), facts.told):
            _await_ready(facts, known.host, port, stop)
            if not stop.is_set():
                typer.echo(f"Wellstream is at http://{known.host}:{port}  (Ctrl-C stops it)")
            stop.wait()
    if facts.lost is not None:
        message = f"{facts.lost}; everything was stopped, and nothing that was accepted is lost: start again"
        raise ServerNotStarted(message)


def stop_on_signals() -> threading.Event:
    """An event that is set by Ctrl-C, SIGTERM or the terminal's end."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    return stop


class _Facts:
    """Tells the person at the terminal of programs that die, and counts; a lost guard ends everything."""

    def __init__(self, stop: threading.Event) -> None:
        self.deaths = 0
        self.lost: Happened | None = None
        self._stop = stop

    def told(self, fact: Happened) -> None:
        if fact.what in (What.DIED, What.LOST):
            self.deaths += 1
            typer.echo(f"wellstream: {fact}", err=True)
        if fact.what is What.LOST:
            self.lost = fact
            self._stop.set()


def _migrated(found: Servers) -> None:
    engine = engine_for(found.database_url)
    try:
        migrations.migrate(engine)
    finally:
        engine.dispose()


def _programs(found: Servers, known: Settings, port: int, feed: Sequence[str]) -> list[Program]:
    own = environment(
        database_url=found.database_url,
        redis_url=found.redis_url,
        host=known.host,
        port=str(port),
        log_days=str(known.log_days),
        log_format=known.log_format,
        log_level=known.log_level,
    )
    command = (sys.executable, "-m", "compose")
    services = Program("services", (*command, "serve", "ingest", "gateway", "dashboard", "worker"), own)
    return [services, *([Program("feed", (*command, *feed), own, ends=True)] if feed else [])]


def _await_ready(facts: _Facts, host: str, port: int, stop: threading.Event) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    while not stop.is_set() and not _is_ready(host, port):
        if facts.deaths >= DEATHS_BORNE or time.monotonic() > deadline:
            message = f"the services did not get ready on {host}:{port}; what they said stands above"
            raise ServerNotStarted(message)
        stop.wait(0.05)


def _is_ready(host: str, port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{host}:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
