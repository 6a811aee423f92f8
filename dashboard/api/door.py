"""From question to bytes: kept answers first, each computed once, compressed once, and never older than the records."""

import asyncio
import gzip
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final, Generic, TypeVar

import msgspec
import structlog
from sqlalchemy import Connection, Engine
from starlette.responses import Response

from dashboard.api.answer import MEDIA_TYPES, Answer, Form, written
from storage import rollups
from storage.database import LoopReader, reading
from storage.domain.errors import NotFound, TooBusy, TookTooLong, WellstreamError
from storage.domain.position import Position
from storage.standing import Standing, standing, standing_now
from stream.cache import Cache

LIMIT_S: Final = 10.0
"""The time that a question is given; PostgreSQL ends a statement that runs longer."""

CATCH_UP_S: Final = 2.0
"""How long a question waits for rollups that are behind; after that it is answered from where they stand."""

AT_ONCE: Final = 2
WAITING_MOST: Final = 512
MEMORY_BYTES: Final = 64 * 1024 * 1024

Result = TypeVar("Result")

_log = structlog.get_logger(__name__)


class Stands:
    """The snapshot that an answer is computed in: a connection, and how things stand in it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.standing = standing(connection)

    def rolled(self, field_id: str) -> Position:
        """Where the field's rollups are right.

        Raises:
            NotFound: the field is not kept.
        """
        return Position(self.standing.epoch, _known(self.standing.rolled, field_id))

    def head(self, field_id: str) -> Position:
        """Where the field's log stands.

        Raises:
            NotFound: the field is not kept.
        """
        return Position(self.standing.epoch, _known(self.standing.heads, field_id))


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. Two with the same ``canonical`` text have the same answer at the same positions of ``fields``
    (None: of all), unless it is not ``lasting``: then it holds what has no position, and is computed every time.
    ``ask`` computes it in one snapshot."""

    canonical: str
    fields: tuple[str, ...] | None
    ask: Callable[[Stands], Answer]
    lasting: bool = True


class Kept(msgspec.Struct, array_like=True):
    """An answer as it is sent: written, compressed, with its entity tag and its position."""

    mark: str
    media_type: str
    gzipped: bool
    position: str
    body: bytes


class Ready(Response):
    """A kept answer on its way: nothing is left to be encoded."""

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.status_code = status
        self.raw_headers = headers
        self.body = body
        self.background = None


class Coalesced(Generic[Result]):
    """Reads that are never older than their asking: one read serves all who were waiting when it began."""

    def __init__(self, read: Callable[[], Awaitable[Result]]) -> None:
        self._read = read
        self._next: asyncio.Future[Result] | None = None
        self._reading: asyncio.Task[None] | None = None
        self.reads = 0

    async def get(self) -> Result:
        """What a read gives that begins after this call."""
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
            if self._reading is None or self._reading.done():
                self._reading = asyncio.create_task(self._run())
        return await asyncio.shield(self._next)

    async def _run(self) -> None:
        while (waiting := self._next) is not None:
            self._next = None
            self.reads += 1
            try:
                found = await self._read()
            except Exception as error:  # noqa: BLE001  # told to each who waits
                waiting.set_exception(error)
                waiting.exception()  # those who wait may all be gone
            else:
                waiting.set_result(found)


class Door:
    """Answers questions. One a process; its methods belong to one event loop."""

    def __init__(self, engine: Engine, cache: Cache | None, limit_s: float = LIMIT_S) -> None:
        self._engine = engine
        self._cache = cache
        self._limit_s = limit_s
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="api")
        self._following = ThreadPoolExecutor(1, thread_name_prefix="api-rollups")
        self._reader = LoopReader(engine)
        self._standing = Coalesced(lambda: standing_now(self._reader))
        self._memory: OrderedDict[str, Kept] = OrderedDict()
        self._memory_bytes = 0
        self._under_way: dict[str, asyncio.Task[Kept]] = {}
        self._catching_up: dict[str, asyncio.Task[None]] = {}
        self._putting: set[asyncio.Task[bool]] = set()
        self.computed = 0

    async def answered(self, question: Question, form: Form, *, gzips: bool, if_none_match: str = "") -> Response:
        """The answer to a question, from where it is kept or computed; 304 where the asker has it already.

        Raises:
            NotFound: a field is not kept.
            TookTooLong, TooBusy, StorageDown: and whatever the question's own reading raises.
        """
        stands = await self._current(question)
        if not question.lasting:
            kept = await self._in_time(self._threaded(question, form))
            has_it = tagged(kept.mark, gzips=kept.gzipped and gzips) in if_none_match
            return _unchanged(kept.mark, gzips=kept.gzipped and gzips) if has_it else _response(kept, gzips=gzips)
        mark = marked(stands, question, form)
        if tagged(mark, gzips=gzips) in if_none_match or tagged(mark, gzips=False) in if_none_match:
            return _unchanged(mark, gzips=gzips and tagged(mark, gzips=True) in if_none_match)
        if mark in self._memory:
            self._memory.move_to_end(mark)
            return _response(self._memory[mark], gzips=gzips)
        return _response(await self._shared(mark, question, form), gzips=gzips)

    @property
    def reads(self) -> int:
        """How often PostgreSQL was asked where everything stands."""
        return self._standing.reads

    async def close(self) -> None:
        """Let the threads end with what they have in hand, and the cache go."""
        for threads in (self._threads, self._following):
            threads.shutdown(wait=False, cancel_futures=True)
        await self._reader.close()
        if self._cache is not None:
            await asyncio.gather(*self._putting, return_exceptions=True)
            await self._cache.close()

    async def _current(self, question: Question) -> Standing:
        stands = await self._standing.get()
        wanted = stands.heads.keys() if question.fields is None else question.fields
        for field_id in wanted:
            _known(stands.heads, field_id)
        if behind := stands.behind.intersection(wanted):
            await asyncio.wait([self._catch_up(field_id) for field_id in behind], timeout=CATCH_UP_S)
            stands = await self._standing.get()
        return stands

    def _catch_up(self, field_id: str) -> asyncio.Task[None]:
        """Bring a field's rollups to its log's head: one at a time, for all who ask."""
        task = self._catching_up.get(field_id)
        if task is None or task.done():
            task = self._catching_up[field_id] = asyncio.create_task(self._followed(field_id))
        return task

    async def _followed(self, field_id: str) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._following, rollups.catch_up, self._engine, field_id)
        except WellstreamError as error:
            _log.warning("rollups stay behind", field=field_id, error=str(error))

    async def _shared(self, mark: str, question: Question, form: Form) -> Kept:
        """Whoever asks the same while it is under way gets the same."""
        task = self._under_way.get(mark)
        if task is None:
            if len(self._under_way) >= WAITING_MOST:
                message = f"{WAITING_MOST} questions are waiting already; ask again in a moment"
                raise TooBusy(message)
            task = self._under_way[mark] = asyncio.create_task(self._found(mark, question, form))
            task.add_done_callback(lambda done: self._ended(mark, done))
        return await self._in_time(asyncio.shield(task))

    async def _in_time(self, answer: Awaitable[Kept]) -> Kept:
        try:
            return await asyncio.wait_for(answer, self._limit_s)
        except TimeoutError as error:
            raise _took_too_long(self._limit_s) from error

    def _ended(self, mark: str, task: asyncio.Task[Kept]) -> None:
        del self._under_way[mark]
        if not task.cancelled():
            task.exception()  # those who asked may all be gone

    async def _found(self, mark: str, question: Question, form: Form) -> Kept:
        kept = await self._fetched(mark)
        if kept is None:
            kept = await self._threaded(question, form)
            self._share(kept)
        self._remember(kept)
        return kept

    def _threaded(self, question: Question, form: Form) -> asyncio.Future[Kept]:
        return asyncio.get_running_loop().run_in_executor(
            self._threads, self._compute, question, form, time.monotonic() + self._limit_s
        )

    def _share(self, kept: Kept) -> None:
        """Put an answer where other processes find it; whoever asked does not wait for that."""
        if self._cache is not None:
            putting = asyncio.create_task(self._cache.put(kept.mark, _encoder.encode(kept)))
            self._putting.add(putting)
            putting.add_done_callback(self._putting.discard)

    async def _fetched(self, mark: str) -> Kept | None:
        content = None if self._cache is None else await self._cache.get(mark)
        if content is None:
            return None
        try:
            kept = _decoder.decode(content)
        except msgspec.MsgspecError:
            return None  # of another version's make
        return kept if kept.mark == mark else None

    def _compute(self, question: Question, form: Form, until_s: float) -> Kept:
        if time.monotonic() > until_s:  # whoever asked has been told so; others wait for this thread
            raise _took_too_long(self._limit_s)
        self.computed += 1
        with reading(self._engine, self._limit_s) as connection:
            stands = Stands(connection)
            answer = question.ask(stands)
        body, gzipped = written(answer, form)
        position = answer.head.get("position") or {}
        told = f"{position['epoch']}/{position['offset']}" if "offset" in position else stands.standing.epoch
        mark = marked(stands.standing, question, form) if question.lasting else _digest(body)
        return Kept(mark, MEDIA_TYPES[form], gzipped, told, body)

    def _remember(self, kept: Kept) -> None:
        if kept.mark not in self._memory:
            self._memory[kept.mark] = kept
            self._memory_bytes += len(kept.body)
        while self._memory_bytes > MEMORY_BYTES:
            _, dropped = self._memory.popitem(last=False)
            self._memory_bytes -= len(dropped.body)


def _took_too_long(limit_s: float) -> TookTooLong:
    return TookTooLong(f"the answer was not there within {limit_s:g} s; ask for less, or again later")


def marked(stands: Standing, question: Question, form: Form) -> str:
    """The name of an answer: epoch, positions, clocks, question, format and software version; no two share one."""
    wanted = sorted(stands.heads) if question.fields is None else question.fields
    at = ",".join(
        f"{name}:{stands.heads.get(name)}:{stands.rolled.get(name)}:{stands.clocks.get(name)}" for name in wanted
    )
    text = "\n".join((_VERSION, stands.epoch, stands.catalogue, at, form, question.canonical))
    return _digest(text.encode())


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=18).hexdigest()


def tagged(mark: str, *, gzips: bool) -> str:
    """The strong entity tag of an answer, which differs by encoding."""
    return f'"{mark}-gzip"' if gzips else f'"{mark}"'


def _known(positions: Mapping[str, int], field_id: str) -> int:
    found = positions.get(field_id)
    if found is None:
        message = f"there is no field {field_id!r}"
        raise NotFound(message)
    return found


def _unchanged(mark: str, *, gzips: bool) -> Response:
    headers = [(b"etag", tagged(mark, gzips=gzips).encode()), *_ALWAYS]
    return Ready(304, headers, b"")


def _response(kept: Kept, *, gzips: bool) -> Response:
    zipped = kept.gzipped and gzips
    body = gzip.decompress(kept.body) if kept.gzipped and not gzips else kept.body
    headers = [
        (b"content-type", _TYPES.get(kept.media_type, kept.media_type.encode())),
        (b"content-length", str(len(body)).encode()),
        (b"etag", tagged(kept.mark, gzips=zipped).encode()),
        (b"wellstream-position", kept.position.encode()),
        *_ALWAYS,
    ]
    if zipped:
        headers.append((b"content-encoding", b"gzip"))
    return Ready(200, headers, body)


_VERSION: Final = version("wellstream")
_ALWAYS: Final = [(b"cache-control", b"private, no-cache"), (b"vary", b"Accept, Accept-Encoding")]
_TYPES: Final = {"text/csv": b"text/csv; charset=utf-8"}
_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Kept)
