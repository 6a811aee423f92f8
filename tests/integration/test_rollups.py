"""Rollups against plain sums over the records, for random histories; coverage; the position at which they are right."""

import itertools
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from storage import records, rollups, wells
from storage.database import reading, writing
from storage.domain.production_day import day_bounds, day_of, days_and_hours, month_bounds
from storage.domain.record import RECORD_SCHEMA, TIMESTAMP
from storage.domain.rollup import PATIENCE, ROLLUP_SCHEMA, STATES, VOLUMES, Grain
from storage.domain.well import Field, Well

NOW: Final = datetime(2026, 3, 1, tzinfo=UTC)
CLOCKS: Final = (
    ("Europe/Oslo", 6 * 3600),
    ("America/Chicago", 0),
    ("Australia/Lord_Howe", 1800),
    ("Asia/Kolkata", 23 * 3600),
)
SOME_QUANTITIES: Final = ("oil_sm3", "gas_sm3", "on_stream_s", "wellhead_pressure_bar")

_numbers = itertools.count()

Row = dict[str, Any]


def a_field(engine: Engine, name: str, clock: tuple[str, int], number_of_wells: int = 3) -> Field:
    made = Field(name, name, *clock)
    with writing(engine) as connection:
        wells.add_field(connection, made)
        wells.add_wells(connection, [Well(f"{name}.w{number}", f"W{number}") for number in range(number_of_wells)])
    return made


def row_of(field: Field, well: int, resolution: str, at: int, seconds: int, **content: Any) -> Row:
    """A record near the spring change of the clocks of 2026; ``at`` picks one of few places, so that keys meet."""
    around = datetime(2026, 3, 28, tzinfo=UTC) + timedelta(minutes=37 * at)
    if resolution == "live":
        start, length = around, seconds
    elif resolution == "daily":
        start, end = day_bounds(field, day_of(field, around))
        length = round((end - start).total_seconds())
    else:
        start, end = month_bounds(field, day_of(field, around + timedelta(days=20 * (at % 3))))
        length = round((end - start).total_seconds())
    row = dict.fromkeys(RECORD_SCHEMA) | {"quality": 1.0, "verdict": "verified", "issues": []} | content
    if row["verdict"] == "withdrawn":
        row |= dict.fromkeys(SOME_QUANTITIES) | {"quality": 0.0}
    return row | {
        "field": field.id, "well": f"{field.id}.w{well}", "start": start, "seconds": length,
        "resolution": resolution, "source": "test",
    }  # fmt: skip


contents = st.fixed_dictionaries(
    {
        "oil_sm3": st.none() | st.just(0.0) | st.floats(1e-6, 1e4),
        "gas_sm3": st.none() | st.just(0.0) | st.floats(1e-6, 1e6),
        "on_stream_s": st.none() | st.just(0.0) | st.floats(1e-6, 3600),
        "wellhead_pressure_bar": st.none() | st.floats(1, 300),
        "quality": st.sampled_from([1.0, 0.5]),
        "verdict": st.sampled_from(["verified", "verified", "suspect", "withdrawn"]),
    }
)
offers = st.tuples(
    st.integers(0, 2),
    st.sampled_from(["live", "live", "live", "daily", "monthly"]),
    st.integers(0, 70),
    st.sampled_from([1, 60, 3600]),
    contents,
)
steps = st.lists(st.lists(offers, min_size=1, max_size=8) | st.sampled_from(["roll up", "another clock"]), max_size=9)


@settings(
    max_examples=60,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # every example is seconds of SQL: to shrink takes for ever
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
@given(steps=steps, clock=st.sampled_from(CLOCKS))
def test_rollups_are_plain_sums_over_the_records_whatever_came_in_which_order(
    engine: Engine, steps: Sequence[Any], clock: tuple[str, int]
) -> None:
    field, clocks = a_field(engine, f"f{next(_numbers)}", clock), list(CLOCKS)
    continuation = records.Continuation()
    for step in steps:
        if step == "roll up":
            rollups.catch_up(engine, field.id)
        elif step == "another clock":
            clocks.append(clocks.pop(0))
            field = a_field(engine, field.id, clocks[0])
        else:
            rows = [row_of(field, well, resolution, at, s, **content) for well, resolution, at, s, content in step]
            with writing(engine) as connection:
                written = records.write(connection, pl.DataFrame(rows, schema=RECORD_SCHEMA), NOW, continuation)
            continuation.remember(written)
    rollups.catch_up(engine, field.id)
    kept = plain_records(engine, field.id)
    with reading(engine) as connection:
        for grain in Grain:
            of_wells = expected(field, kept, grain)
            same(rollups.series(connection, field.id, grain), of_wells.values())
            whole = rollups.series(connection, field.id, grain, whole_field=True)
            same(whole, summed(of_wells, grain, field))


def plain_records(engine: Engine, field: str) -> list[Row]:
    """What is kept, by one plain query."""
    names = ", ".join(f"r.{name}" for name in SOME_QUANTITIES)
    query = (
        f"SELECT f.slug || '.' || w.slug AS well, r.start, r.seconds, r.resolution, r.verdict, r.quality,"  # noqa: S608
        f" r.log_offset, {names} FROM records r JOIN wells w USING (field_id, well_id) JOIN fields f USING (field_id)"
        " WHERE f.slug = :field AND r.verdict <> 'withdrawn' ORDER BY r.log_offset, r.start DESC, r.seconds DESC"
    )
    with reading(engine) as connection:
        return [dict(row) for row in connection.execute(text(query), {"field": field}).mappings()]


def bucket_of(field: Field, grain: Grain, start: datetime) -> tuple[datetime, datetime]:
    day = day_of(field, start)
    if grain is Grain.MONTH:
        return month_bounds(field, day)
    since, until = day_bounds(field, day)
    if grain is Grain.DAY:
        return since, until
    hour = since + (start - since) // timedelta(hours=1) * timedelta(hours=1)
    return hour, min(hour + timedelta(hours=1), until)


def expected(field: Field, kept: Sequence[Row], grain: Grain) -> dict[tuple[str, datetime], Row]:
    """Best available buckets of every well, straight from the records."""
    live, whole = defaultdict(list), {}
    for one in kept:
        bucket = (one["well"], *bucket_of(field, grain, one["start"]))
        if one["resolution"] == "live":
            live[bucket].append(one)
        elif one["resolution"] == {Grain.DAY: "daily", Grain.MONTH: "monthly"}.get(grain):
            whole[bucket] = one
    if grain is Grain.MONTH:
        days = expected(field, kept, Grain.DAY).values()
        finer = {
            key: merged(list(rows))
            for key, rows in grouped(days, lambda day: (day["well"], *bucket_of(field, grain, day["start"]))).items()
        }
    else:
        finer = {key: merged([single(one) for one in rows]) for key, rows in live.items()}
    found = {}
    for key in finer.keys() | whole.keys():
        bucket = chosen(single(whole[key]) if key in whole else None, finer.get(key))
        found[key[0], key[1]] = bucket | {"well": key[0], "start": key[1], "seconds": (key[2] - key[1]).total_seconds()}
    return found


def grouped(rows: Iterable[Row], key: Callable[[Row], Any]) -> dict[Any, list[Row]]:
    found = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return found


def single(record: Row) -> Row:
    """One record as a bucket of sums."""
    seconds = record["seconds"]
    made: Row = {"basis": record["resolution"], "records": 1, "suspects": int(record["verdict"] == "suspect")}
    made |= {"measured_s": seconds, "quality_sum": record["quality"] * seconds, "log_offset": record["log_offset"]}
    for name in SOME_QUANTITIES:
        value = record[name]
        state, measured = name in STATES, value is not None
        level = value * 86_400 / seconds if measured and name in VOLUMES else value
        made |= {f"{name}_sum": value * seconds if measured and state else value}
        made |= {f"{name}_s": seconds if measured else None, f"{name}_low": level, f"{name}_high": level}
    return made


def merged(rows: Sequence[Row]) -> Row:
    bases = {row["basis"] for row in rows}
    made: Row = {"basis": bases.pop() if len(bases) == 1 else "mixed"}
    for name in rows[0]:
        values = [row[name] for row in rows if row[name] is not None]
        if name in ("basis", "well", "start", "seconds"):
            continue
        pick: Any = min if name.endswith("_low") else max if name.endswith("_high") or name == "log_offset" else sum
        made[name] = pick(values) if values else None
    return made


def chosen(whole: Row | None, finer: Row | None) -> Row:
    if whole is None or finer is None:
        return whole or finer or {}
    made = dict(whole)
    for name in SOME_QUANTITIES:
        if name in STATES and whole[f"{name}_sum"] is None:
            made |= {f"{name}_{part}": finer[f"{name}_{part}"] for part in ("sum", "s")}
        for extreme in (f"{name}_low", f"{name}_high"):
            made[extreme] = whole[extreme] if finer[extreme] is None else finer[extreme]
    return made | {"log_offset": max(whole["log_offset"], finer["log_offset"])}


def summed(of_wells: dict[tuple[str, datetime], Row], grain: Grain, field: Field) -> list[Row]:
    """The field's buckets with their coverage: who reported, and who is missing that did lately."""
    made = []
    by_start = grouped(of_wells.values(), lambda row: row["start"])
    for start, rows in by_start.items():
        here = ordinal(grain, field, start)
        silent: dict[str, tuple[int, Row]] = {}
        for (well, at), row in of_wells.items():
            ago = here - ordinal(grain, field, at)
            if 0 < ago < PATIENCE[grain] and (well not in silent or ago < silent[well][0]):
                silent[well] = (ago, row)
        missing = [row for well, (_, row) in silent.items() if well not in {one["well"] for one in rows}]
        there, gone = sum(map(oil_equivalent, rows)), sum(map(oil_equivalent, missing))
        share = there / (there + gone) if there + gone else None
        made.append(
            merged(rows)
            | {"well": None, "start": start, "seconds": rows[0]["seconds"], "wells": len(rows)}
            | {"wells_expected": len(rows) + len(missing), "potential_share": share}
        )
    return made


def ordinal(grain: Grain, field: Field, start: datetime) -> int:
    day = day_of(field, start)
    if grain is Grain.MONTH:
        return day.year * 12 + day.month
    if grain is Grain.DAY:
        return day.toordinal()
    return day.toordinal() * 24 + min(23, (start - day_bounds(field, day)[0]) // timedelta(hours=1))


def oil_equivalent(row: Row) -> float:
    return (row["oil_sm3_sum"] or 0) + (row["gas_sm3_sum"] or 0) / 1000


def near(value: float | None) -> Any:
    """The value but for the rounding of sums; null is only null."""
    return None if value is None else pytest.approx(value, rel=1e-9, abs=1e-12)


def same(found: pl.DataFrame, wanted: Iterable[Row]) -> None:
    """The frame says of each bucket what is wanted."""
    assert found.schema == ROLLUP_SCHEMA
    by_key = {(row["well"], row["start"]): row for row in found.rows(named=True)}
    wanted = list(wanted)
    assert by_key.keys() == {(row["well"], row["start"]) for row in wanted}
    for want in wanted:
        have = by_key[want["well"], want["start"]]
        told = {"basis": want["basis"], "records": want["records"], "suspects": want["suspects"]}
        told |= {"seconds": want["seconds"], "log_offset": want["log_offset"]}
        if "wells" in want:
            told |= {"wells": want["wells"], "wells_expected": want["wells_expected"]}
            assert have["potential_share"] == near(want["potential_share"])
        assert {name: have[name] for name in told} == told
        assert have["measured_s"] == near(want["measured_s"])
        assert have["quality"] == near(want["quality_sum"] / want["measured_s"])
        for name in SOME_QUANTITIES:
            total, measured_s = want[f"{name}_sum"], want[f"{name}_s"]
            value = total / measured_s if name in STATES and total is not None else total
            assert have[name] == near(value), (name, want)
            assert have[f"{name}_measured_s"] == near(measured_s)
            if f"{name}_low" in have:
                assert have[f"{name}_low"] == near(want[f"{name}_low"])
                assert have[f"{name}_high"] == near(want[f"{name}_high"])


def days(engine: Engine, field: Field, *rows: tuple[int, int, float | None], verdict: str = "verified") -> None:
    """Daily records: (well, day of April 2026, oil in Sm3)."""
    made = []
    for well, day, oil in rows:
        start, end = day_bounds(field, date(2026, 4, day))
        length = round((end - start).total_seconds())
        made.append(
            dict.fromkeys(RECORD_SCHEMA)
            | {"field": field.id, "well": f"{field.id}.w{well}", "start": start, "seconds": length, "oil_sm3": oil}
            | {"resolution": "daily", "verdict": verdict, "quality": 1.0, "issues": [], "source": "test"}
        )
    with writing(engine) as connection:
        records.write(connection, pl.DataFrame(made, schema=RECORD_SCHEMA), NOW)


def whole(engine: Engine, field: Field, grain: Grain, **span: datetime) -> pl.DataFrame:
    rollups.catch_up(engine, field.id)
    with reading(engine) as connection:
        return rollups.series(connection, field.id, grain, whole_field=True, **span)


def test_a_silent_well_is_missed_for_a_week_and_then_forgotten(engine: Engine) -> None:
    field = a_field(engine, "silent", CLOCKS[0], 2)
    days(engine, field, *((0, day, 30.0) for day in range(1, 11)), (1, 1, 10.0))
    found = whole(engine, field, Grain.DAY)
    assert found["wells"].to_list() == [2, *[1] * 9]
    assert found["wells_expected"].to_list() == [*[2] * 7, 1, 1, 1]
    assert found["potential_share"].to_list() == [1.0, *[0.75] * 6, 1.0, 1.0, 1.0]


def test_a_well_that_comes_late_is_not_missed_any_more(engine: Engine) -> None:
    field = a_field(engine, "late", CLOCKS[0], 2)
    days(engine, field, *((0, day, 30.0) for day in range(1, 4)), (1, 1, 10.0))
    assert whole(engine, field, Grain.DAY)["wells_expected"].to_list() == [2, 2, 2]
    days(engine, field, (1, 2, 10.0), (1, 3, 20.0))
    found = whole(engine, field, Grain.DAY)
    assert found["wells"].to_list() == [2, 2, 2]
    assert found["oil_sm3"].to_list() == [40.0, 40.0, 50.0]


def test_a_record_that_moves_to_another_wells_day_leaves_nothing_behind(engine: Engine) -> None:
    field = a_field(engine, "moved", CLOCKS[0], 2)
    days(engine, field, (0, 1, 30.0), (0, 2, 30.0))
    assert whole(engine, field, Grain.MONTH)["oil_sm3"].to_list() == [60.0]
    days(engine, field, (0, 2, None), verdict="withdrawn")
    days(engine, field, (1, 5, 30.0))
    found = whole(engine, field, Grain.DAY)
    assert found["start"].dt.convert_time_zone("Europe/Oslo").dt.day().to_list() == [1, 5]
    assert whole(engine, field, Grain.MONTH)["records"].to_list() == [2]
    days(engine, field, (0, 1, None), (1, 5, None), verdict="withdrawn")
    assert all(whole(engine, field, grain).is_empty() for grain in Grain)


def test_records_are_stamped_again_on_a_day_of_25_hours_that_reaches_into_three_utc_dates(engine: Engine) -> None:
    field = a_field(engine, "late", CLOCKS[0])
    starts = [datetime(2026, 10, 24, tzinfo=UTC) + timedelta(minutes=30 * place) for place in range(144)]
    rows = [
        dict.fromkeys(RECORD_SCHEMA) | {
            "field": field.id, "well": "late.w0", "start": start, "seconds": 60, "resolution": "live", "oil_sm3": 1.0,
            "verdict": "verified", "quality": 1.0, "issues": [], "source": "test",
        }
        for start in starts
    ]  # fmt: skip
    with writing(engine) as connection:
        records.write(connection, pl.DataFrame(rows, schema=RECORD_SCHEMA), NOW)
    field = a_field(engine, "late", ("Europe/London", 1_800))
    rollups.catch_up(engine, field.id)
    with reading(engine) as connection:
        kept = connection.execute(text("SELECT day, hour FROM records ORDER BY start")).all()
    days, hours = days_and_hours(field, pl.Series("start", starts, TIMESTAMP))
    assert [tuple(row) for row in kept] == list(zip(days, hours, strict=True))
    assert (date(2026, 10, 25), 24) in list(zip(days, hours, strict=True))


def test_what_was_rolled_up_is_right_at_its_position_while_others_write(engine: Engine) -> None:
    field = a_field(engine, "busy", CLOCKS[0], 3)
    failures: list[BaseException] = []

    def write_days(well: int) -> None:
        try:
            for day in range(1, 25):
                days(engine, field, (well, day, 1.0))
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=write_days, args=(well,)) for well in range(3)]
    threads += [threading.Thread(target=lambda: [rollups.catch_up(engine, field.id) for _ in range(20)]) for _ in "ab"]
    for thread in threads:
        thread.start()
    for _ in range(30):
        with reading(engine) as connection:
            at = rollups.position(connection, field.id).offset
            total = rollups.series(connection, field.id, Grain.MONTH, whole_field=True)["oil_sm3"].sum()
        assert total == at, "every position added one Sm3"
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    assert whole(engine, field, Grain.MONTH)["oil_sm3"].to_list() == [72.0]


def test_only_what_is_asked_for_is_read(engine: Engine) -> None:
    field = a_field(engine, "asked", CLOCKS[0], 2)
    days(engine, field, (0, 1, 1.0), (0, 2, 2.0), (1, 2, 3.0))
    since, until = day_bounds(field, date(2026, 4, 2))
    rollups.catch_up(engine, field.id)
    with reading(engine) as connection:
        found = rollups.series(
            connection, field.id, Grain.DAY, wells=["asked.w1"], since=since, until=until, quantities=["gas_sm3"]
        )
        assert rollups.series(connection, field.id, Grain.DAY, since=since, until=since).is_empty()
    assert found["well"].to_list() == ["asked.w1"]
    assert found["start"].to_list() == [since]
    assert found["oil_sm3"].to_list() == [None]
    assert found["gas_sm3_measured_s"].to_list() == [None]
