"""Ids of fields and wells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.domain.errors import InputRefused
from storage.domain.well import field_of, is_field_id, is_well_id, slug, well_id


@pytest.mark.parametrize(
    ("name", "made"), [("15/9-F-1 C", "15-9-f-1-c"), ("MÆRSK INSPIRER", "maersk-inspirer"), ("Ñandú  7", "nandu-7")]
)
def test_a_name_becomes_a_slug_that_fits_into_links(name: str, made: str) -> None:
    assert slug(name) == made


@given(st.text(max_size=40))
def test_a_slug_is_an_id_or_the_name_is_refused(name: str) -> None:
    try:
        made = slug(name)
    except InputRefused:
        made = "refused"
    assert is_field_id(made)
    assert slug(made) == made


def test_a_name_without_a_letter_is_refused_and_named() -> None:
    with pytest.raises(InputRefused, match="'///'"):
        slug("///")


def test_a_well_id_tells_its_field() -> None:
    identity = well_id("volve", "15/9-F-12")
    assert identity == "volve.15-9-f-12"
    assert field_of(identity) == "volve"
    assert is_well_id(identity)
    assert not is_well_id("volve")
