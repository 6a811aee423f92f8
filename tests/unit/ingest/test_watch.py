"""When a watched file is complete."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.watch import EMPTY_S, SETTLED_S, Seen, complete, is_candidate, seen

NS = 1_000_000_000


def looked(*looks: tuple[float, int, float]) -> list[bool]:
    """Whether the file is complete after each look (time, size, time of its last change)."""
    before: Seen | None = None
    told = []
    for now_s, size, changed_s in looks:
        before = seen(before, size, round(changed_s * NS), now_s)
        told.append(complete(before, now_s))
    return told


def test_a_file_is_complete_when_it_was_left_alone_for_long_enough() -> None:
    assert looked((100, 10, 100), (101, 10, 100), (102, 10, 100)) == [False, False, True]


def test_a_file_that_was_finished_before_it_was_moved_in_is_complete_at_once() -> None:
    assert looked((100, 10, 50)) == [True]


def test_a_file_that_grows_is_not_complete() -> None:
    assert looked(*((100 + n, 10 * n + 10, 100 + n) for n in range(20))) == [False] * 20


def test_a_file_that_grows_again_with_an_old_time_waits_again() -> None:
    assert looked((100, 10, 99.5), (101, 20, 50), (102, 20, 50), (103, 20, 50)) == [False, False, False, True]


def test_a_time_of_change_ahead_of_the_clock_does_not_keep_a_file_waiting() -> None:
    assert looked((100, 10, 5_000), (100 + SETTLED_S, 10, 5_000)) == [False, True]


def test_an_empty_file_is_given_longer() -> None:
    assert looked((100, 0, 100), (110, 0, 100), (100 + EMPTY_S, 0, 100)) == [False, False, True]


@given(st.floats(0, 1e6), st.integers(0, 10**9), st.floats(0, 1e6), st.floats(0, 1e4))
def test_every_file_that_stops_changing_is_complete_at_last(
    now_s: float, size: int, changed_s: float, later: float
) -> None:
    first = seen(None, size, round(changed_s * NS), now_s)
    assert complete(seen(first, size, round(changed_s * NS), now_s + later), now_s + EMPTY_S + later + 1)


@pytest.mark.parametrize(
    "name", [".hidden.csv", "a.csv.part", "a.CSV.TMP", "a.csv~", "x.crdownload", "a.csv.report.json"]
)
def test_names_of_unfinished_files_are_left_alone(name: str) -> None:
    assert not is_candidate(name)
    assert is_candidate("a.csv")
