"""The second door to Redis: answers that were computed already, shared by all processes. Never needed, never trusted.

Keys name the position that an answer was computed at, so an answer is never stale: a new position is a new key. Redis
away, full, flushed or holding rubbish only means that an answer is computed again.
"""

import hashlib
import time
from collections.abc import Callable
from typing import Final

import redis
import redis.asyncio
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

TIMEOUT_S: Final = 1.0
REST_S: Final = 2.0
"""After a failure nothing is asked for this long, so that a hanging Redis does not slow every answer down."""

KEPT_S: Final = 3_600
LARGEST_BYTES: Final = 4 * 1024 * 1024
"""Longer answers are not kept: few ask for them twice."""

_PREFIX: Final = "wellstream:answer:"
_DIGEST_BYTES: Final = 16

_log = structlog.get_logger(__name__)


class Cache:
    """Bytes by key, for an hour at most. What comes out is what went in, or nothing."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis.asyncio.Redis.from_url(
            url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, retry=Retry(NoBackoff(), 0)
        )
        self._clock = clock
        self._rest_until = 0.0

    async def get(self, key: str) -> bytes | None:
        """What was put under the key; None when there is nothing, when it is damaged, and when Redis is away."""
        if self._resting():
            return None
        try:
            found = await self._redis.get(_PREFIX + key)
        except (redis.RedisError, OSError) as error:
            self._failed(error)
            return None
        if not isinstance(found, bytes):
            return None
        digest, content = found[:_DIGEST_BYTES], found[_DIGEST_BYTES:]
        if digest != _digest(key, content):
            _log.warning("damaged answer in the cache", key=key)
            return None
        return content

    async def put(self, key: str, content: bytes) -> bool:
        """Keep bytes under a key; False when they are too long or Redis is away."""
        if len(content) > LARGEST_BYTES or self._resting():
            return False
        try:
            await self._redis.set(_PREFIX + key, _digest(key, content) + content, ex=KEPT_S)
        except (redis.RedisError, OSError) as error:
            self._failed(error)
            return False
        return True

    async def close(self) -> None:
        """Give the connections back."""
        await self._redis.aclose()

    def _resting(self) -> bool:
        return self._clock() < self._rest_until

    def _failed(self, error: Exception) -> None:
        if not self._resting():
            _log.warning("cache away", error=str(error))
        self._rest_until = self._clock() + REST_S


def _digest(key: str, content: bytes) -> bytes:
    """Of key and content: what stands under another key is damage too."""
    return hashlib.blake2b(content, digest_size=_DIGEST_BYTES, key=hashlib.sha256(key.encode()).digest()).digest()
