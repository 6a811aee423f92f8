"""Commit-to-socket latency at 100 records/s through the whole path, beside bare Redis pub/sub in the same run."""

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

from compose.embedded import Servers, servers
from compose.ports import free_port
from compose.settings import environment
from ingest.parse import framed
from ingest.pipeline import Pipeline
from ingest.sources.simulator import SOURCE, Simulator
from storage import migrations
from storage.database import engine_for
from storage.log import LogMessage
from stream.doorbell import Doorbell
from stream.gateway import TICK_S

RECORDS_A_S: Final = 100
WELLS_A_BATCH: Final = 5
_BETWEEN_S: Final = WELLS_A_BATCH / RECORDS_A_S
_TOPIC: Final = "field/demo"


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
    client and tick. Bare Redis pub/sub of a message of the same size is the limit.
    """
    with (
        tempfile.TemporaryDirectory(prefix="wellstream-bench-") as folder,
        servers(Path(folder) / "data", database_url=None, redis_url=None) as found,
    ):
        ticked = _measured(found, seconds, tick_ms=round(TICK_S * 1000))
        unticked = _measured(found, seconds, tick_ms=0)
        bare = asyncio.run(_bare_redis(found.redis_url, min(seconds, 5.0)))
    figures: dict[str, object] = {"records/s": RECORDS_A_S, "records a batch": WELLS_A_BATCH}
    for name, spent in (("", ticked), (" without tick", unticked)):
        figures[f"batches received{name}"] = f"{len(spent)} of {int(seconds / _BETWEEN_S)}"
        figures |= {f"commit to socket{name} p{percent} ms": _at(spent, percent) for percent in (50, 99)}
    figures |= {f"bare Redis publish to subscriber p{percent} ms": _at(bare, percent) for percent in (50, 99)}
    figures["tick ms"] = TICK_S * 1000
    figures["tick's share of p50 ms"] = round(_at(ticked, 50) - _at(unticked, 50), 2)
    figures["ratio to bare Redis without tick p50"] = round(_at(unticked, 50) / _at(bare, 50), 2)
    return figures


def _at(values_ms: _Spent, percent: int) -> float:
    return round(float(np.percentile(values_ms, percent)), 2)


@contextmanager
def _gateway(found: Servers, tick_ms: int) -> Iterator[str]:
    port = free_port("127.0.0.1")
    own = environment(
        database_url=found.database_url, redis_url=found.redis_url, log_level="warning", tick_ms=str(tick_ms)
    )
    engine = engine_for(found.database_url)
    migrations.migrate(engine)
    engine.dispose()
    process = subprocess.Popen([sys.executable, "-m", "compose", "serve", "gateway", "--port", str(port)], env=own)
    try:
        yield f"ws://127.0.0.1:{port}/ws"
    finally:
        process.terminate()
        process.wait(timeout=15)


def _measured(found: Servers, seconds: float, tick_ms: int) -> _Spent:
    """Milliseconds from commit to socket of every batch that was received."""
    with _gateway(found, tick_ms) as url:
        committed, received = _timed(found, url, seconds)
    return np.array([(received[one] - committed[one]) * 1000 for one in committed if one in received])


def _timed(found: Servers, url: str, seconds: float) -> tuple[dict[int, float], dict[int, float]]:
    engine = engine_for(found.database_url)
    doorbell = Doorbell(found.redis_url)
    ringing = _Ringing(doorbell)
    simulator = Simulator(number_of_wells=WELLS_A_BATCH)
    pipeline = Pipeline(engine, ringing, lambda: datetime.now(UTC))
    pipeline.register(simulator.field(), simulator.wells())
    received: dict[int, float] = {}
    stop = threading.Event()
    client = threading.Thread(target=lambda: asyncio.run(_receive(url, received, stop)))
    client.start()
    try:
        _send(pipeline, simulator, received, seconds)
        time.sleep(1.0)
    finally:
        stop.set()
        client.join(timeout=10)
        doorbell.close()
        engine.dispose()
    return ringing.committed_s, received


def _send(pipeline: Pipeline, simulator: Simulator, received: dict[int, float], seconds: float) -> None:
    """One batch of one record a well every `_BETWEEN_S`, after the client is there (it marks position 0)."""
    deadline = time.monotonic() + 20
    while 0 not in received and time.monotonic() < deadline:
        time.sleep(0.05)
    since = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    rows = simulator.live(since, since + timedelta(seconds=5), 5)
    began = time.monotonic()
    for turn in range(int(seconds / _BETWEEN_S)):
        pipeline.ingest(framed(SOURCE, rows.with_columns(pl.col("start") + timedelta(seconds=5 * turn))))
        time.sleep(max(0.0, began + (turn + 1) * _BETWEEN_S - time.monotonic()))


async def _receive(url: str, received: dict[int, float], stop: threading.Event) -> None:
    async for socket in websockets.connect(url, proxy=None):
        await socket.send(json.dumps({"type": "subscribe", "topics": [_TOPIC]}))
        while not stop.is_set():
            text = await socket.recv()
            now = time.monotonic()
            message = json.loads(text)
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
