"""The recent past: jumps and frozen gauges, whoever kept the records and however they came."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.recent import NEVER_US, Recent, earliest, medians, of_groups, signals
from ingest.rules.document import default
from ingest.rules.rule import Frozen, Jump, Rule, Severity
from storage.domain.record import RECORD_SCHEMA

T0 = datetime(2026, 1, 1, tzinfo=UTC)
COLUMNS = ("oil_sm3", "downhole_pressure_bar")
HOUR_S = 3_600.0


def rule(past: Jump | Frozen, column: str) -> Rule:
    return Rule("odd", column, "odd", Severity.SUSPECT, lambda _: "odd", past=past)


def jump(**given: Any) -> Rule:
    fine = {"window": 10, "least": 3, "threshold": 5.0, "floor_share": 0.1, "floor": 0.0, "step": 0.25, "reach_s": 1e9}
    return rule(Jump(**{**fine, **given}), given.pop("column", "oil_sm3"))


def frozen(records: int = 4, reach_s: float = 1e9) -> Rule:
    return rule(Frozen(records, reach_s), "downhole_pressure_bar")


def rows(
    values: Sequence[float | None], column: str = "oil_sm3", well: str = "demo.a", first: int = 0, **columns: Any
) -> pl.DataFrame:
    """Records of an hour each, one after the other."""
    made = [
        {"field": "demo", "well": well, "start": T0 + timedelta(hours=first + n), "seconds": 3_600, column: value,
         "resolution": "live", **columns}
        for n, value in enumerate(values)
    ]  # fmt: skip
    frame = pl.DataFrame(made, schema_overrides=dict(RECORD_SCHEMA))
    return frame.match_to_schema(RECORD_SCHEMA, missing_columns="insert")


def recent(*kept: pl.DataFrame, depth: int = 30) -> Recent:
    made = Recent(COLUMNS, depth)
    for frame in kept:
        made.begin([group for group in earliest(frame) if group not in made])
        made.append(frame)
    return made


def broken(of: Rule, offered: pl.DataFrame, past: Recent | None = None) -> list[int]:
    """Which offered rows break the rule."""
    found = past or recent()
    found.begin([group for group in earliest(offered) if group not in found])
    flags = found.broken(offered, [of]).get(of.code)
    return [] if flags is None else np.flatnonzero(flags).tolist()


def test_a_value_far_from_the_recent_ones_is_a_jump() -> None:
    assert broken(jump(), rows([10, 11, 10, 9, 10, 30, 10])) == [5]


def test_a_new_level_is_believed_after_three_records() -> None:
    assert broken(jump(), rows([10, 11, 10, 9, 10, 30, 30, 30, 30, 30])) == [5, 6]


def test_what_is_within_the_usual_scatter_is_no_jump() -> None:
    restless = [10, 20, 5, 18, 7, 22, 4, 19]
    assert broken(jump(), rows([*restless, 25])) == []


def test_too_few_records_say_nothing() -> None:
    assert broken(jump(least=3), rows([10, 10, 30])) == []
    assert broken(jump(least=3), rows([10, 10, 10, 30])) == [3]


def test_a_well_that_stood_still_is_compared_with_the_flow_before() -> None:
    stop = [0.0, None, 0.0]
    assert broken(jump(), rows([10, 11, 10, 9, *stop, 10, 11])) == []
    assert broken(jump(), rows([10, 11, 10, 9, *stop, 40])) == [7]


def test_a_volume_is_compared_by_its_rate_on_stream() -> None:
    half = rows([5.0], first=4, on_stream_s=1_800.0)
    assert broken(jump(), half, recent(rows([10, 10, 10, 10]))) == []
    day = half.with_columns(on_stream_s=pl.lit(None, dtype=pl.Float64), seconds=pl.lit(1_800, dtype=pl.Int32))
    assert broken(jump(), day, recent(rows([10, 10, 10, 10]))) == []


def test_after_a_long_gap_nothing_is_compared() -> None:
    past = rows([10, 10, 10, 10])
    assert broken(jump(reach_s=24 * HOUR_S), rows([30], first=20), recent(past)) == [0]
    assert broken(jump(reach_s=24 * HOUR_S), rows([30], first=40), recent(past)) == []


def test_a_frozen_gauge_is_told_from_the_last_of_so_many_equal_numbers_on() -> None:
    gauge = rows([250.1, 250.2, 250.2, 250.2, 250.2, 250.2, 250.3], "downhole_pressure_bar")
    assert broken(frozen(4), gauge) == [4, 5]


def test_a_gauge_that_gives_nothing_is_not_frozen_and_begins_anew() -> None:
    gauge = rows([None] * 9, "downhole_pressure_bar")
    assert broken(frozen(3), gauge) == []
    assert broken(frozen(4), rows([1.5, 1.5, 1.5, None, 1.5, 1.5, 1.5, 1.5], "downhole_pressure_bar")) == [7]


def test_equal_numbers_across_a_gap_are_not_frozen() -> None:
    past = recent(rows([5.5, 5.5, 5.5], "downhole_pressure_bar"))
    late = rows([5.5], "downhole_pressure_bar", first=100)
    assert broken(frozen(4, reach_s=48 * HOUR_S), late, past) == []
    assert broken(frozen(4), late, past) == [0]


def test_wells_and_resolutions_are_kept_apart() -> None:
    mixed = pl.concat([rows([10, 10, 10, 10]), rows([30], well="demo.b", first=5), rows([30], first=5)])
    assert broken(jump(), mixed) == [5]
    daily = rows([30], first=5).with_columns(resolution=pl.lit("daily"))
    assert broken(jump(), daily, recent(rows([10, 10, 10, 10]))) == []


def test_rows_of_one_start_are_revisions_and_judged_alike() -> None:
    twice = pl.concat([rows([10, 10, 10, 10]), rows([30], first=4), rows([30], first=4), rows([10], first=5)])
    assert broken(jump(), twice) == [4, 5]
    gauge = pl.concat([rows([7.5], "downhole_pressure_bar")] * 9)
    assert broken(frozen(4), gauge) == []


def test_rows_out_of_order_are_judged_in_the_order_of_time() -> None:
    ordered = rows([10, 11, 10, 9, 10, 30, 10])
    assert broken(jump(), ordered.reverse()) == [1]


def test_groups_can_be_forgotten_and_begun_anew() -> None:
    past = recent(rows([1, 2]), rows([3], well="demo.b"))
    assert (len(past), past.newest_us(("demo.a", "live"))) == (2, int((T0 + timedelta(hours=1)).timestamp() * 1e6))
    past.forget([("demo.a", "live"), ("demo.x", "live")])
    assert past.groups() == [("demo.b", "live")]
    assert past.newest_us(("demo.a", "live")) == NEVER_US
    past.begin([("demo.a", "live")])
    assert broken(jump(), rows([1, 1, 1, 9]), past) == [3]


def test_the_rows_of_some_groups_are_those() -> None:
    both = pl.concat([rows([1, 2]), rows([3], well="demo.b")])
    assert of_groups(both, {("demo.b", "live")})["oil_sm3"].to_list() == [3]
    assert of_groups(both, []).is_empty()


def test_signals_are_nan_where_nothing_was_measured_or_the_well_stood_still() -> None:
    frame = pl.concat([rows([1.0, None, 0.0]), rows([1.0], first=9, on_stream_s=0.0, downhole_pressure_bar=200.0)])
    found = signals(frame, COLUMNS)
    assert found[0, 0] == 24.0
    assert np.isnan(found[1:, 0]).all()
    assert np.isnan(found[:, 1]).all()


VALUES = st.lists(st.none() | st.floats(0.1, 1e4) | st.sampled_from([0.0, 5.0, 10.0]), min_size=1, max_size=60)
RULES = default().of_past


@given(VALUES, st.lists(st.integers(1, 59), max_size=4), st.integers(3, 12))
def test_it_does_not_matter_in_which_batches_records_come(
    values: list[float | None], cuts: list[int], deep: int
) -> None:
    rules = [jump(window=deep, least=2), frozen(min(deep, 4))]
    whole = rows(values).with_columns(downhole_pressure_bar="oil_sm3")
    depth = max(one.past.depth for one in rules if one.past is not None)
    at_once, in_parts = recent(depth=depth), recent(depth=depth)
    at_once.begin([("demo.a", "live")])
    in_parts.begin([("demo.a", "live")])
    expected = [broken(one, whole, at_once) for one in rules]
    found: list[list[int]] = [[], []]
    edges = sorted({0, len(values), *(cut for cut in cuts if cut < len(values))})
    for begin, end in pairwise(edges):
        part = whole[begin:end]
        for told, one in zip(found, rules, strict=True):
            told += [begin + row for row in broken(one, part, in_parts)]
        in_parts.append(part)
    assert found == expected


@given(VALUES, st.integers(-8, 8))
def test_a_jump_does_not_change_with_the_unit(values: list[float | None], power: int) -> None:
    scaled = [None if value is None else value * 2.0**power for value in values]  # by what rounds nothing
    assert broken(jump(), rows(scaled)) == broken(jump(), rows(values))


@given(st.lists(st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=5, max_size=5), min_size=1, max_size=5))
def test_medians_are_those_of_the_numbers_there_are(table: list[list[float]]) -> None:
    found, measured = medians(np.array(table))
    for row, middle, count in zip(table, found, measured, strict=True):
        numbers = [value for value in row if not np.isnan(value)]
        assert count == len(numbers)
        assert (np.isnan(middle) and not numbers) or middle == pytest.approx(np.median(numbers))


def test_the_shipped_rules_look_back_a_bounded_way() -> None:
    assert default().depth <= 50
    assert {rule.column for rule in RULES} == set(default().past_columns)
