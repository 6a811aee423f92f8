"""What the columns of a CSV file are, as written in YAML; checked whole, so that all faults are told at once."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

import yaml

from ingest.files import content
from ingest.parse import shown
from storage.domain.errors import InputRefused
from storage.domain.record import QUANTITIES, QUANTITY_COLUMNS, Kind, Resolution
from storage.domain.units import choke_pct_per_64th, to_canonical, units_of
from storage.domain.well import Field, slug

ENCODINGS: Final = ("utf-8", "latin-1", "cp1252", "utf-16")
DELIMITERS: Final = (",", ";", "\t", "|")
DECIMALS: Final = (".", ",")
THOUSANDS: Final = ("", ",", ".", " ", "'")
NULL_WORDS: Final = ("", "NULL", "null", "NA", "N/A", "n/a", "NaN", "nan", "-", "--")
CLOCK_CHANGES: Final = ("refuse", "earliest", "latest")
IDENTITIES: Final = ("field", "well")
TIMES: Final = ("start", "day", "month", "year", "month_number", "time")
IGNORE: Final = "ignore"
SIXTY_FOURTHS: Final = "1/64 in"
ISO: Final = "iso"

_MAPPING_LIMIT_BYTES: Final = 1 << 20
_VOLUMES: Final = frozenset(quantity.column for quantity in QUANTITIES if quantity.kind is Kind.VOLUME)
_KEYS: Final = (
    "encoding", "delimiter", "decimal", "thousands", "header_line", "data_line", "null_words", "field", "time_zone",
    "day_start", "well", "well_prefix", "resolution", "seconds", "clock_change", "columns",
)  # fmt: skip
_COLUMN_KEYS: Final = ("is", "unit", "format", "zero_is_no_reading", "fully_open_64ths")
_TIMES_OF: Final = {
    Resolution.DAILY: (("day",),),
    Resolution.MONTHLY: (("month",), ("year", "month_number")),
    Resolution.LIVE: (("start",), ("day", "time")),
}
_MOMENT: Final = datetime(2024, 3, 15, 17, 8, 9, tzinfo=UTC)
_SHOWS: Final = {"day": ("d",), "time": ("H",), "month": ("m",), "start": ("d", "H")}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name in the file and what it is.

    ``scale`` and ``offset`` turn its numbers into the canonical unit; ``per_day`` says that they are rates, so that a
    volume is rate times interval; ``format`` is of times ("iso" or as strftime writes it).
    """

    name: str
    what: str
    scale: float = 1.0
    offset: float = 0.0
    per_day: bool = False
    format: str = ISO
    zero_is_no_reading: bool = False


@dataclass(frozen=True, slots=True)
class CsvMapping:
    """A checked mapping. ``field`` and ``well`` are None where a column names them."""

    encoding: str
    delimiter: str
    decimal: str
    thousands: str
    header_line: int
    data_line: int
    null_words: tuple[str, ...]
    field: str | None
    time_zone: str
    day_start_s: int
    well: str | None
    well_prefix: str
    resolution: Resolution
    seconds: int | None
    clock_change: str
    columns: tuple[Column, ...]

    def clock(self, field: str) -> Field:
        """A field of that name, with the mapping's clock.

        Raises:
            InputRefused: no id can be made of the name.
        """
        return Field(slug(field), field, self.time_zone, self.day_start_s)


def read(path: Path) -> CsvMapping:
    """The mapping in a YAML file.

    Raises:
        InputRefused: it cannot be read, is not YAML, or has faults: all are told, each with key, value and what is
            allowed.
    """
    found = content(path)
    if len(found) > _MAPPING_LIMIT_BYTES:
        message = f"'{path}' has {len(found):,} bytes, which no mapping has"
        raise InputRefused(message)
    try:
        return parsed(found.decode())
    except UnicodeDecodeError as error:
        message = f"'{path}' is not text in utf-8"
        raise InputRefused(message) from error


def parsed(text: str) -> CsvMapping:
    """The mapping in a text of YAML. Raises as `read`."""
    try:
        given = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        message = f"the mapping is not YAML: {' '.join(str(error).split())}"
        raise InputRefused(message) from error
    if not isinstance(given, dict):
        message = f"the mapping is {shown(given)}, but it is a list of keys and values"
        raise InputRefused(message)
    checked = _Checked(given)
    mapping = _mapping(checked)
    if checked.faults:
        number = len(checked.faults)
        message = f"the mapping has {number} fault{'s' * (number > 1)}: {'; '.join(checked.faults)}"
        raise InputRefused(message)
    return mapping


class _Checked:
    """Reads keys of a mapping; a value that is not allowed becomes a fault, and its default is used to go on."""

    def __init__(self, given: Mapping[Any, Any], prefix: str = "", faults: list[str] | None = None) -> None:
        self.given = given
        self.prefix = prefix
        self.faults: list[str] = [] if faults is None else faults

    def fault(self, key: str, value: object, allowed: str) -> None:
        self.faults.append(f"{self.prefix}{key} is {shown(value)}, but it must be {allowed}")

    def known(self, keys: Iterable[str]) -> None:
        for key in self.given:
            if key not in keys:
                self.faults.append(f"{self.prefix}{key} is not a key; the keys are {', '.join(keys)}")

    def one_of(self, key: str, allowed: tuple[str, ...], default: str) -> str:
        value = self.given.get(key, default)
        if value in allowed:
            return str(value)
        self.fault(key, value, f"one of {', '.join(map(repr, allowed))}")
        return default

    def text(
        self, key: str, default: str | None = None, *, allowed: str = "text", fits: Callable[[str], bool] = bool
    ) -> str | None:
        value = self.given.get(key, default)
        if value is None or (isinstance(value, str) and fits(value)):
            return value
        self.fault(key, value, allowed)
        return default

    def whole(self, key: str, default: int, low: int, high: int) -> int:
        value = self.given.get(key, default)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.fault(key, value, f"a whole number from {low} to {high:,}")
        return default

    def yes(self, key: str) -> bool:
        value = self.given.get(key, False)
        if isinstance(value, bool):
            return value
        self.fault(key, value, "true or false")
        return False


def _mapping(checked: _Checked) -> CsvMapping:
    checked.known(_KEYS)
    header_line = checked.whole("header_line", 1, 1, 10_000)
    columns = _columns(checked)
    resolution = Resolution(checked.one_of("resolution", tuple(map(str, Resolution)), str(Resolution.DAILY)))
    seconds = checked.whole("seconds", 60, 1, 3_600) if "seconds" in checked.given else None
    decimal = checked.one_of("decimal", DECIMALS, ".")
    thousands = checked.one_of("thousands", THOUSANDS, "")
    if thousands == decimal:
        checked.fault("thousands", thousands, "another sign than decimal")
    mapping = CsvMapping(
        encoding=checked.one_of("encoding", ENCODINGS, "utf-8"),
        delimiter=checked.one_of("delimiter", DELIMITERS, ","),
        decimal=decimal,
        thousands=thousands,
        header_line=header_line,
        data_line=checked.whole("data_line", header_line + 1, header_line + 1, 10_001),
        null_words=_null_words(checked),
        field=checked.text("field", allowed="a field's name", fits=_can_be_an_id),
        time_zone=checked.text("time_zone", "UTC", allowed="an IANA name as Europe/Oslo", fits=_is_zone) or "UTC",
        day_start_s=_day_start(checked),
        well=checked.text("well", allowed="a well's name", fits=_can_be_an_id),
        well_prefix=checked.text("well_prefix", "", fits=lambda _: True) or "",
        resolution=resolution,
        seconds=seconds,
        clock_change=checked.one_of("clock_change", CLOCK_CHANGES, "refuse"),
        columns=columns,
    )
    _check_whole(checked, mapping)
    return mapping


def _check_whole(checked: _Checked, mapping: CsvMapping) -> None:
    """What columns and constants must say together."""
    said = [column.what for column in mapping.columns]
    for what in sorted({what for what in said if said.count(what) > 1}):
        names = [column.name for column in mapping.columns if column.what == what]
        checked.faults.append(f"columns {', '.join(map(repr, names))} are all {what}, but one may be")
    for name, constant in (("field", mapping.field), ("well", mapping.well)):
        if (constant is None) == (name not in said) and name not in checked.given:
            checked.fault(name, None, f"given, or a column that is {name}")
        if constant is not None and name in said:
            checked.fault(name, constant, f"left out, for a column is {name}")
    sets = _TIMES_OF[mapping.resolution]
    if {what for what in said if what in TIMES} not in [set(one) for one in sets]:
        told = " or ".join(" and ".join(one) for one in sets)
        checked.fault(
            "columns", [what for what in said if what in TIMES], f"with {told} for {mapping.resolution} records"
        )
    if mapping.resolution is Resolution.LIVE and mapping.seconds is None:
        checked.fault("seconds", None, "given for live records")
    if mapping.resolution is not Resolution.LIVE and mapping.seconds is not None:
        checked.fault(
            "seconds",
            mapping.seconds,
            f"left out, for the field's clock gives the length of {mapping.resolution} records",
        )
    if not any(what in QUANTITY_COLUMNS for what in said):
        checked.faults.append(f"columns name no quantity, but one of them is one of {', '.join(QUANTITY_COLUMNS)}")


def _columns(checked: _Checked) -> tuple[Column, ...]:
    given = checked.given.get("columns")
    if not isinstance(given, dict):
        checked.fault("columns", given, "given: the name of each column and what it is")
        return ()
    found = []
    for name, said in given.items():
        if said == IGNORE:
            continue
        one = {"is": said} if isinstance(said, str) else said
        if not isinstance(one, dict):
            checked.fault(f"columns.{name}", said, f"{IGNORE}, or keys of {', '.join(_COLUMN_KEYS)}")
            continue
        column = _column(str(name), _Checked(one, f"columns.{name}.", checked.faults))
        if column is not None:
            found.append(column)
    return tuple(found)


def _column(name: str, checked: _Checked) -> Column | None:
    checked.known(_COLUMN_KEYS)
    allowed = (*IDENTITIES, *TIMES, *QUANTITY_COLUMNS)
    what = checked.given.get("is")
    if what not in allowed:
        checked.fault("is", what, f"one of {', '.join(allowed)}, or the column is {IGNORE}")
        return None
    if what in TIMES:
        shows = _SHOWS.get(what, ())
        told = f"{ISO}, or a format as %d.%m.%Y of a whole {what}"
        text = checked.text("format", ISO, allowed=told, fits=lambda one: one == ISO or _round_trips(one, shows))
        return Column(name, what, format=text or ISO)
    if what in IDENTITIES:
        return Column(name, what)
    scale, offset, per_day = _unit(what, checked)
    return Column(name, what, scale, offset, per_day, zero_is_no_reading=checked.yes("zero_is_no_reading"))


def _unit(what: str, checked: _Checked) -> tuple[float, float, bool]:
    """Scale and offset to canonical, and whether the unit is of a rate; a unit must be said."""
    rate = f"{what.removesuffix('_sm3')}_sm3_per_d" if what in _VOLUMES else None
    unit = checked.given.get("unit")
    if what == "choke_pct" and unit == SIXTY_FOURTHS:
        fully_open = checked.given.get("fully_open_64ths")
        if isinstance(fully_open, int | float) and not isinstance(fully_open, bool) and fully_open > 0:
            return choke_pct_per_64th(float(fully_open)), 0.0, False
        checked.fault("fully_open_64ths", fully_open, f"the largest bean in 1/64 in, for a choke in {SIXTY_FOURTHS}")
        return 1.0, 0.0, False
    for column in (what, rate):
        if column is not None and isinstance(unit, str):
            try:
                scale, offset = to_canonical(column, unit)
            except InputRefused:
                continue
            return scale, offset, column == rate
    allowed = [*units_of(what), *(units_of(rate) if rate else ()), *([SIXTY_FOURTHS] if what == "choke_pct" else ())]
    checked.fault("unit", unit, f"one of {', '.join(allowed)}")
    return 1.0, 0.0, False


def _null_words(checked: _Checked) -> tuple[str, ...]:
    words = checked.given.get("null_words", list(NULL_WORDS))
    if isinstance(words, list) and all(isinstance(word, str) for word in words):
        return tuple({"": None, **dict.fromkeys(words)})
    checked.fault("null_words", words, "a list of texts (write numbers in quotes)")
    return NULL_WORDS


def _day_start(checked: _Checked) -> int:
    value = checked.given.get("day_start", "00:00")
    if isinstance(value, str) and (found := re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", value)):
        return int(found[1]) * 3_600 + int(found[2]) * 60
    checked.fault("day_start", value, 'a time of day in quotes as "06:00"')
    return 0


def _is_zone(name: str) -> bool:
    return name in available_timezones() and bool(ZoneInfo(name))


def _can_be_an_id(name: str) -> bool:
    try:
        return bool(slug(name))
    except InputRefused:
        return False


def _round_trips(text: str, shows: tuple[str, ...]) -> bool:
    """Whether a format writes and reads what it must show: the moment's day and hour are unlike its other numbers."""
    try:
        back = datetime.strptime(_MOMENT.strftime(text), text)  # noqa: DTZ007
    except (ValueError, re.error):
        return False
    parts = {
        "d": (back.year, back.month, back.day) == (2024, 3, 15),
        "H": back.hour == 17,
        "m": (back.year, back.month) == (2024, 3),
    }
    return "%" in text and all(parts[one] for one in shows)
