"""Small OGOR-A files and BSEE reference files for tests."""

from collections.abc import Sequence
from pathlib import Path

from ingest.sources.ogor_a import COLUMNS

COMPLETION = {
    "LEASE_NUMBER": "G02111", "COMPLETION_NAME": " A001", "PRODUCTION_DATE": "202401", "DAYS_ON_PROD": "31",
    "PRODUCT_CODE": "O", "MON_O_PROD_VOL": "000001000", "MON_G_PROD_VOL": "000002000", "MON_W_PROD_VOL": "000000300",
    "API_WELL_NUMBER": "177104021701", "WELL_STAT_CD": "08", "AREA_CODE_BLOCK_NUM": "EI  314", "OPERATOR_NUM": "00276",
    "SORT_NAME": "EXXON MOBIL CORPORATION", "FIELD_NAME_CODE": "EI330", "INJECTION_VOLUME": "000000000",
    "PROD_INTERVAL_CD": "S01", "FIRST_PROD_DATE": "19950606", "UNIT_AGT_NUMBER": "", "UNIT_ALOC_SUFFIX": "",
}  # fmt: skip
BOREHOLES = (
    '"API_WELL_NUMBER","WELL_NAME","WELL_NAME_SUFFIX","BOTM_AREA_CODE","BOTM_BLOCK_NUMBER","COMPANY_NAME",'
    '"WELL_SPUD_DATE","BH_TOTAL_MD","WATER_DEPTH","BOREHOLE_STAT_DT","BOREHOLE_STAT_CD","SURF_LATITUDE",'
    '"SURF_LONGITUDE"\r\n'
    '"177104021701"," A001","ST01BP00","EI","  314","Exxon, Mobil",6/3/1995,"10000","254","7/6/2000","COM",'
    '"28.25","-91.35"\r\n'
    '"177104023200"," A002","ST00BP00","EI","  314","Exxon, Mobil",,"*****","","","PA","91.5",""\r\n'
)
FIELDS = '"FLD_NICK_NAME","LEASE_NUMBER","FIELD_NAME_CODE"\r\n"Eugene","G02111","EI330"\r\n'


def line(**changed: str) -> str:
    """A good line, with some cells changed."""
    return ",".join(f'"{({**COMPLETION, **changed})[name]}"' for name in COLUMNS)


def ogor_file(path: Path, lines: Sequence[str]) -> Path:
    path.write_text("".join(f"{one}\r\n" for one in lines), encoding="latin-1", newline="")
    return path


def reference_folder(path: Path) -> Path:
    path.mkdir(parents=True)
    (path / "mv_boreholes_all.txt").write_text(BOREHOLES, newline="")
    (path / "mv_deep_water_field_leases.txt").write_text(FIELDS, newline="")
    return path
