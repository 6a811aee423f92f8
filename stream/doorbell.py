"""The door to Redis: ringing it after a commit, and listening. At most once: PostgreSQL is the truth."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
import redis
import redis.asyncio
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

from storage.log import LogMessage
from stream.topics import channel

TIMEOUT_S: Final = 1.0
REST_S: Final = 1.0
"""After a failed ring nothing is tried for this long, so that a hanging Redis does not slow ingest down."""

_log = structlog.get_logger(__name__)


class Doorbell:
    """Tells followers of committed log rows. Thread-safe."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis.Redis.from_url(
            url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, retry=Retry(NoBackoff(), 0)
        )
        self._clock = clock
        self._rest_until = 0.0

    def ring(self, messages: Sequence[LogMessage]) -> bool:
        """Publish committed log rows; False when Redis is away: followers find them in the log."""
        if not messages:
            return True
        if self._clock() < self._rest_until:
            return False
        try:
            pipeline = self._redis.pipeline(transaction=False)
            for message in messages:
                pipeline.publish(channel(message.epoch, message.field), message.body)
            pipeline.execute()
        except (redis.RedisError, OSError) as error:
            self._rest_until = self._clock() + REST_S
            _log.warning("doorbell away", error=str(error), messages=len(messages))
            return False
        return True

    def close(self) -> None:
        """Give the connections back."""
        self._redis.close()


class _Numbered(msgspec.Struct):
    offset: int
    field: str


_numbered: Final = msgspec.json.Decoder(_Numbered)


class Listener:
    """Hears the log rows of wanted fields while Redis is there; silent, and trying again, while it is not."""

    def __init__(self, url: str, on_message: Callable[[LogMessage], None]) -> None:
        self._url = url
        self._on_message = on_message
        self._wanted: set[tuple[str, str]] = set()
        self._pubsub: Any = None
        self.up = False

    async def want(self, wanted: set[tuple[str, str]]) -> None:
        """Hear exactly these (epoch, field id) from now on."""
        added, dropped = wanted - self._wanted, self._wanted - wanted
        self._wanted = set(wanted)
        if self._pubsub is None:
            return
        with contextlib.suppress(redis.RedisError, OSError):  # `run` notices the same and subscribes anew
            if added:
                await self._pubsub.subscribe(*(channel(*one) for one in added))
            if dropped:
                await self._pubsub.unsubscribe(*(channel(*one) for one in dropped))

    async def run(self) -> None:
        """Listen until cancelled; comes back after every break, at once and then at most every `REST_S`."""
        while True:
            try:
                await self._listen()
            except (redis.RedisError, OSError) as error:
                if self.up:
                    _log.warning("doorbell lost", error=str(error))
            finally:
                self.up, self._pubsub = False, None
            await asyncio.sleep(REST_S)

    async def _listen(self) -> None:
        client = redis.asyncio.Redis.from_url(self._url, socket_connect_timeout=TIMEOUT_S, retry=Retry(NoBackoff(), 0))
        async with client, client.pubsub() as pubsub:
            await pubsub.subscribe("wellstream", *(channel(*one) for one in self._wanted))
            _heed_cancellation()
            self._pubsub, self.up = pubsub, True
            async for message in pubsub.listen():
                if message["type"] == "message":
                    self._heard(message["channel"], message["data"])

    def _heard(self, name: bytes, body: bytes) -> None:
        epoch = name.decode().split(":")[1]
        try:
            numbered = _numbered.decode(body)
        except msgspec.MsgspecError as error:
            _log.warning("not a log row on the doorbell", channel=name.decode(), error=str(error))
            return
        self._on_message(LogMessage(epoch, numbered.field, numbered.offset, body))


def _heed_cancellation() -> None:
    """Be cancelled if that was asked for: before Python 3.12 the `wait_for` that redis-py sends with may lose it."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
