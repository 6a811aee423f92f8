"""What falls due in the demonstration field between two moments."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.parse import BATCH_ROWS
from ingest.simulate import DAILY_HISTORY, daily_history, due, ended_days, step_end
from ingest.sources.simulator import FIELD, Simulator

DAY_END = datetime(2026, 1, 10, 5, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_a_day_is_due_when_it_has_ended() -> None:
    assert ended_days(FIELD, DAY_END - SECOND, DAY_END) == [date(2026, 1, 9)]
    assert ended_days(FIELD, DAY_END - 2 * SECOND, DAY_END - SECOND) == []
    assert ended_days(FIELD, DAY_END, DAY_END + SECOND) == []


def test_all_days_of_a_long_break_are_due() -> None:
    days = ended_days(FIELD, DAY_END - timedelta(days=400), DAY_END)
    assert days == [date(2026, 1, 9) - timedelta(days=back) for back in range(399, -1, -1)]


def test_the_daily_records_come_with_the_live_ones_at_the_day_s_end() -> None:
    batch = due(Simulator(), DAY_END - 5 * SECOND, DAY_END, 5)
    assert dict(batch.candidates["resolution"].value_counts().iter_rows()) == {"live": 8, "daily": 8}
    assert set(due(Simulator(), DAY_END, DAY_END + 5 * SECOND, 5).candidates["resolution"]) == {"live"}


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 30), st.integers(0, 3_000), st.integers(1, 12))
def test_steps_of_any_length_send_every_record_once(every_s: int, break_s: int, wells: int) -> None:
    simulator = Simulator(wells)
    since, now = DAY_END - timedelta(seconds=break_s), DAY_END + 30 * SECOND
    parts = []
    moment = since
    while (until := step_end(simulator, moment, now, every_s)) > moment:
        parts.append(due(simulator, moment, until, every_s).candidates)
        moment = until
    assert moment == now
    sent = pl.concat(parts).select("well", "start", "resolution").sort(pl.all())
    once = due(simulator, since, now, every_s).candidates.select("well", "start", "resolution").sort(pl.all())
    assert sent.equals(once)
    assert max(part.height for part in parts) <= BATCH_ROWS + 2 * wells


class Counting(Simulator):
    """Remembers how many daily rows it made at once."""

    def daily(self, days: Iterable[date]) -> pl.DataFrame:
        rows = super().daily(days)
        self.__dict__.setdefault("made", []).append(rows.height)
        return rows


def test_the_history_holds_every_day_of_every_well_once() -> None:
    simulator = Counting(3)
    sent = pl.concat(part.candidates.select("well", "start") for part in daily_history(simulator, DAY_END))
    days = ended_days(FIELD, DAY_END - DAILY_HISTORY, DAY_END)
    whole = Simulator(3).daily(days).select("well", "start")
    assert sent.sort("well", "start").equals(whole.sort("well", "start"))


@pytest.mark.parametrize("wells", [1, 8, 2_000])
def test_no_more_of_the_history_is_made_at_once_than_a_batch_or_a_day(wells: int) -> None:
    simulator = Counting(wells)
    parts = daily_history(simulator, DAY_END)
    assert all(next(parts).candidates.height <= BATCH_ROWS for _ in range(3 if wells > 1 else 1))
    assert max(simulator.__dict__["made"]) <= max(BATCH_ROWS, wells)


def test_a_clock_that_was_set_back_makes_nothing_due() -> None:
    assert step_end(Simulator(), DAY_END, DAY_END - timedelta(hours=1), 5) < DAY_END
