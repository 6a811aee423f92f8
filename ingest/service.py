"""The way in over HTTP: POST records as JSON or NDJSON, an answer for every row."""

from collections.abc import Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, Final

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from ingest.parse import Batch, Unreadable, parsed_rows, pieces
from ingest.pipeline import Counts, Pipeline, Receipt
from ingest.release import StillRefused
from storage.domain.errors import Conflict, InputRefused, NotFound, StorageDown, WellstreamError
from storage.domain.record import QUANTITIES, Resolution, Verdict

SOURCE: Final = "api"
BODY_LIMIT_BYTES: Final = 16 * 1024 * 1024
"""About 40,000 rows: more should come in several requests, each with its own answer."""

RETRY_AFTER_S: Final = 2
_JSON: Final = ("application/json",)
_NDJSON: Final = ("application/x-ndjson", "application/ndjson", "application/jsonl")
_STATUS: Final[dict[type[WellstreamError], HTTPStatus]] = {
    InputRefused: HTTPStatus.BAD_REQUEST,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    StorageDown: HTTPStatus.SERVICE_UNAVAILABLE,
}


class TooLarge(WellstreamError):
    """The body of a request is longer than is taken at once."""

    code = "too-large"


class NotUnderstood(WellstreamError):
    """The body of a request is of a type that is not read here."""

    code = "media-type-unknown"


_REFUSALS: Final = _STATUS | {
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    NotUnderstood: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    StillRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
}


def routes(pipeline: Pipeline) -> APIRouter:
    """The routes of ingest: ``POST /api/v1/records``."""
    router = APIRouter(prefix="/api/v1", tags=["records"])

    @router.post("/records", openapi_extra=_BODY_DOCS, responses=_ANSWER_DOCS, summary="Store records")
    async def post_records(request: Request) -> Response:
        """Every row is answered: accepted, duplicate, revised, or quarantined with reasons. Sending the same rows
        again is harmless. With an answer other than 200 send the same request again: rows that were already stored
        come out as duplicates."""
        try:
            body = await body_of(request, BODY_LIMIT_BYTES, "send the rows in several requests")
            media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            return await run_in_threadpool(_answered, pipeline, body, media_type)
        except WellstreamError as error:
            return problem(error)

    return router


def problem(error: WellstreamError) -> Response:
    """An error as RFC 9457 problem details; ``code`` is stable, ``detail`` is for people."""
    status = _REFUSALS.get(type(error), HTTPStatus.INTERNAL_SERVER_ERROR)
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": str(error),
        "code": error.code,
        "retry": error.retry,
    }
    if isinstance(error, StillRefused):
        content["reasons"] = [asdict(reason) for reason in error.reasons]
    headers = {"Retry-After": str(RETRY_AFTER_S)} if error.retry else None
    return Response(orjson.dumps(content), status.value, headers, "application/problem+json")


async def body_of(request: Request, limit: int, instead: str) -> bytes:
    """The request's body, given up as soon as it is longer than ``limit`` bytes; ``instead`` says what to do then.

    Raises:
        TooLarge: it is longer.
    """
    told = request.headers.get("content-length", "")
    if told.isdigit() and int(told) > limit:
        raise _too_large(limit, instead)
    parts = bytearray()
    async for part in request.stream():
        parts += part
        if len(parts) > limit:
            raise _too_large(limit, instead)
    return bytes(parts)


def _too_large(limit: int, instead: str) -> TooLarge:
    return TooLarge(f"the body is longer than {limit:,} bytes; {instead}")


def _answered(pipeline: Pipeline, body: bytes, media_type: str) -> Response:
    receipts = [pipeline.ingest(piece) for piece in pieces(batch_in(body, media_type))]
    return Response(orjson.dumps(_content(receipts)), media_type="application/json")


def batch_in(body: bytes, media_type: str) -> Batch:
    """The rows of a request's body.

    Raises:
        InputRefused: the body is not JSON, or JSON but neither an array nor an object with "records".
        NotUnderstood: the media type is neither JSON nor NDJSON.
    """
    if media_type in _NDJSON:
        lines = [(f"line {n}", line) for n, line in enumerate(body.split(b"\n"), start=1) if line.strip()]
        return parsed_rows([_row(line) for _, line in lines], SOURCE, [place for place, _ in lines])
    if media_type not in _JSON:
        message = f"the content type {media_type!r} is not read here; send {_JSON[0]} or {_NDJSON[0]}"
        raise NotUnderstood(message)
    return parsed_rows(_rows(body), SOURCE)


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


def _content(receipts: Sequence[Receipt]) -> dict[str, Any]:
    counts = sum((receipt.counts for receipt in receipts), Counts())
    positions: dict[str, int] = {}
    for receipt in receipts:
        positions |= receipt.positions
    rows = [
        {"index": row.index, "place": row.place, "outcome": row.outcome}
        | ({"reasons": [asdict(reason) for reason in row.reasons]} if row.reasons else {})
        for receipt in receipts
        for row in receipt.rows()
    ]
    return {"rows": rows, "counts": {"rows": counts.rows, **asdict(counts)}, "positions": positions}


_TEXT: Final = {"type": "string"}
ROW_DOCS: Final = {
    "type": "object",
    "required": ["field", "well", "start", "seconds", "resolution"],
    "additionalProperties": False,
    "properties": {
        "field": _TEXT,
        "well": _TEXT,
        "start": {"type": "string", "format": "date-time", "description": "ISO 8601 with an offset from UTC"},
        "seconds": {"type": "integer", "minimum": 1},
        "resolution": {"enum": [str(resolution) for resolution in Resolution]},
        **{q.column: {"type": ["number", "null"], "description": f"{q.label}, {q.unit}"} for q in QUANTITIES},
        "verdict": {"enum": [str(verdict) for verdict in Verdict]},
        "quality": {"type": "number", "minimum": 0, "maximum": 1},
        "issues": {"type": "array", "items": _TEXT},
        "audit_id": _TEXT,
        "source": _TEXT,
    },
}
_BODY_DOCS: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "array", "items": ROW_DOCS}},
            "application/x-ndjson": {"schema": ROW_DOCS},
        },
    }
}
_ANSWER_DOCS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "All rows were answered"},
    400: {"description": "The body is not JSON of rows"},
    413: {"description": f"The body is longer than {BODY_LIMIT_BYTES:,} bytes"},
    415: {"description": "The content type is neither JSON nor NDJSON"},
    503: {"description": "Storage does not answer; try again after Retry-After seconds"},
}
