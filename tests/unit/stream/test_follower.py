"""A follower under losses, repeats and disorder."""

from hypothesis import given
from hypothesis import strategies as st

from storage.log import LogMessage
from stream.follower import HELD_MAX, Follower
from stream.join import Gap


def message(offset: int) -> LogMessage:
    return LogMessage("e", "demo", offset, b"{}")


steps = st.lists(
    st.one_of(
        st.tuples(st.just("hear"), st.integers(1, 40)),
        st.tuples(st.just("head"), st.integers(1, 40)),
        st.tuples(st.just("read"), st.integers(1, 40)),
    ),
    max_size=120,
)


@given(start=st.integers(0, 10), steps=steps)
def test_every_position_comes_once_and_in_order_however_messages_arrive(
    start: int, steps: list[tuple[str, int]]
) -> None:
    follower = Follower(start)
    given_out: list[int] = []
    for step, offset in steps:
        if step == "hear":
            given_out += [one.offset for one in follower.heard(message(offset))]
        elif step == "head":
            follower.head_is(offset)
        elif (gap := follower.missing()) is not None:
            upto = min(gap.upto, gap.after + offset)
            given_out += [one.offset for one in follower.read([message(n) for n in range(gap.after + 1, upto + 1)])]
    while (gap := follower.missing()) is not None:
        given_out += [one.offset for one in follower.read([message(n) for n in range(gap.after + 1, gap.upto + 1)])]
    assert given_out == list(range(start + 1, follower.head + 1))


def test_a_lost_last_message_is_found_by_the_head() -> None:
    follower = Follower(7)
    follower.head_is(8)
    assert follower.missing() == Gap(7, 8)


def test_only_the_hole_is_read_and_what_was_heard_after_it_is_kept() -> None:
    follower = Follower(0)
    assert follower.heard(message(3)) == []
    assert follower.missing() == Gap(0, 2)
    assert [one.offset for one in follower.read([message(1), message(2)])] == [1, 2, 3]
    assert follower.missing() is None


def test_what_is_held_behind_a_hole_is_bounded_and_then_read_from_the_log() -> None:
    follower = Follower(0)
    for offset in range(2, HELD_MAX + 4):
        follower.heard(message(offset))
    gap = follower.missing()
    assert gap is not None
    assert gap.upto > HELD_MAX
