"""One theme for figures: hues of the fluids, line styles, text and grid that read on both neutrals.

The page's own colours are CSS variables in ``assets/wellstream.css``; the browser's theme module hands them to the
charts when the theme changes.
"""

from dataclasses import dataclass
from typing import Any, Final

Figure = dict[str, Any]
"""A Plotly figure as data: ``data`` and ``layout``."""


@dataclass(frozen=True, slots=True)
class Pen:
    """How a quantity is drawn: a muted hue and a line style, so that colour is never the only sign."""

    color: str
    dash: str


PENS: Final = {
    "oil_sm3": Pen("#4a9367", "solid"),
    "gas_sm3": Pen("#c0665c", "dash"),
    "water_sm3": Pen("#5189c1", "dot"),
    "injected_water_sm3": Pen("#5189c1", "dashdot"),
    "injected_gas_sm3": Pen("#c0665c", "dashdot"),
    "wellhead_pressure_bar": Pen("#9a76bf", "solid"),
    "downhole_pressure_bar": Pen("#7c8695", "dash"),
    "annulus_pressure_bar": Pen("#9c8246", "dot"),
    "wellhead_temperature_degc": Pen("#bb733d", "solid"),
    "downhole_temperature_degc": Pen("#a06a4a", "dash"),
    "choke_pct": Pen("#6d8b8b", "solid"),
}

WELL_HUES: Final = ("#4a9367", "#5189c1", "#bb733d", "#9a76bf", "#7c8695", "#9c8246", "#c0665c", "#4f8f8d")
WELL_DASHES: Final = ("solid", "dash", "dot", "dashdot")

SUSPECT: Final = "#a77f27"
NEUTRAL_TEXT: Final = "#7d8792"
NEUTRAL_GRID: Final = "rgba(135,144,154,0.22)"


def well_pen(number: int) -> Pen:
    """The pen of the n-th well of a field: hues first, then another dash."""
    hue, dash = number % len(WELL_HUES), number // len(WELL_HUES) % len(WELL_DASHES)
    return Pen(WELL_HUES[hue], WELL_DASHES[dash])


def axis(title: str | None, **given: object) -> dict[str, object]:
    """An axis in the house style; None is one that says by itself what it shows."""
    return {
        **({} if title is None else {"title": {"text": title, "standoff": 8}}),
        "gridcolor": NEUTRAL_GRID,
        "zerolinecolor": NEUTRAL_GRID,
        "automargin": True,
        **given,
    }


def layout(**given: object) -> dict[str, object]:
    """A figure's layout in the house style; zoom and pan stay while data arrive."""
    return {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": NEUTRAL_TEXT, "family": "system-ui, sans-serif", "size": 13},
        "margin": {"l": 56, "r": 24, "t": 12, "b": 36},
        "hovermode": "x unified",
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "uirevision": "kept",
        "autosize": True,
        **given,
    }
