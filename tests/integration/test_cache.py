"""The cache on a real Redis: what comes out is what went in, or nothing."""

import time

import pytest
import redis

from stream.cache import LARGEST_BYTES, REST_S, Cache


@pytest.fixture
def raw(redis_url: str) -> redis.Redis:
    """Redis as anybody else sees it."""
    return redis.Redis.from_url(redis_url)


async def test_what_was_put_comes_out_and_goes_by_itself(redis_url: str, raw: redis.Redis) -> None:
    cache = Cache(redis_url)
    assert await cache.get("a:1") is None
    assert await cache.put("a:1", b"\x00answer")
    assert await cache.get("a:1") == b"\x00answer"
    assert await cache.get("a:2") is None
    assert 0 < int(str(raw.ttl("wellstream:answer:a:1"))) <= 3_600
    await cache.close()


@pytest.mark.parametrize("damage", [b"", b"short", b"x" * 200])
async def test_a_damaged_answer_is_none(redis_url: str, raw: redis.Redis, damage: bytes) -> None:
    cache = Cache(redis_url)
    await cache.put("b:1", b"answer")
    raw.set("wellstream:answer:b:1", damage)
    assert await cache.get("b:1") is None
    await cache.close()


async def test_an_answer_that_stands_under_another_key_is_none(redis_url: str, raw: redis.Redis) -> None:
    cache = Cache(redis_url)
    await cache.put("c:1", b"answer")
    raw.set("wellstream:answer:c:2", raw.get("wellstream:answer:c:1"))  # type: ignore[arg-type]
    assert await cache.get("c:2") is None
    await cache.close()


async def test_a_value_that_is_no_text_is_no_error(redis_url: str, raw: redis.Redis) -> None:
    cache = Cache(redis_url)
    raw.delete("wellstream:answer:d:1")
    raw.lpush("wellstream:answer:d:1", b"list")
    assert await cache.get("d:1") is None
    await cache.close()


async def test_what_is_too_long_is_not_kept(redis_url: str) -> None:
    cache = Cache(redis_url)
    assert not await cache.put("e:1", b"x" * (LARGEST_BYTES + 1))
    await cache.close()


async def test_a_redis_that_is_away_is_told_and_not_asked_again_for_a_while() -> None:
    now = [time.monotonic()]
    cache = Cache("unix:///nowhere/redis.sock", clock=lambda: now[0])
    assert await cache.get("f:1") is None
    assert not await cache.put("f:1", b"answer")
    now[0] += REST_S + 0.1
    assert await cache.get("f:1") is None
    await cache.close()
