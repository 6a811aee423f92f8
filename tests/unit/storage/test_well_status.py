"""Intervals of a well's status: the newer report counts, and what its volumes say stays apart."""

import itertools
from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from storage.domain.well_status import STATUS_SCHEMA, Aspect, Held, derived, merged, runs

T0 = datetime(2020, 1, 1, tzinfo=UTC)


def at(day: int) -> datetime:
    return T0 + timedelta(days=day)


def held(since: int, until: int | None, code: str) -> Held:
    return Held(at(since), None if until is None else at(until), code, "test")


@st.composite
def reports(draw: st.DrawFn) -> list[Held]:
    """One report: intervals without overlap, in order, the last perhaps open."""
    days = sorted(draw(st.sets(st.integers(0, 20), min_size=2, max_size=8)))
    pairs = list(zip(days[::2], days[1::2], strict=False))
    found = [held(since, until, draw(st.sampled_from("abc"))) for since, until in pairs]
    if draw(st.booleans()):
        found.append(held(days[-1] + 1, None, draw(st.sampled_from("abc"))))
    return found


def code_on(intervals: list[Held], day: int) -> str | None:
    codes = [one.code for one in intervals if one.since <= at(day) and (one.until is None or at(day) < one.until)]
    assert len(codes) <= 1
    return codes[0] if codes else None


@given(st.lists(reports(), min_size=1, max_size=4))
def test_on_every_day_holds_what_was_reported_last(history: list[list[Held]]) -> None:
    kept: list[Held] = []
    for report in history:
        kept = merged(kept, report)
    for day in range(25):
        told = [code_on(report, day) for report in history]
        assert code_on(kept, day) == next((code for code in reversed(told) if code is not None), None)
    assert all(one.until != other.since or one.code != other.code for one, other in itertools.pairwise(kept))


@given(reports(), reports())
def test_reporting_the_same_again_changes_nothing(before: list[Held], report: list[Held]) -> None:
    once = merged(merged([], before), report)
    assert merged(once, report) == once


def test_neighbours_with_the_same_code_become_one_and_a_gap_stays() -> None:
    observed = pl.DataFrame(
        [("w", at(0), at(1), "08"), ("w", at(1), at(2), "08"), ("w", at(3), at(4), "08"), ("w", at(4), at(5), "12"),
         ("w", at(5), at(6), None), ("v", at(5), at(6), "12")],
        schema={"well": pl.String, "since": STATUS_SCHEMA["since"], "until": STATUS_SCHEMA["until"], "code": pl.String},
        orient="row",
    )  # fmt: skip
    found = runs(observed, Aspect.STATUS, "file")
    assert found.schema == STATUS_SCHEMA
    assert found.select("well", "since", "until", "code").rows() == [
        ("v", at(5), at(6), "12"), ("w", at(0), at(2), "08"), ("w", at(3), at(4), "08"), ("w", at(4), at(5), "12")
    ]  # fmt: skip


def test_a_well_is_active_for_three_reporting_periods_after_its_last_volume() -> None:
    periods = [at(30 * month) for month in range(9)]
    found = derived(periods, [periods[1], periods[2], periods[7]], "records")
    assert [(one.since, one.until, one.code) for one in found] == [
        (periods[1], periods[5], "active"), (periods[5], periods[7], "inactive"), (periods[7], None, "active")
    ]  # fmt: skip


def test_a_well_without_any_volume_has_no_derived_status() -> None:
    assert derived([at(0), at(30)], [], "records") == []
