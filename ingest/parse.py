"""Raw rows become candidates or are refused with reasons; every row ends in exactly one of the two. Pure."""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final, TypeAlias

import polars as pl

from storage.domain.errors import InputRefused
from storage.domain.record import KEY_COLUMNS, QUANTITY_COLUMNS, RECORD_SCHEMA, TIMESTAMP, Resolution, Verdict
from storage.domain.refused import Reason, Refused
from storage.domain.well import Field, Well
from storage.domain.well_header import HEADER_SCHEMA
from storage.domain.well_status import STATUS_SCHEMA

CANDIDATE_SCHEMA: Final = pl.Schema(
    {**RECORD_SCHEMA, "index": pl.Int64(), "place": pl.String(), "noted": pl.List(pl.String())}
)
"""RECORD_SCHEMA, of which verdict, quality, issues and audit_id are set only by an outside verification; ``index`` is
the row's number in what it came from (0-based, unique in the batch), ``place`` the same for people; ``noted`` holds
issues that the source itself saw while reading ("no_reading-downhole_pressure_bar")."""

BATCH_ROWS: Final = 1_000
"""Most rows of one batch. One batch is one log message a field, at about 300 bytes a row: larger ones would block a
follower's socket for longer than a tick, smaller ones pay a transaction for too few rows."""

ROW_KEYS: Final = frozenset((*KEY_COLUMNS, *QUANTITY_COLUMNS, "verdict", "quality", "issues", "audit_id", "source"))
"""What a row from outside may hold."""

TEXT_LIMIT: Final = 200
ISSUES_LIMIT: Final = 50
_UNKNOWN_KEYS_TOLD: Final = 20
_NUMBERS: Final = frozenset((int, float, type(None)))
_TEXTS: Final = frozenset((str, type(None)))
_REQUIRED: Final = ("field", "well", "start", "seconds", "resolution")
_CONTROL: Final = r"[\x00-\x1f\x7f]"
_ISSUE_CODE: Final = re.compile(r"(?!(?i:null)\Z)[A-Za-z0-9_-]{1,100}")

RawRows: TypeAlias = Callable[[int], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one source on their way: ``candidates`` (CANDIDATE_SCHEMA) and what could not be parsed.

    ``raw`` gives the row with that index as it was read, with values that JSON can hold.
    """

    source: str
    candidates: pl.DataFrame
    raw: RawRows
    refused: tuple[Refused, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows came in: candidates and refused."""
        return self.candidates.height + len(self.refused)

    def refusal(self, frame: pl.DataFrame, row: int, reasons: Sequence[Reason]) -> Refused:
        """The refusal of a candidate: a row of a frame with at least CANDIDATE_SCHEMA; what was read goes along."""
        return replace(_refusal(self.source, self.raw, frame.row(row, named=True), reasons), whole=True)


@dataclass(frozen=True, slots=True)
class Source:
    """A whole file or feed that has been read: the fields and wells it speaks of and its rows.

    ``headers`` (HEADER_SCHEMA) and ``statuses`` (STATUS_SCHEMA) are what it says of the wells beside their rows;
    ``told`` are sentences for people about how it was read: what was summed, assumed or left behind.
    """

    fields: tuple[Field, ...]
    wells: tuple[Well, ...]
    batch: Batch
    headers: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=HEADER_SCHEMA))
    statuses: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=STATUS_SCHEMA))
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands for a line that is not JSON at all."""

    text: str


@dataclass(slots=True)
class Findings:
    """What was found wrong in rows while parsing, by row number in the frame."""

    reasons: defaultdict[int, list[Reason]] = field(default_factory=lambda: defaultdict(list))

    def add(self, where: pl.Series, reason: Callable[[int], Reason]) -> None:
        """Note a reason at every row where the boolean series is true; null counts as false."""
        for row in where.fill_null(value=False).arg_true():
            self.reasons[row].append(reason(row))


def framed(source: str, records: pl.DataFrame) -> Batch:
    """Records that are typed already (RECORD_SCHEMA) as a batch of candidates."""
    candidates = records.with_columns(
        index=pl.int_range(pl.len(), dtype=pl.Int64),
        place=pl.format("{} at {}", "well", pl.col("start").dt.strftime("%Y-%m-%dT%H:%M:%SZ")),
        noted=pl.lit(None, dtype=pl.List(pl.String)),
    )
    return Batch(source, candidates, lambda index: dict(jsonable(records.row(index, named=True))))


def shown(value: object) -> str:
    """A value as a sentence can hold it: short, and text in quotes."""
    if value is None:
        return "empty"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, datetime):
        return value.isoformat()
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def plain(value: object) -> str | float | int | None:
    """A value as a reason may hold it: a finite number, text without NUL, or None."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, float):
        return value if abs(value) < float("inf") else str(value)
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return text.replace("\x00", "\ufffd")[:TEXT_LIMIT]


def jsonable(value: object) -> Any:
    """The value with only what a JSON column can hold: no NaN or infinity, no NUL in text, times as ISO 8601."""
    if isinstance(value, dict):
        return {str(jsonable(key)): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd")
    if value is None or isinstance(value, bool | int):
        return value
    return plain(value)


def reason(rule: str, column: str, value: object, what: str) -> Reason:
    """A reason as one sentence: "<column> is <value>, <what> (rule <rule>)"."""
    return Reason(rule, column, plain(value), f"{column} is {shown(value)}, {what} (rule {rule})")


def sorted_out(source: str, candidates: pl.DataFrame, findings: Findings, raw: RawRows) -> Batch:
    """A batch in which the rows with findings are refused and the others stay candidates."""
    if not findings.reasons:
        return Batch(source, candidates.select(list(CANDIDATE_SCHEMA)), raw)
    rows = sorted(findings.reasons)
    told = candidates.select(list(CANDIDATE_SCHEMA))
    refused = [_refusal(source, raw, told.row(row, named=True), findings.reasons[row]) for row in rows]
    bad = pl.Series(rows, dtype=pl.UInt32)
    good = candidates.with_row_index("_row").filter(~pl.col("_row").is_in(bad.implode()))
    return Batch(source, good.select(list(CANDIDATE_SCHEMA)), raw, tuple(refused))


def _refusal(source: str, raw: RawRows, values: dict[str, Any], reasons: Sequence[Reason]) -> Refused:
    index = values["index"]
    read = {name: jsonable(values[name]) for name in CANDIDATE_SCHEMA if values[name] is not None}
    del read["index"], read["place"]
    return Refused(index, values["field"], source, values["place"], raw(index), tuple(reasons), read)


def completed(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with every column of CANDIDATE_SCHEMA that it lacks, as null."""
    absent = {name: kind for name, kind in CANDIDATE_SCHEMA.items() if name not in frame.columns}
    return frame.with_columns(pl.lit(None, dtype=kind).alias(name) for name, kind in absent.items())


def pieces(batch: Batch, rows: int = BATCH_ROWS) -> Iterator[Batch]:
    """The batch in consecutive parts of at most ``rows`` rows, in order of their index; none for an empty batch."""
    candidates = batch.candidates.sort("index")
    refused = sorted(batch.refused, key=lambda row: row.index)
    indexes = pl.concat([candidates["index"], pl.Series([row.index for row in refused], dtype=pl.Int64)]).sort()
    taken = taken_refused = 0
    for first in range(0, len(indexes), rows):
        last = indexes[min(first + rows, len(indexes)) - 1]
        end = int(candidates["index"].search_sorted(last, side="right"))
        end_refused = taken_refused
        while end_refused < len(refused) and refused[end_refused].index <= last:
            end_refused += 1
        yield replace(batch, candidates=candidates[taken:end], refused=tuple(refused[taken_refused:end_refused]))
        taken, taken_refused = end, end_refused


def parsed_rows(rows: Sequence[object], source: str, places: Sequence[str] | None = None) -> Batch:
    """Rows as JSON gives them (objects with ROW_KEYS) as a batch.

    ``places`` says where each row stands (default "index 0" ...). A row without a source of its own gets ``source``.
    """
    findings = Findings()
    objects = _objects(rows, findings)
    present = set(chain.from_iterable(objects)) & ROW_KEYS
    columns = {}
    for key in ROW_SCHEMA:
        if key in present:
            values = [row.get(key) for row in objects]
            columns[key] = pl.Series(key, _fitting(key, values, findings), dtype=ROW_SCHEMA[key])
    frame = pl.DataFrame(columns) if columns else pl.DataFrame(height=len(rows))
    are_rows = None if objects is rows else {at for at, row in enumerate(rows) if isinstance(row, dict)}
    at = places or [f"index {index}" for index in range(len(rows))]
    typed = _typed(frame, at, source, findings, lambda row, key: objects[row].get(key), are_rows)
    return sorted_out(source, typed, findings, lambda index: _raw_of(rows[index]))


def parsed_frame(frame: pl.DataFrame, source: str) -> Batch:
    """Rows that came as a frame: columns of ROW_KEYS in the types of ROW_SCHEMA, ``start`` as text or as an instant.

    Raises:
        InputRefused: a column is none of a record or of another type, or one that every row needs is absent.
    """
    findings = Findings()
    cast = _cast(frame)
    places = [f"index {index}" for index in range(cast.height)]
    typed = _typed(cast, places, source, findings, lambda row, key: cast[key][row])
    return sorted_out(source, typed, findings, lambda index: dict(jsonable(cast.row(index, named=True))))


ROW_SCHEMA: Final = pl.Schema(
    {
        **dict.fromkeys(("field", "well", "start", "resolution", "verdict", "audit_id", "source"), pl.String()),
        **dict.fromkeys(("seconds", *QUANTITY_COLUMNS, "quality"), pl.Float64()),
        "issues": pl.List(pl.String()),
    }
)
"""What each key of a row is before it is looked at."""


def _cast(frame: pl.DataFrame) -> pl.DataFrame:
    strangers = [name for name in frame.columns if name not in ROW_SCHEMA]
    if strangers:
        message = f"the columns {', '.join(map(shown, strangers[:_UNKNOWN_KEYS_TOLD]))} are none of a record"
        raise InputRefused(message)
    absent = [name for name in _REQUIRED if name not in frame.columns]
    if absent:
        message = f"the columns {', '.join(absent)} are missing, which every row needs"
        raise InputRefused(message)
    wrong = [f"{name} is {kind}" for name, kind in frame.schema.items() if not _is_of(name, kind)]
    if wrong:
        message = f"columns of another type than a record's: {', '.join(wrong)}"
        raise InputRefused(message)
    kinds = {name: kind for name, kind in ROW_SCHEMA.items() if name in frame.columns}
    if isinstance(frame.schema["start"], pl.Datetime):
        kinds["start"] = TIMESTAMP
    return frame.cast(kinds)  # type: ignore[arg-type]


def _is_of(name: str, kind: pl.DataType) -> bool:
    wanted = ROW_SCHEMA[name]
    if kind == pl.Null() or (name == "start" and isinstance(kind, pl.Datetime) and kind.time_zone is not None):
        return True
    if wanted == pl.Float64():
        return kind.is_numeric()
    if wanted == pl.String():
        return kind == pl.String() or isinstance(kind, pl.Categorical | pl.Enum)
    return kind in (pl.List(pl.String()), pl.List(pl.Null()))


def _raw_of(row: object) -> dict[str, Any]:
    if isinstance(row, Unreadable):
        return {"text": jsonable(row.text)}
    clean = jsonable(row)
    return clean if isinstance(clean, dict) else {"row": clean}


def _objects(rows: Sequence[object], findings: Findings) -> Sequence[dict[str, Any]]:
    """The rows, with an empty object for what is none; that, and keys that no record has, are findings."""
    if set(map(type, rows)) <= {dict} and set(chain.from_iterable(rows)) <= ROW_KEYS:  # type: ignore[arg-type]
        return rows  # type: ignore[return-value]
    objects: list[dict[str, Any]] = [row if isinstance(row, dict) else {} for row in rows]
    for i, row in enumerate(rows):
        if isinstance(row, Unreadable):
            findings.reasons[i].append(reason("not_json", "row", row.text, "which is not JSON"))
        elif not isinstance(row, dict):
            findings.reasons[i].append(reason("not_an_object", "row", row, "but a row is a JSON object"))
        elif not row.keys() <= ROW_KEYS:
            strangers = sorted(objects[i].keys() - ROW_KEYS)[:_UNKNOWN_KEYS_TOLD]
            findings.reasons[i] += [_unknown_key(key, row[key]) for key in strangers]
        else:
            continue
    return objects


def _unknown_key(key: str, value: object) -> Reason:
    name = str(plain(key))
    message = f"the row has the key {shown(name)}, which no record has (rule unknown_key)"
    return Reason("unknown_key", name, plain(value), message)


def _fitting(key: str, values: list[Any], findings: Findings) -> list[Any]:
    """The values that are of the key's kind; the others are findings, and null."""
    kind = ROW_SCHEMA[key]
    if kind == pl.String():
        allowed, rule, what = _TEXTS, "not_text", "which is not text"
    elif kind == pl.Float64():
        allowed, rule, what = _NUMBERS, "not_a_number", "which is not a number"
    else:
        return _fitting_issues(values, findings)
    if set(map(type, values)) <= allowed:
        return values
    for row, value in enumerate(values):
        if type(value) not in allowed:
            findings.reasons[row].append(reason(rule, key, value, what))
    return [value if type(value) in allowed else None for value in values]


def _fitting_issues(values: list[Any], findings: Findings) -> list[Any]:
    for row, value in enumerate(values):
        if not _is_issues(value):
            findings.reasons[row].append(reason("not_issues", "issues", value, _ISSUES_TOLD))
    return [value if _is_issues(value) else None for value in values]


def _is_issues(value: object) -> bool:
    if value is None:
        return True
    return (
        isinstance(value, list)
        and len(value) <= ISSUES_LIMIT
        and all(isinstance(item, str) and _ISSUE_CODE.fullmatch(item) for item in value)
    )


def _typed(
    frame: pl.DataFrame,
    places: Sequence[str],
    source: str,
    findings: Findings,
    value: Callable[[int, str], object],
    needed: Collection[int] | None = None,
) -> pl.DataFrame:
    """Rows in the types of ROW_SCHEMA as candidates. ``needed``: which rows must have what every row has (None: all).

    All checks are one expression each and are worked out together: nothing is done per row unless one is broken.
    """
    absent = [name for name in ROW_SCHEMA if name not in frame.columns]
    whole = frame.with_columns(pl.lit(None, dtype=ROW_SCHEMA[name]).alias(name) for name in absent)
    checks = [check for check in _CHECKS if check.key in frame.columns or check.rule == "missing"]
    if whole.schema["start"] != pl.String():
        checks = [check for check in checks if check.key != "start" or check.rule == "missing"]
    looked = whole.select(
        *(check.broken.alias(f"{at}") for at, check in enumerate(checks)), _start_expr(whole).alias("start")
    )
    for at, check in enumerate(checks):
        if not looked[f"{at}"].any():
            continue
        for row in looked[f"{at}"].arg_true():
            told = value(row, check.key)
            if check.rule != "missing" or (told is None and (needed is None or row in needed)):
                findings.reasons[row].append(reason(check.rule, check.key, told, check.what))
    starts = looked["start"]
    if starts.null_count() and whole.schema["start"] == pl.String():
        starts = _slow_starts(whole["start"], starts, findings)
    return whole.with_columns(
        starts,
        pl.when(_WHOLE).then("seconds").cast(pl.Int32, strict=False).alias("seconds"),
        pl.col("source").fill_null(source),
        index=pl.int_range(pl.len(), dtype=pl.Int64),
        place=pl.Series(places, dtype=pl.String),
        noted=pl.lit(None, dtype=pl.List(pl.String)),
    )


@dataclass(frozen=True, slots=True)
class _Check:
    """A rule about one key of a row: true where it is broken, null where it has nothing to say."""

    rule: str
    key: str
    broken: pl.Expr
    what: str


_WHOLE: Final = (pl.col("seconds").floor() == pl.col("seconds")) & (pl.col("seconds").abs() < 2**31)
_TEXT_KEYS: Final = tuple(key for key, kind in ROW_SCHEMA.items() if kind == pl.String())
_ISSUES_TOLD: Final = f"but issues are a list of at most {ISSUES_LIMIT} codes of letters, digits, _ and -"
_BAD_ISSUES: Final = (pl.col("issues").list.len() > ISSUES_LIMIT) | ~pl.col("issues").list.eval(
    pl.element().str.contains(r"^[A-Za-z0-9_-]{1,100}$") & ~pl.element().str.contains(r"^(?i:null)$")
).list.all()
_CHECKS: Final = (
    *(
        _Check("control_character", key, pl.col(key).str.contains(_CONTROL), "which has a control character")
        for key in _TEXT_KEYS
    ),
    *(
        _Check("too_long", key, pl.col(key).str.len_chars() > TEXT_LIMIT, f"longer than {TEXT_LIMIT} characters")
        for key in _TEXT_KEYS
    ),
    _Check("not_whole_seconds", "seconds", ~_WHOLE, "which is not a whole number of seconds below 2^31"),
    *(
        _Check(f"unknown_{key}", key, ~pl.col(key).is_in(words), f"but it is one of {', '.join(words)}")
        for key, words in (("resolution", list(map(str, Resolution))), ("verdict", list(map(str, Verdict))))
    ),
    _Check("not_issues", "issues", _BAD_ISSUES, _ISSUES_TOLD),
    *(_Check("missing", key, pl.col(key).is_null(), "but every row has one") for key in _REQUIRED),
)


def _start_expr(frame: pl.DataFrame) -> pl.Expr:
    start = pl.col("start")
    if frame.schema["start"] == pl.String():
        start = start.str.to_datetime("%+", strict=False, time_unit="us", time_zone="UTC")
    return pl.when(start.dt.year().is_between(1, 9999)).then(start)


def _slow_starts(texts: pl.Series, starts: pl.Series, findings: Findings) -> pl.Series:
    """Starts of less usual ISO 8601 texts; what is none is a finding."""
    slow = {row: _start(texts[row]) for row in (texts.is_not_null() & starts.is_null()).arg_true()}
    for row, (_, what) in slow.items():
        if what:
            findings.reasons[row].append(reason("bad_time", "start", texts[row], what))
    if not slow:
        return starts
    return starts.scatter(list(slow), pl.Series([instant for instant, _ in slow.values()], dtype=TIMESTAMP))


def _start(text: str) -> tuple[datetime | None, str]:
    """The instant of a less usual ISO 8601 text, or what is wrong with it."""
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            return None, "a time without an offset from UTC"
        return instant.astimezone(UTC), ""
    except (ValueError, OverflowError):
        return None, "which is not an ISO 8601 time"
