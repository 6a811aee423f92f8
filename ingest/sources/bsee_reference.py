"""BSEE's reference files: what boreholes are (by API number) and what deep-water fields are called."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from ingest.delimited import table
from ingest.files import content, decoded, member
from storage.domain.errors import InputRefused
from storage.domain.units import FOOT_M
from storage.domain.well_header import BOUNDS

BOREHOLES: Final = "mv_boreholes_all.txt"
FIELDS: Final = "mv_deep_water_field_leases.txt"
_ARCHIVES: Final = {BOREHOLES: "BoreholeRawData.zip", FIELDS: "DeepQualRawData.zip"}
_HEADER: Final = {
    "API_WELL_NUMBER": "api",
    "WELL_NAME": "well_name",
    "WELL_NAME_SUFFIX": "suffix",
    "BOTM_AREA_CODE": "area",
    "BOTM_BLOCK_NUMBER": "block",
    "COMPANY_NAME": "company",
    "WELL_SPUD_DATE": "spud_date",
    "BH_TOTAL_MD": "total_depth_m",
    "WATER_DEPTH": "water_depth_m",
    "SURF_LATITUDE": "latitude",
    "SURF_LONGITUDE": "longitude",
    "BOREHOLE_STAT_CD": "borehole",
    "BOREHOLE_STAT_DT": "borehole_since",
}
_FEET: Final = ("total_depth_m", "water_depth_m")
_FIRST_BORE: Final = "ST00BP00"


@dataclass(frozen=True, slots=True)
class Reference:
    """``boreholes``: api, name, company, spud_date, total_depth_m, water_depth_m, latitude, longitude, borehole,
    borehole_since, one row an API number; ``fields``: names of fields by code; ``told``: what could not be read."""

    boreholes: pl.DataFrame
    fields: dict[str, str]
    told: tuple[str, ...]


def beside(file: Path) -> Path | None:
    """The reference folder that is laid out beside a file's own folder, if there is one."""
    folder = file.resolve().parent.parent / "bsee-reference"
    return folder if folder.is_dir() else None


def read(folder: Path) -> Reference:
    """The reference files of a folder, as they are or inside their zip archives.

    Raises:
        InputRefused: the folder or a file of it is missing or cannot be read.
    """
    if not folder.is_dir():
        message = f"there is no folder '{folder}' of reference files"
        raise InputRefused(message)
    boreholes, broken = _columns(folder, BOREHOLES, tuple(_HEADER))
    leases, _ = _columns(folder, FIELDS, ("FIELD_NAME_CODE", "FLD_NICK_NAME"))
    named = leases.filter((pl.col("FIELD_NAME_CODE") != "") & (pl.col("FLD_NICK_NAME") != ""))
    typed, empty = _typed(boreholes.rename(_HEADER))
    told = []
    if broken:
        told.append(f"{broken:,} lines of the reference file {BOREHOLES} were not read")
    if empty:
        told.append(f"{empty:,} values of the reference file {BOREHOLES} are no numbers or impossible: left out")
    return Reference(typed, dict(named.iter_rows()), tuple(told))


def _columns(folder: Path, name: str, columns: tuple[str, ...]) -> tuple[pl.DataFrame, int]:
    """Some columns of a reference file, without spaces around, and how many lines of it were broken."""
    found, path = _found(folder, name)
    text = decoded(found, "latin-1", path)
    header = [cell.strip('"\r ') for cell in text.partition("\n")[0].split(",")]
    missing = [column for column in columns if column not in header]
    if missing:
        message = (
            f"the reference file {name} in '{folder}' lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}"
        )
        raise InputRefused(message)
    split = table(text, header, ",", first_line=2, multiline=False)
    return split.rows.select(pl.col(columns).str.strip_chars()), len(split.broken)


def _found(folder: Path, name: str) -> tuple[bytes, Path]:
    archive, plain = folder / _ARCHIVES[name], [folder / name, *folder.glob(f"*/{name}")]
    for path in plain:
        if path.is_file():
            return content(path), path
    inside = member(archive, name) if archive.is_file() else None
    if inside is None:
        message = f"the folder '{folder}' has neither {name} nor {archive.name} with it"
        raise InputRefused(message)
    return inside, archive


def _typed(text: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Typed headers, one an API number, and how many values were impossible and left out."""
    numbers = tuple(BOUNDS)
    cast = text.with_columns(
        *(pl.col(name).cast(pl.Float64, strict=False) for name in numbers),
        *(pl.col(name).str.to_date("%m/%d/%Y", strict=False) for name in ("spud_date", "borehole_since")),
        *(pl.col(name).replace({"": None}) for name in ("company", "borehole")),
    ).with_columns(pl.col(_FEET) * FOOT_M)
    possible = cast.with_columns(
        pl.when(pl.col(name).is_between(low, high)).then(pl.col(name)) for name, (low, high) in BOUNDS.items()
    )
    written = sum(int((text[name] != "").sum()) for name in (*numbers, "spud_date"))
    read_all = sum(possible[name].len() - possible[name].null_count() for name in (*numbers, "spud_date"))
    named = possible.with_columns(name=_name())
    return named.unique("api", keep="last", maintain_order=True), written - read_all


def _name() -> pl.Expr:
    """What engineers call the well: area, block, well, and its sidetrack and bypass when it is not the first bore."""
    suffix = pl.when(pl.col("suffix") != _FIRST_BORE).then(pl.col("suffix").replace({"": None}))
    parts = ("area", "block", "well_name")
    return pl.concat_str(
        *(pl.col(name).replace({"": None}) for name in parts), suffix, separator=" ", ignore_nulls=True
    )
