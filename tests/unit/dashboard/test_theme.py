"""The house style of figures."""

from itertools import product

from dashboard.theme import PENS, WELL_DASHES, WELL_HUES, axis, layout, well_pen
from storage.domain.record import QUANTITIES, Kind


def test_thirty_two_wells_have_pens_of_their_own() -> None:
    assert len({well_pen(number) for number in range(len(WELL_HUES) * len(WELL_DASHES))}) == 32


def test_quantities_on_one_axis_differ_by_line_and_not_by_hue_alone() -> None:
    units = {quantity.column: (quantity.unit, quantity.kind) for quantity in QUANTITIES}
    for one, other in product(PENS, PENS):
        if one < other and units[one] == units[other] and units[one][1] is Kind.STATE:
            assert PENS[one].dash != PENS[other].dash, (one, other)


def test_an_axis_and_a_layout_take_what_is_given_over_the_house_style() -> None:
    assert axis("Oil", automargin=False)["automargin"] is False
    assert layout(uirevision="mine")["uirevision"] == "mine"
    assert layout()["paper_bgcolor"] == "rgba(0,0,0,0)"
