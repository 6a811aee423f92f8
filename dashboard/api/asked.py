"""What can be asked: the parameters of each question with their bounds, and how they are read."""

import base64
import binascii
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from dashboard.api.answer import Form
from storage.domain import well
from storage.domain.derived import METRICS, Metric
from storage.domain.errors import ParameterRefused
from storage.domain.production_day import day_bounds, day_of
from storage.domain.units import SYSTEMS

POINTS: Final = 2_000
POINTS_MOST: Final = 20_000
METRICS_MOST: Final = 24
WELLS_MOST: Final = 20
PAGE: Final = 100
PAGE_MOST: Final = 1_000
DEFAULT_METRICS: Final = "oil_rate,gas_rate,water_rate"
_FIRST, _LAST = date(1850, 1, 1), date(2199, 12, 31)
_TIME_HELP: Final = (
    "an ISO date (the start of that production day in the field's time zone) or an ISO time with its offset from UTC"
)
_NOT_NUL: Final = r"^[^\x00]*$"


class SeriesResolution(StrEnum):
    """How fine a well's series is; auto takes the finest that fits the points and reaches as far as the coarser."""

    AUTO = "auto"
    LIVE = "live"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


class FieldResolution(StrEnum):
    """How fine a field's series is: records of wells are not aligned, so there is none of them."""

    AUTO = "auto"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


_TIME_SCHEMA: Final = WithJsonSchema(
    {
        "type": "string",
        "anyOf": [{"format": "date"}, {"format": "date-time"}],
        "examples": ["2026-01-01", "2026-01-01T06:00:00+01:00"],
    }
)


_NAMES: Final = "|".join(METRICS)
Start = Annotated[str | None, Field(description=f"First moment of the range, inclusive: {_TIME_HELP}."), _TIME_SCHEMA]
End = Annotated[str | None, Field(description=f"End of the range, exclusive: {_TIME_HELP}."), _TIME_SCHEMA]
Units = Annotated[
    Literal["metric", "field"],
    Field(description="Units of the values: metric (Sm3, bar, degC) or field (bbl, Mscf, psi, degF)."),
]
Format = Annotated[
    Literal["json", "csv", "parquet", "arrow"] | None,
    Field(description="Format of the answer; goes before the Accept header.", examples=["csv"]),
]
Metrics = Annotated[
    str,
    Field(
        description=f"Metrics, separated by commas, at most {METRICS_MOST}: {', '.join(METRICS)}.",
        pattern=rf"^({_NAMES})(,({_NAMES})){{0,{METRICS_MOST - 1}}}$",
        examples=["oil_rate,water_cut,downhole_pressure"],
    ),
]
Points = Annotated[
    int,
    Field(ge=20, le=POINTS_MOST, description="Most rows; a longer series is thinned with its extremes and gaps kept."),
]
OneMetric = Annotated[
    str, Field(description="One metric, as in `metrics`.", pattern=rf"^({_NAMES})$", examples=["oil_rate"])
]


class Asked(BaseModel):
    """Parameters of a question: what is not among them is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Format = None

    def canonical(self) -> str:
        """The same text for the same question, however it was written; the format is no part of it."""
        return self.model_dump_json(exclude={"format"}, exclude_defaults=True)


class Ranged(Asked):
    """A question about a range of time."""

    start: Start = None
    end: End = None


class SeriesAsked(Ranged):
    """A series of one well."""

    resolution: Annotated[
        SeriesResolution,
        Field(
            description="live records, hours, production days or months; auto takes the finest that fits `points` and"
            " reaches as far as the coarser ones.",
            examples=["day"],
        ),
    ] = SeriesResolution.AUTO
    metrics: Metrics = DEFAULT_METRICS
    points: Points = POINTS
    units: Units = "metric"
    known_at: Annotated[
        datetime | None,
        Field(
            description="Answer what was known at this moment, from the records received by then; slower, because it is"
            " computed from the records and their superseded revisions.",
            examples=["2026-03-01T00:00:00Z"],
        ),
    ] = None


class FieldSeriesAsked(Ranged):
    """A series of a whole field."""

    resolution: Annotated[
        FieldResolution,
        Field(
            description="hours, production days or months; auto takes the finest that fits `points`.", examples=["day"]
        ),
    ] = FieldResolution.AUTO
    metrics: Metrics = DEFAULT_METRICS
    points: Points = POINTS
    units: Units = "metric"


class RankingAsked(Ranged):
    """Wells in the order of a metric."""

    metric: OneMetric = "oil"
    limit: Annotated[int, Field(ge=1, le=PAGE_MOST, description="Most wells.")] = PAGE_MOST
    lowest: Annotated[bool, Field(description="The lowest first instead of the highest.")] = False
    units: Units = "metric"


class ComparisonAsked(Ranged):
    """Several wells side by side."""

    wells: Annotated[
        str,
        Field(
            description=f"Ids of 1 to {WELLS_MOST} wells of the field, separated by commas.",
            pattern=_NOT_NUL, max_length=4_000, examples=["demo.d-1,demo.d-2"],
        ),
    ]  # fmt: skip
    metrics: Metrics = "oil_rate"
    resolution: Annotated[Literal["day", "month"], Field(description="Production days or months.")] = "month"
    aligned: Annotated[
        Literal["calendar", "time-zero"],
        Field(description="By the calendar, or by the time since each well first produced or injected."),
    ] = "calendar"
    points: Annotated[int, Field(ge=20, le=POINTS_MOST, description="Most rows per well.")] = POINTS
    units: Units = "metric"


class HeatmapAsked(Ranged):
    """Wells against days."""

    metric: OneMetric = "oil_rate"
    units: Units = "metric"


class KpisAsked(Asked):
    """The figures of all fields, or of one."""

    field: Annotated[
        str | None, Field(description="Id of a field; all without it.", pattern=_NOT_NUL, examples=["demo"])
    ] = None
    days: Annotated[
        int, Field(ge=1, le=366, description="Length of the period, and of the one before it, in production days.")
    ] = 30
    units: Units = "metric"


class RevisionsAsked(Ranged):
    """Records that were revised."""

    limit: Annotated[int, Field(ge=1, le=10_000, description="Most revisions.")] = 1_000


class Paged(Asked):
    """A list in pages."""

    limit: Annotated[int, Field(ge=1, le=PAGE_MOST, description="Most items of a page.")] = PAGE
    cursor: Annotated[
        str | None,
        Field(
            description="`next` of the page before; the first page without it.", pattern=r"^[A-Za-z0-9_-]+$",
            max_length=400,
        ),
    ] = None  # fmt: skip


class WellsAsked(Paged):
    """Wells that fit."""

    field: Annotated[
        str | None, Field(description="Id of the field they belong to.", pattern=_NOT_NUL, examples=["demo"])
    ] = None
    search: Annotated[
        str | None,
        Field(description="Text that stands in id or name, in any case.", pattern=_NOT_NUL, max_length=100),
    ] = None
    purpose: Annotated[
        str | None,
        Field(description="What the well is for.", pattern=_NOT_NUL, max_length=40, examples=["producer", "injector"]),
    ] = None


class FieldsAsked(Paged):
    """Fields."""


class DetailAsked(Asked):
    """One thing with all there is to say about it."""

    units: Units = "metric"


class SearchAsked(Asked):
    """Names that look like a text."""

    q: Annotated[
        str,
        Field(
            description="What to look for; spelling mistakes are forgiven.", pattern=_NOT_NUL, min_length=1,
            max_length=100, examples=["f-12"],
        ),
    ]  # fmt: skip
    limit: Annotated[int, Field(ge=1, le=100, description="Most matches.")] = 20


def metrics_of(text: str) -> list[Metric]:
    """The metrics of a list that was checked, each once."""
    return [METRICS[name] for name in dict.fromkeys(text.split(","))]


def span(asked: Ranged, field: well.Field) -> tuple[datetime | None, datetime | None]:
    """The range of a question as instants.

    Raises:
        ParameterRefused: an end is not a time, or the range is empty.
    """
    since, until = (_instant(name, getattr(asked, name), field) for name in ("start", "end"))
    if since is not None and until is not None and since >= until:
        raise ParameterRefused(parameter="end", value=asked.end, allowed=f"later than start, which is {asked.start}")
    return since, until


def days(asked: Ranged, field: well.Field) -> tuple[date | None, date | None]:
    """The range of a question in production days: from that in which it starts to that before which it ends.

    Raises:
        ParameterRefused: as for `span`.
    """
    since, until = span(asked, field)
    first = None if since is None else day_of(field, since)
    if until is None:
        return first, None
    last = day_of(field, until)
    ends_within = day_bounds(field, last)[0] < until
    return first, date.fromordinal(last.toordinal() + 1) if ends_within else last


def aware(name: str, moment: datetime | None) -> datetime | None:
    """A moment that must know its time zone.

    Raises:
        ParameterRefused: it does not.
    """
    if moment is not None and moment.tzinfo is None:
        raise ParameterRefused(
            parameter=name,
            value=moment.isoformat(),
            allowed="a time with its offset from UTC, such as 2026-03-01T00:00:00Z",
        )
    return moment


def _instant(name: str, text: str | None, field: well.Field) -> datetime | None:
    if text is None:
        return None
    written = re.sub(r" (\d\d:?\d\d)$", r"+\1", text)  # a plus that was not escaped in the address
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", written):
            return day_bounds(field, _bounded(date.fromisoformat(written)))[0]
        found = datetime.fromisoformat(written)
        _bounded(found.date())
    except ValueError as error:
        raise ParameterRefused(parameter=name, value=text, allowed=_TIME_HELP) from error
    if found.tzinfo is None:
        raise ParameterRefused(parameter=name, value=text, allowed=_TIME_HELP)
    return found.astimezone(UTC)


def _bounded(day: date) -> date:
    if not _FIRST <= day <= _LAST:
        message = f"between {_FIRST} and {_LAST}"
        raise ValueError(message)
    return day


def cursor_of(last_id: str) -> str:
    """The cursor of the page after an id."""
    return base64.urlsafe_b64encode(last_id.encode()).decode().rstrip("=")


def after(cursor: str | None) -> str:
    """The id after which a page begins; "" for the first.

    Raises:
        ParameterRefused: the cursor was not given out here.
    """
    if cursor is None:
        return ""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ParameterRefused(parameter="cursor", value=cursor, allowed="the `next` of a page") from error
    if "\x00" in text or not text:
        raise ParameterRefused(parameter="cursor", value=cursor, allowed="the `next` of a page")
    return text


def well_ids(text: str, field_id: str, known: Sequence[str]) -> list[str]:
    """The wells of a list of ids, each once.

    Raises:
        ParameterRefused: too many, or one that is not a well of the field.
    """
    named = list(dict.fromkeys(one.strip() for one in text.split(",") if one.strip()))
    if not 1 <= len(named) <= WELLS_MOST:
        raise ParameterRefused(parameter="wells", value=text, allowed=f"1 to {WELLS_MOST} ids, separated by commas")
    for one in named:
        if one not in known:
            raise ParameterRefused(parameter="wells", value=one, allowed=f"a well of the field {field_id}")
    return named


FORMS: Final = tuple(Form)
SYSTEM_NAMES: Final = tuple(SYSTEMS)
