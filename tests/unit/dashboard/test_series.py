"""Frames as points: field time, rates, breaks, and which points are suspect."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.figures.series import Chart, Line, cadence_s, points, suspects, unit_of
from dashboard.theme import PENS, Pen
from storage.domain.record import QUANTITIES, QUANTITY_COLUMNS, Kind, Quantity, Resolution
from tests.unit.dashboard.frames import FIELD, T0, records

OIL = Line("Oil", "oil_sm3", "demo.a", PENS["oil_sm3"])
CHOKE = Line("Choke", "choke_pct", "demo.a", PENS["choke_pct"])
DAY_MS = 86_400_000.0


ZONES = st.sampled_from(["Europe/Oslo", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"])
INSTANTS = st.integers(31_536_000, 2_145_916_800).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
"""Whole seconds from 1971 to 2037."""


def interval(start: datetime, seconds: int, **columns: float | None) -> pl.DataFrame:
    """One record that begins at an instant and is so long."""
    return records(columns).with_columns(
        pl.lit(start).cast(pl.Datetime("us", "UTC")).alias("start"), pl.lit(seconds, dtype=pl.Int32).alias("seconds")
    )


def utc_ms(*clock: int) -> float:
    return datetime(*clock, tzinfo=UTC).timestamp() * 1000  # type: ignore[arg-type]


def test_a_volume_is_a_rate_per_day_at_the_middle_of_its_interval_in_field_time() -> None:
    frame = records({"oil_sm3": 0.05}, resolution=Resolution.LIVE)
    x, y = points(frame, OIL, FIELD, 15)
    assert x == [utc_ms(2026, 1, 1, 1, 0, 2) + 500]
    assert y == pytest.approx([864.0])


def test_a_state_is_shown_as_it_is() -> None:
    _, y = points(records({"choke_pct": 40.0}), CHOKE, FIELD, 3 * 86_400)
    assert y == [40.0]


def test_field_time_follows_daylight_saving() -> None:
    summer = records({"after": 180, "oil_sm3": 1.0})
    x, _ = points(summer, OIL, FIELD, 3 * 86_400)
    assert x == [utc_ms(2026, 6, 30, 14)]


@pytest.mark.parametrize(
    ("start", "wall_clock"),
    [
        (datetime(2026, 3, 29, 0, 59, 55, tzinfo=UTC), (2026, 3, 29, 1, 59, 57)),
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), (2026, 3, 29, 3, 0, 2)),
        (datetime(2026, 10, 25, 0, 59, 55, tzinfo=UTC), (2026, 10, 25, 2, 59, 57)),
        (datetime(2026, 10, 25, 1, 0, tzinfo=UTC), (2026, 10, 25, 2, 0, 2)),
    ],
)
def test_live_points_jump_with_the_clock_in_spring_and_in_autumn(start: datetime, wall_clock: tuple[int, ...]) -> None:
    x, _ = points(interval(start, 5, oil_sm3=1.0), OIL, FIELD, 15)
    assert x == [utc_ms(*wall_clock) + 500]


@pytest.mark.parametrize(
    ("start", "hours", "wall_clock"),
    [
        (datetime(2026, 3, 28, 5, tzinfo=UTC), 23, (2026, 3, 28, 17, 30)),
        (datetime(2026, 10, 24, 4, tzinfo=UTC), 25, (2026, 10, 24, 18, 30)),
    ],
)
def test_a_production_day_of_23_or_25_hours_has_its_own_middle_and_its_own_rate(
    start: datetime, hours: int, wall_clock: tuple[int, ...]
) -> None:
    x, y = points(interval(start, hours * 3600, oil_sm3=float(hours)), OIL, FIELD, 3 * 86_400)
    assert x == [utc_ms(*wall_clock)]
    assert y == pytest.approx([24.0])


@given(start=INSTANTS, seconds=st.integers(1, 40 * 86_400), zone=ZONES)
def test_a_point_stands_where_the_fields_clock_is_in_the_middle_of_the_interval(
    start: datetime, seconds: int, zone: str
) -> None:
    x, _ = points(interval(start, seconds, oil_sm3=1.0), OIL, replace(FIELD, time_zone=zone), 1)
    clock = (start + timedelta(seconds=seconds) / 2).astimezone(ZoneInfo(zone))
    assert x == [clock.replace(tzinfo=UTC).timestamp() * 1000]


@given(volume=st.floats(0, 1e9), seconds=st.integers(1, 366 * 86_400))
def test_a_rate_is_the_volume_over_the_interval_times_a_day_however_long_the_interval(
    volume: float, seconds: int
) -> None:
    _, y = points(interval(T0, seconds, oil_sm3=volume), OIL, FIELD, 1)
    assert y == pytest.approx([volume / seconds * 86_400])


@given(volume=st.floats(0, 1e9), parts=st.integers(1, 50), seconds=st.integers(1, 86_400))
def test_an_interval_cut_into_equal_parts_keeps_its_rate(volume: float, parts: int, seconds: int) -> None:
    _, whole = points(interval(T0, seconds * parts, oil_sm3=volume), OIL, FIELD, 1)
    _, cut = points(interval(T0, seconds, oil_sm3=volume / parts), OIL, FIELD, 1)
    assert cut == pytest.approx(whole)


@pytest.mark.parametrize("quantity", QUANTITIES, ids=lambda quantity: quantity.column)
@pytest.mark.parametrize("value", [None, 0.0, 40.0])
def test_only_volumes_become_rates_and_no_quantity_turns_null_into_zero(
    quantity: Quantity, value: float | None
) -> None:
    line = Line(quantity.label, quantity.column, "demo.a", PENS["oil_sm3"])
    _, y = points(interval(T0, 3600, **{quantity.column: value}), line, FIELD, 1)
    assert y == [value if value is None or quantity.kind is not Kind.VOLUME else value * 24]


@given(values=st.lists(st.none() | st.floats(0, 1e6), max_size=30))
def test_a_line_without_gaps_has_one_point_for_each_record_null_where_it_is_null(values: list[float | None]) -> None:
    x, y = points(records(*({"choke_pct": value} for value in values)), CHOKE, FIELD, 3 * 86_400)
    assert y == values
    assert [then - at for at, then in itertools.pairwise(x) if then - at > 1.5 * DAY_MS] == []


def test_a_step_of_exactly_the_gap_is_still_one_line() -> None:
    frame = records({"oil_sm3": 1.0}, {"after": 3, "oil_sm3": 2.0})
    assert points(frame, OIL, FIELD, 3 * 86_400)[1] == [1.0, 2.0]
    assert points(frame, OIL, FIELD, 3 * 86_400 - 1)[1] == [1.0, None, 2.0]


def test_a_long_step_breaks_the_line_and_a_short_one_does_not() -> None:
    frame = records({"after": 0, "oil_sm3": 1.0}, {"after": 3, "oil_sm3": 2.0}, {"after": 7, "oil_sm3": 3.0})
    x, y = points(frame, OIL, FIELD, 3 * 86_400)
    assert y == [1.0, 2.0, None, 3.0]
    assert x[2] == x[3] - 1


def test_what_was_not_measured_is_null_and_zero_is_zero() -> None:
    _, y = points(records({"oil_sm3": None}, {"oil_sm3": 0.0}), OIL, FIELD, 3 * 86_400)
    assert y == [None, 0.0]


@given(days=st.lists(st.integers(0, 200), unique=True, min_size=1, max_size=30).map(sorted))
def test_every_record_has_its_point_and_every_gap_its_break(days: list[int]) -> None:
    frame = records(*({"after": day, "oil_sm3": float(day)} for day in days))
    x, y = points(frame, OIL, FIELD, 3 * 86_400)
    assert [value for value in y if value is not None] == [float(day) for day in days]
    assert x == sorted(x)
    shown = list(zip(x, y, strict=True))
    for (at, value), (then, following) in itertools.pairwise(shown):
        if value is not None and following is not None:
            assert then - at <= 3 * DAY_MS + 3_600_000


def test_no_records_are_no_points() -> None:
    assert points(records(), OIL, FIELD, 1) == ([], [])
    assert suspects(records(), OIL, FIELD) == ([], [], [])


def test_only_an_issue_about_its_column_or_about_no_column_makes_a_point_suspect() -> None:
    frame = records(
        {"oil_sm3": 1.0, "verdict": "suspect", "issues": ["frozen-choke_pct", "jump-oil_sm3"]},
        {"oil_sm3": 2.0, "verdict": "suspect", "issues": ["frozen-choke_pct"]},
        {"oil_sm3": 3.0, "verdict": "suspect", "issues": ["outside"]},
        {"oil_sm3": 4.0, "verdict": "suspect"},
        {"oil_sm3": 5.0},
    )
    _, y, text = suspects(frame, OIL, FIELD)
    assert y == [1.0, 3.0, 4.0]
    assert text == ["jump-oil_sm3", "outside", "suspect"]


def test_a_suspect_point_without_a_value_has_no_mark() -> None:
    frame = records({"oil_sm3": None, "verdict": "suspect", "issues": ["no_reading-oil_sm3"]})
    assert suspects(frame, OIL, FIELD) == ([], [], [])


def test_the_usual_interval_is_the_commonest() -> None:
    frame = records({"seconds": 90_000}, {}, {})
    assert cadence_s(frame, 5) == 86_400
    assert cadence_s(frame.clear(), 5) == 5


@pytest.mark.parametrize("column", QUANTITY_COLUMNS)
def test_every_quantity_has_a_unit_as_people_write_it(column: str) -> None:
    assert "Sm3" not in unit_of(column)
    assert "degC" not in unit_of(column)
    assert unit_of(column)


def chart(resolution: Resolution, seconds: int, *, is_marked: bool) -> Chart:
    lines = [OIL, Line("Total", "gas_sm3", None, Pen("#000", "solid"))]
    return Chart("c", "C", {}, lines, FIELD, resolution, seconds, is_marked)


def test_the_browser_is_told_which_records_move_which_trace() -> None:
    told = chart(Resolution.DAILY, 86_400, is_marked=False).description()
    assert told["topic"] == "field/demo"
    assert told["resolution"] == "daily"
    assert told["gap_s"] == 3 * 86_400
    assert told["traces"] == [
        {"index": 0, "well": "demo.a", "column": "oil_sm3", "as": "rate", "only": None},
        {"index": 1, "well": None, "column": "gas_sm3", "as": "rate", "only": None},
    ]


def test_traces_of_suspect_points_follow_those_of_the_lines() -> None:
    traces = chart(Resolution.DAILY, 86_400, is_marked=True).description()["traces"]
    assert [(one["index"], one["only"]) for one in traces] == [(0, None), (1, None), (2, "suspect"), (3, "suspect")]


def test_a_live_line_keeps_hours_and_a_daily_one_decades() -> None:
    assert chart(Resolution.LIVE, 5, is_marked=False).description()["keep"] == 4 * 3600 / 5
    assert chart(Resolution.LIVE, 3_600, is_marked=False).description()["keep"] == 100
    assert chart(Resolution.DAILY, 86_400, is_marked=False).description()["keep"] > 50 * 365


@pytest.mark.parametrize(
    ("first", "second", "breaks"),
    [
        (datetime(2026, 3, 29, 0, 59, 55, tzinfo=UTC), datetime(2026, 3, 29, 1, 0, tzinfo=UTC), 0),
        (datetime(2026, 10, 25, 0, 59, 55, tzinfo=UTC), datetime(2026, 10, 25, 2, 0, tzinfo=UTC), 1),
    ],
)
def test_gaps_are_told_by_the_instant_and_not_by_the_wall_clock_that_jumps_twice_a_year(
    first: datetime, second: datetime, breaks: int
) -> None:
    frame = pl.concat([interval(first, 5, oil_sm3=1.0), interval(second, 5, oil_sm3=2.0)])
    _, y = points(frame, OIL, FIELD, 15)
    assert y.count(None) == breaks
