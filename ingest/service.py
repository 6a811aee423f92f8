"""The way in over HTTP: POST records as JSON, NDJSON, Arrow IPC or Parquet, an answer for every row."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, Final

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from ingest.admission import AT_WORK, Admission
from ingest.bodies import ARROW, BODY_LIMIT_BYTES, PARQUET, NotUnderstood, TooLarge, batch_in, too_large, unpacked
from ingest.parse import pieces
from ingest.pipeline import Counts, Pipeline, Receipt
from ingest.release import StillRefused
from storage.domain.errors import TooBusy, WellstreamError
from storage.domain.record import QUANTITIES, Resolution, Verdict
from stream.problem import STATUSES, described
from stream.problem import problem as shared_problem

_REFUSALS: Final = {
    **STATUSES,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    NotUnderstood: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    StillRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    TooBusy: HTTPStatus.TOO_MANY_REQUESTS,
}


def routes(pipeline: Pipeline, admission: Admission | None = None) -> APIRouter:
    """The routes of ingest: ``POST /api/v1/records``."""
    router = APIRouter(prefix="/api/v1", tags=["records"])
    door = admission or Admission()
    at_work = asyncio.Semaphore(AT_WORK)

    @router.post("/records", openapi_extra=_BODY_DOCS, responses=_ANSWER_DOCS, summary="Store records")
    async def post_records(request: Request) -> Response:
        """Every row is answered: accepted, duplicate, revised, or quarantined with reasons. Sending the same rows
        again is harmless. With an answer other than 200 send the same request again: rows that were already stored
        come out as duplicates.

        Bodies may be gzipped. While too many are being worked on the answer is 429: come back after Retry-After
        seconds."""
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        coding = request.headers.get("content-encoding", "").strip().lower()
        try:
            with door.admitted(_claimed(request)):
                body = await body_of(request, BODY_LIMIT_BYTES, "send the rows in several requests")
                async with at_work:
                    return await run_in_threadpool(_answered, pipeline, body, coding, media_type)
        except WellstreamError as error:
            return problem(error)

    return router


def problem(error: WellstreamError) -> Response:
    """An error as problem details, with those that only a body of records or a release can have."""
    reasons = [asdict(reason) for reason in error.reasons] if isinstance(error, StillRefused) else None
    return shared_problem(error, _REFUSALS, {} if reasons is None else {"reasons": reasons})


def _claimed(request: Request) -> int:
    """How many bytes the body may have: what its header says, else as many as are taken.

    Raises:
        TooLarge: the header says more.
    """
    told = request.headers.get("content-length", "")
    size = int(told) if told.isdigit() else BODY_LIMIT_BYTES
    if size > BODY_LIMIT_BYTES:
        raise too_large(BODY_LIMIT_BYTES)
    return size


async def body_of(request: Request, limit: int, instead: str) -> bytes:
    """The request's body, given up as soon as it is longer than ``limit`` bytes; ``instead`` says what to do then.

    Raises:
        TooLarge: it is longer.
    """
    told = request.headers.get("content-length", "")
    if told.isdigit() and int(told) > limit:
        raise too_large(limit, instead=instead)
    parts = bytearray()
    async for part in request.stream():
        parts += part
        if len(parts) > limit:
            raise too_large(limit, instead=instead)
    return bytes(parts)


def _answered(pipeline: Pipeline, body: bytes, coding: str, media_type: str) -> Response:
    receipts = [pipeline.ingest(piece) for piece in pieces(batch_in(unpacked(body, coding), media_type))]
    return Response(orjson.dumps(_content(receipts)), media_type="application/json")


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
            **{name: {"schema": {"type": "string", "format": "binary"}} for name in (*ARROW, *PARQUET)},
        },
    }
}
_ANSWER_DOCS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "All rows were answered"},
    400: described("The body is not of rows, or not of its content type"),
    413: described(f"The body is longer than {BODY_LIMIT_BYTES:,} bytes, or unpacks to too much"),
    415: described("The content type or encoding is not read here"),
    429: described("Too many bodies are being worked on; try again after Retry-After seconds"),
    503: described("Storage does not answer; try again after Retry-After seconds"),
}
