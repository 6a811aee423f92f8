"""Reads the log for the gateway without holding up its loop: threads and a bound of its own, shared with no page."""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from sqlalchemy import Engine

from storage import log, wells
from storage.database import reading
from storage.log import Head, LogMessage

STRETCHES_AT_ONCE: Final = 8
_OTHERS: Final = 2
"""Threads that stay free for the poll and for opening fields while stretches are read."""

Result = TypeVar("Result")


class LogReader:
    """Asks PostgreSQL; every answer comes from one snapshot. All methods raise `StorageDown` when it is away."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(STRETCHES_AT_ONCE + _OTHERS, thread_name_prefix="log-reader")
        self._reading = asyncio.Semaphore(STRETCHES_AT_ONCE)

    async def heads(self, field_ids: Iterable[str]) -> tuple[str, dict[str, Head]]:
        """The epoch, and how far the logs of fields reach."""
        names = list(field_ids)

        def ask() -> tuple[str, dict[str, Head]]:
            with reading(self._engine) as connection:
                return log.epoch(connection), log.heads(connection, names)

        return await self._in_thread(ask)

    async def field(self, field_id: str) -> tuple[frozenset[str], Head] | None:
        """The ids of a field's wells and how far its log reaches; None when there is no such field."""

        def ask() -> tuple[frozenset[str], Head] | None:
            with reading(self._engine) as connection:
                head = log.heads(connection, [field_id]).get(field_id)
                names = frozenset(well.id for well in wells.wells_of(connection, field_id))
            return None if head is None else (names, head)

        return await self._in_thread(ask)

    async def stretch(self, field_id: str, after: int, upto: int) -> list[LogMessage]:
        """The first part of a stretch of a field's log, as `storage.log.read` gives it."""

        def ask() -> list[LogMessage]:
            with reading(self._engine) as connection:
                return log.read(connection, field_id, after, upto)

        async with self._reading:
            return await self._in_thread(ask)

    async def _in_thread(self, ask: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, ask)
