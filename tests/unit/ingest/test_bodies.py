"""Bodies are read as batches whatever they are written in, or refused before they unpack to too much."""

import gzip
import io
import json
import struct
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.bodies import (
    ARROW,
    BODY_LIMIT_BYTES,
    PARQUET,
    ROWS_LIMIT,
    NotUnderstood,
    TooLarge,
    batch_in,
    unpacked,
)
from storage.domain.errors import InputRefused, WellstreamError
from tests.unit.ingest.candidates import LIVE

FRAME = pl.DataFrame([LIVE, LIVE | {"oil_sm3": None}])


def stream(frame: pl.DataFrame, **options: Any) -> bytes:
    body = io.BytesIO()
    frame.write_ipc_stream(body, **options)
    return body.getvalue()


def file(frame: pl.DataFrame, **options: Any) -> bytes:
    body = io.BytesIO()
    frame.write_ipc(body, **options)
    return body.getvalue()


def parquet(frame: pl.DataFrame, **options: Any) -> bytes:
    body = io.BytesIO()
    frame.write_parquet(body, **options)
    return body.getvalue()


WRITTEN = [
    (stream, ARROW[0], {}), (stream, ARROW[0], {"compression": "zstd"}), (file, ARROW[1], {"compression": "lz4"}),
    (file, ARROW[1], {}), (file, ARROW[0], {}), (parquet, PARQUET[0], {}),
    (parquet, PARQUET[0], {"compression": "snappy"}), (parquet, PARQUET[0], {"compression": "uncompressed"}),
]  # fmt: skip


@pytest.mark.parametrize("content", [[LIVE, LIVE], {"records": [LIVE, LIVE]}])
def test_an_array_and_an_object_with_records_mean_the_same(content: object) -> None:
    batch = batch_in(json.dumps(content).encode(), "application/json")
    assert (batch.candidates.height, batch.refused, batch.source) == (2, (), "api")


def test_lines_are_rows_and_a_broken_line_is_one_refused_row() -> None:
    body = b"\n".join([json.dumps(LIVE).encode(), b"", b"{broken", b"\xff\xfe", json.dumps(LIVE).encode() + b"\r"])
    batch = batch_in(body, "application/x-ndjson")
    assert batch.candidates["place"].to_list() == ["line 1", "line 5"]
    assert [(row.place, row.reasons[0].rule) for row in batch.refused] == [
        ("line 3", "not_json"),
        ("line 4", "not_json"),
    ]


@pytest.mark.parametrize(("write", "media_type", "options"), WRITTEN)
def test_columns_mean_the_same_as_json(write: Callable[..., bytes], media_type: str, options: dict[str, Any]) -> None:
    as_json = batch_in(json.dumps(FRAME.to_dicts()).encode(), "application/json")
    batch = batch_in(write(FRAME, **options), media_type)
    assert batch.candidates.equals(as_json.candidates)
    assert batch.raw(0) == LIVE


def test_instants_categories_and_any_numbers_are_taken_as_columns() -> None:
    frame = FRAME.with_columns(
        pl.lit(datetime(2026, 5, 1, tzinfo=UTC)).dt.cast_time_unit("ms").alias("start"),
        pl.col("well").cast(pl.Categorical),
        pl.col("seconds").cast(pl.Int16),
        pl.lit(None).alias("gas_sm3"),
        pl.Series("issues", [["a-b"], None]),
        pl.lit("suspect").alias("verdict"),
    )
    batch = batch_in(stream(frame), ARROW[0])
    assert batch.refused == ()
    assert batch.candidates["start"].to_list() == [datetime(2026, 5, 1, tzinfo=UTC)] * 2
    assert batch.candidates["issues"].to_list() == [["a-b"], None]


def test_a_bad_value_in_a_column_refuses_its_row_and_no_other() -> None:
    frame = pl.DataFrame(
        [
            LIVE,
            LIVE | {"start": "soon"},
            LIVE | {"well": None},
            LIVE | {"resolution": "hourly"},
            LIVE | {"seconds": 1.5},
        ],
        schema_overrides={"seconds": pl.Float64},
    )
    batch = batch_in(parquet(frame), PARQUET[0])
    assert batch.candidates["index"].to_list() == [0]
    assert [(row.place, row.reasons[0].rule, row.reasons[0].value) for row in batch.refused] == [
        ("index 1", "bad_time", "soon"), ("index 2", "missing", None), ("index 3", "unknown_resolution", "hourly"),
        ("index 4", "not_whole_seconds", 1.5),
    ]  # fmt: skip
    assert batch.refused[0].raw["start"] == "soon"


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (FRAME.with_columns(colour=pl.lit(1)), "'colour' are none of a record"),
        (FRAME.drop("seconds", "field"), "the columns field, seconds are missing"),
        (FRAME.with_columns(oil_sm3=pl.lit("1")), "oil_sm3 is String"),
        (FRAME.with_columns(start=pl.lit(datetime(2026, 1, 1))), "start is Datetime"),  # noqa: DTZ001
        (FRAME.with_columns(well=pl.lit(7)), "well is Int32"),
    ],
)
def test_columns_that_are_not_those_of_records_are_refused(frame: pl.DataFrame, told: str) -> None:
    for body, media_type in ((stream(frame), ARROW[0]), (parquet(frame), PARQUET[0])):
        with pytest.raises(InputRefused, match=told):
            batch_in(body, media_type)


@pytest.mark.parametrize("body", [b"", b"{", b"[NaN]", b"[1e999]", b'"text"', b"7", b'{"rows": []}', b"[" * 5_000])
def test_a_body_that_is_not_rows_is_refused(body: bytes) -> None:
    with pytest.raises(InputRefused, match="the body"):
        batch_in(body, "application/json")


@pytest.mark.parametrize("media_type", ["", "text/csv", "application/xml"])
def test_another_content_type_is_not_understood(media_type: str) -> None:
    with pytest.raises(NotUnderstood, match="content type"):
        batch_in(b"[]", media_type)


WHOLE = {media_type: write(FRAME, **options) for write, media_type, options in WRITTEN}


@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_damaged_columns_are_read_or_refused_and_nothing_else(media_type: str, data: st.DataObject) -> None:
    body = bytearray(WHOLE[media_type])
    for at in data.draw(st.lists(st.integers(0, len(body) - 1), max_size=4)):
        body[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(body)))
    try:
        batch_in(bytes(body[: cut if data.draw(st.booleans()) else None]), media_type)
    except WellstreamError as error:
        told = str(error)
    else:
        told = "read"
    assert "\n" not in told


def peak_of(call: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_gzip_bomb_is_refused_without_unpacking_it() -> None:
    bomb = gzip.compress(bytes(1 << 28), compresslevel=1)
    assert len(bomb) < 2 * BODY_LIMIT_BYTES
    assert peak_of(lambda: unpacked(bomb, "gzip")) < 4 * BODY_LIMIT_BYTES


def test_gzip_is_unpacked_whole_in_all_its_parts() -> None:
    assert unpacked(gzip.compress(b"one") + gzip.compress(b"two"), "gzip") == b"onetwo"
    assert unpacked(b"[]", "") == unpacked(b"[]", "identity") == b"[]"


@pytest.mark.parametrize("body", [b"no gzip", gzip.compress(b"x" * 100)[:-9], gzip.compress(b"x") + b"rest"])
def test_damaged_gzip_is_refused(body: bytes) -> None:
    with pytest.raises(InputRefused, match="gzip"):
        unpacked(body, "gzip")


def test_another_coding_is_not_understood() -> None:
    with pytest.raises(NotUnderstood, match="'br'"):
        unpacked(b"", "br")


def many(rows: int) -> pl.DataFrame:
    return pl.DataFrame({name: pl.repeat(value, rows, eager=True) for name, value in LIVE.items()})


@pytest.mark.parametrize(("write", "media_type"), [(stream, ARROW[0]), (file, ARROW[1]), (parquet, PARQUET[0])])
def test_more_rows_than_are_taken_are_refused(write: Callable[..., bytes], media_type: str) -> None:
    with pytest.raises(TooLarge, match=f"{ROWS_LIMIT + 1:,} rows|unpacks to more"):
        batch_in(write(many(ROWS_LIMIT + 1)), media_type)


@pytest.mark.parametrize(
    ("write", "media_type", "options"),
    [(stream, ARROW[0], {"compression": "zstd"}), (file, ARROW[1], {"compression": "lz4"}), (parquet, PARQUET[0], {})],
)
def test_columns_that_unpack_to_too_much_are_refused_before_they_are(
    write: Callable[..., bytes], media_type: str, options: dict[str, Any]
) -> None:
    rows, length = (200, 500_000) if write is not parquet else (2_000, 50_000)
    texts = [f"{number:06}" + "x" * length for number in range(rows)]
    bomb = many(rows).with_columns(pl.Series("audit_id", texts))
    body = write(bomb, **options)
    assert len(body) < BODY_LIMIT_BYTES
    assert peak_of(lambda: batch_in(body, media_type)) < 1 << 20


def test_a_column_of_nothing_that_claims_many_rows_is_refused() -> None:
    body = bytearray(stream(FRAME.head(1)))
    claimed = struct.pack("<q", 1)
    at = body.rfind(claimed, 0, body.rfind(b"\xff\xff\xff\xff"))
    assert at > 0
    for place in range(len(body) - 8):
        if body[place : place + 8] == claimed:
            body[place : place + 8] = struct.pack("<q", 1 << 40)
    with pytest.raises(WellstreamError):
        batch_in(bytes(body), ARROW[0])
