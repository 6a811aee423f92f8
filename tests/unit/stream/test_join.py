"""Joining past and live by position."""

from hypothesis import given
from hypothesis import strategies as st

from storage.log import LogMessage
from stream.join import Gap, join


def message(offset: int) -> LogMessage:
    return LogMessage("e", "demo", offset, f'{{"offset":{offset}}}'.encode())


offsets = st.lists(st.integers(1, 30), max_size=60)


@given(seen=st.integers(0, 30), past=offsets, live=offsets)
def test_whatever_comes_the_answer_is_an_unbroken_run_or_the_first_hole(
    seen: int, past: list[int], live: list[int]
) -> None:
    joined = join(seen, map(message, past), map(message, live))
    wanted = {offset for offset in (*past, *live) if offset > seen}
    if isinstance(joined, Gap):
        assert joined.after >= seen
        assert joined.upto > joined.after
        assert wanted.isdisjoint(range(joined.after + 1, joined.upto + 1))
        assert set(range(seen + 1, joined.after + 1)) <= wanted
        assert joined.upto + 1 in wanted
    else:
        assert [one.offset for one in joined] == list(range(seen + 1, seen + 1 + len(wanted)))


@given(end=st.integers(0, 40), seen=st.integers(0, 40), cut=st.integers(0, 40), overlap=st.integers(0, 10))
def test_a_past_that_reaches_into_the_live_part_gives_each_position_once(
    end: int, seen: int, cut: int, overlap: int
) -> None:
    past = [message(offset) for offset in range(1, min(cut + overlap, end) + 1)]
    live = [message(offset) for offset in range(cut + 1, end + 1)]
    joined = join(seen, past, live)
    assert not isinstance(joined, Gap)
    assert [one.offset for one in joined] == list(range(seen + 1, end + 1))


def test_a_hole_between_past_and_live_is_reported() -> None:
    assert join(3, [message(4)], [message(7), message(8)]) == Gap(4, 6)


def test_a_hole_right_after_the_position_is_reported() -> None:
    assert join(3, [], [message(5)]) == Gap(3, 4)
