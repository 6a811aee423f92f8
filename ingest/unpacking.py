"""Arrow IPC and Parquet from outside, read in a process apart: a body that its reader dies of costs that process only.

Readers of these formats trust what a body claims, and a damaged one can end the process that reads it (a length of
2^61 bytes does). So a child reads, under a limit of memory, and hands back the frame as IPC of its own writing.
"""

import io
import queue
import resource
import select
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from typing import IO, Final

import polars as pl

from storage.domain.errors import InputRefused

MEMORY_LIMIT_BYTES: Final = 3 << 30
"""Of address space, of which polars alone reserves a good part; a body may unpack to a fiftieth of it."""

WITHIN_S: Final = 30.0
MOST_READERS: Final = 4
_HEAD: Final = struct.Struct("<cQ")
_FRAME, _TOLD = b"f", b"e"
_READS: Final[dict[bytes, Callable[[IO[bytes]], pl.DataFrame]]] = {
    b"s": pl.read_ipc_stream,
    b"a": pl.read_ipc,
    b"p": pl.read_parquet,
}
STREAM, FILE, PARQUET = b"s", b"a", b"p"
NAMES: Final = {STREAM: "Arrow IPC", FILE: "Arrow IPC", PARQUET: "Parquet"}


class Readers:
    """A few child processes that read; each is started when it is first needed. Safe to use from several threads."""

    def __init__(
        self, most: int = MOST_READERS, within_s: float = WITHIN_S, memory_bytes: int = MEMORY_LIMIT_BYTES
    ) -> None:
        self._within_s = within_s
        self._memory_bytes = memory_bytes
        self._idle: queue.LifoQueue[_Reader | None] = queue.LifoQueue()
        for _ in range(most):
            self._idle.put(None)

    def frame(self, body: bytes, kind: bytes) -> pl.DataFrame:
        """The frame in a body of a kind (STREAM, FILE, PARQUET).

        Raises:
            InputRefused: it cannot be read, or not within time and memory.
        """
        reader = self._idle.get()
        try:
            if reader is None or not reader.alive:
                reader = _Reader(self._memory_bytes)
            status, content = reader.answer(kind, body, time.monotonic() + self._within_s)
        except (OSError, EOFError, TimeoutError) as error:
            if reader is not None:
                reader.end()
            reader = None
            message = f"the body cannot be read as {NAMES[kind]}: its reader gave up on it"
            raise InputRefused(message) from error
        finally:
            self._idle.put(reader)
        if status != _FRAME:
            message = f"the body cannot be read as {NAMES[kind]}: {content.decode(errors='replace')}"
            raise InputRefused(message)
        return pl.read_ipc_stream(io.BytesIO(content))

    def end(self) -> None:
        """End the children; they end with this process, too."""
        for _ in range(self._idle.qsize()):
            reader = self._idle.get()
            if reader is not None:
                reader.end()
            self._idle.put(None)


READERS: Final = Readers()
"""Those of this process."""


class _Reader:
    """One child."""

    def __init__(self, memory_bytes: int) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "ingest.unpacking", str(memory_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the parent, which lets a body be read to its end
        )

    @property
    def alive(self) -> bool:
        return self._child.poll() is None

    def answer(self, kind: bytes, body: bytes, until_s: float) -> tuple[bytes, bytes]:
        """The child's answer to a body: status and content."""
        asked, told = self._child.stdin, self._child.stdout
        assert asked is not None, "it is a pipe"  # noqa: S101
        assert told is not None, "it is a pipe"  # noqa: S101
        asked.write(_HEAD.pack(kind, len(body)))
        asked.write(body)
        asked.flush()
        ready, _, _ = select.select([told], [], [], max(0.0, until_s - time.monotonic()))
        if not ready:
            raise TimeoutError
        return _received(told)

    def end(self) -> None:
        """Stop it at once."""
        self._child.kill()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue  # what was still to be written has no reader any more
        self._child.wait()


def _received(pipe: IO[bytes]) -> tuple[bytes, bytes]:
    head = pipe.read(_HEAD.size)
    if len(head) < _HEAD.size:
        raise EOFError
    mark, length = _HEAD.unpack(head)
    content = pipe.read(length)
    if len(content) < length:
        raise EOFError
    return mark, content


def serve(asked: IO[bytes], told: IO[bytes]) -> None:
    """What a child does: read bodies until nobody asks any more."""
    while True:
        try:
            kind, body = _received(asked)
        except EOFError:
            return
        status, content = _read(kind, body)
        told.write(_HEAD.pack(status, len(content)))
        told.write(content)
        told.flush()


def _read(kind: bytes, body: bytes) -> tuple[bytes, bytes]:
    written = io.BytesIO()
    try:
        frame = _READS[kind](io.BytesIO(body))
        frame.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String)).write_ipc_stream(written)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
        lines = str(error).strip().splitlines()
        return _TOLD, (lines[0] if lines else type(error).__name__).encode()
    return _FRAME, written.getvalue()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    serve(sys.stdin.buffer, sys.stdout.buffer)
