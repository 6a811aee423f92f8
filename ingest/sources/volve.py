"""The Volve workbook: one sheet of well-days, one of well-months."""

import os
import zipfile
import zlib
from pathlib import Path
from typing import Final, Literal

import fastexcel
import polars as pl

from ingest.parse import Batch, Findings, Source, completed, reason, sorted_out
from storage.domain.errors import InputRefused
from storage.domain.production_day import day_bounds
from storage.domain.record import TIMESTAMP, Resolution
from storage.domain.well import Field, Well, well_id
from storage.domain.well_status import Aspect, runs

FIELD: Final = Field("volve", "Volve", "Europe/Oslo", 0)
DAILY_SHEET: Final = "Daily Production Data"
MONTHLY_SHEET: Final = "Monthly Production Data"

_STATES: Final = {
    "AVG_WHP_P": "wellhead_pressure_bar",
    "AVG_DOWNHOLE_PRESSURE": "downhole_pressure_bar",
    "AVG_ANNULUS_PRESS": "annulus_pressure_bar",
    "AVG_WHT_P": "wellhead_temperature_degc",
    "AVG_DOWNHOLE_TEMPERATURE": "downhole_temperature_degc",
    "AVG_CHOKE_SIZE_P": "choke_pct",
}
_VOLUMES: Final = {
    "BORE_OIL_VOL": "oil_sm3",
    "BORE_GAS_VOL": "gas_sm3",
    "BORE_WAT_VOL": "water_sm3",
    "BORE_WI_VOL": "injected_water_sm3",
}
_HOURS: Final = "ON_STREAM_HRS"
_NUMBERS: Final = (_HOURS, *_STATES, *_VOLUMES)
_TEXTS: Final = ("DATEPRD", "NPD_WELL_BORE_NAME", "NPD_FIELD_NAME", "AVG_CHOKE_UOM", "FLOW_KIND")
_ZERO_IS_NO_READING: Final = ("downhole_pressure_bar", "downhole_temperature_degc")
"""A downhole gauge at 0 bar or 0 degC has stopped: the reservoir has some 300 bar and 100 degC."""

_MONTHLY: Final = {
    "Wellbore name": "well",
    "Year": "year",
    "Month": "month",
    "On Stream": "on_stream_h",
    "Oil": "oil_sm3",
    "Gas": "gas_sm3",
    "Water": "water_sm3",
    "WI": "injected_water_sm3",
}
_TYPES: Final = {"production": "producer", "injection": "injector"}
_ZIP_SIGNATURE: Final = b"PK\x03\x04"
_UNPACKED_LIMIT: Final = 1 << 30
_PARTS: Final = ("[Content_Types].xml", "xl/workbook.xml")


def read(path: Path) -> Source:
    """The daily sheet as a source: field, wells and all rows.

    Volumes in Sm3, pressures in bar, temperatures in degC, choke in %, on-stream time in s; a day starts at local
    midnight in Europe/Oslo. DP_CHOKE_SIZE and AVG_DP_TUBING stay behind: a record has no place for differences.

    Raises:
        InputRefused: the file is not a readable workbook, or sheet or columns are missing.
    """
    book = _opened(path)
    text = _sheet(book, path, DAILY_SHEET, (*_TEXTS, *_NUMBERS), "string")
    numbers = _sheet(book, path, DAILY_SHEET, _NUMBERS, "float").select(_NUMBERS)
    text = text.with_row_index("index").with_columns(
        pl.col(text.columns).str.strip_chars().replace({"": None, "NULL": None})
    )
    blank = text.select(pl.all_horizontal(pl.exclude("index").is_null())).to_series()
    text, numbers = text.filter(~blank), numbers.filter(~blank)
    if text.is_empty():
        message = f"{_named(path)} has no rows in its sheet '{DAILY_SHEET}'"
        raise InputRefused(message)
    batch = _batch(f"volve {path.name}", text, numbers)
    return Source((FIELD,), _wells_in(text), batch, statuses=_types(batch.candidates, text))


def monthly_sheet(path: Path) -> pl.DataFrame:
    """The monthly sheet: well, year, month, on_stream_h, oil_sm3, gas_sm3, water_sm3, injected_water_sm3.

    Raises:
        InputRefused: as for `read`.
    """
    text = _sheet(_opened(path), path, MONTHLY_SHEET, tuple(_MONTHLY), "string")
    columns = [pl.col(theirs).replace({"NULL": None}).alias(ours) for theirs, ours in _MONTHLY.items()]
    months = text.select(columns).filter(pl.col("well").is_not_null())
    ids = {name: well_id(FIELD.id, name) for name in months["well"].unique()}
    try:
        numbers = months.with_columns(pl.exclude("well").cast(pl.Float64))
        return numbers.with_columns(pl.col("well").replace_strict(ids), pl.col("year", "month").cast(pl.Int32))
    except pl.exceptions.InvalidOperationError as error:
        message = f"the sheet '{MONTHLY_SHEET}' of {_named(path)} has a text in a number: {_first_line(error)}"
        raise InputRefused(message) from error


def _wells_in(text: pl.DataFrame) -> tuple[Well, ...]:
    """The wells that the daily rows name, by id; the purpose is that of the newest day."""
    newest = text.sort("DATEPRD", nulls_last=False).group_by("NPD_WELL_BORE_NAME").agg(pl.col("FLOW_KIND").last())
    ids = _well_ids(text["NPD_WELL_BORE_NAME"])
    wells = (
        Well(ids[name], name, "injector" if kind == "injection" else "producer")
        for name, kind in newest.iter_rows()
        if name in ids
    )
    return tuple(sorted(wells, key=lambda well: well.id))


def _types(candidates: pl.DataFrame, text: pl.DataFrame) -> pl.DataFrame:
    """What each well was, day by day, as intervals: F-5 was an injector, then a producer."""
    kinds = text.select(pl.col("index").cast(pl.Int64), code=pl.col("FLOW_KIND").replace(_TYPES))
    days = candidates.join(kinds, on="index").with_columns(
        pl.col("start").alias("since"), (pl.col("start") + pl.duration(seconds="seconds")).alias("until")
    )
    observed = days.unique(["well", "since"], keep="last", maintain_order=True)
    return runs(observed.select("well", "since", "until", "code"), Aspect.TYPE, FIELD.id, bridged=True)


def _well_ids(names: pl.Series) -> dict[str, str]:
    """Public ids by well name; names that no id can be made of are left out."""
    ids = {}
    for name in names.drop_nulls().unique():
        try:
            ids[name] = well_id(FIELD.id, name)
        except InputRefused:
            continue
    return ids


def _batch(source: str, text: pl.DataFrame, numbers: pl.DataFrame) -> Batch:
    numbers = numbers.select(pl.coalesce(name, text[name].cast(pl.Float64, strict=False)) for name in _NUMBERS)
    days = _days(text["DATEPRD"])
    ids = _well_ids(text["NPD_WELL_BORE_NAME"])
    findings = _findings(text, numbers, days, ids)
    frame = (
        numbers.rename({**_STATES, **_VOLUMES})
        .with_columns(
            text["index"].cast(pl.Int64),
            pl.format("{} row {}", pl.lit(DAILY_SHEET), text["index"] + 2).alias("place"),
            (pl.col(_HOURS) * 3600.0).alias("on_stream_s"),
            field=pl.lit(FIELD.id),
            well=text["NPD_WELL_BORE_NAME"].replace_strict(ids, default=None, return_dtype=pl.String),
            resolution=pl.lit(str(Resolution.DAILY)),
            source=pl.lit(source),
            day=days,
        )
        .join(_intervals(days), on="day", how="left", maintain_order="left")
        .with_columns(_noted(), *(pl.col(name).replace(0.0, None) for name in _ZERO_IS_NO_READING))
    )
    rows, cells = text["index"], text.drop("index")
    return sorted_out(
        source, completed(frame), findings, lambda index: cells.row(int(rows.search_sorted(index)), named=True)
    )


def _noted() -> pl.Expr:
    zeros = (pl.when(pl.col(name) == 0).then(pl.lit(f"no_reading-{name}")) for name in _ZERO_IS_NO_READING)
    return pl.concat_list(*zeros).list.drop_nulls().alias("noted")


def _days(text: pl.Series) -> pl.Series:
    """Days of cells that hold a date, with or without a time of 0:00; null for all else."""
    days = text.str.strip_suffix(" 00:00:00").str.to_date("%Y-%m-%d", strict=False)
    return days.alias("day")


def _intervals(days: pl.Series) -> pl.DataFrame:
    """Start in UTC and length in s of every production day."""
    unique = days.drop_nulls().unique()
    bounds = [day_bounds(FIELD, day) for day in unique]
    return pl.DataFrame(
        {
            "day": unique,
            "start": pl.Series([start for start, _ in bounds], dtype=TIMESTAMP),
            "seconds": pl.Series([int((end - start).total_seconds()) for start, end in bounds], dtype=pl.Int32),
        }
    )


def _findings(text: pl.DataFrame, numbers: pl.DataFrame, days: pl.Series, ids: dict[str, str]) -> Findings:
    findings = Findings()

    def find(where: pl.Series, rule: str, column: str, what: str) -> None:
        findings.add(where, lambda row: reason(rule, column, text[column][row], what))

    for name in _NUMBERS:
        find(text[name].is_not_null() & numbers[name].is_null(), "not_a_number", name, "which is not a number")
    well, kind, unit = text["NPD_WELL_BORE_NAME"], text["FLOW_KIND"], text["AVG_CHOKE_UOM"]
    find(days.is_null(), "not_a_day", "DATEPRD", "which is not a day")
    find(~well.is_in(list(ids)).fill_null(value=False), "not_a_well", well.name, "which is not a well's name")
    field = text["NPD_FIELD_NAME"]
    find(field.ne_missing(pl.Series(["VOLVE"])), "another_field", field.name, "which is not the field VOLVE")
    flows = kind.is_in(["production", "injection"]).fill_null(value=False)
    find(~flows, "unknown_flow_kind", kind.name, "which is neither production nor injection")
    in_percent = unit.eq_missing(pl.Series(["%"])) | numbers["AVG_CHOKE_SIZE_P"].is_null()
    find(~in_percent, "not_in_percent", unit.name, "but a choke is read in %")
    return findings


def _opened(path: Path) -> fastexcel.ExcelReader:
    try:
        _check_file(path)
    except OSError as error:
        message = f"{_named(path)} cannot be read: {error.strerror}"
        raise InputRefused(message) from error
    _check_archive(path)
    try:
        return fastexcel.read_excel(path)
    except fastexcel.FastExcelError as error:
        message = f"{_named(path)} cannot be read as an Excel workbook: {_first_line(error)}"
        raise InputRefused(message) from error


def _check_file(path: Path) -> None:
    """Refuse what is no file, cannot be read or does not begin as a zip archive, having read four bytes."""
    if not path.exists():
        message = f"there is no file {_named(path)}"
    elif not path.is_file():
        message = f"{_named(path)} is not a file"
    elif not os.access(path, os.R_OK):
        message = f"{_named(path)} may not be read by this user"
    elif path.stat().st_size == 0:
        message = f"{_named(path)} is empty"
    elif not _begins_as_zip(path):
        message = f"{_named(path)} is not an Excel workbook (.xlsx): it does not begin as one"
    else:
        return
    raise InputRefused(message)


def _begins_as_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_ZIP_SIGNATURE)) == _ZIP_SIGNATURE


def _check_archive(path: Path) -> None:
    """Refuse an archive without a whole directory, without a workbook, damaged, or unpacking to more than 1 GiB."""
    try:
        with zipfile.ZipFile(path) as archive:
            if not set(_PARTS) <= set(archive.namelist()):
                message = f"{_named(path)} is a zip archive but not an Excel workbook"
                raise InputRefused(message)
            if sum(part.file_size for part in archive.infolist()) > _UNPACKED_LIMIT:
                message = f"{_named(path)} unpacks to more than 1 GiB, which no production workbook does"
                raise InputRefused(message)
            damaged = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        message = f"{_named(path)} is damaged or cut short: {_first_line(error)}"
        raise InputRefused(message) from error
    if damaged:
        message = f"{_named(path)} is damaged: its part '{damaged}' does not match its checksum"
        raise InputRefused(message)


def _sheet(
    book: fastexcel.ExcelReader, path: Path, sheet: str, needed: tuple[str, ...], kind: Literal["string", "float"]
) -> pl.DataFrame:
    """The needed columns of a sheet with all cells as text or as numbers (null where a cell is not one)."""
    if sheet not in book.sheet_names:
        message = f"{_named(path)} has no sheet '{sheet}'; it has {', '.join(map(repr, book.sheet_names)) or 'none'}"
        raise InputRefused(message)
    try:
        frame = book.load_sheet(sheet, dtypes=kind).to_polars()
    except fastexcel.FastExcelError as error:
        message = f"the sheet '{sheet}' of {_named(path)} cannot be read: {_first_line(error)}"
        raise InputRefused(message) from error
    missing = [name for name in needed if name not in frame.columns]
    if missing:
        columns = f"the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}"
        message = f"the sheet '{sheet}' of {_named(path)} lacks {columns}"
        raise InputRefused(message)
    return frame.select(needed)


def _named(path: Path) -> str:
    return f"'{path}'"


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
