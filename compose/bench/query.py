"""Latency of the query API at many clients at once, cold and warm, beside the same SQL asked by a plain client."""

import asyncio
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import psutil  # type: ignore[import-untyped]
import uvloop
from sqlalchemy import Engine, text

from compose.embedded import Servers, servers
from compose.ports import free_port
from compose.settings import environment
from storage import bulk, migrations, rollups
from storage.database import engine_for, reading
from storage.domain.well import Field

WELLS: Final = 1_000
FIELD: Final = Field("bench", "Bench", "Europe/Oslo", 6 * 3600)
UNTIL: Final = datetime(2026, 1, 1, 5, tzinfo=UTC)
_END: Final = UNTIL.date()
_ALONE: Final = 40
_WAVES: Final = 5
_QUESTIONS_A_CLIENT: Final = 3
_READY_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Case:
    """An endpoint: addresses that are all different questions, and the plain SQL that answers one of them."""

    name: str
    paths: tuple[str, ...]
    sql: str


@dataclass(frozen=True, slots=True)
class Spent:
    """Milliseconds of each request, how many had no answer, what server and client burnt, and how long all took."""

    latencies_ms: "np.ndarray[tuple[int], np.dtype[np.float64]]"
    failures: int
    server_cpu_s: float
    client_cpu_s: float
    wall_s: float


def query(seconds: float, *, number_of_records: int = 1_000_000, clients: int = 100) -> dict[str, object]:
    """Ask every endpoint with so many clients at once, each its next question as soon as it has its answer.

    Cold: every question is asked for the first time, by all clients at once, or each client asks another. Warm: all
    of them again, for some seconds. The client runs in this process and takes its share of the same cores; how many
    cores it and the server burnt is told (PostgreSQL's come on top).
    """
    with (
        tempfile.TemporaryDirectory(prefix="wellstream-bench-") as folder,
        servers(Path(folder) / "data", database_url=None, redis_url=None) as found,
    ):
        engine = engine_for(found.database_url)
        migrations.migrate(engine)
        made_s, rolled_s = _made(engine, number_of_records)
        with _server(found) as (port, process):
            figures = _measured(engine, port, process, seconds, clients)
        engine.dispose()
    told = {"records": number_of_records, "wells": WELLS, "clients": clients}
    return told | {"made in s": made_s, "rolled up in s": rolled_s} | figures


def _measured(engine: Engine, port: int, process: psutil.Process, seconds: float, clients: int) -> dict[str, object]:
    figures: dict[str, object] = {}
    for case in _cases(engine):
        paths = [f"/api/v1{path}" for path in case.paths]
        alone, paths = _asked(port, process, [paths[:_ALONE]], 0.0), paths[_ALONE:]
        waves = [_asked(port, process, [[path]] * clients, 0.0) for path in paths[:_WAVES]]
        others = paths[_WAVES : _WAVES + _QUESTIONS_A_CLIENT * clients]
        figures |= _told(f"{case.name}, cold, all ask the same", _together(waves))
        figures |= _told(f"{case.name}, cold, each asks another", _asked(port, process, _shared(others, clients), 0.0))
        figures |= _told(f"{case.name}, warm", _asked(port, process, _shared(others, clients), seconds))
        plain_ms, plan = _plain(engine, case.sql)
        figures[f"{case.name}, cold and alone p50 ms"] = _at(alone, 50)
        figures[f"{case.name}, plain SQL p50 ms"] = plain_ms
        figures[f"{case.name}, cold and alone to plain SQL"] = round(_at(alone, 50) / plain_ms, 1)
        figures[f"{case.name}, served by"] = plan
    bare = _asked(port, process, [["/healthz"]] * clients, seconds)
    return figures | _told("healthz (bare round trip)", bare)


def _together(waves: Sequence[Spent]) -> Spent:
    return Spent(
        np.concatenate([one.latencies_ms for one in waves]),
        sum(one.failures for one in waves),
        *(sum(times) for times in zip(*((w.server_cpu_s, w.client_cpu_s, w.wall_s) for w in waves), strict=True)),
    )


def _told(name: str, spent: Spent) -> dict[str, object]:
    count, told = len(spent.latencies_ms), {}
    told[f"{name}: p50/p95/p99 ms"] = " / ".join(str(_at(spent, percent)) for percent in (50, 95, 99))
    told[f"{name}: requests"] = (
        f"{count} ({count / spent.wall_s:.0f}/s; cores: server {spent.server_cpu_s / spent.wall_s:.2f},"
        f" client {spent.client_cpu_s / spent.wall_s:.2f})"
    )
    if spent.failures:
        told[f"{name}: not answered"] = str(spent.failures)
    return dict(told)


def _at(spent: Spent, percent: int) -> float:
    return round(float(np.percentile(spent.latencies_ms, percent)), 2)


# Data


def _made(engine: Engine, number_of_records: int) -> tuple[float, float]:
    """A field of 1,000 wells with days and minutes; seconds that making it and rolling it up took."""
    began = time.monotonic()
    bulk.make(engine, FIELD, bulk.plan(WELLS, number_of_records), UNTIL)
    _tidied(engine)  # else the first planning knows of no rows
    made_s = time.monotonic() - began
    rollups.catch_up(engine, FIELD.id)
    rolled_s = time.monotonic() - began - made_s
    _tidied(engine)
    return round(made_s, 1), round(rolled_s, 1)


def _tidied(engine: Engine) -> None:
    """What a server does by itself within minutes."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


# Questions


def _cases(engine: Engine) -> Iterator[Case]:
    """The endpoints; each question differs from the others, if only in the second at which its range begins."""
    names = [f"{FIELD.id}.b-{number}" for number in range(1, WELLS + 1)]
    seconds = [f"2000-01-01T{at // 3600:02}:{at // 60 % 60:02}:{at % 60:02}Z" for at in range(WELLS)]
    with reading(engine) as connection:
        key = int(connection.execute(text("SELECT field_id FROM fields")).scalar_one())
        well = int(connection.execute(text("SELECT min(well_id) FROM wells")).scalar_one())
    day, series = _END - timedelta(days=30), "oil_sm3_sum, gas_sm3_sum, water_sm3_sum, records, quality_sum, measured_s"
    extremes = ", ".join(f"{name}_sm3_{end}" for name in ("oil", "gas", "water") for end in ("low", "high"))
    field = f"/fields/{FIELD.id}"
    yield Case(
        "well's full history at 2,000 points",
        tuple(f"/wells/{name}/production?resolution=day&points=2000" for name in names),
        f"SELECT day, {series}, {extremes} FROM day_rollups WHERE field_id = {key} AND well_id = {well} ORDER BY day",  # noqa: S608
    )
    yield Case(
        "field's months",
        tuple(f"{field}/production?resolution=month&metrics=oil,gas,water&start={second}" for second in seconds),
        f"SELECT month, {series} FROM month_rollups WHERE field_id = {key} AND well_id = 0",  # noqa: S608
    )
    yield Case(
        "ranking of 1,000 wells",
        tuple(f"{field}/ranking?metric=oil&start={_END - timedelta(days=60 - at % 30)}&limit={1000 - at // 30}"
              for at in range(900)),
        f"SELECT well_id, sum(oil_sm3_sum) FROM day_rollups WHERE field_id = {key} AND well_id <> 0"  # noqa: S608
        f" AND day >= date '{day}' - 30 GROUP BY well_id",
    )  # fmt: skip
    yield Case(
        "heatmap of 30 days",
        tuple(f"{field}/heatmap?start={_END - timedelta(days=30)}T00:00:{at % 60:02}.{at // 60:03}Z"
              for at in range(150)),
        f"SELECT well_id, day, oil_sm3_sum FROM day_rollups WHERE field_id = {key} AND day >= '{day}'",  # noqa: S608
    )  # fmt: skip
    yield Case(
        "field's quality",
        tuple(f"{field}/quality?start={_END - timedelta(days=90)}T00:00:{at % 60:02}.{at // 60:03}Z"
              for at in range(400)),
        f"SELECT * FROM day_rollups WHERE field_id = {key} AND well_id = 0 AND day >= date '{day}' - 60",  # noqa: S608
    )  # fmt: skip
    yield Case(
        "figures at a glance",
        tuple(f"/kpis?days={1 + at % 366}&units={'metric' if at < 366 else 'field'}" for at in range(732)),
        f"SELECT sum(oil_sm3_sum) FROM day_rollups WHERE field_id = {key} AND well_id = 0 AND day >= '{day}'",  # noqa: S608
    )
    yield Case(
        "search",
        tuple(f"/search?q=b{at}" for at in range(300)),
        "SELECT slug, name FROM wells",
    )


def _plain(engine: Engine, sql: str) -> tuple[float, str]:
    """Milliseconds of the plain SQL, asked one by one, and what the planner reads for it."""
    spent = []
    with reading(engine) as connection:
        plan = "\n".join(row[0] for row in connection.execute(text(f"EXPLAIN {sql}")))
        for _ in range(_ALONE):
            began = time.perf_counter()
            connection.execute(text(sql)).all()
            spent.append((time.perf_counter() - began) * 1000)
    read = re.findall(r"((?:Bitmap Heap|Seq|Index Only|Index) Scan(?: using \w+)? on \w+)", plan)
    return round(float(np.percentile(spent, 50)), 2), ", ".join(dict.fromkeys(read))


# Clients


@contextmanager
def _server(found: Servers) -> Iterator[tuple[int, psutil.Process]]:
    port = free_port("127.0.0.1")
    own = environment(database_url=found.database_url, redis_url=found.redis_url, log_level="warning")
    command = [sys.executable, "-m", "compose", "serve", "dashboard", "--port", str(port)]
    process = subprocess.Popen(command, env=own)
    try:
        _await_ready(port, process)
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(timeout=15)


def _await_ready(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                return
        except OSError:
            time.sleep(0.05)


class _Client(asyncio.Protocol):
    """One connection that asks its next question when it has its answer; as little of a client as can be."""

    def __init__(self, paths: Sequence[str], until_s: float, done: "asyncio.Future[None]") -> None:
        self._requests = [
            f"GET {path} HTTP/1.1\r\nHost: bench\r\nAccept-Encoding: gzip\r\n\r\n".encode() for path in paths
        ]
        self._until_s = until_s
        self._done = done
        self._asked = 0
        self._began_s = 0.0
        self._got = bytearray()
        self._wanted = 0
        self.latencies_ms: list[float] = []
        self.failures = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._got += data
        if not self._wanted:
            ends = self._got.find(b"\r\n\r\n")
            if ends < 0:
                return
            length = re.search(rb"(?i)content-length: (\d+)", self._got[:ends])
            self._wanted = ends + 4 + (int(length[1]) if length else 0)
        if len(self._got) >= self._wanted:
            self._answered()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_result(None)

    def _ask(self) -> None:
        again = time.perf_counter() < self._until_s
        if not self._requests or (self._asked >= len(self._requests) and not again):
            self._transport.close()
            return
        self._got.clear()
        self._wanted = 0
        self._began_s = time.perf_counter()
        self._transport.write(self._requests[self._asked % len(self._requests)])  # type: ignore[attr-defined]
        self._asked += 1

    def _answered(self) -> None:
        self.latencies_ms.append((time.perf_counter() - self._began_s) * 1000)
        self.failures += not self._got.startswith(b"HTTP/1.1 200")
        self._ask()


def _shared(paths: Sequence[str], clients: int) -> list[Sequence[str]]:
    return [paths[one::clients] for one in range(clients)]


def _asked(port: int, process: psutil.Process, of_clients: Sequence[Sequence[str]], seconds: float) -> Spent:
    """Every client asks its questions once, and again until the seconds are over."""
    began, burnt, own = time.perf_counter(), _burnt_s(process), time.process_time()
    clients = uvloop.run(_all_asked(port, of_clients, began + seconds))
    wall = time.perf_counter() - began
    failures = sum(client.failures for client in clients)
    latencies = np.array([one for client in clients for one in client.latencies_ms])
    return Spent(latencies, failures, _burnt_s(process) - burnt, time.process_time() - own, wall)


async def _all_asked(port: int, of_clients: Sequence[Sequence[str]], until_s: float) -> list[_Client]:
    loop = asyncio.get_running_loop()
    made = []
    for paths in of_clients:
        done = loop.create_future()
        _, client = await loop.create_connection(lambda p=paths, d=done: _Client(p, until_s, d), "127.0.0.1", port)  # type: ignore[misc]
        made.append((client, done))
    await asyncio.gather(*(done for _, done in made))
    return [client for client, _ in made]


def _burnt_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
