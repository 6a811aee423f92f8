"""A CSV file read by a mapping: every column's unit, sign and clock said; every bad cell refused with its line."""

import csv
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import polars as pl

from ingest.delimited import Table, table
from ingest.files import content, decoded
from ingest.parse import Batch, Findings, Source, completed, plain, reason, sorted_out
from ingest.sources.mapping import ISO, TIMES, Column, CsvMapping
from storage.domain.errors import InputRefused
from storage.domain.production_day import day_bounds
from storage.domain.record import QUANTITY_COLUMNS, TIMESTAMP, Resolution
from storage.domain.refused import Refused
from storage.domain.well import Field, Well, well_id

DAY_S: Final = 86_400.0
_EARLIEST: Final = date(1900, 1, 1)
_LATEST: Final = date(2100, 1, 1)
_OFFSET: Final = r"([Zz]|[+-]\d{2}:?\d{2})$"
_PRODUCED: Final = ("oil_sm3", "gas_sm3", "water_sm3", "condensate_sm3")
_INJECTED: Final = ("injected_water_sm3", "injected_gas_sm3")


def read(path: Path, mapping: CsvMapping) -> Source:
    """The file as a source, by the mapping; columns that the mapping does not name stay behind, and are told.

    Raises:
        InputRefused: the file cannot be read, has no rows, or lacks columns that the mapping names.
    """
    text = decoded(content(path), mapping.encoding, path)
    names, left = _header(path, text, mapping)
    split = table(text, names, mapping.delimiter, first_line=mapping.data_line)
    if split.rows.is_empty() and not split.broken:
        message = f"'{path}' has no rows after line {mapping.data_line - 1}"
        raise InputRefused(message)
    source = f"csv {path.name}"
    cells = _cells(split.rows, mapping)
    findings = Findings()
    candidates, fields, wells = _candidates(source, cells, mapping, findings)
    batch = _batch(source, candidates, findings, split)
    told = (f"columns that the mapping does not name were left behind: {', '.join(left)}",) if left else ()
    return Source(fields, wells, batch, told=told)


def _header(path: Path, text: str, mapping: CsvMapping) -> tuple[list[str], list[str]]:
    """A name for every column of the file: the mapping's, or "#n" for the n-th that it does not name; and those."""
    lines = text.split("\n", mapping.header_line)
    if len(lines) < mapping.header_line:
        message = f"'{path}' has no line {mapping.header_line}, where the mapping has the header"
        raise InputRefused(message)
    header = [
        name.strip()
        for name in next(csv.reader([lines[mapping.header_line - 1].strip("\r\n")], delimiter=mapping.delimiter), [])
    ]
    wanted = [column.name for column in mapping.columns]
    missing = [name for name in wanted if name not in header]
    if missing:
        message = (
            f"line {mapping.header_line} of '{path}' lacks the column{'s' * (len(missing) > 1)}"
            f" {', '.join(map(repr, missing))}; it has {', '.join(map(repr, header))}"
        )
        raise InputRefused(message)
    twice = [name for name in wanted if header.count(name) > 1]
    if twice:
        message = (
            f"line {mapping.header_line} of '{path}' has the column{'s' * (len(twice) > 1)} {', '.join(twice)} twice"
        )
        raise InputRefused(message)
    names = [name if name in wanted else f"#{number}" for number, name in enumerate(header, start=1)]
    return names, [name for name in header if name and name not in wanted]


def _cells(rows: pl.DataFrame, mapping: CsvMapping) -> pl.DataFrame:
    """Line and the mapped columns, as text without spaces around; null where a cell says that it holds nothing."""
    nulls: dict[str, None] = dict.fromkeys(mapping.null_words)
    names = [column.name for column in mapping.columns]
    return rows.select("line", pl.col(names).str.strip_chars().replace(nulls))


def _candidates(
    source: str, cells: pl.DataFrame, mapping: CsvMapping, findings: Findings
) -> tuple[pl.DataFrame, tuple[Field, ...], tuple[Well, ...]]:
    by_what = {column.what: column for column in mapping.columns}
    fields = _ids(cells, by_what.get("field"), mapping.field, lambda name: mapping.clock(name).id, findings)
    names = _names(cells, by_what.get("well"), mapping)
    both = pl.DataFrame({"field": fields, "name": names})
    wells = _well_ids(both, by_what.get("well"), cells, findings)
    frame = pl.DataFrame({"field": fields, "well": wells, "name": names}).hstack(_times(cells, mapping, findings))
    noted = []
    for column in mapping.columns:
        if column.what in QUANTITY_COLUMNS:
            numbers = _numbers(cells[column.name], mapping, findings)
            if column.zero_is_no_reading:
                noted.append(pl.Series((numbers == 0).fill_null(value=False)).alias(column.what))
                numbers = numbers.replace(0.0, None)
            scaled = numbers * column.scale + column.offset
            frame = frame.with_columns(
                (scaled * frame["seconds"] / DAY_S if column.per_day else scaled).alias(column.what)
            )
    flags = pl.DataFrame(noted)
    codes = [pl.when(pl.col(name)).then(pl.lit(f"no_reading-{name}")) for name in flags.columns]
    notes = flags.select(pl.concat_list(codes).list.drop_nulls()).to_series() if codes else None
    frame = frame.with_columns(
        cells["line"].alias("index"),
        pl.format("line {}", cells["line"]).alias("place"),
        pl.Series("noted", notes if notes is not None else [None] * frame.height, dtype=pl.List(pl.String)),
        resolution=pl.lit(str(mapping.resolution)),
        source=pl.lit(source),
    )
    known = sorted(set(fields.drop_nulls()))
    told = {mapping.clock(name).id: name for name in _told_fields(cells, by_what.get("field"), mapping)}
    return completed(frame), tuple(mapping.clock(told[one]) for one in known), _wells(frame)


def _told_fields(cells: pl.DataFrame, column: Column | None, mapping: CsvMapping) -> list[str]:
    """Names of fields that an id can be made of."""
    names = [mapping.field] if column is None else cells[column.name].drop_nulls().unique(maintain_order=True).to_list()
    return [name for name in names if name is not None and _made(lambda: mapping.clock(name).id) is not None]  # noqa: B023


def _made(make: Callable[[], str]) -> str | None:
    try:
        return make()
    except InputRefused:
        return None


def _ids(
    cells: pl.DataFrame, column: Column | None, constant: str | None, made: Callable[[str], str], findings: Findings
) -> pl.Series:
    """Field ids; a cell that no id can be made of is a finding."""
    if column is None:
        return pl.Series("field", [made(constant or "")] * cells.height, dtype=pl.String)
    names = cells[column.name]
    ids = {name: _made(lambda name=name: made(name)) for name in names.drop_nulls().unique()}  # type: ignore[misc]
    found = names.replace_strict(ids, default=None, return_dtype=pl.String)
    findings.add(
        found.is_null(), lambda row: reason("not_a_field", column.name, names[row], "which is not a field's name")
    )
    return found.alias("field")


def _names(cells: pl.DataFrame, column: Column | None, mapping: CsvMapping) -> pl.Series:
    if column is None:
        return pl.Series("name", [mapping.well_prefix + (mapping.well or "")] * cells.height, dtype=pl.String)
    return cells.select(pl.concat_str(pl.lit(mapping.well_prefix), pl.col(column.name)).alias("name")).to_series()


def _well_ids(both: pl.DataFrame, column: Column | None, cells: pl.DataFrame, findings: Findings) -> pl.Series:
    pairs = both.unique().drop_nulls()
    ids = [_made(lambda pair=pair: well_id(*pair)) for pair in pairs.iter_rows()]  # type: ignore[misc]
    known = pairs.with_columns(pl.Series("well", ids, dtype=pl.String))
    found = both.join(known, on=["field", "name"], how="left", maintain_order="left")["well"]
    if column is not None:
        names = cells[column.name]
        bad = found.is_null() & both["field"].is_not_null()
        findings.add(bad, lambda row: reason("not_a_well", column.name, names[row], "which is not a well's name"))
    return found


def _wells(frame: pl.DataFrame) -> tuple[Well, ...]:
    """Wells by id; one that only injects is an injector."""

    def any_of(columns: tuple[str, ...]) -> pl.Expr:
        there = [pl.col(name) > 0 for name in columns if name in frame.columns]
        return pl.any_horizontal(there).any() if there else pl.lit(value=False)

    found = frame.filter(pl.col("well").is_not_null()).group_by("well").agg(
        pl.col("name").last(), injects=any_of(_INJECTED), produces=any_of(_PRODUCED)
    )  # fmt: skip
    rows = found.sort("well").iter_rows()
    return tuple(
        Well(id_, name, "injector" if injects and not produces else "producer") for id_, name, injects, produces in rows
    )


def _numbers(texts: pl.Series, mapping: CsvMapping, findings: Findings) -> pl.Series:
    """Numbers in the file's signs. A sign in the wrong place is no number: 12,5 is never 125."""
    point, group = f"\\{mapping.decimal}", f"\\{mapping.thousands}" if mapping.thousands else None
    digits = rf"(\d+|\d{{1,3}}({group}\d{{3}})+)" if group else r"\d+"
    form = rf"^[+-]?({digits}({point}\d*)?|{point}\d+)([eE][+-]?\d+)?$"
    told = texts.str.replace_all("[\u00a0\u202f]", " ").str.replace_all("\u2212", "-", literal=True)
    written = told.set(~told.str.contains(form).fill_null(value=False), None)
    if mapping.thousands:
        written = written.str.replace_all(mapping.thousands, "", literal=True)
    numbers = written.str.replace_all(mapping.decimal, ".", literal=True).cast(pl.Float64, strict=False)
    bad = texts.is_not_null() & numbers.is_null()
    findings.add(
        bad, lambda row: reason("not_a_number", texts.name, texts[row], "which is not a number in the file's signs")
    )
    return numbers


def _times(cells: pl.DataFrame, mapping: CsvMapping, findings: Findings) -> pl.DataFrame:
    """Start in UTC and seconds of every row; null where a cell is no time, which is a finding."""
    columns = {column.what: column for column in mapping.columns if column.what in TIMES}
    clock = Field("clock", "Clock", mapping.time_zone, mapping.day_start_s)
    if mapping.resolution is Resolution.LIVE:
        starts = _instants(cells, columns, mapping, findings)
        return pl.DataFrame({"start": starts, "seconds": pl.Series([mapping.seconds] * cells.height, dtype=pl.Int32)})
    if mapping.resolution is Resolution.DAILY:
        dates = _dates(cells[columns["day"].name], columns["day"], "not_a_day", findings)
        return _intervals(dates, lambda day: day + timedelta(days=1), clock)
    return _intervals(_months(cells, columns, findings), _next_month, clock)


def _months(cells: pl.DataFrame, columns: dict[str, Column], findings: Findings) -> pl.Series:
    if "month" in columns:
        return _dates(cells[columns["month"].name], columns["month"], "not_a_month", findings).dt.month_start()
    year, month = (cells[columns[name].name] for name in ("year", "month_number"))
    parts = pl.DataFrame({"year": year.str.strip_suffix(".0"), "month": month.str.strip_suffix(".0")})
    months = parts.select(
        pl.concat_str(pl.col("year"), pl.lit("-"), pl.col("month"), pl.lit("-1")).str.to_date("%Y-%m-%d", strict=False)
    ).to_series()
    months = months.set(~months.is_between(_EARLIEST, _LATEST).fill_null(value=True), None)
    bad = months.is_null()
    findings.add(
        bad,
        lambda row: reason("not_a_month", month.name, month[row], f"which is not a month of {year.name} {year[row]}"),
    )
    return months


def _dates(texts: pl.Series, column: Column, rule: str, findings: Findings) -> pl.Series:
    if column.format == ISO:
        whole = texts.str.replace(r"[T ]00:00(:00(\.0+)?)?$", "")
        dates = whole.str.to_date("%Y-%m-%d", strict=False)
        if column.what == "month":
            short = (
                pl.DataFrame({"t": whole})
                .select(pl.concat_str("t", pl.lit("-01")).str.to_date("%Y-%m-%d", strict=False))
                .to_series()
            )
            dates = dates.zip_with(dates.is_not_null(), short)
    elif column.what == "month" and "%d" not in column.format:
        padded = pl.DataFrame({"t": texts}).select(pl.concat_str("t", pl.lit(" 01")).alias("t")).to_series()
        dates = padded.str.to_date(f"{column.format} %d", strict=False)
    else:
        dates = texts.str.to_date(column.format, strict=False)
    dates = dates.set(~dates.is_between(_EARLIEST, _LATEST, closed="left").fill_null(value=True), None)
    what = f"which is not a {column.what} of the form {column.format}, from 1900 to 2099"
    findings.add(dates.is_null(), lambda row: reason(rule, texts.name, texts[row], what))
    return dates


def _intervals(dates: pl.Series, after: Callable[[date], date], clock: Field) -> pl.DataFrame:
    unique = dates.drop_nulls().unique()
    bounds = [(day_bounds(clock, day)[0], day_bounds(clock, after(day))[0]) for day in unique]
    known = pl.DataFrame(
        {
            "date": unique,
            "start": pl.Series([start for start, _ in bounds], dtype=TIMESTAMP),
            "seconds": pl.Series([round((end - start).total_seconds()) for start, end in bounds], dtype=pl.Int32),
        }
    )
    rows = pl.DataFrame({"date": dates}).join(known, on="date", how="left", maintain_order="left")
    return rows.select("start", "seconds")


def _next_month(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _instants(cells: pl.DataFrame, columns: dict[str, Column], mapping: CsvMapping, findings: Findings) -> pl.Series:
    """Instants of local times, or of times with an offset. A local time that the clock has twice, or never, is none."""
    if "start" in columns:
        column = columns["start"]
        texts, form = cells[column.name], column.format
    else:
        day, time = columns["day"], columns["time"]
        texts = cells.select(pl.concat_str(day.name, time.name, separator=" ").alias(time.name)).to_series()
        form = f"{'%Y-%m-%d' if day.format == ISO else day.format} {'%H:%M:%S' if time.format == ISO else time.format}"
    if form == ISO:
        offset = texts.str.contains(_OFFSET)
        told = texts.set(~offset.fill_null(value=False), None).str.replace(" ", "T", literal=True)
        told = told.str.replace(r"[Zz]$", "+00:00").str.replace(r"([+-]\d{2})(\d{2})$", "$1:$2")
        aware = told.str.to_datetime("%+", strict=False, time_unit="us", time_zone="UTC")
        naive = texts.set(offset.fill_null(value=False), None).str.replace("T", " ", literal=True)
        local = naive.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="us")
        local = local.zip_with(
            local.is_not_null(), naive.str.to_datetime("%Y-%m-%d %H:%M", strict=False, time_unit="us")
        )
        found = aware.zip_with(aware.is_not_null(), _utc(local, mapping))
    elif "%z" in form:
        found, local = texts.str.to_datetime(form, strict=False, time_unit="us", time_zone="UTC"), None
    else:
        local = texts.str.to_datetime(form, strict=False, time_unit="us")
        found = _utc(local, mapping)
    clock = (
        local.is_not_null() & found.is_null() if local is not None else pl.repeat(value=False, n=len(texts), eager=True)
    )
    findings.add(
        clock,
        lambda row: reason(
            "not_one_instant", texts.name, texts[row], f"which the clock of {mapping.time_zone} shows twice or never"
        ),
    )
    bad = found.is_null() & ~clock
    findings.add(
        bad, lambda row: reason("not_a_time", texts.name, texts[row], f"which is not a time of the form {form}")
    )
    return found.alias("start")


def _utc(local: pl.Series, mapping: CsvMapping) -> pl.Series:
    ambiguous: Any = "null" if mapping.clock_change == "refuse" else mapping.clock_change
    zoned = local.dt.replace_time_zone(mapping.time_zone, ambiguous=ambiguous, non_existent="null")
    return zoned.dt.convert_time_zone("UTC")


def _batch(source: str, candidates: pl.DataFrame, findings: Findings, split: Table) -> Batch:
    lines, cells = split.rows["line"], split.rows.drop("line")

    def raw(index: int) -> dict[str, Any]:
        return {name: plain(cell) for name, cell in cells.row(int(lines.search_sorted(index)), named=True).items()}

    batch = sorted_out(source, candidates, findings, raw)
    broken = [
        Refused(one.line, None, source, f"line {one.line}", {"line": plain(one.text)},
                (reason("not_the_header_columns", "line", one.text, one.what),))
        for one in split.broken
    ]  # fmt: skip
    return replace(batch, refused=tuple(sorted((*batch.refused, *broken), key=lambda row: row.index)))
