"""A 3W instance: seconds of one well in canonical units, its class beside and not inside the records."""

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from ingest.parse import Source
from ingest.sources.three_w import read
from ingest.verify import Known, Verified, verified
from storage.domain.errors import InputRefused
from tests.shared_data import shared

T0 = datetime(2017, 5, 23, 2, 0, 12)  # noqa: DTZ001
NAME = "WELL-00001_20170523020012.parquet"


def instance(rows: int = 4) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "timestamp": [T0 + timedelta(seconds=n) for n in range(rows)],
            "P-PDG": [2.5e7] * rows, "P-TPT": [1.4e7] * rows, "T-TPT": [116.0] * rows, "P-MON-CKP": [6e6] * rows,
            "T-JUS-CKP": [69.0] * rows, "P-JUS-CKGL": [3e6] * rows, "T-JUS-CKGL": [None] * rows, "QGL": [0.5] * rows,
            "class": [0, 0, 101, None][:rows],
        },
        schema_overrides={"T-JUS-CKGL": pl.Float64, "class": pl.Int16},
    )  # fmt: skip


def of(tmp_path: Path, frame: pl.DataFrame, name: str = NAME) -> Source:
    path = tmp_path / name
    frame.write_parquet(path)
    return read(path)


def judged(source: Source) -> Verified:
    return verified(source.batch, Known({"3w": source.fields[0]}, frozenset({source.wells[0].id})), datetime.now(UTC))


def test_a_second_becomes_a_live_record_in_canonical_units(tmp_path: Path) -> None:
    source = of(tmp_path, instance())
    row = source.batch.candidates.row(0, named=True)
    assert (row["field"], row["well"], row["resolution"], row["seconds"]) == ("3w", "3w.well-00001", "live", 1)
    assert (row["start"], row["place"]) == (T0.replace(tzinfo=UTC), "row 1")
    assert math.isclose(row["downhole_pressure_bar"], 250.0)
    assert math.isclose(row["wellhead_pressure_bar"], 140.0)
    assert math.isclose(row["annulus_pressure_bar"], 30.0)
    assert (row["wellhead_temperature_degc"], row["gas_lift_sm3_per_d"]) == (116.0, 43_200.0)
    assert (row["oil_sm3"], row["on_stream_s"]) == (None, None)
    assert source.told[0] == "timestamps have no zone: UTC is assumed"


def test_the_class_is_the_wells_label_over_time_and_leaves_the_records_good(tmp_path: Path) -> None:
    source = of(tmp_path, instance())
    start = T0.replace(tzinfo=UTC)
    assert source.statuses.select("aspect", "since", "until", "code").rows() == [
        ("label", start, start + timedelta(seconds=2), "0"),
        ("label", start + timedelta(seconds=2), start + timedelta(seconds=3), "101"),
    ]
    assert judged(source).records["verdict"].to_list() == ["verified"] * 4


def test_a_dead_downhole_gauge_is_no_reading_and_an_all_null_sensor_is_null(tmp_path: Path) -> None:
    source = of(tmp_path, instance().with_columns(pl.lit(0.0).alias("P-PDG"), pl.lit(float("nan")).alias("QGL")))
    records = judged(source).records
    assert records["downhole_pressure_bar"].null_count() == records["gas_lift_sm3_per_d"].null_count() == 4
    assert records["issues"].to_list() == [["no_reading-downhole_pressure_bar"]] * 4


def test_an_absurd_value_is_quarantined_with_its_row(tmp_path: Path) -> None:
    frame = instance().with_columns(
        pl.when(pl.int_range(pl.len()) == 2).then(2.942e9).otherwise("P-TPT").alias("P-TPT")
    )
    (row,) = judged(of(tmp_path, frame)).refused
    assert (row.place, row.reasons[0].rule, row.reasons[0].value) == ("row 3", "above_high", pytest.approx(29_420.0))


def damaged(column: str, row: int, value: object, kind: type[pl.DataType] = pl.String) -> pl.DataFrame:
    frame = instance()
    cells = [str(cell) for cell in frame[column].to_list()]
    cells[row] = str(value)
    return frame.with_columns(pl.Series(column, cells, dtype=kind))


CORRUPT = [
    (damaged("P-PDG", 1, "n/a"), "row 2", "not_a_number", "P-PDG", "n/a"),
    (damaged("T-TPT", 3, "hot"), "row 4", "not_a_number", "T-TPT", "hot"),
    (damaged("timestamp", 2, "yesterday"), "row 3", "not_a_time", "timestamp", "yesterday"),
    (damaged("timestamp", 0, ""), "row 1", "not_a_time", "timestamp", ""),
]


@pytest.mark.parametrize(("frame", "place", "rule", "column", "value"), CORRUPT, ids=[one[1] for one in CORRUPT])
def test_a_corrupt_row_is_refused_with_row_field_value_and_rule_and_the_good_ones_kept(
    tmp_path: Path, frame: pl.DataFrame, place: str, rule: str, column: str, value: object
) -> None:
    source = of(tmp_path, frame)
    (row,) = source.batch.refused
    assert (row.place, row.reasons[0].rule, row.reasons[0].field, row.reasons[0].value) == (place, rule, column, value)
    assert source.batch.candidates.height == 3


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_file_cut_short_or_empty_is_refused_in_a_sentence(tmp_path: Path, share: float) -> None:
    path = tmp_path / NAME
    instance().write_parquet(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(InputRefused, match=NAME) as caught:
        read(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("frame", "name", "told"),
    [
        (instance(), "data.parquet", "does not say its well"),
        (instance().drop("timestamp"), NAME, "is not a 3W instance"),
        (instance().select("timestamp", "class"), NAME, "is not a 3W instance"),
        (instance().clear(), NAME, "has no rows"),
    ],
)
def test_what_is_no_instance_is_refused(tmp_path: Path, frame: pl.DataFrame, name: str, told: str) -> None:
    with pytest.raises(InputRefused, match=told):
        of(tmp_path, frame, name)


def test_text_is_not_parquet(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("timestamp,P-PDG\n")
    with pytest.raises(InputRefused, match="cannot be read as parquet"):
        read(tmp_path / NAME)


REAL = {
    "0/WELL-00001_20170523020012": (17_899, ["0"]),
    "1/WELL-00006_20170801063614": (49_394, ["0", "101", "1"]),
    "2/WELL-00002_20131104014101": (9_121, ["0", "102", "2"]),
    "5/WELL-00015_20170620160349": (11_182, ["0", "105"]),
}


@pytest.mark.parametrize("name", REAL)
def test_real_instances_are_read_whole_and_keep_their_labels(name: str) -> None:
    path = shared("petrobras-3w", f"{name}.parquet")
    source, plain = read(path), pl.read_parquet(path)
    assert (source.batch.rows, source.statuses["code"].to_list()) == REAL[name]
    seconds = source.statuses.select((pl.col("until") - pl.col("since")).dt.total_seconds().sum()).item()
    assert seconds == plain["class"].len() - plain["class"].null_count()
    mean = source.batch.candidates["wellhead_pressure_bar"].mean()
    assert isinstance(mean, float)
    assert math.isclose(mean, float(str(plain["P-TPT"].mean())) / 1e5, rel_tol=1e-9)


def test_the_frozen_absurd_transducer_of_well_15_is_quarantined_whole() -> None:
    rows = judged(read(shared("petrobras-3w", "5", "WELL-00015_20170620160349.parquet")))
    assert (rows.records.height, len(rows.refused)) == (0, 11_182)
