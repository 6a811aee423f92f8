"""Bodies of requests as batches: JSON, NDJSON, Arrow IPC and Parquet, gzipped or not, never larger than told."""

import zlib
from typing import Any, Final

import orjson
import polars as pl

from ingest import arrow_sizes, unpacking
from ingest.arrow_sizes import Size
from ingest.parse import Batch, Unreadable, parsed_frame, parsed_rows
from storage.domain.errors import InputRefused, WellstreamError

SOURCE: Final = "api"
BODY_LIMIT_BYTES: Final = 16 * 1024 * 1024
"""About 40,000 rows of JSON: more should come in several requests, each with its own answer."""

UNPACKED_LIMIT_BYTES: Final = 64 * 1024 * 1024
ROWS_LIMIT: Final = 100_000
"""What Arrow and Parquet may become: columns pack better than JSON does, so rows and bytes are both told apart."""

JSON: Final = ("application/json",)
NDJSON: Final = ("application/x-ndjson", "application/ndjson", "application/jsonl")
ARROW: Final = ("application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.file")
PARQUET: Final = ("application/vnd.apache.parquet",)
MEDIA_TYPES: Final = (JSON[0], NDJSON[0], *ARROW, *PARQUET)
GZIP: Final = "gzip"
_GZIP_WINDOW: Final = 31


class TooLarge(WellstreamError):
    """The body of a request is longer than is taken at once."""

    code = "too-large"


class NotUnderstood(WellstreamError):
    """The body of a request is of a type or coding that is not read here."""

    code = "media-type-unknown"


def unpacked(body: bytes, coding: str) -> bytes:
    """The body without its content coding: none, "identity" or "gzip".

    Raises:
        TooLarge: it unpacks to more than BODY_LIMIT_BYTES; nothing beyond that was unpacked.
        InputRefused: it is not gzip, or cut short.
        NotUnderstood: another coding.
    """
    if coding in ("", "identity"):
        return body
    if coding != GZIP:
        message = f"the content encoding {coding!r} is not read here; send {GZIP} or none"
        raise NotUnderstood(message)
    found = bytearray()
    rest = body
    while rest:
        member = zlib.decompressobj(_GZIP_WINDOW)
        try:
            found += member.decompress(rest, BODY_LIMIT_BYTES + 1 - len(found))
        except zlib.error as error:
            message = f"the body is not gzip: {error}"
            raise InputRefused(message) from error
        if len(found) > BODY_LIMIT_BYTES:
            raise too_large(BODY_LIMIT_BYTES, "unpacks to more than")
        if not member.eof:
            message = "the body is gzip that is cut short"
            raise InputRefused(message)
        rest = member.unused_data
    return bytes(found)


def too_large(limit: int, what: str = "is longer than", instead: str = "send the rows in several requests") -> TooLarge:
    """The refusal of a body."""
    return TooLarge(f"the body {what} {limit:,} bytes; {instead}")


def batch_in(body: bytes, media_type: str) -> Batch:
    """The rows of a request's body.

    Raises:
        InputRefused: the body is not what its media type says, or its columns are not those of records.
        NotUnderstood: the media type is none of MEDIA_TYPES.
        TooLarge: it unpacks to more than UNPACKED_LIMIT_BYTES or ROWS_LIMIT rows.
    """
    if media_type in NDJSON:
        lines = [(f"line {n}", line) for n, line in enumerate(body.split(b"\n"), start=1) if line.strip()]
        return parsed_rows([_row(line) for _, line in lines], SOURCE, [place for place, _ in lines])
    if media_type in JSON:
        return parsed_rows(_rows(body), SOURCE)
    if media_type in ARROW:
        _check_size(arrow_sizes.of_arrow(body))
        kind = unpacking.FILE if arrow_sizes.is_arrow_file(body) else unpacking.STREAM
        return parsed_frame(_framed(body, kind), SOURCE)
    if media_type in PARQUET:
        _check_size(arrow_sizes.of_parquet(body))
        return parsed_frame(_framed(body, unpacking.PARQUET), SOURCE)
    message = (
        f"the content type {media_type!r} is not read here; send {', '.join(MEDIA_TYPES[:-1])} or {MEDIA_TYPES[-1]}"
    )
    raise NotUnderstood(message)


def _check_size(size: Size) -> None:
    if size.unpacked > UNPACKED_LIMIT_BYTES:
        raise too_large(UNPACKED_LIMIT_BYTES, "unpacks to more than")
    if not 0 <= size.rows <= ROWS_LIMIT:
        message = f"the body claims {size.rows:,} rows, and at most {ROWS_LIMIT:,} are taken at once"
        raise TooLarge(message)


def _framed(body: bytes, kind: bytes) -> pl.DataFrame:
    """The frame in a body, whose texts all told are no longer than they may unpack to."""
    frame = unpacking.READERS.frame(body, kind)
    words = [name for name, of in frame.schema.items() if of == pl.String()]
    if sum(int(frame[name].str.len_bytes().sum()) for name in words) > UNPACKED_LIMIT_BYTES:
        raise too_large(UNPACKED_LIMIT_BYTES, "has texts of more than")
    if frame.height > ROWS_LIMIT:
        message = f"the body has {frame.height:,} rows, and at most {ROWS_LIMIT:,} are taken at once"
        raise TooLarge(message)
    return frame


def _rows(body: bytes) -> list[Any]:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        message = f"the body is not JSON: {error}"
        raise InputRefused(message) from error
    rows = content.get("records") if isinstance(content, dict) else content
    if not isinstance(rows, list):
        message = 'the body must be an array of rows or an object {"records": [...]}'
        raise InputRefused(message)
    return rows


def _row(line: bytes) -> object:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return Unreadable(line.decode(errors="replace"))
