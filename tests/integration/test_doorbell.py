"""The doorbell on a real Redis."""

import asyncio
import time

import pytest
import redis.asyncio

from storage.log import LogMessage
from stream.doorbell import REST_S, Doorbell, Listener


def message(offset: int, epoch: str = "e1") -> LogMessage:
    return LogMessage(epoch, "demo", offset, b'{"offset":%d,"field":"demo"}' % offset)


async def until(condition: object, seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


async def test_what_is_rung_is_heard_with_the_same_bytes_and_only_in_its_epoch(redis_url: str) -> None:
    heard: list[LogMessage] = []
    listener = Listener(redis_url, heard.append)
    await listener.want({("e1", "demo")})
    task = asyncio.create_task(listener.run())
    await until(lambda: listener.up)
    doorbell = Doorbell(redis_url)
    assert doorbell.ring([message(1), message(1, "e2"), message(2)])
    await until(lambda: len(heard) == 2)
    assert heard == [message(1), message(2)]
    doorbell.close()
    task.cancel()


async def test_a_field_wanted_later_is_heard_and_one_no_longer_wanted_is_not(redis_url: str) -> None:
    heard: list[LogMessage] = []
    listener = Listener(redis_url, heard.append)
    task = asyncio.create_task(listener.run())
    await until(lambda: listener.up)
    doorbell = Doorbell(redis_url)
    doorbell.ring([message(1)])
    await listener.want({("e1", "demo")})
    await asyncio.sleep(0.1)
    doorbell.ring([message(2)])
    await until(lambda: heard == [message(2)])
    await listener.want(set())
    await asyncio.sleep(0.1)
    doorbell.ring([message(3)])
    await asyncio.sleep(0.1)
    assert heard == [message(2)]
    doorbell.close()
    task.cancel()


async def test_a_listener_cut_off_by_redis_comes_back_by_itself(redis_url: str) -> None:
    heard: list[LogMessage] = []
    listener = Listener(redis_url, heard.append)
    await listener.want({("e1", "demo")})
    task = asyncio.create_task(listener.run())
    await until(lambda: listener.up)
    async with redis.asyncio.Redis.from_url(redis_url) as admin:
        await admin.client_kill_filter(_type="pubsub", skipme=True)
    await until(lambda: not listener.up)
    await until(lambda: listener.up)
    doorbell = Doorbell(redis_url)
    doorbell.ring([message(1)])
    await until(lambda: heard == [message(1)])
    doorbell.close()
    task.cancel()


async def test_a_listener_that_is_cancelled_ends_whatever_it_was_doing(redis_url: str) -> None:
    for steps in range(40):
        task = asyncio.create_task(Listener(redis_url, lambda _message: None).run())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        ended, _ = await asyncio.wait([task], timeout=5)
        assert ended, f"it goes on when it is cancelled {steps} steps after its start"


def test_a_redis_that_is_away_is_told_and_not_asked_again_for_a_while() -> None:
    now = [0.0]
    doorbell = Doorbell("unix:///nowhere/redis.sock", clock=lambda: now[0])
    assert not doorbell.ring([message(1)])
    assert not doorbell.ring([message(2)])
    now[0] += REST_S + 0.1
    assert not doorbell.ring([message(3)])
    assert doorbell.ring([])
    doorbell.close()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"offset":"x","field":"demo"}'])
async def test_what_is_no_log_row_is_not_passed_on(redis_url: str, body: bytes) -> None:
    heard: list[LogMessage] = []
    listener = Listener(redis_url, heard.append)
    await listener.want({("e1", "demo")})
    task = asyncio.create_task(listener.run())
    await until(lambda: listener.up)
    doorbell = Doorbell(redis_url)
    doorbell.ring([LogMessage("e1", "demo", 1, body), message(2)])
    await until(lambda: heard == [message(2)])
    doorbell.close()
    task.cancel()
