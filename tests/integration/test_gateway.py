"""The gateway with real PostgreSQL, Redis and sockets."""

import asyncio
import json
import socket
import struct
from collections.abc import Callable
from datetime import UTC, datetime

import polars as pl
import pytest
import websockets
from sqlalchemy import Engine, text
from websockets.protocol import State

from storage import log, records
from storage.database import writing
from stream import session
from stream.close_codes import Close
from stream.doorbell import Doorbell
from tests.follower_client import Client
from tests.records import frame, known_field
from tests.services import Services

Start = Callable[..., Services]


@pytest.fixture
def gateway(engine: Engine, services: Start) -> Services:
    known_field(engine)
    return services("gateway")


def write(engine: Engine, number: int, doorbell: Doorbell | None = None, well: str = "demo.a") -> int:
    """One record; the offset it was logged at."""
    with writing(engine) as connection:
        written = records.write(connection, frame((well, 5 * number, float(number))), datetime.now(UTC))
    if doorbell is not None:
        assert doorbell.ring(written.messages)
    return written.messages[-1].offset


async def test_a_client_gets_what_is_committed_after_it_came(gateway: Services, engine: Engine, redis_url: str) -> None:
    doorbell = Doorbell(redis_url)
    write(engine, 0, doorbell)
    async with Client(gateway.ws_url) as client:
        await client.subscribe("field/demo")
        assert (await client.next("records"))["offset"] == 1
        write(engine, 1, doorbell)
        await client.until("field/demo", 2)
    assert [row[0] for row in client.rows["field/demo"]] == [2]
    doorbell.close()


async def test_a_client_that_comes_back_gets_what_it_missed_once(
    gateway: Services, engine: Engine, redis_url: str
) -> None:
    doorbell = Doorbell(redis_url)
    client = Client(gateway.ws_url)
    async with client:
        await client.subscribe("field/demo")
        for number in range(5):
            write(engine, number, doorbell)
        await client.until("field/demo", 5)
    for number in range(5, 10):
        write(engine, number, doorbell)
    async with client:
        await client.subscribe("field/demo")
        await client.until("field/demo", 10)
    assert [row[0] for row in client.rows["field/demo"]] == list(range(1, 11))
    assert client.dropped == 0
    doorbell.close()


async def test_what_the_doorbell_never_told_comes_within_about_a_poll(gateway: Services, engine: Engine) -> None:
    async with Client(gateway.ws_url) as client:
        await client.subscribe("field/demo", "well/demo.a")
        await client.next("records")
        for number in range(3):
            write(engine, number)
        await client.until("field/demo", 3, seconds=5)
        await client.until("well/demo.a", 3, seconds=5)
    assert [row[0] for row in client.rows["field/demo"]] == [1, 2, 3]


async def test_a_hole_on_the_doorbell_is_read_from_the_log_before_what_follows(
    gateway: Services, engine: Engine, redis_url: str
) -> None:
    doorbell = Doorbell(redis_url)
    async with Client(gateway.ws_url) as client:
        await client.subscribe("field/demo")
        await client.next("records")
        write(engine, 0)
        write(engine, 1)
        write(engine, 2, doorbell)
        await client.until("field/demo", 3, seconds=5)
    assert [row[0] for row in client.rows["field/demo"]] == [1, 2, 3]
    doorbell.close()


async def test_a_well_topic_carries_only_its_well_and_its_position_follows_the_field(
    gateway: Services, engine: Engine, redis_url: str
) -> None:
    doorbell = Doorbell(redis_url)
    async with Client(gateway.ws_url) as client:
        await client.subscribe("well/demo.b")
        await client.next("records")
        write(engine, 0, doorbell, "demo.a")
        write(engine, 1, doorbell, "demo.b")
        write(engine, 2, doorbell, "demo.a")
        await client.until("well/demo.b", 3, seconds=5)
    assert [(row[0], row[1]) for row in client.rows["well/demo.b"]] == [(2, "demo.b")]
    doorbell.close()


async def test_a_client_far_back_is_served_from_the_log(gateway: Services, engine: Engine) -> None:
    for number in range(40):
        write(engine, number)
    client = Client(gateway.ws_url)
    client.positions["field/demo"] = 0
    async with client:
        await client.subscribe("field/demo")
        await client.until("field/demo", 40)
    assert [row[0] for row in client.rows["field/demo"]] == list(range(1, 41))


async def test_one_who_joins_at_a_random_moment_under_eight_writers_gets_everything_once(
    gateway: Services, engine: Engine, redis_url: str
) -> None:
    doorbell = Doorbell(redis_url)

    def write_some(writer: int) -> None:
        for turn in range(20):
            write(engine, writer * 1000 + turn, doorbell, "demo.ab"[:5] + "ab"[writer % 2])

    writers = asyncio.gather(*(asyncio.to_thread(write_some, writer) for writer in range(8)))
    clients = []
    for delay in (0.0, 0.1, 0.3):
        await asyncio.sleep(delay)
        client = Client(gateway.ws_url)
        client.positions["field/demo"] = 0
        clients.append(client)
        await client.__aenter__()
        await client.subscribe("field/demo")
    await writers
    for client in clients:
        await client.until("field/demo", 160)
        assert [row[0] for row in client.rows["field/demo"]] == list(range(1, 161))
        assert client.holes == 0
        await client.__aexit__()
    doorbell.close()


async def test_nobody_reloads_while_a_steady_stream_races_the_polls(
    gateway: Services, engine: Engine, redis_url: str
) -> None:
    doorbell = Doorbell(redis_url)

    def write_for_a_while() -> int:
        return max(write(engine, number, doorbell) for number in range(300))

    async with Client(gateway.ws_url) as client:
        await client.subscribe("field/demo")
        await client.next("records")
        writing_all = asyncio.create_task(asyncio.to_thread(write_for_a_while))
        await client.until("field/demo", 300, seconds=60)
        await writing_all
    assert [row[0] for row in client.rows["field/demo"]] == list(range(1, 301))
    assert [one for one in client.messages if one["type"] == "reload"] == []
    doorbell.close()


async def test_a_position_of_another_epoch_must_be_reloaded(gateway: Services, engine: Engine) -> None:
    async with Client(gateway.ws_url) as client:
        await client.send(
            {"type": "subscribe", "topics": ["field/demo"], "from": {"field/demo": {"epoch": "x", "offset": 0}}}
        )
        told = await client.next("reload")
    assert (told["topic"], told["reason"], told["epoch"]) == ("field/demo", "epoch", client.epoch)


async def test_a_position_that_the_log_never_reached_must_be_reloaded(gateway: Services) -> None:
    async with Client(gateway.ws_url) as client:
        client.positions["field/demo"] = 99
        await client.subscribe("field/demo")
        assert (await client.next("reload"))["reason"] == "ahead"


async def test_a_position_before_the_oldest_kept_must_be_reloaded(gateway: Services, engine: Engine) -> None:
    for number in range(5):
        write(engine, number)
    with writing(engine) as connection:
        connection.execute(text("DELETE FROM log WHERE log_offset < 4"))
        connection.execute(text("UPDATE log_heads SET oldest = 4"))
    async with Client(gateway.ws_url) as client:
        client.positions["field/demo"] = 1
        await client.subscribe("field/demo")
        assert (await client.next("reload"))["reason"] == "too-old"


async def test_a_restored_database_makes_everybody_reload(gateway: Services, engine: Engine) -> None:
    async with Client(gateway.ws_url) as client:
        await client.subscribe("field/demo")
        await client.next("records")
        with writing(engine) as connection:
            epoch = log.start_epoch(connection)
        told = await client.next("reload", seconds=5)
        assert (told["reason"], told["epoch"]) == ("epoch", epoch)


async def test_a_log_that_turned_back_without_a_new_epoch_makes_everybody_reload(
    gateway: Services, engine: Engine, redis_url: str
) -> None:
    doorbell = Doorbell(redis_url)
    async with Client(gateway.ws_url) as client:
        await client.subscribe("field/demo")
        await client.next("records")
        write(engine, 0, doorbell)
        await client.until("field/demo", 1)
        with writing(engine) as connection:
            connection.execute(text("UPDATE log_heads SET head = 0"))
        assert (await client.next("reload", seconds=5))["reason"] == "epoch"
    doorbell.close()


async def test_a_topic_that_does_not_exist_is_told_and_the_others_go_on(gateway: Services) -> None:
    async with Client(gateway.ws_url) as client:
        await client.subscribe("field/nowhere", "well/demo.zz", "field/demo")
        first, second = await client.next("error"), await client.next("error")
        await client.until("field/demo", 0)
    assert {first["topic"], second["topic"]} == {"field/nowhere", "well/demo.zz"}
    assert first["code"] == "unknown-topic"


@pytest.mark.parametrize("data", ["hello", '{"type":"x"}', '{"type":"subscribe","topics":["a"]}'])
async def test_a_message_that_is_not_of_the_protocol_ends_the_connection_with_its_reason(
    gateway: Services, data: str
) -> None:
    async with Client(gateway.ws_url) as client:
        await client.socket.send(data)
        assert (await client.next("error"))["code"] == "bad-message"
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await client.quiet(5)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == Close.BAD_MESSAGE


async def test_pings_come_and_say_when_postgresql_was_last_heard(gateway: Services) -> None:
    async with Client(gateway.ws_url) as client:
        first = await client.next("ping")
        second = await client.next("ping")
    assert second["n"] == first["n"] + 1
    assert second["store_s"] < 5


async def test_a_client_that_says_nothing_is_closed_and_one_whose_library_pings_is_not(
    gateway: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "SILENT_S", 2.0)
    async with websockets.connect(gateway.ws_url, ping_interval=0.5, proxy=None) as pinging:
        async with Client(gateway.ws_url) as silent:
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await silent.quiet(10)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == Close.SILENT
        await asyncio.sleep(1.0)
        assert pinging.state is State.OPEN


async def test_a_page_of_another_origin_gets_no_socket(gateway: Services) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        await websockets.connect(gateway.ws_url, origin=websockets.Origin("http://elsewhere.example"), proxy=None)
    assert refused.value.response.status_code == 403
    with pytest.raises(websockets.InvalidStatus) as missing:
        await websockets.connect(gateway.ws_url.replace("/ws", "/other"), proxy=None)
    assert missing.value.response.status_code == 404


async def test_a_message_in_pieces_is_understood(gateway: Services) -> None:
    async with Client(gateway.ws_url) as client:
        await client.socket.send(['{"type":"subscri', 'be","topics":["fie', 'ld/demo"]}'])
        await client.until("field/demo", 0)


async def test_a_stopping_service_says_that_it_restarts(gateway: Services) -> None:
    async with Client(gateway.ws_url) as client:
        stopping = asyncio.create_task(asyncio.to_thread(gateway.stop))
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await client.quiet(5)
        await stopping
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == Close.RESTARTING


async def test_a_client_that_does_not_read_keeps_its_position_and_others_are_not_held_up(
    gateway: Services, engine: Engine, redis_url: str
) -> None:
    doorbell = Doorbell(redis_url)
    lazy = Client(gateway.ws_url)
    lazy._socket = await websockets.connect(
        gateway.ws_url, max_size=None, proxy=None, max_queue=1, sock=_small_socket(gateway.port)
    )
    lazy.epoch = (await lazy.next("welcome"))["epoch"]
    await lazy.subscribe("field/demo")
    await lazy.next("records")
    async with Client(gateway.ws_url) as eager:
        await eager.subscribe("field/demo")
        await eager.next("records")
        for turn in range(12):
            rows = pl.concat([frame(*(("demo.a", 5 * (turn * 2000 + n), 0.1234567) for n in range(2000)))])
            with writing(engine) as connection:
                written = records.write(connection, rows, datetime.now(UTC))
            doorbell.ring(written.messages)
        await eager.until("field/demo", 12)
        assert gateway.gateway is not None
        paused = [one for one in gateway.gateway._connections if one.state == "paused"]
        assert len(paused) == 1
    await lazy.until("field/demo", 12, seconds=30)
    assert len(lazy.rows["field/demo"]) == 24_000
    assert lazy.rows["field/demo"] == eager.rows["field/demo"]
    await lazy.socket.close()
    doorbell.close()


def _small_socket(port: int) -> socket.socket:
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    raw.connect(("127.0.0.1", port))
    raw.setblocking(False)
    return raw


async def test_a_broken_frame_ends_only_its_own_connection(gateway: Services) -> None:
    async with Client(gateway.ws_url) as sane, Client(gateway.ws_url) as broken:
        broken.socket.transport.write(struct.pack("!BB", 0x81, 5) + b"hello")  # not masked
        with pytest.raises(websockets.ConnectionClosed):
            await broken.quiet(5)
        await sane.next("ping")


async def test_messages_larger_than_the_bound_end_the_connection(gateway: Services) -> None:
    async with Client(gateway.ws_url) as client:
        await client.socket.send(json.dumps({"type": "pong", "pad": "x" * 100_000}))
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await client.quiet(5)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009
