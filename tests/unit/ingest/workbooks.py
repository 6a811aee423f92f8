"""Small Excel workbooks for tests, written by hand, and where the real one is."""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from ingest.sources.volve import DAILY_SHEET, MONTHLY_SHEET
from tests.shared_data import shared

Cell = str | float | None

HEADER = (
    "DATEPRD", "NPD_WELL_BORE_NAME", "NPD_FIELD_NAME", "ON_STREAM_HRS", "AVG_DOWNHOLE_PRESSURE",
    "AVG_DOWNHOLE_TEMPERATURE", "AVG_ANNULUS_PRESS", "AVG_CHOKE_SIZE_P", "AVG_CHOKE_UOM", "AVG_WHP_P", "AVG_WHT_P",
    "BORE_OIL_VOL", "BORE_GAS_VOL", "BORE_WAT_VOL", "BORE_WI_VOL", "FLOW_KIND",
)  # fmt: skip
DAY: Mapping[str, Cell] = {
    "DATEPRD": "2014-06-01",
    "NPD_WELL_BORE_NAME": "15/9-F-12",
    "NPD_FIELD_NAME": "VOLVE",
    "ON_STREAM_HRS": 24.0,
    "AVG_DOWNHOLE_PRESSURE": 255.5,
    "AVG_DOWNHOLE_TEMPERATURE": 106.0,
    "AVG_CHOKE_SIZE_P": 50.0,
    "AVG_CHOKE_UOM": "%",
    "AVG_WHP_P": 40.0,
    "BORE_OIL_VOL": 1000.0,
    "BORE_GAS_VOL": 150000.0,
    "BORE_WAT_VOL": 10.0,
    "FLOW_KIND": "production",
}
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'


def day(**changed: Cell) -> dict[str, Cell]:
    """A good production day of 15/9-F-12, with some cells changed."""
    return {**DAY, **changed}


def daily_workbook(path: Path, days: Sequence[Mapping[str, Cell]], header: Sequence[str] = HEADER) -> Path:
    """A workbook with a daily sheet and an empty monthly one."""
    rows = [list(header), *([one.get(name) for name in header] for one in days)]
    return workbook(path, {DAILY_SHEET: rows, MONTHLY_SHEET: [["Wellbore name"]]})


def workbook(path: Path, sheets: Mapping[str, Sequence[Sequence[Cell]]]) -> Path:
    """A workbook with these sheets of text and number cells."""
    numbers = range(1, len(sheets) + 1)
    listed = "".join(f'<sheet name="{escape(name)}" sheetId="{n}" r:id="r{n}"/>' for n, name in enumerate(sheets, 1))
    related = "".join(
        f'<Relationship Id="r{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
    )
    root = f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'{_HEAD}<Types xmlns="{_TYPES}"><Default Extension="xml" ContentType="application/xml"/></Types>',
        )
        archive.writestr("_rels/.rels", f'{_HEAD}<Relationships xmlns="{_RELATIONS}">{root}</Relationships>')
        archive.writestr(
            "xl/workbook.xml",
            f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels", f'{_HEAD}<Relationships xmlns="{_RELATIONS}">{related}</Relationships>'
        )
        for n, rows in enumerate(sheets.values(), 1):
            archive.writestr(f"xl/worksheets/sheet{n}.xml", _sheet(rows))
    return path


def _sheet(rows: Sequence[Sequence[Cell]]) -> str:
    lines = (
        f'<row r="{r}">{"".join(_cell(r, c, value) for c, value in enumerate(row))}</row>'
        for r, row in enumerate(rows, 1)
    )
    return f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>'


def _cell(row: int, column: int, value: Cell) -> str:
    if value is None:
        return ""
    place = f"{chr(ord('A') + column)}{row}"
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f'<c r="{place}"><v>{value!r}</v></c>'


def real_workbook() -> Path:
    """The Volve workbook of the shared data."""
    return shared("volve", "Volve production data.xlsx")
