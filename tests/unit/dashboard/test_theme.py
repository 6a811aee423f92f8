"""The house style of figures."""

import re
from itertools import product

import pytest

from dashboard.app import ASSETS
from dashboard.figures.charts import RATES, STATES
from dashboard.theme import PENS, SUSPECT, WELL_DASHES, WELL_HUES, axis, layout, well_pen
from storage.domain.record import QUANTITIES, Kind


def test_thirty_two_wells_have_pens_of_their_own() -> None:
    assert len({well_pen(number) for number in range(len(WELL_HUES) * len(WELL_DASHES))}) == 32


def test_quantities_on_one_axis_differ_by_line_and_not_by_hue_alone() -> None:
    units = {quantity.column: (quantity.unit, quantity.kind) for quantity in QUANTITIES}
    for one, other in product(PENS, PENS):
        if one < other and units[one] == units[other] and units[one][1] is Kind.STATE:
            assert PENS[one].dash != PENS[other].dash, (one, other)


def test_after_the_last_pen_the_first_comes_again() -> None:
    assert well_pen(32) == well_pen(0)
    assert well_pen(33) == well_pen(1)


def test_neighbouring_wells_differ_by_hue_and_the_next_round_by_line() -> None:
    hues = len(WELL_HUES)
    assert len({well_pen(number).color for number in range(hues)}) == hues
    assert {well_pen(number).dash for number in range(hues)} == {WELL_DASHES[0]}
    assert well_pen(hues).color == well_pen(0).color
    assert well_pen(hues).dash != well_pen(0).dash


@pytest.mark.parametrize("column", [*RATES, *STATES])
def test_every_quantity_that_a_chart_shows_has_a_pen_that_plotly_knows(column: str) -> None:
    assert re.fullmatch(r"#[0-9a-f]{6}", PENS[column].color)
    assert PENS[column].dash in {"solid", "dot", "dash", "longdash", "dashdot", "longdashdot"}


def test_what_is_injected_never_has_the_line_of_what_is_produced() -> None:
    for produced, injected in (("water_sm3", "injected_water_sm3"), ("gas_sm3", "injected_gas_sm3")):
        assert PENS[produced].color == PENS[injected].color
        assert PENS[produced].dash != PENS[injected].dash


def panel(theme: str, name: str) -> str:
    """A colour that the style sheet gives a theme."""
    rules = (ASSETS / "wellstream.css").read_text()
    opening = ":root {" if theme == "light" else f':root[data-theme="{theme}"] {{'
    found = re.search(rf"--{name}: (#[0-9a-f]{{6}});", rules[rules.index(opening) :])
    assert found is not None
    return found[1]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_words_of_charts_and_tiles_are_easily_read_on_their_panels(theme: str) -> None:
    for name in ("chart-text", "text", "muted", "stale"):
        assert contrast(panel(theme, name), panel(theme, "panel")) >= 4.5, name


@pytest.mark.parametrize("color", sorted({*WELL_HUES, *(pen.color for pen in PENS.values()), SUSPECT}))
def test_every_line_is_told_from_both_panels(color: str) -> None:
    assert contrast(color, panel("dark", "panel")) >= 3
    assert contrast(color, panel("light", "panel")) >= 3


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours as WCAG 2 defines it, 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(color: str) -> float:
    """Relative luminance of an sRGB colour, 0 to 1."""
    shares = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return sum(weight * share for weight, share in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_layouts_and_axes_are_not_shared_between_figures() -> None:
    first = layout()
    first["margin"] = None
    assert layout()["margin"] is not None
    assert axis("Oil") is not axis("Oil")


def test_an_axis_and_a_layout_take_what_is_given_over_the_house_style() -> None:
    assert axis("Oil", automargin=False)["automargin"] is False
    assert layout(uirevision="mine")["uirevision"] == "mine"
    assert layout()["paper_bgcolor"] == "rgba(0,0,0,0)"
