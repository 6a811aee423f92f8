"""From commit to a client's socket and to a chart's paint at 100 records/s, beside bare Redis in the same run."""

import asyncio
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import polars as pl
import redis.asyncio
import websockets
from sqlalchemy import Engine

from compose.bench import browser
from compose.embedded import Servers, servers
from compose.ports import free_port
from compose.settings import environment
from ingest.parse import framed
from ingest.pipeline import Pipeline
from ingest.sources.simulator import SOURCE, Simulator
from storage import migrations
from storage.database import engine_for
from storage.domain.errors import ServerNotStarted
from storage.log import LogMessage
from stream.doorbell import Doorbell
from stream.gateway import TICK_S

RECORDS_A_S: Final = 100
WELLS_A_BATCH: Final = 5
_BETWEEN_S: Final = WELLS_A_BATCH / RECORDS_A_S
_TOPIC: Final = "field/demo"
_EVERY_S: Final = 5
_HISTORY: Final = timedelta(hours=2)
_PAINTED_FOR_S: Final = 60.0
"""The most that paints are timed for: a live line keeps four hours, and here an hour passes in 36 s."""

_CHART: Final = "document.querySelector('#live-demo .js-plotly-plot')"
_IS_DRAWN: Final = f"window.wellstream?.state() === 'live' && {_CHART}?._fullLayout"
_WATCH: Final = f"""
    window.painted = [];
    const newest = () => {{ const {{ x }} = {_CHART}.data[0]; return x[x.length - 1]; }};
    window.first = newest();
    let seen = window.first;
    const look = () => {{
        const now = newest();
        if (now > seen) requestAnimationFrame(() => window.painted.push([now, Date.now()]));
        seen = now;
        requestAnimationFrame(look);
    }};
    look();
"""
"""Notes the newest point that the chart holds in a frame, and when the next one began: then it was on the screen."""

_Spent: TypeAlias = np.ndarray[tuple[int], np.dtype[np.float64]]
"""Milliseconds."""


class _Ringing:
    """A doorbell that remembers when each position was committed."""

    def __init__(self, doorbell: Doorbell) -> None:
        self._doorbell = doorbell
        self.committed_s: dict[int, float] = {}

    def ring(self, messages: Sequence[LogMessage]) -> bool:
        now = time.monotonic()
        self.committed_s.update((message.offset, now) for message in messages)
        return self._doorbell.ring(messages)


def latency(seconds: float) -> dict[str, object]:
    """Ingest at a steady rate for some seconds and time each batch from its commit to a client's socket.

    Measured twice, with the gateway's tick and without; the difference is the tick's share, which buys one write per
    client and tick. Bare Redis pub/sub of a message of the same size is the limit. Then to the paint of a field page's
    live chart with two hours on it, where there is a Chromium.
    """
    with (
        tempfile.TemporaryDirectory(prefix="wellstream-bench-") as folder,
        servers(Path(folder) / "data", database_url=None, redis_url=None) as found,
    ):
        ticked = _measured(found, seconds, days_ago=3, tick_ms=round(TICK_S * 1000))
        unticked = _measured(found, seconds, days_ago=2, tick_ms=0)
        bare = asyncio.run(_bare_redis(found.redis_url, min(seconds, 5.0)))
        painted = _to_paint(found, min(seconds, _PAINTED_FOR_S))
    figures: dict[str, object] = {"records/s": RECORDS_A_S, "records a batch": WELLS_A_BATCH}
    for name, spent in (("", ticked), (" without tick", unticked)):
        figures[f"batches received{name}"] = f"{len(spent)} of {int(seconds / _BETWEEN_S)}"
        figures |= {f"commit to socket{name} p{percent} ms": _at(spent, percent) for percent in (50, 99)}
    figures |= {f"bare Redis publish to subscriber p{percent} ms": _at(bare, percent) for percent in (50, 99)}
    figures["tick ms"] = TICK_S * 1000
    figures["tick's share of p50 ms"] = round(_at(ticked, 50) - _at(unticked, 50), 2)
    figures["ratio to bare Redis without tick p50"] = round(_at(unticked, 50) / _at(bare, 50), 2)
    return figures | painted


def _at(values_ms: _Spent, percent: int) -> float:
    return round(float(np.percentile(values_ms, percent)), 2)


@contextmanager
def _served(found: Servers, tick_ms: int, *roles: str) -> Iterator[str]:
    """Host and port of the services in a process of their own."""
    port = free_port("127.0.0.1")
    own = environment(
        database_url=found.database_url, redis_url=found.redis_url, log_level="warning", tick_ms=str(tick_ms)
    )
    engine = engine_for(found.database_url)
    migrations.migrate(engine)
    engine.dispose()
    process = subprocess.Popen([sys.executable, "-m", "compose", "serve", *roles, "--port", str(port)], env=own)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=15)


def _measured(found: Servers, seconds: float, days_ago: int, tick_ms: int) -> _Spent:
    """Milliseconds from commit to socket of every batch that was received."""
    with _served(found, tick_ms, "gateway") as place, _feed(found, days_ago) as feed:
        received: dict[int, float] = {}
        stop = threading.Event()
        client = threading.Thread(target=lambda: asyncio.run(receive(f"ws://{place}/ws", received, stop)))
        client.start()
        try:
            _await_client(received)
            feed.send(seconds)
            time.sleep(1.0)
        finally:
            stop.set()
            client.join(timeout=10)
    committed = feed.ringing.committed_s
    return np.array([(received[one] - committed[one]) * 1000 for one in committed if one in received])


def _to_paint(found: Servers, seconds: float) -> dict[str, object]:
    """The figures of the paint, or why there are none."""
    binary = browser.found()
    if binary is None:
        return {"commit to painted": "not measured: there is no chromium here"}
    with _served(found, round(TICK_S * 1000), "gateway", "dashboard") as place, _feed(found, days_ago=1) as feed:
        feed.keep_history()
        try:
            spent = asyncio.run(_painted(binary, f"http://{place}/fields/demo", feed, seconds))
        except ServerNotStarted as error:
            return {"commit to painted": f"not measured: {error}"}
    figures: dict[str, object] = {"batches painted": f"{len(spent)} of {int(seconds / _BETWEEN_S)}"}
    return figures | {f"commit to painted p{percent} ms": _at(spent, percent) for percent in (50, 99) if len(spent)}


async def _painted(binary: str, url: str, feed: "_Feed", seconds: float) -> _Spent:
    """Milliseconds from commit to paint of every batch that was painted; the n-th moves the line on by n intervals.

    Raises:
        ServerNotStarted: there is no browser, or the page does not get live in it.
    """
    async with browser.opened(binary, url) as page:
        if not await page.until(_IS_DRAWN, browser.STARTS_WITHIN_S):
            message = f"the page at {url} does not get live"
            raise ServerNotStarted(message)
        await page.ask(_WATCH)
        clocks_apart_s = time.time() - time.monotonic()
        await asyncio.to_thread(feed.send, seconds)
        await asyncio.sleep(2.0)
        first_ms, painted = await page.ask("[window.first, window.painted]")
    upto = np.array([(newest_ms - first_ms) / (_EVERY_S * 1000) for newest_ms, _ in painted])
    committed_ms = [(at_s + clocks_apart_s) * 1000 for at_s in feed.ringing.committed_s.values()]
    spent = []
    for turn, at_ms in enumerate(committed_ms, 1):
        frame = int(np.searchsorted(upto, turn))
        if frame < len(painted):
            spent.append(painted[frame][1] - at_ms)
    return np.array(spent)


class _Feed:
    """The demonstration field, a batch of one record a well every `_BETWEEN_S`."""

    def __init__(self, engine: Engine, doorbell: Doorbell, since: datetime) -> None:
        self.ringing = _Ringing(doorbell)
        self._pipeline = Pipeline(engine, self.ringing, lambda: datetime.now(UTC))
        self._simulator = Simulator(number_of_wells=WELLS_A_BATCH)
        self._since = since
        self._pipeline.register(self._simulator.field(), self._simulator.wells())

    def keep_history(self) -> None:
        """Ingest what a page shows before the first batch; it is not timed."""
        self._pipeline.ingest(framed(SOURCE, self._simulator.live(self._since - _HISTORY, self._since, _EVERY_S)))
        self.ringing.committed_s.clear()

    def send(self, seconds: float) -> None:
        """Ingest for some seconds at the steady rate."""
        step = timedelta(seconds=_EVERY_S)
        rows = self._simulator.live(self._since, self._since + step, _EVERY_S)
        began = time.monotonic()
        for turn in range(int(seconds / _BETWEEN_S)):
            self._pipeline.ingest(framed(SOURCE, rows.with_columns(pl.col("start") + step * turn)))
            time.sleep(max(0.0, began + (turn + 1) * _BETWEEN_S - time.monotonic()))


@contextmanager
def _feed(found: Servers, days_ago: int) -> Iterator[_Feed]:
    """One whose field time begins some days ago, beyond what earlier ones have sent."""
    engine = engine_for(found.database_url)
    doorbell = Doorbell(found.redis_url)
    try:
        yield _Feed(engine, doorbell, datetime.now(UTC).replace(microsecond=0) - timedelta(days=days_ago))
    finally:
        doorbell.close()
        engine.dispose()


def _await_client(received: dict[int, float]) -> None:
    """Return when the client is there: it marks position 0."""
    deadline = time.monotonic() + 20
    while 0 not in received and time.monotonic() < deadline:
        time.sleep(0.05)


async def receive(url: str, received: dict[int, float], stop: threading.Event) -> None:
    """Note when each position came, as a client of the field; 0 is when it was subscribed."""
    async for socket in websockets.connect(url, proxy=None):
        await socket.send(json.dumps({"type": "subscribe", "topics": [_TOPIC]}))
        while not stop.is_set():
            text = await socket.recv()
            now = time.monotonic()
            message = json.loads(text)
            if message["type"] == "ping" and message["reply"]:
                await socket.send(json.dumps({"type": "pong", "n": message["n"]}))
            if message["type"] == "records":
                received.setdefault(0, now)
                received.update((batch["offset"], now) for batch in message["batches"])
        return


async def _bare_redis(url: str, seconds: float) -> _Spent:
    spent: list[float] = []
    async with redis.asyncio.Redis.from_url(url) as client, client.pubsub() as pubsub:
        await pubsub.subscribe("bench")
        await pubsub.get_message(timeout=1)
        for _ in range(int(seconds / _BETWEEN_S)):
            began = time.monotonic()
            await client.publish("bench", b"x" * 1500)
            while (await pubsub.get_message(ignore_subscribe_messages=True, timeout=1)) is None:
                pass
            spent.append((time.monotonic() - began) * 1000)
            await asyncio.sleep(_BETWEEN_S)
    return np.array(spent)
