"""Sizes read from headers are what the bodies unpack to, and lies are seen."""

import io
import struct
from typing import Any, Literal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.arrow_sizes import of_arrow, of_parquet
from storage.domain.errors import InputRefused

Coding = Literal["uncompressed", "lz4", "zstd"]
frames = st.builds(
    lambda rows, repeats: pl.DataFrame(
        {
            "number": [float(n) for n in range(rows)],
            "text": [f"{n} " * repeats for n in range(rows)],
            "list": [["a"] * (n % 3) for n in range(rows)],
        },
        schema={"number": pl.Float64, "text": pl.String, "list": pl.List(pl.String)},
    ),
    st.integers(0, 300),
    st.integers(1, 40),
)
codings = st.sampled_from(["uncompressed", "lz4", "zstd"])


def written(frame: pl.DataFrame, kind: str, coding: Any) -> bytes:
    body = io.BytesIO()
    if kind == "stream":
        frame.write_ipc_stream(body, compression=coding)
    elif kind == "file":
        frame.write_ipc(body, compression=coding)
    else:
        frame.write_parquet(body, compression=coding)
    return body.getvalue()


@given(frames, codings, st.sampled_from(["stream", "file"]))
def test_arrow_unpacks_to_no_less_than_its_numbers_whatever_it_is_packed_by(
    frame: pl.DataFrame, coding: Coding, kind: str
) -> None:
    size = of_arrow(written(frame, kind, coding))
    assert size.rows == frame.height
    assert size.unpacked >= 8 * frame.height
    plain = of_arrow(written(frame, kind, "uncompressed"))
    assert abs(size.unpacked - plain.unpacked) <= 64 * 16


@given(frames, codings)
def test_parquet_has_its_rows_and_unpacks_to_no_more_than_its_pages(frame: pl.DataFrame, coding: Coding) -> None:
    size = of_parquet(written(frame, "parquet", coding))
    assert size.rows >= frame.height
    assert size.unpacked <= of_parquet(written(frame, "parquet", "uncompressed")).unpacked + 1_024


def test_a_length_that_a_buffer_claims_counts_and_not_what_it_has() -> None:
    frame = pl.DataFrame({"a": [1.5] * 10_000})
    body = bytearray(written(frame, "stream", "zstd"))
    claimed = struct.pack("<q", 80_000)
    assert body.count(claimed) >= 1
    at = body.rfind(claimed)
    body[at : at + 8] = struct.pack("<q", 1 << 50)
    assert of_arrow(bytes(body)).unpacked >= 1 << 50


@pytest.mark.parametrize("body", [b"", b"ARROW1\x00\x00", b"\xff\xff\xff\xff", bytes(64), b"\xff" * 64])
def test_what_is_not_arrow_is_refused(body: bytes) -> None:
    with pytest.raises(InputRefused, match="not Arrow IPC"):
        of_arrow(body)


@pytest.mark.parametrize("body", [b"", b"PAR1PAR1", b"PAR1" + bytes(20) + b"PAR1", b"PAR1" + b"\xff" * 20 + b"PAR1"])
def test_what_is_not_parquet_is_refused(body: bytes) -> None:
    with pytest.raises(InputRefused, match="not Parquet"):
        of_parquet(body)


def test_an_empty_frame_has_no_rows() -> None:
    empty = pl.DataFrame(schema={"a": pl.Float64})
    assert of_parquet(written(empty, "parquet", "zstd")).rows == 0
    assert of_arrow(written(empty, "stream", "zstd")).rows == 0
