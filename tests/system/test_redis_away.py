"""Redis stopped under a stream and started again: nothing lost, nothing twice, and the screens go on meanwhile."""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from ingest.parse import framed
from ingest.pipeline import Pipeline
from ingest.sources.simulator import SOURCE, Simulator
from storage import log, production
from storage.database import reading
from storage.domain.record import Resolution
from stream.doorbell import Doorbell
from tests.follower_client import Client
from tests.own_redis import AWAY_S, OwnRedis
from tests.services import Services

pytestmark = pytest.mark.system


async def test_every_record_is_stored_and_shown_once_in_order_through_an_outage(
    engine: Engine, services: Callable[..., Services], own_redis: OwnRedis
) -> None:
    running = services("gateway", redis_url=own_redis.url)
    stop, shown_while_away = threading.Event(), []
    simulator = Simulator(number_of_wells=4)
    pipeline = Pipeline(engine, Doorbell(own_redis.url), lambda: datetime.now(UTC))
    pipeline.register(simulator.field(), simulator.wells())

    def send() -> int:
        offset, since = 0, datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
        while not stop.wait(0.05):
            rows = simulator.live(since, since + timedelta(seconds=5), 5)
            offset = pipeline.ingest(framed(SOURCE, rows)).positions["demo"]
            since += timedelta(seconds=5)
        return offset

    async with Client(running.ws_url) as client:
        await client.subscribe("field/demo")
        sending = asyncio.create_task(asyncio.to_thread(send))
        try:
            await client.quiet(1.5)
            own_redis.stop()
            before = client.positions["field/demo"]
            await client.quiet(AWAY_S)
            shown_while_away.append(client.positions["field/demo"] - before)
            own_redis.start()
            await client.quiet(2.5)
        finally:
            stop.set()
        newest = await sending
        await client.until("field/demo", newest)
    offsets = [row[0] for row in client.rows["field/demo"]]
    assert offsets == sorted(offsets)
    assert sorted(set(offsets)) == list(range(1, newest + 1))
    assert len(client.rows["field/demo"]) == len(set(client.rows["field/demo"])) == 4 * newest
    assert client.dropped == client.holes == 0
    assert shown_while_away[0] > 0, "screens must go on by the poll"
    with reading(engine) as connection:
        assert log.position(connection, "demo").offset == newest
        assert production.history(connection, "demo", resolution=Resolution.LIVE).height == 4 * newest
