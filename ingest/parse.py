"""Raw rows become candidates or are refused with reasons; every row ends in exactly one of the two. Pure."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import polars as pl

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
    told = candidates.select("index", "place", "field")
    refused = []
    for row in rows:
        index, place, field_id = told.row(row)
        refused.append(Refused(index, field_id, source, place, raw(index), tuple(findings.reasons[row])))
    bad = pl.Series(rows, dtype=pl.UInt32)
    good = candidates.with_row_index("_row").filter(~pl.col("_row").is_in(bad.implode()))
    return Batch(source, good.select(list(CANDIDATE_SCHEMA)), raw, tuple(refused))


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
    objects: list[dict[str, Any]] = [row if isinstance(row, dict) else {} for row in rows]
    findings = Findings()
    _find_strangers(rows, objects, findings)
    columns = {name: _texts(name, objects, findings) for name in ("field", "well", "resolution", "verdict", "audit_id")}
    columns["source"] = _texts("source", objects, findings).fill_null(source)
    columns["start"] = _starts(objects, findings)
    columns["seconds"] = _seconds(objects, findings)
    columns |= {name: _numbers(name, objects, findings) for name in (*QUANTITY_COLUMNS, "quality")}
    columns["issues"] = _issues(objects, findings)
    _find_unknown_words(columns, objects, findings)
    _find_missing(rows, objects, findings)
    frame = pl.DataFrame(columns).with_columns(
        index=pl.int_range(pl.len(), dtype=pl.Int64),
        place=pl.Series(places or [f"index {i}" for i in range(len(rows))], dtype=pl.String),
        noted=pl.lit(None, dtype=pl.List(pl.String)),
    )
    return sorted_out(source, frame, findings, lambda index: _raw_of(rows[index]))


def _raw_of(row: object) -> dict[str, Any]:
    if isinstance(row, Unreadable):
        return {"text": jsonable(row.text)}
    clean = jsonable(row)
    return clean if isinstance(clean, dict) else {"row": clean}


def _find_strangers(rows: Sequence[object], objects: list[dict[str, Any]], findings: Findings) -> None:
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


def _unknown_key(key: str, value: object) -> Reason:
    name = str(plain(key))
    message = f"the row has the key {shown(name)}, which no record has (rule unknown_key)"
    return Reason("unknown_key", name, plain(value), message)


def _find(findings: Findings, objects: list[dict[str, Any]], where: pl.Series, rule: str, key: str, what: str) -> None:
    """Note a finding about ``key``, unless the row is already known not to be a record at all."""
    findings.add(where, lambda row: reason(rule, key, objects[row].get(key), what))


def _texts(key: str, objects: list[dict[str, Any]], findings: Findings) -> pl.Series:
    values = [row.get(key) for row in objects]
    if not set(map(type, values)) <= _TEXTS:
        wrong = pl.Series([type(value) not in _TEXTS for value in values], dtype=pl.Boolean)
        _find(findings, objects, wrong, "not_text", key, "which is not text")
        values = [value if type(value) in _TEXTS else None for value in values]
    texts = pl.Series(key, values, dtype=pl.String)
    _find(findings, objects, texts.str.contains(_CONTROL), "control_character", key, "which has a control character")
    _find(
        findings, objects, texts.str.len_chars() > TEXT_LIMIT, "too_long", key, f"longer than {TEXT_LIMIT} characters"
    )
    return texts


def _numbers(key: str, objects: list[dict[str, Any]], findings: Findings) -> pl.Series:
    values = [row.get(key) for row in objects]
    if not set(map(type, values)) <= _NUMBERS:
        wrong = pl.Series([type(value) not in _NUMBERS for value in values], dtype=pl.Boolean)
        _find(findings, objects, wrong, "not_a_number", key, "which is not a number")
        values = [value if type(value) in _NUMBERS else None for value in values]
    return pl.Series(key, values, dtype=pl.Float64)


def _seconds(objects: list[dict[str, Any]], findings: Findings) -> pl.Series:
    numbers = _numbers("seconds", objects, findings)
    whole = (numbers.floor() == numbers) & (numbers.abs() < 2**31)
    _find(
        findings, objects, ~whole, "not_whole_seconds", "seconds", "which is not a whole number of seconds below 2^31"
    )
    return numbers.set(~whole.fill_null(value=False), None).cast(pl.Int32)


def _starts(objects: list[dict[str, Any]], findings: Findings) -> pl.Series:
    texts = _texts("start", objects, findings)
    starts = texts.str.to_datetime("%+", strict=False, time_unit="us", time_zone="UTC")
    starts = starts.set(~starts.dt.year().is_between(1, 9999).fill_null(value=True), None)
    unread = (texts.is_not_null() & starts.is_null()).arg_true()
    slow = {row: _start(texts[row]) for row in unread}
    for row, (_, what) in slow.items():
        if what:
            findings.reasons[row].append(reason("bad_time", "start", texts[row], what))
    if slow:
        starts = starts.scatter(list(slow), pl.Series([instant for instant, _ in slow.values()], dtype=TIMESTAMP))
    return starts.alias("start")


def _start(text: str) -> tuple[datetime | None, str]:
    """The instant of a less usual ISO 8601 text, or what is wrong with it."""
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            return None, "a time without an offset from UTC"
        return instant.astimezone(UTC), ""
    except (ValueError, OverflowError):
        return None, "which is not an ISO 8601 time"


def _issues(objects: list[dict[str, Any]], findings: Findings) -> pl.Series:
    values = [row.get("issues") for row in objects]
    if set(map(type, values)) != {type(None)}:
        wrong = pl.Series([not _is_issues(value) for value in values], dtype=pl.Boolean)
        what = f"but issues are a list of at most {ISSUES_LIMIT} codes of letters, digits, _ and -"
        _find(findings, objects, wrong, "not_issues", "issues", what)
        values = [value if _is_issues(value) else None for value in values]
    return pl.Series("issues", values, dtype=pl.List(pl.String))


def _is_issues(value: object) -> bool:
    if value is None:
        return True
    return (
        isinstance(value, list)
        and len(value) <= ISSUES_LIMIT
        and all(isinstance(item, str) and _ISSUE_CODE.fullmatch(item) for item in value)
    )


def _find_unknown_words(columns: dict[str, pl.Series], objects: list[dict[str, Any]], findings: Findings) -> None:
    for name, words in (("resolution", list(Resolution)), ("verdict", list(Verdict))):
        told = f"but it is one of {', '.join(words)}"
        _find(findings, objects, ~columns[name].is_in(words), f"unknown_{name}", name, told)


def _find_missing(rows: Sequence[object], objects: list[dict[str, Any]], findings: Findings) -> None:
    are_rows = pl.Series([isinstance(row, dict) for row in rows], dtype=pl.Boolean)
    for name in _REQUIRED:
        absent = pl.Series([row.get(name) is None for row in objects], dtype=pl.Boolean)
        _find(findings, objects, absent & are_rows, "missing", name, "but every row has one")
