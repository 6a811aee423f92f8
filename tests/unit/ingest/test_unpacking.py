"""What a reader dies of costs the reader's process, and the next body is read."""

import io
from collections.abc import Iterator

import polars as pl
import pytest

from ingest.unpacking import PARQUET, STREAM, Readers, serve
from storage.domain.errors import InputRefused

FRAME = pl.DataFrame({"a": [1, 2], "b": ["x", None]})


def parquet(frame: pl.DataFrame) -> bytes:
    body = io.BytesIO()
    frame.write_parquet(body)
    return body.getvalue()


def stream(frame: pl.DataFrame) -> bytes:
    body = io.BytesIO()
    frame.write_ipc_stream(body)
    return body.getvalue()


@pytest.fixture
def readers() -> Iterator[Readers]:
    made = Readers(most=1)
    yield made
    made.end()


def test_a_frame_comes_back_as_it_was(readers: Readers) -> None:
    assert readers.frame(parquet(FRAME), PARQUET).equals(FRAME)
    words = FRAME.with_columns(pl.col("b").cast(pl.Categorical))
    assert readers.frame(stream(words), STREAM).equals(FRAME)


def test_what_cannot_be_read_is_refused_and_says_why(readers: Readers) -> None:
    with pytest.raises(InputRefused, match="cannot be read as Parquet: ") as caught:
        readers.frame(b"PAR1 nothing", PARQUET)
    assert "\n" not in str(caught.value)


def test_a_reader_that_died_is_replaced(readers: Readers) -> None:
    readers.frame(parquet(FRAME), PARQUET)
    reader = readers._idle.get()
    assert reader is not None
    reader._child.kill()
    reader._child.wait()
    readers._idle.put(reader)
    assert readers.frame(parquet(FRAME), PARQUET).equals(FRAME)


def test_a_frame_that_needs_more_memory_than_there_is_is_refused_and_the_next_one_read() -> None:
    readers = Readers(most=1, memory_bytes=1 << 30)
    body = parquet(pl.DataFrame({"a": pl.repeat(1, 150_000_000, dtype=pl.Int64, eager=True)}))
    with pytest.raises(InputRefused, match="cannot be read as Parquet"):
        readers.frame(body, PARQUET)
    assert readers.frame(parquet(FRAME), PARQUET).equals(FRAME)
    readers.end()


def test_a_reader_that_takes_too_long_is_given_up() -> None:
    readers = Readers(most=1, within_s=0.0)
    with pytest.raises(InputRefused, match="gave up on it"):
        readers.frame(parquet(FRAME), PARQUET)
    readers.end()


def test_a_child_ends_when_nobody_asks_any_more() -> None:
    told = io.BytesIO()
    serve(io.BytesIO(), told)
    serve(io.BytesIO(b"p\x05"), told)
    assert told.getvalue() == b""
