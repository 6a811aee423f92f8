"""The door counts bodies and bytes, and gives every place back."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.admission import Admission
from storage.domain.errors import TooBusy


def test_what_would_be_too_many_or_too_much_is_refused_with_the_numbers() -> None:
    door = Admission(most_bodies=2, most_bytes=100)
    with door.admitted(60):
        with pytest.raises(TooBusy, match="1 bodies of 60 bytes are being worked on, and at most 2 of 100 are"):
            door.admitted(41).__enter__()
        with door.admitted(40), pytest.raises(TooBusy):
            door.admitted(0).__enter__()
    assert (door.bodies, door.bytes) == (0, 0)


@given(st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=12))
def test_the_bounds_hold_and_places_come_back_whatever_happens_inside(bodies: list[tuple[int, bool]]) -> None:
    door = Admission(most_bodies=3, most_bytes=100)
    with contextlib.ExitStack() as inside:
        for size, fails in bodies:
            with contextlib.suppress(TooBusy, ZeroDivisionError):
                if fails:
                    with door.admitted(size):
                        _ = 1 // 0
                inside.enter_context(door.admitted(size))
            assert door.bodies <= 3
            assert door.bytes <= 100
    assert (door.bodies, door.bytes) == (0, 0)
