"""BSEE's OGOR-A: what completions produced in a month, summed to wells."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final, TypeAlias

import polars as pl

from ingest.delimited import Broken, table
from ingest.files import content, decoded
from ingest.parse import CANDIDATE_SCHEMA, Batch, Findings, Source, completed, plain, reason
from ingest.sources import bsee_reference, ogor_wells
from ingest.sources.bsee_reference import Reference
from storage.domain.errors import InputRefused
from storage.domain.production_day import day_bounds
from storage.domain.record import TIMESTAMP, Resolution
from storage.domain.refused import Reason, Refused
from storage.domain.units import to_canonical
from storage.domain.well import Field, slug

COLUMNS: Final = (
    "LEASE_NUMBER", "COMPLETION_NAME", "PRODUCTION_DATE", "DAYS_ON_PROD", "PRODUCT_CODE", "MON_O_PROD_VOL",
    "MON_G_PROD_VOL", "MON_W_PROD_VOL", "API_WELL_NUMBER", "WELL_STAT_CD", "AREA_CODE_BLOCK_NUM", "OPERATOR_NUM",
    "SORT_NAME", "FIELD_NAME_CODE", "INJECTION_VOLUME", "PROD_INTERVAL_CD", "FIRST_PROD_DATE", "UNIT_AGT_NUMBER",
    "UNIT_ALOC_SUFFIX",
)  # fmt: skip
GAS_UNIT: Final = "Mscf@14.73"
"""Gas is reported to the federal government at 60 degF and 14.73 psia."""

_KEY: Final = ("LEASE_NUMBER", "COMPLETION_NAME", "PRODUCTION_DATE", "API_WELL_NUMBER", "PROD_INTERVAL_CD")
_PRODUCED: Final = {"MON_O_PROD_VOL": "oil_sm3", "MON_G_PROD_VOL": "gas_sm3", "MON_W_PROD_VOL": "water_sm3"}
_INJECTED: Final = "INJECTION_VOLUME"
_NUMBERS: Final = ("DAYS_ON_PROD", *_PRODUCED, _INJECTED)
_UNITS: Final = {"oil_sm3": "bbl", "gas_sm3": GAS_UNIT, "water_sm3": "bbl", "injected_water_sm3": "bbl",
                 "injected_gas_sm3": GAS_UNIT}  # fmt: skip
_GAS_INJECTION: Final = "03"
_WATER_INJECTION: Final = ("04", "05", "06")
_INJECTION: Final = (_GAS_INJECTION, *_WATER_INJECTION)
_EARLIEST: Final = date(1900, 1, 1)
_LATEST: Final = date(2100, 1, 1)
_CODES: Final = {"status": "WELL_STAT_CD", "operator": "SORT_NAME", "lease": "LEASE_NUMBER", "type": "type"}
_REPEATED: Final = {
    False: ("repeated_completion", "with the same content"),
    True: ("superseded_completion", "with other content: the later line counts"),
}
_WELL_MONTH: Final = ("field", "API_WELL_NUMBER", "month")
_TOLD_LINES: Final = 10
_NO_REFERENCE: Final = "no reference files: wells are named by their API numbers, fields by their codes"

_Completions: TypeAlias = pl.DataFrame
"""Rows of the file: line, COLUMNS as text without spaces around, _NUMBERS as numbers in "n <name>", month, field."""


def read(path: Path, reference: Path | None = None) -> Source:
    """The file, or the one file in a zip, as a source of well-months; a file has many fields.

    Completions of a well are summed; a well is on stream for as long as its longest completion, a day on production
    being one of the month's days. Months begin at local midnight in America/Chicago. Liquids are turned from bbl,
    gas from Mcf at 60 degF and 14.73 psia. What an injector does not produce and a producer does not inject is not
    measured; every other zero is one, to be read with the status. A completion that is there twice counts once; one
    whose field is left out counts for the field that its well has elsewhere in the file.

    Args:
        path: the file.
        reference: folder of BSEE's reference files; by default `bsee-reference` beside the file's folder, if any.

    Raises:
        InputRefused: the file is not OGOR-A, or a file named cannot be read.
    """
    folder = reference or bsee_reference.beside(path)
    known = bsee_reference.read(folder) if folder else None
    split = table(decoded(content(path), "latin-1", path), list(COLUMNS), ",", multiline=False)
    if split.rows.is_empty():
        first = f": line {split.broken[0].line} is one {split.broken[0].what}" if split.broken else ""
        message = f"'{path}' is not an OGOR-A file of {len(COLUMNS)} columns{first}"
        raise InputRefused(message)
    rows = _read_cells(split.rows)
    findings = _findings(rows)
    return _source(f"ogor-a {path.name}", rows, findings, split.broken, known)


def _source(
    name: str, rows: _Completions, findings: Findings, broken: tuple[Broken, ...], known: Reference | None
) -> Source:
    bad = list(findings.reasons)
    good = rows.with_row_index("row").filter(~pl.col("row").is_in(bad)).drop("row") if bad else rows
    good, repeated = _distinct(good)
    months = _well_months(good, rows[bad])
    candidates = _candidates(name, months)
    refused = [_refused(name, rows.row(row, named=True), tuple(findings.reasons[row])) for row in sorted(bad)]
    refused += [_refused(name, row, (why,)) for row, why in repeated]
    refused += [_unsplit(name, one) for one in broken]
    batch = _batch(name, candidates, refused, rows)
    found = ogor_wells.found(good, candidates, known, name)
    lines, fields = rows.height + len(broken), len(found.fields)
    told = (
        f"{lines:,} completion-months of {fields:,} fields summed to {months.height:,} well-months",
        *(known.told if known else (_NO_REFERENCE,)),
    )
    return Source(found.fields, found.wells, batch, found.headers, found.statuses, told)


def _read_cells(text: pl.DataFrame) -> _Completions:
    """Cells without spaces around, numbers and months, and the field of rows that leave it out."""
    rows = text.with_columns(pl.col(COLUMNS).str.strip_chars())
    rows = rows.with_columns(
        *(pl.col(name).cast(pl.Float64, strict=False).alias(f"n {name}") for name in _NUMBERS),
        month=pl.concat_str("PRODUCTION_DATE", pl.lit("01")).str.to_date("%Y%m%d", strict=False),
    )
    named = rows.filter(pl.col("FIELD_NAME_CODE") != "")
    only = named.group_by("API_WELL_NUMBER").agg(
        pl.when(pl.col("FIELD_NAME_CODE").n_unique() == 1).then(pl.col("FIELD_NAME_CODE").first()).alias("elsewhere")
    )
    return rows.join(only, on="API_WELL_NUMBER", how="left", maintain_order="left").with_columns(
        field=pl.coalesce(pl.col("FIELD_NAME_CODE").replace({"": None}), "elsewhere"),
        month=pl.when(pl.col("PRODUCTION_DATE").str.len_chars() == 6).then("month"),
    )


def _findings(rows: _Completions) -> Findings:
    findings = Findings()

    def find(where: pl.Series, rule: str, column: str, what: str) -> None:
        findings.add(where, lambda row: reason(rule, column, rows[column][row], what))

    month = rows["month"]
    sane = (month >= _EARLIEST) & (month < _LATEST)
    find(~sane.fill_null(value=False), "not_a_month", "PRODUCTION_DATE", "which is not a month YYYYMM")
    api = rows["API_WELL_NUMBER"].str.contains(r"^\d{12}$")
    find(~api, "not_an_api_number", "API_WELL_NUMBER", "which is not an API number of 12 digits")
    for name in _NUMBERS:
        number = rows[f"n {name}"]
        find(number.is_null(), "not_a_number", name, "which is not a number")
        find(number.is_nan() | number.is_infinite(), "not_finite", name, "which is not a finite number")
        find(number < 0, "below_low", name, "below the lowest possible 0")
    what = "and the other rows of the well do not name one field"
    find(rows["field"].is_null(), "no_field", "FIELD_NAME_CODE", what)
    slugs = rows["field"].str.contains(r"[A-Za-z0-9]")
    find(~slugs.fill_null(value=True), "not_a_field", "FIELD_NAME_CODE", "which no id can be made of")
    return findings


def _distinct(rows: _Completions) -> tuple[_Completions, list[tuple[dict[str, Any], Reason]]]:
    """The rows with each completion's month once: its last row counts; and the others, each with why it does not.

    A completion with different contents makes its well's month suspect ("conflict").
    """
    last = pl.col("line") == pl.col("line").max().over(_KEY)
    if rows.select(last.all()).item():
        return rows.with_columns(conflict=pl.lit(value=False)), []
    content_of = pl.struct(COLUMNS)
    told = rows.with_columns(
        conflict=content_of.n_unique().over(_KEY) > 1, counts=last, by=pl.col("line").max().over(_KEY)
    )
    repeated = []
    for row in told.filter(~pl.col("counts")).iter_rows(named=True):
        rule, what = _REPEATED[row["conflict"]]
        where = f"which line {row['by']} gives for the same month"
        repeated.append((row, reason(rule, "COMPLETION_NAME", row["COMPLETION_NAME"], f"{where} {what}")))
    return told.filter("counts").drop("counts", "by"), repeated


def _well_months(rows: _Completions, refused: _Completions) -> pl.DataFrame:
    """One row a well and month: sums in the file's units, days, lines, codes, and what was noted."""
    status, volume = pl.col("WELL_STAT_CD"), pl.col(f"n {_INJECTED}")
    injecting, nothing = status.is_in(_INJECTION), pl.all_horizontal(pl.col(f"n {name}") == 0 for name in _PRODUCED)
    gas = status == _GAS_INJECTION
    of_unknown = (volume > 0) & ~injecting
    measured = rows.with_columns(
        *(pl.when(~(injecting & nothing)).then(f"n {name}").alias(ours) for name, ours in _PRODUCED.items()),
        pl.when(gas).then(volume).alias("injected_gas_sm3"),
        pl.when((injecting & ~gas) | of_unknown).then(volume).alias("injected_water_sm3"),
        of_unknown=of_unknown,
        inferred=pl.col("FIELD_NAME_CODE") == "",
        no_lease=pl.col("LEASE_NUMBER") == "",
        type=pl.col("PRODUCT_CODE").replace_strict(ogor_wells.TYPES, default="", return_dtype=pl.String),
    )
    summed = measured.group_by(_WELL_MONTH, maintain_order=True).agg(
        *(pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()) for name in _UNITS),
        pl.col("n DAYS_ON_PROD").max().alias("days"),
        pl.col("line"),
        *(pl.col(name).any() for name in ("of_unknown", "inferred", "no_lease", "conflict")),
        *(_at_once(name).alias(aspect) for aspect, name in _CODES.items()),
    )
    short = refused.select(*_WELL_MONTH, incomplete=pl.lit(value=True)).unique()
    noted = {
        "field_inferred-field": "inferred",
        "lease_missing-well": "no_lease",
        "fluid_assumed-injected_water_sm3": "of_unknown",
        "completions_conflict-well": "conflict",
        "completions_incomplete-well": "incomplete",
    }
    codes = (pl.when(pl.col(flag)).then(pl.lit(code)) for code, flag in noted.items())
    return summed.join(short, on=_WELL_MONTH, how="left", maintain_order="left").with_columns(
        pl.concat_list(*codes).list.drop_nulls().alias("noted")
    )


def _at_once(column: str) -> pl.Expr:
    """The codes that a well's completions had in the month, joined by "+"; null when they say none."""
    said = pl.col(column).filter(pl.col(column) != "")
    return pl.when(said.len() > 0).then(said.unique().sort().str.join("+"))


def _candidates(source: str, months: pl.DataFrame) -> pl.DataFrame:
    slugs = {code: slug(code) for code in months["field"].unique()}
    factors = {name: to_canonical(name, unit)[0] for name, unit in _UNITS.items()}
    whole = pl.col("month").dt.month_end().dt.day()
    lines = pl.col("line").list.head(_TOLD_LINES).cast(pl.List(pl.String)).list.join(", ")
    one = pl.col("line").list.len() == 1
    frame = months.join(_intervals(months["month"]), on="month", how="left", maintain_order="left").with_columns(
        *(pl.col(name) * factor for name, factor in factors.items()),
        (pl.col("days") / whole * pl.col("seconds")).alias("on_stream_s"),
        pl.col("field").replace_strict(slugs, return_dtype=pl.String),
        pl.when(one).then(pl.format("line {}", lines)).otherwise(pl.format("lines {}", lines)).alias("place"),
        resolution=pl.lit(str(Resolution.MONTHLY)),
        source=pl.lit(source),
    )
    frame = frame.with_columns(well=pl.concat_str("field", "API_WELL_NUMBER", separator="."))
    return completed(frame).sort("field", "start", "well")


def _intervals(months: pl.Series) -> pl.DataFrame:
    """Start in UTC and length in s of every production month."""
    unique = months.unique().sort()
    zone = Field("ogor-a", "OGOR-A", ogor_wells.TIME_ZONE)
    starts = [day_bounds(zone, month)[0] for month in unique]
    ends = [day_bounds(zone, _next(month))[0] for month in unique]
    seconds = [round((end - start).total_seconds()) for start, end in zip(starts, ends, strict=True)]
    return pl.DataFrame(
        {"month": unique, "start": pl.Series(starts, dtype=TIMESTAMP), "seconds": pl.Series(seconds, dtype=pl.Int32)}
    )


def _next(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _refused(source: str, row: dict[str, Any], reasons: tuple[Reason, ...]) -> Refused:
    raw = {name: row[name] for name in COLUMNS}
    field = row["field"]
    return Refused(0, slug(field) if field and field.isalnum() else None, source, f"line {row['line']}", raw, reasons)


def _unsplit(source: str, broken: Broken) -> Refused:
    why = reason("not_19_columns", "line", broken.text, broken.what)
    return Refused(0, None, source, f"line {broken.line}", {"line": plain(broken.text)}, (why,))


def _batch(source: str, candidates: pl.DataFrame, refused: list[Refused], rows: _Completions) -> Batch:
    """Well-months in the order of field, month, well, so that a batch tells few fields; then the refused lines."""
    numbered = candidates.with_columns(index=pl.int_range(pl.len(), dtype=pl.Int64))
    indexed = tuple(replace(one, index=candidates.height + number) for number, one in enumerate(refused))
    return Batch(source, numbered.select(list(CANDIDATE_SCHEMA)), _raw(numbered["line"], rows), indexed)


def _raw(lines: pl.Series, rows: _Completions) -> Callable[[int], dict[str, Any]]:
    def raw(index: int) -> dict[str, Any]:
        return {
            "completions": rows.filter(pl.col("line").is_in(lines[index].to_list())).select("line", *COLUMNS).to_dicts()
        }

    return raw
