"""A mapping proposed for a CSV file: what its bytes, signs, names and dates say, each choice with its reason."""

import csv
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import charset_normalizer

from ingest.delimited import table
from ingest.files import byte_order_mark, content, decoded
from ingest.sources.column_guess import NUMBER, UNSURE, Choice, guessed, reads
from ingest.sources.mapping import DELIMITERS, NULL_WORDS, TIMES
from storage.domain.errors import InputRefused
from storage.domain.record import Resolution

_SNIFFED_BYTES: Final = 256 * 1024
_SNIFFED_LINES: Final = 2_000
_HEADER_AMONG: Final = 30


def proposed(path: Path) -> str:
    """A mapping for a CSV file, as YAML with a comment at every choice. What cannot be known is marked UNSURE.

    Raises:
        InputRefused: the file cannot be read, is not text, or has no table.
    """
    found = content(path)
    encoding = _encoding(found)
    text = decoded(found[: _SNIFFED_BYTES * 4], str(encoding.value), path)
    if "\x00" in text:
        message = f"'{path}' is not text: it has NUL characters"
        raise InputRefused(message)
    lines = [line.rstrip("\r") for line in text.split("\n")[:_SNIFFED_LINES]]
    delimiter = _delimiter(lines, path)
    header = _header(lines, str(delimiter.value))
    names = _cells_of(lines[int(str(header.value)) - 1], str(delimiter.value))
    columns = _samples(text, names, str(delimiter.value), int(str(header.value)) + 1)
    said = guessed(names, columns)
    timed = {choice.key for choice in said if isinstance(choice.value, dict) and choice.value.get("is") in TIMES}
    numbers = [cells for name, cells in zip(names, columns, strict=True) if name not in timed]
    decimal, thousands = _signs(numbers, str(delimiter.value))
    clock, resolution = _interval(said, names, columns)
    lines_told = [
        f"# proposed for {path.name}: look at every line marked {UNSURE}, then wellstream load csv FILE --mapping THIS",
        *(choice.line() for choice in (encoding, delimiter, decimal, thousands, header)),
        *(choice.line() for choice in (*_constants(said), *clock, *resolution)),
        "columns:",
        *(choice.line("  ") for choice in said),
    ]
    return "\n".join(lines_told) + "\n"


def _encoding(found: bytes) -> Choice:
    mark = byte_order_mark(found)
    if mark is not None:
        return Choice("encoding", mark, "the file's first bytes say so")
    part = found[:_SNIFFED_BYTES]
    try:
        part.decode("utf-8")
        return Choice("encoding", "utf-8", "every byte fits")
    except UnicodeDecodeError as error:
        if error.start > len(part) - 4 and len(part) < len(found):
            return Choice("encoding", "utf-8", "every byte looked at fits")
    best = charset_normalizer.from_bytes(part, cp_isolation=["cp1252", "latin_1", "utf_16"]).best()
    names = {"cp1252": "cp1252", "latin_1": "latin-1", "utf_16": "utf-16"}
    guess = names.get(best.encoding, "cp1252") if best is not None else "cp1252"
    return Choice("encoding", guess, "not utf-8; this reads best, so look at names with accents", sure=False)


def _delimiter(lines: Sequence[str], path: Path) -> Choice:
    """The sign that splits most lines into the same number of more than one column."""
    filled = [line for line in lines if line.strip()][:200]
    scores = []
    for sign in DELIMITERS:
        counts = Counter(len(_cells_of(line, sign)) for line in filled)
        number, agreeing = max(counts.items(), key=lambda one: (one[1] if one[0] > 1 else 0, one[0]), default=(1, 0))
        if number > 1:
            scores.append((agreeing / len(filled), number, sign))
    if not scores:
        message = f"'{path}' has no table: no line is split by one of {', '.join(map(repr, DELIMITERS))}"
        raise InputRefused(message)
    share, number, sign = max(scores)
    return Choice("delimiter", sign, f"{share:.0%} of the lines have {number} columns with it", sure=share > 0.9)


def _cells_of(line: str, delimiter: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return [line]


def _header(lines: Sequence[str], delimiter: str) -> Choice:
    """The first line with as many cells as most, all of them names."""
    widths = Counter(len(_cells_of(line, delimiter)) for line in lines if line.strip())
    width = widths.most_common(1)[0][0]
    for number, line in enumerate(lines[:_HEADER_AMONG], start=1):
        cells = _cells_of(line, delimiter)
        if len(cells) == width and sum(bool(cell) and not NUMBER.fullmatch(cell) for cell in cells) > width / 2:
            return Choice("header_line", number, "the first line of names")
    return Choice("header_line", 1, "no line looks like names: a file must have a header", sure=False)


def _samples(text: str, names: Sequence[str], delimiter: str, first_line: int) -> list[list[str]]:
    """The filled cells of every column, of the first rows."""
    numbered = [f"#{number}" for number in range(len(names))]
    rows = table(text, numbered, delimiter, first_line=first_line).rows.head(_SNIFFED_LINES)
    return [[cell.strip() for cell in rows[name] if cell.strip() not in NULL_WORDS] for name in numbered]


def _signs(columns: Iterable[Sequence[str]], delimiter: str) -> tuple[Choice, Choice]:
    """Decimal and thousands sign, by what the numbers can only mean."""
    cells = [cell for column in columns for cell in column if NUMBER.fullmatch(cell)]
    votes = {".": 0, ",": 0}
    groups: Counter[str] = Counter()
    for cell in cells:
        found = re.search(r"[.,]", cell[::-1])
        if found is None:
            continue
        last, other = found[0], "," if found[0] == "." else "."
        tail = re.split(r"[.,]", cell)[-1]
        if other in cell or (cell.count(last) == 1 and len(tail) != 3):
            votes[last] += 1
        if other in cell:
            groups[other] += 1
        elif cell.count(last) > 1:
            groups[last] += 1
    groups.update(
        sign for cell in cells for sign in "' " if re.fullmatch(rf"[+-]?\d{{1,3}}({sign}\d{{3}})+([.,]\d+)?", cell)
    )
    decimal = "," if votes[","] > votes["."] else "."
    told = votes[decimal]
    sure = bool(told) or not any("," in cell or "." in cell for cell in cells)
    why = f"{told:,} numbers can only be read so" if told else "no number has a part after a sign"
    if not sure:
        decimal, why = ("," if delimiter == ";" else "."), "numbers as 1,234 or 1.234 could mean either"
    sign = groups.most_common(1)[0][0] if groups else ""
    thousands = Choice(
        "thousands", sign, f"{groups[sign]:,} numbers are grouped so" if sign else "no number is grouped"
    )
    return Choice("decimal", decimal, why, sure=sure and not votes["," if decimal == "." else "."]), thousands


def _constants(said: Sequence[Choice]) -> list[Choice]:
    """Constants for what no column names."""
    kinds = [choice.value.get("is") for choice in said if isinstance(choice.value, dict)]
    return [
        Choice(kind, f"my-{kind}", f"no column names the {kind}: say it here", sure=False)
        for kind in ("field", "well")
        if kind not in kinds
    ]


def _interval(
    said: Sequence[Choice], names: Sequence[str], columns: Sequence[Sequence[str]]
) -> tuple[list[Choice], list[Choice]]:
    """Clock and resolution. Nothing in a file says its time zone or when its production day begins."""
    clock = [
        Choice("time_zone", "UTC", "the file does not say it: an IANA name as Europe/Oslo", sure=False),
        Choice("day_start", "00:00", "the file does not say when a production day begins", sure=False),
    ]
    kinds = {str(choice.value.get("is")): choice for choice in said if isinstance(choice.value, dict)}
    if "month" in kinds or {"year", "month_number"} <= set(kinds):
        return clock, [Choice("resolution", str(Resolution.MONTHLY), "its times are months")]
    if "start" in kinds or {"day", "time"} <= set(kinds):
        step = _step(kinds, names, columns)
        found = [Choice("resolution", str(Resolution.LIVE), "its times have hours")]
        return clock, [
            *found,
            Choice("seconds", step or 60, "the commonest step" if step else "a guess", sure=bool(step)),
        ]
    day = kinds.get("day")
    cells = columns[names.index(day.key)] if day is not None else []
    form = str(day.value.get("format", "%Y-%m-%d")) if day is not None and isinstance(day.value, dict) else ""
    firsts = [cell for cell in cells[:500] if reads(cell, form) and _moment(cell, form).day == 1]
    if cells and len(firsts) == len(cells[:500]) > 1:
        return clock, [
            Choice(
                "resolution",
                str(Resolution.MONTHLY),
                "all days are the first of a month: make it `is: month`",
                sure=False,
            )
        ]
    return clock, [Choice("resolution", str(Resolution.DAILY), "its times are days", sure=day is not None)]


def _step(kinds: dict[str, Choice], names: Sequence[str], columns: Sequence[Sequence[str]]) -> int | None:
    """The commonest positive difference in s between the times of successive rows, up to an hour."""
    start = kinds.get("start")
    if start is None or not isinstance(start.value, dict):
        return None
    form = str(start.value.get("format", ""))
    cells = columns[names.index(start.key)]
    times = [_moment(cell, form) for cell in cells if not form or reads(cell, form)]
    steps = Counter(round((after - before).total_seconds()) for before, after in itertools.pairwise(times))
    likely = [(count, step) for step, count in steps.items() if 1 <= step <= 3_600]
    return max(likely)[1] if likely else None


def _moment(cell: str, form: str) -> datetime:
    """The time in a cell; differences are all that is asked of it, so a time without a zone is taken as UTC."""
    moment = datetime.strptime(cell, form) if form else datetime.fromisoformat(cell)  # noqa: DTZ007
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
