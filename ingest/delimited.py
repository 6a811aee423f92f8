"""Delimited text as columns of text, every row with its line; a line that is broken costs itself and no other. Pure."""

import re
from dataclasses import dataclass
from typing import Final

import polars as pl

QUOTE: Final = '"'
LINES_A_ROW: Final = 50
"""A quoted cell may hold line breaks; one that goes on for longer is a quote that nobody closed."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that could not be split: its first line (from 1), its text, and what is wrong with it."""

    line: int
    text: str
    what: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text cells: ``rows`` has "line" (from 1) and the columns; ``broken`` are those that were not split.

    A cell is as written, without its quotes; blank lines count for ``line`` and are no rows.
    """

    rows: pl.DataFrame
    broken: tuple[Broken, ...]


def table(text: str, columns: list[str], delimiter: str, *, first_line: int = 1, multiline: bool = True) -> Table:
    """Split lines into so many columns; lines before ``first_line`` are skipped.

    ``multiline``: a quoted cell may go on in the next lines.
    """
    lines = _lines(text, first_line)
    quoted = bool(lines["text"].str.contains(QUOTE, literal=True).any())
    if quoted and multiline:
        lines = _joined(lines, delimiter, len(columns))
    shape = lines.select(
        "line",
        "text",
        count=_outside("text").str.count_matches(delimiter, literal=True) + 1,
        stray=_outside("text").str.contains(QUOTE, literal=True),
        lost=pl.col("text").str.contains("\ufffd", literal=True),
    )
    bad = shape.select((pl.col("count") != len(columns)) | pl.col("stray") | pl.col("lost")).to_series()
    broken = [
        Broken(line, content, _fault(count, len(columns), stray=stray, lost=lost))
        for line, content, count, stray, lost in shape.filter(bad).iter_rows()
    ]
    return Table(_split(lines.filter(~bad), columns, delimiter), tuple(broken))


def _outside(column: str) -> pl.Expr:
    """The text outside of quoted cells."""
    return pl.col(column).str.replace_all(r'"[^"]*"', "")


def _fault(count: int, wanted: int, *, stray: bool, lost: bool) -> str:
    if lost:
        return "which has bytes that are not of the file's encoding"
    if stray:
        return "which has a quote that is not closed"
    return f"which has {count} columns, but there are {wanted}"


def _lines(text: str, first_line: int) -> pl.DataFrame:
    """Lines that are not blank, with their numbers."""
    content = pl.Series("text", text.split("\n"), dtype=pl.String).str.strip_suffix("\r")
    numbered = pl.DataFrame({"line": pl.int_range(1, len(content) + 1, dtype=pl.Int64, eager=True), "text": content})
    return numbered.filter((pl.col("line") >= first_line) & (pl.col("text").str.strip_chars().str.len_bytes() > 0))


def _joined(lines: pl.DataFrame, delimiter: str, wanted: int) -> pl.DataFrame:
    """Lines put together where a quoted cell goes on in the next, if that makes a whole row."""
    texts = lines["text"]
    open_at = (texts.str.count_matches(QUOTE, literal=True) % 2 == 1).arg_true().to_list()
    whole: dict[int, str] = {}
    gone: set[int] = set()
    at = 0
    while at + 1 < len(open_at):
        first, last = open_at[at], open_at[at + 1]
        row = "\n".join(texts[first : last + 1]) if last - first < LINES_A_ROW else ""
        if _columns(row, delimiter) == wanted and not any(
            _columns(line, delimiter) == wanted for line in texts[first + 1 : last]
        ):
            whole[first] = row
            gone.update(range(first + 1, last + 1))
            at += 2
        else:
            at += 1
    if not whole:
        return lines
    kept = lines.with_row_index("row").filter(~pl.col("row").is_in(list(gone)))
    changed = [whole.get(row, content) for row, content in kept.select("row", "text").iter_rows()]
    return kept.select("line", pl.Series("text", changed, dtype=pl.String))


def _columns(row: str, delimiter: str) -> int:
    return re.sub(r'"[^"]*"', "", row).count(delimiter) + 1


def _split(lines: pl.DataFrame, columns: list[str], delimiter: str) -> pl.DataFrame:
    schema = {f"#{number}": pl.String() for number in range(len(columns))}
    if lines.is_empty():
        cells = pl.DataFrame(schema=schema)
    elif len(columns) == 1 and not lines["text"].str.contains(QUOTE, literal=True).any():
        cells = lines.select(pl.col("text").alias("#0"))
    else:
        cells = pl.read_csv(
            "\n".join(lines["text"]).encode(),
            has_header=False,
            schema=schema,
            separator=delimiter,
            quote_char=QUOTE,
        ).fill_null("")
    return lines.select("line").hstack(cells.rename(dict(zip(schema, columns, strict=True))))
