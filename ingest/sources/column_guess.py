"""What a column of a CSV file seems to be, by its name, the unit in it and its cells, each guess with its reason."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import yaml

from ingest.parse import shown
from ingest.sources.mapping import SIXTY_FOURTHS
from storage.domain.errors import InputRefused
from storage.domain.units import to_canonical

UNSURE: Final = "UNSURE"
"""Marks a line of a proposal that a person should look at."""

_FORMATS: Final = (
    "%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y", "%d-%b-%Y", "%d-%b-%y",
    "%d %b %Y", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%Y%m%d", "%Y-%m", "%Y%m", "%m/%Y", "%b %Y", "%b-%y",
)  # fmt: skip
_CLOCKS: Final = ("", "%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M:%S %p", "%I:%M %p")
_NAMES: Final = (
    ("injected_water_sm3", r"\b(wi|wat(er)?[ _]*inj\w*|inj\w*[ _]*wat(er)?|bore[ _]wi[ _]vol)\b", "bbl"),
    ("injected_gas_sm3", r"\b(gi|gas[ _]*inj\w*|inj\w*[ _]*gas)\b", "Mscf"),
    ("gas_lift_sm3_per_d", r"\b(gas[ _]*lift\w*|gl[ _]*rate|qgl)\b", "Mscf/d"),
    ("on_stream_s", r"\b(on[ _]*stream\w*|(hours?|hrs|days)[ _]*on\w*|uptime|prod\w*[ _]*(hours|hrs|days))\b", "h"),
    ("downhole_pressure_bar", r"\b(bhp|pdg|dhp|(down[ _]*hole|bottom[ _]*hole)[ _]*p\w*)\b", "bar"),
    ("downhole_temperature_degc", r"\b(bht|(down[ _]*hole|bottom[ _]*hole)[ _]*t\w*)\b", "degC"),
    ("annulus_pressure_bar", r"\b(annul\w*([ _]*p\w*)?|casing[ _]*p\w*|chp|cp)\b", "bar"),
    ("wellhead_pressure_bar", r"\b(whp|thp|tubing[ _]*p\w*|(avg[ _])?whp[ _]p|well[ _]*head[ _]*p\w*|ftp)\b", "bar"),
    ("wellhead_temperature_degc", r"\b(wht|tht|(avg[ _])?wht[ _]p|well[ _]*head[ _]*t\w*)\b", "degC"),
    ("choke_pct", r"\bchoke\b", "%"),
    ("condensate_sm3", r"\b(cond\w*)\b", "bbl"),
    ("oil_sm3", r"\b(oil|bopd|stb)\b", "bbl"),
    ("gas_sm3", r"\b(gas)\b", "Mscf"),
    ("water_sm3", r"\b(wat(er)?|bwpd)\b", "bbl"),
)  # fmt: skip
"""Names of quantities, most special first, and the unit that is guessed where the header says none."""

_FIELD_NAMES: Final = r"^(field([ _]*name)?|npd[ _]field[ _]name|asset|lease[ _]*name)$"
_WELL_NAMES: Final = (
    r"^(well([ _]*(bore))?([ _]*(name|id|no|number))?|uwi|api([ _]*(number|no))?|npd[ _]well[ _]bore[ _]name|bore)$"
)
_UNITS_IN_NAMES: Final = (
    "mmscf/d", "mmcf/d", "mscf/d", "mcf/d", "scf/d", "stb/d", "bbl/d", "bopd", "bwpd", "msm3/d", "ksm3/d", "sm3/d",
    "m3/d", "mmscf", "mmcf", "mscf", "mcf", "scf", "mmstb", "mstb", "stb", "bbls", "bbl", "ksm3", "sm3", "m3", "psig",
    "psia", "psi", "barg", "bara", "bar", "kpag", "kpa", "mpa", "pa", "degc", "degf", "°c", "°f", "k", "hours", "hrs",
    "hr", "h", "days", "d", "min", "s", "%", "fraction",
)  # fmt: skip
NUMBER: Final = re.compile(r"[+-]?[\d.,' \u00a0\u202f]*\d[\d.,]*([eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of a proposal: key, value, why; ``sure`` False asks a person to look."""

    key: str
    value: object
    why: str
    sure: bool = True

    def line(self, indent: str = "") -> str:
        mark = "" if self.sure else f"{UNSURE}: "
        return f"{indent}{_written(self.key)}: {_written(self.value)}  # {mark}{self.why}"


def guessed(names: Sequence[str], columns: Sequence[Sequence[str]]) -> list[Choice]:
    """What each column is; what is taken already, or nothing known, is ignored."""
    found: list[Choice] = []
    taken: set[str] = set()
    for name, cells in zip(names, columns, strict=True):
        if not name:
            continue
        choice = _column(name, cells)
        what = choice.value.get("is") if isinstance(choice.value, dict) else choice.value
        if what in taken:
            choice = Choice(name, "ignore", f"another column is {what} already", sure=False)
        elif what != "ignore":
            taken.add(str(what))
        found.append(choice)
    return found


def _column(name: str, cells: Sequence[str]) -> Choice:
    plain = re.sub(r"[\[\](){}.:]", " ", name).strip().casefold()
    words = re.sub(r"[ _]+", " ", plain)
    if re.match(_FIELD_NAMES, words):
        return Choice(name, {"is": "field"}, f"{len(set(cells))} fields, first {shown(cells[0] if cells else None)}")
    if re.match(_WELL_NAMES, words):
        return Choice(name, {"is": "well"}, f"{len(set(cells))} wells, first {shown(cells[0] if cells else None)}")
    if re.fullmatch(r"year", words) and _all(cells, lambda cell: bool(re.fullmatch(r"(19|20)\d\d(\.0)?", cell))):
        return Choice(name, {"is": "year"}, "years")
    if re.fullmatch(r"month", words) and _all(cells, lambda cell: bool(re.fullmatch(r"(0?[1-9]|1[0-2])(\.0)?", cell))):
        return Choice(name, {"is": "month_number"}, "numbers of months")
    timed = _time(name, cells)
    if timed is not None:
        return timed
    for what, pattern, guess in _NAMES:
        if re.search(pattern, words.replace("_", " ")):
            return _quantity(name, what, guess, cells)
    return Choice(name, "ignore", "nothing known by this name")


def _all(cells: Sequence[str], fits: Callable[[str], bool]) -> bool:
    return bool(cells) and all(fits(cell) for cell in cells)


def _quantity(name: str, what: str, guess: str, cells: Sequence[str]) -> Choice:
    numeric = sum(bool(NUMBER.fullmatch(cell)) for cell in cells)
    if cells and numeric < len(cells) / 2:
        return Choice(name, "ignore", f"by its name {what}, but most cells are no numbers", sure=False)
    unit = _unit_in(name, what)
    if unit == SIXTY_FOURTHS:
        value: dict[str, object] = {"is": what, "unit": unit, "fully_open_64ths": 128}
        return Choice(name, value, "in 1/64 in; say the largest bean, 128 is a guess", sure=False)
    if unit is None:
        return Choice(name, {"is": what, "unit": guess}, f"the header says no unit; {guess} is a guess", sure=False)
    if unit.casefold() in ("psi", "bar", "kpa"):
        return Choice(name, {"is": what, "unit": unit}, "gauge or absolute is not said: taken as absolute", sure=False)
    return Choice(name, {"is": what, "unit": unit}, "by its name and the unit in it")


def _unit_in(name: str, what: str) -> str | None:
    """The unit that a header says, if the quantity can be in it."""
    if what == "choke_pct" and "64" in name:
        return SIXTY_FOURTHS
    folded = name.casefold().replace("³", "3")
    for unit in _UNITS_IN_NAMES:
        if not re.search(rf"(?<![a-z0-9]){re.escape(unit)}(?![a-z0-9/])", folded):
            continue
        for column in (what, f"{what.removesuffix('_sm3')}_sm3_per_d"):
            try:
                to_canonical(column, unit)
            except InputRefused:
                continue
            return unit
    return None


def _time(name: str, cells: Sequence[str]) -> Choice | None:
    """What a column of dates or times is, by the formats that read all of its cells."""
    some = cells[:500]
    if not some or not any(re.search(r"[-/.: T]|^\d{6,8}$", cell) for cell in some[:5]):
        return None
    if _all(some, lambda cell: bool(re.fullmatch(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*", cell)) and reads_iso(cell)):
        midnight = _all(some, lambda cell: bool(re.search(r"[T ]00:00(:00(\.0+)?)?$", cell)))
        return Choice(
            name, {"is": "day" if midnight else "start"}, "dates at midnight" if midnight else "ISO 8601 times"
        )
    if _all(some, lambda cell: bool(re.fullmatch(r"\d\d?:\d\d(:\d\d)?", cell))):
        form = "%H:%M:%S" if some[0].count(":") == 2 else "%H:%M"
        return Choice(name, {"is": "time", "format": form}, "times of day")
    fits = [
        (form, clock) for form in _FORMATS for clock in _CLOCKS
        if _all(some, lambda cell, form=form, clock=clock: reads(cell, f"{form} {clock}".strip()))  # type: ignore[misc]
    ]  # fmt: skip
    if not fits:
        return None
    form, clock = fits[0]
    rivals = [other for other, _ in fits[1:] if {form[:2], other[:2]} == {"%d", "%m"}]
    what = "start" if clock else "day" if "%d" in form else "month"
    why = f"all of {len(some):,} cells read so" if not rivals else f"day first, but {rivals[0]} reads all cells, too"
    value = {"is": what, "format": f"{form} {clock}".strip()}
    if value["format"] == "%Y-%m-%d":
        value = {"is": what}
    return Choice(name, value, why, sure=not rivals)


def reads(cell: str, form: str) -> bool:
    try:
        datetime.strptime(cell, form)  # noqa: DTZ007
    except ValueError:
        return False
    return True


def reads_iso(cell: str) -> bool:
    try:
        datetime.fromisoformat(cell)
    except ValueError:
        return False
    return True


def _written(value: object) -> str:
    """A value as YAML in one line, quoted where it must be."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_written(key)}: {_written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, str):
        plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_/-]*", value) and yaml.safe_load(value) == value
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t").replace("\n", "\\n")
        return value if plain else f'"{escaped}"'
    return yaml.safe_dump(value, default_flow_style=True).splitlines()[0]
