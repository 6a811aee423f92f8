"""What the OpenAPI pages say of the desk's routes: shapes, problems and examples."""

from typing import Any, Final

from ingest.release import TEXT_LIMIT
from storage.domain.deed import State
from storage.domain.record import QUANTITIES

_TEXT: Final = {"type": "string"}
_TIME: Final = {"type": "string", "format": "date-time"}
_PROBLEM: Final = {"content": {"application/problem+json": {"schema": {"type": "object"}}}}
_REFUSALS: Final = {
    400: "A parameter or the body is not what it must be",
    404: "There is no such thing",
    409: "It was closed otherwise",
    413: "The body is too long",
    422: "The row breaks rules still; `reasons` says which",
    503: "Storage does not answer; try again after Retry-After seconds",
}
_REASON_EXAMPLE: Final = {
    "rule": "below_low", "field": "water_sm3", "value": -14.19,
    "message": "water_sm3 is -14.19 Sm3, below the lowest possible 0 Sm3 (rule below_low)",
}  # fmt: skip
_RECORD_EXAMPLE: Final = {
    "well": "volve.15-9-f-12", "start": "2008-04-22T22:00:00+00:00", "seconds": 86_400, "resolution": "daily",
}  # fmt: skip
WORD_EXAMPLE: Final = {"by": "kari.nordmann", "reason": "the meter was calibrated that day"}
RELEASE_EXAMPLE: Final = {**WORD_EXAMPLE, "values": {"water_sm3": 14.19}}
_ENTRY_EXAMPLE: Final = {
    "id": 17, "state": "released", "field": "volve", "record": _RECORD_EXAMPLE, "source": "volve production.xlsx",
    "place": "Daily Production Data row 1984", "received_at": "2026-01-01T06:00:00+00:00",
    "raw": {"BORE_WAT_VOL": "-14.19"}, "read": {"field": "volve", "water_sm3": -14.19}, "reasons": [_REASON_EXAMPLE],
    "closed": {"at": "2026-01-02T08:00:00+00:00", **WORD_EXAMPLE, "values": {"water_sm3": 14.19},
               "outcome": "accepted"},
}  # fmt: skip
_REVISION_EXAMPLE: Final = {
    "revision": 0, "seconds": 86_400, "received_at": "2026-01-02T08:00:00+00:00", "source": "volve production.xlsx",
    "verdict": "verified", "quality": 1.0, "issues": [], "audit_id": "quarantine-17 rules-2-0123456789ab",
    "rules": {"version": "2", "digest": "0123456789ab"}, "values": {"oil_sm3": 284.65, "water_sm3": 14.19},
}  # fmt: skip
_OBJECT: Final = {"type": "object"}
_NAMED: Final = {"type": "string", "minLength": 1, "maxLength": TEXT_LIMIT}
WORD_DOCS: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["by", "reason"],
    "additionalProperties": False,
    "properties": {
        "by": {**_NAMED, "description": "who does it (until there is a sign-in)"},
        "reason": {**_NAMED, "description": "why; it stands in the audit trail"},
    },
}
RELEASE_DOCS: Final = WORD_DOCS | {
    "properties": {
        **WORD_DOCS["properties"],
        "values": {
            "type": "object",
            "description": "corrected columns of the record; null is not measured",
            "properties": {quantity.column: {"type": ["number", "null"]} for quantity in QUANTITIES},
        },
        "override": {
            "type": ["boolean", "null"],
            "description": "store it although it breaks rules that a person may break; by default only without values",
        },
    }
}
ENTRY_DOCS: Final = {
    "schema": {
        "type": "object",
        "properties": {
            "id": {"type": "integer"}, "state": {"enum": [str(state) for state in State]},
            "field": {"type": ["string", "null"]}, "record": _OBJECT, "source": _TEXT, "place": _TEXT,
            "received_at": _TIME, "raw": _OBJECT, "read": {"type": ["object", "null"]},
            "reasons": {"type": "array", "items": _OBJECT}, "closed": {"type": ["object", "null"]},
        },
    },
    "example": _ENTRY_EXAMPLE,
}  # fmt: skip
PAGE_DOCS: Final = {
    "schema": {
        "type": "object",
        "properties": {
            "entries": {"type": "array", "items": ENTRY_DOCS["schema"]},
            "next": {"type": ["string", "null"]},
        },
    },
    "example": {"entries": [_ENTRY_EXAMPLE], "next": "16"},
}
TRAIL_DOCS: Final = {
    "schema": {
        "type": "object",
        "properties": {
            "record": _OBJECT, "known_at": {"type": ["string", "null"]},
            "known": {"type": "array", "items": _OBJECT}, "trail": {"type": "array", "items": _OBJECT},
        },
    },
    "example": {
        "record": _RECORD_EXAMPLE, "known_at": None, "known": [_REVISION_EXAMPLE],
        "trail": [
            {"at": "2026-01-01T06:00:00+00:00", "what": "quarantined", "by": "volve production.xlsx",
             "quarantine_id": 17, "reasons": [_REASON_EXAMPLE]},
            {"at": "2026-01-02T08:00:00+00:00", "what": "released", "by": "kari.nordmann", "quarantine_id": 17,
             "reason": WORD_EXAMPLE["reason"]},
            {"at": "2026-01-02T08:00:00+00:00", "what": "stored", "by": "volve production.xlsx", **_REVISION_EXAMPLE},
        ],
    },
}  # fmt: skip
RULES_DOCS: Final = {
    "schema": {
        "type": "object",
        "properties": {"version": _TEXT, "digest": _TEXT, "document": _OBJECT},
    },
    "example": {"version": "2", "digest": "0123456789ab", "document": {"version": "2", "kinds": 1, "rules": []}},
}


def answers(docs: dict[str, Any], *refusals: int) -> dict[int | str, dict[str, Any]]:
    """The documented answers of a route: 200, and problems."""
    told: dict[int | str, dict[str, Any]] = {200: {"description": "Done", "content": {"application/json": docs}}}
    for status in (400, *refusals, 503):
        told[status] = {"description": _REFUSALS[status], **_PROBLEM}
    return told | {"default": {"description": "A problem (RFC 9457) with a stable code", **_PROBLEM}}


def body_docs(schema: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    """The documented body of a request."""
    content = {"application/json": {"schema": schema, "example": example}}
    return {"requestBody": {"required": True, "content": content}}
