"""What the API answers, before and after it is written down: a head, and one table whose columns name their units."""

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from io import BytesIO
from typing import Any, Final

import orjson
import polars as pl

from storage.domain.derived import Metric, unit
from storage.domain.errors import NotOffered


class Form(StrEnum):
    """The formats in which a table can be had."""

    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"
    ARROW = "arrow"


MEDIA_TYPES: Final[Mapping[Form, str]] = {
    Form.JSON: "application/json",
    Form.CSV: "text/csv",
    Form.PARQUET: "application/vnd.apache.parquet",
    Form.ARROW: "application/vnd.apache.arrow.stream",
}
_COMPRESSED: Final = (Form.JSON, Form.CSV)
_LEAST_BYTES: Final = 500
_LEVEL: Final = 1
"""Of gzip: the first level takes a third of the default's time and leaves a tenth more."""

_FORMULA: Final = r"^[=+\-@\t\r]"
"""What a spreadsheet would run when it stands first in a cell."""


@dataclass(frozen=True, slots=True)
class Column:
    """What a column of a table is: its unit ("" for none), and a kind: a metric's nature or one of time, text..."""

    label: str
    unit: str
    kind: str
    note: str = ""

    def told(self) -> dict[str, str]:
        """As it stands in an answer."""
        said = {"label": self.label, "unit": self.unit, "kind": self.kind}
        return said | {"note": self.note} if self.note else said


START: Final = Column("Start", "ms since 1970", "time", "of the interval; inclusive")
COMMON: Final[Mapping[str, Column]] = {
    "start": START,
    "seconds": Column("Length of the interval", "s", "duration"),
    "well": Column("Well", "", "text"),
    "basis": Column("Records behind the row", "", "text", "live, daily, monthly or mixed"),
    "records": Column("Records behind the row", "", "count"),
    "suspects": Column("Suspect records among them", "", "count"),
    "quality": Column("Quality", "fraction", "share", "mean of the records, weighted by time"),
    "measured_share": Column("Time covered by records", "fraction", "share", "of a field: of its reporting wells"),
    "issues": Column("Issues", "", "text", "codes"),
    "revised": Column("Revised", "", "flag", "a record behind the row has earlier revisions"),
    "gap_before": Column("Gap before", "", "flag", "nothing is known between the row before and this one"),
    "wells": Column("Wells that reported", "", "count"),
    "wells_expected": Column("Wells expected", "", "count", "reported in one of the last three intervals"),
    "potential_share": Column(
        "Share of potential", "fraction", "share", "recent oil equivalent of the reporting wells"
    ),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A head that JSON can hold, and a table. ``columns`` are the table's, in order; lists are told row by row
    (``items``), series column by column. Without a table there is only the head."""

    head: Mapping[str, Any]
    table: pl.DataFrame | None = None
    columns: Mapping[str, Column] = field(default_factory=dict)
    items: bool = False


def metric_columns(metrics: Sequence[Metric], system: str, note: str = "") -> dict[str, Column]:
    """The columns of metrics in a unit system; ``note`` names the basis of oil equivalents."""
    return {
        one.name: Column(one.label, unit(one, system), one.nature, note if one.any_of else one.formula)
        for one in metrics
    }


def chosen_form(asked: str | None, accept: str) -> Form:
    """The format of an answer: the one asked for by name, else the one that the Accept header likes best.

    Raises:
        NotOffered: the header takes none of the formats.
    """
    if asked is not None:
        return Form(asked)
    if not accept or accept == "*/*":
        return Form.JSON
    liked = [(one, _liking(accept, kind)) for one, kind in MEDIA_TYPES.items()]
    best = max(liked, key=lambda pair: pair[1])
    if best[1] <= 0:
        message = f"none of {accept} is offered here; {', '.join(MEDIA_TYPES.values())} are"
        raise NotOffered(message)
    return best[0]


def _liking(accept: str, media_type: str) -> float:
    """The quality of the most specific range of an Accept header that takes the media type; 0 when none does."""
    best = (0, 0.0)
    for part in accept.split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        exactness = {media_type: 3, f"{media_type.partition('/')[0]}/*": 2, "*/*": 1}.get(name.lower(), 0)
        best = max(best, (exactness, _weight(parameters)), key=lambda pair: pair[0])
    return best[1] if best[0] else 0.0


def _weight(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, told = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(told)
            except ValueError:
                return 0.0
    return 1.0


def written(answer: Answer, form: Form) -> tuple[bytes, bool]:
    """An answer in a format, and whether it is gzipped: each is compressed once, here.

    Raises:
        NotOffered: the answer has no table, and the format is one of tables.
    """
    if answer.table is None and form is not Form.JSON:
        message = f"this answer is not a table, and is not offered as {form}; {MEDIA_TYPES[Form.JSON]} is"
        raise NotOffered(message)
    body = _WRITERS[form](answer)
    if form in _COMPRESSED and len(body) >= _LEAST_BYTES:
        return gzip.compress(body, _LEVEL, mtime=0), True
    return body, False


def _json(answer: Answer) -> bytes:
    content = dict(answer.head)
    if answer.table is not None:
        shown = answer.table.select(list(answer.columns))
        if answer.items:
            content["items"] = shown.with_columns(_millis(shown)).to_dicts()
        else:
            content["columns"] = {
                name: {**column.told(), "values": _values(shown[name])} for name, column in answer.columns.items()
            }
    return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)


def _millis(table: pl.DataFrame) -> list[pl.Expr]:
    return [pl.col(name).dt.epoch("ms") for name, kind in table.schema.items() if isinstance(kind, pl.Datetime)]


def _values(series: pl.Series) -> Any:
    """Numbers as an array that is written without a Python object each; NaN in it stands for null."""
    if isinstance(series.dtype, pl.Datetime):
        series = series.dt.epoch("ms")
    if isinstance(series.dtype, pl.Enum):
        series = series.to_physical()
    if series.dtype.is_float() or (series.dtype.is_integer() and not series.null_count()):
        return series.to_numpy()
    return series.to_list()


def _csv(answer: Answer) -> bytes:
    table = _tabular(answer)
    codes = [pl.col(name).cast(pl.String) for name, kind in table.schema.items() if isinstance(kind, pl.Enum)]
    table = table.with_columns(codes)
    texts = [name for name, kind in table.schema.items() if kind == pl.String]
    harmless = table.with_columns(_harmless(pl.col(name)).alias(name) for name in texts)
    names = {name: f"{name} [{one.unit}]" for name, one in answer.columns.items() if one.unit and one.kind != "time"}
    return harmless.rename(names).write_csv(datetime_format="%Y-%m-%dT%H:%M:%S%.fZ").encode()


def _harmless(text: pl.Expr) -> pl.Expr:
    return pl.when(text.str.contains(_FORMULA)).then(pl.lit("'") + text).otherwise(text)


def _parquet(answer: Answer) -> bytes:
    into = BytesIO()
    _tabular(answer).write_parquet(into, metadata={"wellstream": _described(answer)})
    return into.getvalue()


def _arrow(answer: Answer) -> bytes:
    into = BytesIO()
    _tabular(answer).write_ipc_stream(into)
    return into.getvalue()


def _tabular(answer: Answer) -> pl.DataFrame:
    assert answer.table is not None, "`written` has seen to it"  # noqa: S101
    return answer.table.select(list(answer.columns))


def _described(answer: Answer) -> str:
    """Head and columns as JSON, for formats that carry a note beside the table."""
    columns = {name: column.told() for name, column in answer.columns.items()}
    return orjson.dumps({**answer.head, "columns": columns}).decode()


_WRITERS: Final = {Form.JSON: _json, Form.CSV: _csv, Form.PARQUET: _parquet, Form.ARROW: _arrow}


def iso(moment: datetime | None) -> str | None:
    """An instant as text, in UTC."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
