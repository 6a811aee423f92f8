"""Errors as answers over HTTP: RFC 9457 problem details with a stable code, made in one place for every service."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

import orjson
from starlette.responses import Response

from storage.domain.errors import (
    Conflict,
    InputRefused,
    NotFound,
    NotOffered,
    ParameterRefused,
    StorageDown,
    TooBusy,
    TookTooLong,
    WellstreamError,
)

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 2
STATUSES: Final[Mapping[type[WellstreamError], HTTPStatus]] = {
    InputRefused: HTTPStatus.BAD_REQUEST,
    ParameterRefused: HTTPStatus.BAD_REQUEST,
    NotFound: HTTPStatus.NOT_FOUND,
    NotOffered: HTTPStatus.NOT_ACCEPTABLE,
    Conflict: HTTPStatus.CONFLICT,
    StorageDown: HTTPStatus.SERVICE_UNAVAILABLE,
    TooBusy: HTTPStatus.SERVICE_UNAVAILABLE,
    TookTooLong: HTTPStatus.GATEWAY_TIMEOUT,
}

SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "retry"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string", "description": "the status in words"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "one sentence for a person"},
        "code": {"type": "string", "description": "stable, for programs"},
        "retry": {"type": "boolean", "description": "whether the same request may succeed later"},
        "parameter": {"type": "string", "description": "the parameter that was refused"},
        "value": {"description": "the value that it had"},
        "allowed": {"type": "string", "description": "the values that it may have"},
    },
}
"""What a problem looks like, for OpenAPI."""


def problem(
    error: WellstreamError,
    statuses: Mapping[type[WellstreamError], HTTPStatus] = STATUSES,
    more: Mapping[str, Any] = MappingProxyType({}),
) -> Response:
    """An error as problem details; ``code`` is stable, ``detail`` is for people. An unknown error is a 500.

    ``more`` are members that only some errors have.
    """
    status = statuses.get(type(error), HTTPStatus.INTERNAL_SERVER_ERROR)
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": str(error),
        "code": error.code,
        "retry": error.retry,
    }
    if isinstance(error, ParameterRefused):
        content |= {"parameter": error.parameter, "value": error.value, "allowed": error.allowed}
    content |= more
    headers = {"Retry-After": str(RETRY_AFTER_S)} if error.retry else None
    return Response(orjson.dumps(content, default=str), status.value, headers, MEDIA_TYPE)


def described(description: str) -> dict[str, Any]:
    """An answer of this kind, for OpenAPI."""
    return {"description": description, "content": {MEDIA_TYPE: {"schema": SCHEMA}}}
