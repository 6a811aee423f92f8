"""A 3W instance: one well's sensors every second, with the class that experts labelled it by."""

import re
from pathlib import Path
from typing import Any, Final

import polars as pl

from ingest import arrow_sizes
from ingest.files import bytes_of, require_file
from ingest.parse import Batch, Findings, Source, completed, jsonable, reason, sorted_out
from ingest.unpacking import PARQUET, READERS
from storage.domain.errors import InputRefused
from storage.domain.record import TIMESTAMP, Resolution
from storage.domain.units import to_canonical
from storage.domain.well import Field, Well, well_id
from storage.domain.well_status import Aspect, runs

FIELD: Final = Field("3w", "Petrobras 3W", "UTC")
TIME: Final = "timestamp"
CLASS: Final = "class"
SECONDS: Final = 1
ROWS_LIMIT: Final = 5_000_000
"""Two months of one well; a file that claims more is not an instance."""

_SENSORS: Final = {
    "P-PDG": ("downhole_pressure_bar", "Pa"),
    "P-TPT": ("wellhead_pressure_bar", "Pa"),
    "P-JUS-CKGL": ("annulus_pressure_bar", "Pa"),
    "T-TPT": ("wellhead_temperature_degc", "degC"),
    "QGL": ("gas_lift_sm3_per_d", "m3/s"),
}
"""The tree's transducer is the wellhead's; what comes out of the gas lift choke presses on the annulus."""

_LEFT: Final = ("P-MON-CKP", "T-JUS-CKP", "T-JUS-CKGL")
_DEAD_AT_ZERO: Final = "downhole_pressure_bar"
"""A downhole gauge at 0 bar gives no reading: the well has some 200 bar there."""

_WELL: Final = re.compile(r"(?P<well>[A-Za-z]+[-_]\d+)(?:_\d{14})?")


def read(path: Path) -> Source:
    """The instance as a source of live records of one second.

    Timestamps have no zone and are taken as UTC. Pressures in Pa become bar absolute, the gas lift rate in m3/s
    becomes Sm3/d. Three sensors at the production choke and the gas lift line have no place in a record and stay
    behind. The class of every second is no property of a measurement: it becomes the well's label over time, and the
    records stay as good as they are; a second without a class has none.

    Raises:
        InputRefused: the file is not parquet, has no timestamps or sensors, or its name does not say the well.
    """
    require_file(path)
    name = _WELL.match(path.stem)
    if name is None:
        message = f"the name of '{path}' does not say its well as in WELL-00001_20170523020012.parquet"
        raise InputRefused(message)
    frame = _frame(path)
    well = Well(well_id(FIELD.id, name["well"]), name["well"].upper())
    batch = _batch(f"three-w {path.name}", well.id, frame)
    left = [column for column in _LEFT if column in frame.columns]
    told = (
        "timestamps have no zone: UTC is assumed",
        *([f"without a place in a record, left behind: {', '.join(left)}"] if left else []),
    )
    return Source((FIELD,), (well,), batch, statuses=_labels(batch.candidates, frame), told=told)


def _frame(path: Path) -> pl.DataFrame:
    """The columns of an instance. A process apart reads them: a damaged file may end the one that does."""
    packed = bytes_of(path)
    try:
        rows = arrow_sizes.of_parquet(packed).rows
        if rows > ROWS_LIMIT:
            message = f"it has {rows:,} rows, and an instance has at most {ROWS_LIMIT:,}"
            raise InputRefused(message)
        whole = READERS.frame(packed, PARQUET)
    except InputRefused as error:
        message = f"'{path}' cannot be read as parquet: {error}"
        raise InputRefused(message) from error
    frame = whole.select(name for name in whole.columns if name in (TIME, CLASS, *_SENSORS, *_LEFT))
    if TIME not in frame.columns or not set(frame.columns) & set(_SENSORS):
        message = f"'{path}' is not a 3W instance: it has no column {TIME} or none of {', '.join(_SENSORS)}"
        raise InputRefused(message)
    if frame.is_empty():
        message = f"'{path}' has no rows"
        raise InputRefused(message)
    return frame


def _batch(source: str, well: str, frame: pl.DataFrame) -> Batch:
    findings = Findings()
    numbers = {name: _numbers(frame[name], findings) for name in _SENSORS if name in frame.columns}
    times = _times(frame[TIME], findings)
    made = pl.DataFrame(
        {
            "start": times,
            **{
                ours: _canonical(numbers[name], ours, unit)
                for name, (ours, unit) in _SENSORS.items()
                if name in numbers
            },
        }
    )
    dead = pl.col(_DEAD_AT_ZERO) == 0 if _DEAD_AT_ZERO in made.columns else pl.lit(value=False)
    noted = pl.when(dead).then(pl.lit([f"no_reading-{_DEAD_AT_ZERO}"]))
    candidates = made.with_columns(
        index=pl.int_range(pl.len(), dtype=pl.Int64),
        place=pl.format("row {}", pl.int_range(1, pl.len() + 1)),
        field=pl.lit(FIELD.id),
        well=pl.lit(well),
        seconds=pl.lit(SECONDS, dtype=pl.Int32),
        resolution=pl.lit(str(Resolution.LIVE)),
        source=pl.lit(source),
        noted=noted,
    )
    if _DEAD_AT_ZERO in made.columns:
        candidates = candidates.with_columns(pl.col(_DEAD_AT_ZERO).replace(0.0, None))

    def raw(index: int) -> dict[str, Any]:
        return dict(jsonable(frame.row(index, named=True)))

    return sorted_out(source, completed(candidates), findings, raw)


def _numbers(column: pl.Series, findings: Findings) -> pl.Series:
    """Values as numbers; NaN is how such files write "no value"."""
    numbers = column.cast(pl.Float64, strict=False)
    if not column.dtype.is_numeric():
        bad = column.is_not_null() & numbers.is_null()
        findings.add(bad, lambda row: reason("not_a_number", column.name, column[row], "which is not a number"))
    return numbers.fill_nan(None)


def _times(column: pl.Series, findings: Findings) -> pl.Series:
    if isinstance(column.dtype, pl.Datetime):
        times = column.dt.replace_time_zone("UTC") if column.dtype.time_zone is None else column
        times = times.cast(TIMESTAMP)
    else:
        times = column.cast(pl.String).str.to_datetime(strict=False, time_unit="us", time_zone="UTC")
    findings.add(times.is_null(), lambda row: reason("not_a_time", TIME, column[row], "which is not a time"))
    return times


def _canonical(numbers: pl.Series, column: str, unit: str) -> pl.Series:
    factor, offset = to_canonical(column, unit)
    return numbers * factor + offset


def _labels(candidates: pl.DataFrame, frame: pl.DataFrame) -> pl.DataFrame:
    """The class over time: 0 normal, n an event in its steady state, 100 + n on its way there."""
    if CLASS not in frame.columns:
        return runs(candidates.select("well", since="start", until="start", code="audit_id"), Aspect.LABEL, FIELD.id)
    codes = frame.select(code=pl.col(CLASS).cast(pl.Int64, strict=False).cast(pl.String)).with_row_index("index")
    seconds = candidates.join(codes.with_columns(pl.col("index").cast(pl.Int64)), on="index").select(
        "well",
        pl.col("start").alias("since"),
        (pl.col("start") + pl.duration(seconds="seconds")).alias("until"),
        "code",
    )
    return runs(seconds.unique(["well", "since"], keep="last"), Aspect.LABEL, FIELD.id)
