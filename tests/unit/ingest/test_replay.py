"""Replay sends every batch when its interval has ended in field time, and each once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.parse import Source
from ingest.replay import Pacing, by_end, paced
from ingest.sources.volve import read
from storage.domain.errors import InputRefused
from tests.unit.ingest.workbooks import daily_workbook, day

T0 = datetime(2014, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
DAYS = Pacing(tuple(T0 + DAY * n for n in (1, 2, 5)), T0, 86_400.0, 100.0)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    days = [
        day(), day(NPD_WELL_BORE_NAME="15/9-F-14"), day(DATEPRD="2014-06-02"),
        day(DATEPRD="2014-06-01", FLOW_KIND="?"), day(DATEPRD="2014-05-30", NPD_WELL_BORE_NAME="15/9-F-11"),
    ]  # fmt: skip
    return read(daily_workbook(tmp_path / "v.xlsx", days))


def test_nothing_is_due_before_the_first_interval_has_ended() -> None:
    assert DAYS.due(100.0, 0) == ()
    assert DAYS.due(100.999, 0) == ()
    assert DAYS.due(50.0, 0) == ()


def test_an_interval_is_due_when_it_has_ended_in_field_time() -> None:
    assert DAYS.due(101.0, 0) == (T0 + DAY,)
    assert DAYS.due(101.0, 1) == ()


def test_after_a_break_all_that_fell_due_follows_in_order() -> None:
    assert DAYS.due(104.0, 1) == (T0 + 2 * DAY,)
    assert DAYS.due(1e9, 1) == (T0 + 2 * DAY, T0 + 5 * DAY)
    assert DAYS.due(1e9, 3) == ()


def test_a_gap_in_the_data_lasts_as_long_as_in_the_field() -> None:
    assert DAYS.wait_s(102.0, 2) == pytest.approx(3.0)
    assert DAYS.wait_s(106.0, 2) == 0
    assert DAYS.wait_s(102.0, 3) == 0


def test_field_time_runs_at_the_speed_and_stays_at_the_end() -> None:
    assert DAYS.field_time(100.5) == T0 + DAY / 2
    assert DAYS.field_time(1e12) == T0 + 5 * DAY


@given(
    st.lists(st.integers(1, 10_000), min_size=1, max_size=30, unique=True).map(sorted),
    st.floats(0.1, 1e6),
    st.lists(st.floats(0, 1e5), max_size=20).map(sorted),
)
def test_every_end_is_due_once_and_never_early(ends_s: list[int], speed: float, moments_s: list[float]) -> None:
    pacing = Pacing(tuple(T0 + timedelta(seconds=end) for end in ends_s), T0, speed, 0.0)
    sent: list[datetime] = []
    for moment_s in [*moments_s, 1e9]:
        due = pacing.due(moment_s, len(sent))
        assert all(end <= pacing.field_time(moment_s) for end in due)
        sent += due
    assert tuple(sent) == pacing.ends


def test_a_day_s_wells_go_together_and_say_that_they_are_replayed(source: Source) -> None:
    batches = by_end(source)
    assert [batch.rows for batch in batches.values()] == [2, 2, 1]
    assert list(batches) == list(paced(source, 1.0, 0.0).ends)
    assert {batch.source for batch in batches.values()} == {"replay volve"}
    assert {text for batch in batches.values() for text in batch.candidates["source"]} == {"replay volve"}


def test_rows_that_could_not_be_parsed_go_with_the_first_batch(source: Source) -> None:
    first, *others = by_end(source).values()
    assert [row.place for row in first.refused] == ["Daily Production Data row 5"]
    assert [row.source for row in first.refused] == ["replay volve"]
    assert all(batch.refused == () for batch in others)


@pytest.mark.parametrize("speed", [0, -1, float("nan"), float("inf")])
def test_a_speed_that_is_none_is_refused(source: Source, speed: float) -> None:
    with pytest.raises(InputRefused, match="the speed is"):
        paced(source, speed, 0.0)


def test_a_source_without_good_rows_cannot_be_replayed(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="has no rows that could be replayed"):
        paced(read(daily_workbook(tmp_path / "v.xlsx", [day(FLOW_KIND="?")])), 1.0, 0.0)
