"""How much a name is like what somebody typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.domain.likeness import ALIKE_LEAST, BEGINS, EXACT, INSIDE, likeness


def test_exact_goes_before_beginning_before_inside_before_alike() -> None:
    assert likeness("15/9-F-12", "15-9-f-12") == EXACT
    assert likeness("15/9", "15/9-F-12") == BEGINS
    assert likeness("F-12", "15/9-F-12") == INSIDE
    assert ALIKE_LEAST < likeness("gulfaks", "Gullfaks") < INSIDE


@pytest.mark.parametrize("typed", ["", "***", "日本"])
def test_what_has_no_letter_is_like_nothing(typed: str) -> None:
    assert likeness(typed, "Volve") == 0


def test_accents_and_case_do_not_count() -> None:
    assert likeness("aero", "Ærø") == EXACT
    assert likeness("osebérg", "Oseberg") == EXACT


@given(st.text(max_size=30), st.text(max_size=30))
def test_it_lies_between_nothing_and_all(typed: str, name: str) -> None:
    assert 0 <= likeness(typed, name) <= 1
