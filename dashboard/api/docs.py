"""What OpenAPI says of the answers: their schemas, an example each, and the problems that each route may give."""

from collections.abc import Mapping
from typing import Any, Final

from dashboard.api.answer import MEDIA_TYPES, Form
from stream.problem import described

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string"}
_MAYBE_TEXT: Final[Schema] = {"type": ["string", "null"]}
_NUMBER: Final[Schema] = {"type": "number"}
_MAYBE_NUMBER: Final[Schema] = {"type": ["number", "null"]}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_MAYBE_COUNT: Final[Schema] = {"type": ["integer", "null"]}
_MILLIS: Final[Schema] = {"type": "integer", "description": "ms since 1970"}


def _object(properties: Mapping[str, Schema], *, optional: tuple[str, ...] = (), closed: bool = True) -> Schema:
    required = [name for name in properties if name not in optional]
    return {
        "type": "object",
        "required": required,
        "properties": dict(properties),
        **({"additionalProperties": False} if closed else {}),
    }


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


_POSITION: Final = _object({"epoch": _TEXT, "offset": _COUNT}) | {
    "description": "where in the field's log the answer stands"
}
_LIFE: Final = _object({"epoch": _TEXT})
_FIELD: Final = _object({"id": _TEXT, "name": _TEXT, "time_zone": _TEXT, "day_start_s": {"type": "integer"}})
_WELL: Final = _object({"id": _TEXT, "name": _TEXT, "purpose": _TEXT})
_MAYBE_WELL: Final = {"anyOf": [_WELL, {"type": "null"}]}
_COLUMN: Final = _object(
    {"label": _TEXT, "unit": _TEXT, "kind": _TEXT, "note": _TEXT, "values": {"type": "array"}}, optional=("note",)
)
_COLUMNS: Final[Schema] = {
    "type": "object",
    "additionalProperties": _COLUMN,
    "description": "a column each, all of the same length; times are ms since 1970",
}
_PERIOD: Final = _object({"start": _TEXT, "end": _TEXT, "days": _COUNT})
_MAYBE_PERIOD: Final = {"anyOf": [_PERIOD, {"type": "null"}]}
_COVERAGE: Final = _object(
    {
        "measured_share": _MAYBE_NUMBER,
        "wells": _MAYBE_COUNT,
        "wells_expected": _MAYBE_COUNT,
        "potential_share": _MAYBE_NUMBER,
    }
)
_THINNED: Final = {
    "anyOf": [
        _object({"from_rows": _COUNT, "points": _COUNT, "method": _TEXT}, optional=("method",)),
        {"type": "null"},
    ]
}
_IN_UNITS: Final[dict[str, Schema]] = {"units": {"enum": ["metric", "field"]}, "oil_equivalent": _TEXT}
_SERIES: Final[dict[str, Schema]] = {
    "field": _FIELD,
    "resolution": _TEXT,
    "source": _TEXT,
    "start": _MAYBE_TEXT,
    "end": _MAYBE_TEXT,
    **_IN_UNITS,
    "basis": _MAYBE_TEXT,
    "position": _POSITION,
    "quality": _MAYBE_NUMBER,
    "suspects": _COUNT,
    "coverage": _COVERAGE,
    "rows": _COUNT,
    "downsampled": _THINNED,
    "columns": _COLUMNS,
}
_HEADER: Final = _object(
    {
        "api_number": _MAYBE_TEXT, "company": _MAYBE_TEXT, "spud_date": _MAYBE_TEXT, "total_depth_m": _MAYBE_NUMBER,
        "water_depth_m": _MAYBE_NUMBER, "latitude": _MAYBE_NUMBER, "longitude": _MAYBE_NUMBER,
        "first_production": _MAYBE_TEXT, "source": _MAYBE_TEXT,
    }
)  # fmt: skip
_STATUS: Final = _object(
    {
        "aspect": {"type": "string", "description": "status, type, operator...; derived: from the records"},
        "since": _TEXT, "until": _MAYBE_TEXT, "code": _TEXT, "source": _TEXT,
    }
)  # fmt: skip
_VALUE: Final = _object({"value": _NUMBER, "unit": _TEXT})
_READING: Final = _object(
    {
        "start": _TEXT, "seconds": _COUNT, "verdict": _TEXT, "quality": _NUMBER, "issues": _list(_TEXT),
        "revision": _COUNT, "values": {"type": "object", "additionalProperties": _VALUE},
    }
)  # fmt: skip
_REACH: Final[Schema] = {
    "type": "object",
    "additionalProperties": _object({"first": _TEXT, "last": _TEXT}),
    "description": "first and last production day (of months the first day) of each grain",
}


def _paged(item: Schema) -> Schema:
    return _object({"rows": _COUNT, "next": _MAYBE_TEXT, "position": _LIFE, "items": _list(item)})


SCHEMAS: Final[Mapping[str, Schema]] = {
    "wells": _paged(_object({"id": _TEXT, "name": _TEXT, "field": _TEXT, "purpose": _TEXT})),
    "fields": _paged(_FIELD),
    "well": _object(
        {
            "id": _TEXT, "name": _TEXT, "purpose": _TEXT, "field": _FIELD, "header": _HEADER,
            "statuses": _list(_STATUS), "reach": _REACH, "position": _POSITION, "units": _TEXT,
            "newest": {"type": "object", "additionalProperties": _READING},
        }
    ),
    "field": _object(
        {
            "id": _TEXT, "name": _TEXT, "time_zone": _TEXT, "day_start_s": {"type": "integer"}, "wells": _COUNT,
            "reach": _REACH, "position": _POSITION, "units": _TEXT,
        }
    ),
    "well series": _object(
        {**_SERIES, "well": _WELL, "known_at": _MAYBE_TEXT, "links": {"type": "object", "additionalProperties": _TEXT}}
    ),
    "field series": _object(_SERIES),
    "quality": _object(
        {
            "field": _FIELD, "well": _MAYBE_WELL, "resolution": _TEXT, "start": _MAYBE_TEXT, "end": _MAYBE_TEXT,
            "records": _COUNT, "suspects": _COUNT, "quality": _MAYBE_NUMBER,
            "issues": _list(_object({"issue": _TEXT, "records": _COUNT})), "rows": _COUNT, "position": _POSITION,
            "columns": _COLUMNS,
        }
    ),
    "revisions": _object(
        {
            "field": _FIELD, "well": _WELL, "rows": _COUNT, "position": _POSITION,
            "items": _list(
                _object(
                    {
                        "start": _MILLIS, "seconds": _COUNT, "resolution": _TEXT, "revision": _COUNT,
                        "received_at": _MILLIS, "superseded_at": _MAYBE_COUNT, "verdict": _TEXT, "quality": _NUMBER,
                        "issues": _MAYBE_TEXT, "audit_id": _MAYBE_TEXT, "source": _TEXT,
                    },
                    closed=False,
                )
            ),
        }
    ),
    "ranking": _object(
        {
            "field": _FIELD, **_IN_UNITS, "position": _POSITION, "metric": _TEXT, "period": _PERIOD,
            "previous_period": _PERIOD, "field_value": _MAYBE_NUMBER, "field_previous": _MAYBE_NUMBER,
            "coverage": _object({"wells": _COUNT, "wells_expected": _COUNT, "wells_known": _COUNT}),
            "rows": _COUNT, "columns": _COLUMNS,
        },
        optional=("period", "previous_period", "field_value", "field_previous", "coverage"),
    ),
    "comparison": _object(
        {
            "field": _FIELD, **_IN_UNITS, "position": _POSITION, "wells": _list(_TEXT), "resolution": _TEXT,
            "aligned": _TEXT, "rows": _COUNT, "downsampled": _THINNED, "columns": _COLUMNS,
        }
    ),
    "heatmap": _object(
        {
            "field": _FIELD, **_IN_UNITS, "position": _POSITION, "metric": _TEXT, "wells": _list(_TEXT),
            "days": _list(_MILLIS), "period": _MAYBE_PERIOD, "rows": _COUNT, "columns": _COLUMNS,
        }
    ),
    "kpis": _object(
        {
            **_IN_UNITS, "days": _COUNT, "rows": _COUNT,
            "position": _object({"epoch": _TEXT, "offsets": {"type": "object", "additionalProperties": _COUNT}}),
            "items": _list(
                _object(
                    {
                        "field": _MAYBE_TEXT, "metric": _TEXT, "label": _TEXT, "unit": _TEXT, "kind": _TEXT,
                        "value": _MAYBE_NUMBER, "previous": _MAYBE_NUMBER, "change": _MAYBE_NUMBER, "start": _MILLIS,
                        "end": _MILLIS, "quality": _MAYBE_NUMBER, "records": _COUNT, "suspects": _COUNT,
                    }
                )
            ),
        }
    ),
    "search": _object(
        {
            "rows": _COUNT, "position": _LIFE,
            "items": _list(
                _object({"kind": _TEXT, "id": _TEXT, "name": _TEXT, "field": _TEXT, "score": _NUMBER})
            ),
        }
    ),
}  # fmt: skip
"""What each kind of answer looks like as JSON."""

_HEADERS: Final = {
    "ETag": {
        "schema": _TEXT,
        "description": "strong; as If-None-Match it brings a 304 while nothing changed",
    },
    "Wellstream-Position": {"schema": _TEXT, "description": "epoch/offset of the answer"},
}


def answers(kind: str, example: Mapping[str, Any], *, table: bool = True) -> dict[int | str, dict[str, Any]]:
    """The answers of a route of one kind: JSON with an example, the formats of tables, 304 and problems."""
    content: dict[str, Any] = {MEDIA_TYPES[Form.JSON]: {"schema": SCHEMAS[kind], "example": dict(example)}}
    if table:
        content[MEDIA_TYPES[Form.CSV]] = {"schema": _TEXT}
        for form in (Form.PARQUET, Form.ARROW):
            content[MEDIA_TYPES[form]] = {"schema": {"type": "string", "format": "binary"}}
    return {
        200: {"description": "The answer, in the format asked for", "content": content, "headers": _HEADERS},
        304: {"description": "The asker has this answer already (If-None-Match)"},
        400: described("A parameter is not known or has a value that is not allowed; it is named"),
        404: described("There is no such field or well"),
        406: described("None of the formats asked for is offered"),
        503: described("Storage does not answer, or too much is asked at once; try again after Retry-After seconds"),
        504: described("The answer was not there within the time that a question is given"),
    }


_DEMO: Final = {"id": "demo", "name": "Demonstration field", "time_zone": "Europe/Oslo", "day_start_s": 21_600}
_D1: Final = {"id": "demo.d-1", "name": "D-1", "purpose": "producer"}
_AT: Final = {"epoch": "9f2c", "offset": 42}
_METRIC: Final = {"units": "metric", "oil_equivalent": "1,000 Sm3 gas = 1 Sm3 o.e."}
_START: Final = {"label": "Start", "unit": "ms since 1970", "kind": "time", "values": [1767243600000]}
_OIL: Final = {"label": "Oil rate", "unit": "Sm3/d", "kind": "rate", "note": "volume / days of the interval"}
_REACHED: Final = {"day": {"first": "2026-01-01", "last": "2026-01-31"}}
_SERIES_EXAMPLE: Final = {
    "field": _DEMO, "resolution": "day", "source": "day_rollups", "start": "2026-01-01T05:00:00Z",
    "end": "2026-01-02T05:00:00Z", **_METRIC, "basis": "daily", "position": _AT, "quality": 1.0, "suspects": 0,
    "coverage": {"measured_share": 1.0, "wells": 41, "wells_expected": 43, "potential_share": 0.97}, "rows": 1,
    "downsampled": None, "columns": {"start": _START, "oil_rate": {**_OIL, "values": [812.4]}},
}  # fmt: skip
EXAMPLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "wells": {"rows": 1, "next": None, "position": {"epoch": "9f2c"}, "items": [{**_D1, "field": "demo"}]},
    "fields": {"rows": 1, "next": None, "position": {"epoch": "9f2c"}, "items": [_DEMO]},
    "well": {
        **_D1, "field": _DEMO, "reach": _REACHED, "position": _AT, "units": "metric", "newest": {},
        "header": {
            "api_number": None, "company": None, "spud_date": "2008-02-01", "total_depth_m": 3_520.0,
            "water_depth_m": 91.0, "latitude": 58.44, "longitude": 1.89, "first_production": "2008-02-12",
            "source": "register",
        },
        "statuses": [
            {"aspect": "derived", "since": "2025-11-30T23:00:00Z", "until": None, "code": "active", "source": "records"}
        ],
    },
    "field": {**_DEMO, "wells": 43, "reach": _REACHED, "position": _AT, "units": "metric"},
    "well series": {
        **_SERIES_EXAMPLE, "well": _D1, "known_at": None, "links": {},
        "coverage": {"measured_share": 1.0, "wells": None, "wells_expected": None, "potential_share": None},
    },
    "field series": _SERIES_EXAMPLE,
    "quality": {
        "field": _DEMO, "well": _D1, "resolution": "day", "start": "2026-01-01T05:00:00Z",
        "end": "2026-01-02T05:00:00Z", "records": 17_280, "suspects": 12, "quality": 0.99,
        "issues": [{"issue": "frozen", "records": 12}], "rows": 1, "position": _AT, "columns": {"start": _START},
    },
    "revisions": {"field": _DEMO, "well": _D1, "rows": 0, "position": _AT, "items": []},
    "ranking": {
        "field": _DEMO, **_METRIC, "position": _AT, "metric": "oil", "rows": 1,
        "columns": {"well": {"label": "Well", "unit": "", "kind": "text", "values": ["demo.d-1"]}},
    },
    "comparison": {
        "field": _DEMO, **_METRIC, "position": _AT, "wells": ["demo.d-1"], "resolution": "month",
        "aligned": "calendar", "rows": 1, "downsampled": None, "columns": {"start": _START},
    },
    "heatmap": {
        "field": _DEMO, **_METRIC, "position": _AT, "metric": "oil_rate", "wells": ["demo.d-1"],
        "days": [1767243600000], "rows": 1, "columns": {"start": _START},
        "period": {"start": "2026-01-01T05:00:00Z", "end": "2026-01-02T05:00:00Z", "days": 1},
    },
    "kpis": {
        **_METRIC, "days": 30, "rows": 0, "position": {"epoch": "9f2c", "offsets": {"demo": 42}}, "items": [],
    },
    "search": {
        "rows": 1, "position": {"epoch": "9f2c"},
        "items": [{"kind": "well", "id": "demo.d-1", "name": "D-1", "field": "demo", "score": 0.9}],
    },
}  # fmt: skip
