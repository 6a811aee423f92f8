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
    "oil_sm3": Pen("#4f9d6e", "solid"),
    "gas_sm3": Pen("#c0665c", "dash"),
    "water_sm3": Pen("#5a8fc4", "dot"),
    "injected_water_sm3": Pen("#5a8fc4", "dashdot"),
    "injected_gas_sm3": Pen("#c0665c", "dashdot"),
    "wellhead_pressure_bar": Pen("#a98bc9", "solid"),
    "downhole_pressure_bar": Pen("#8a93a0", "dash"),
    "annulus_pressure_bar": Pen("#b59a5b", "dot"),
    "wellhead_temperature_degc": Pen("#c98a5a", "solid"),
    "downhole_temperature_degc": Pen("#a06a4a", "dash"),
    "choke_pct": Pen("#7f9a9a", "solid"),
}

WELL_HUES: Final = ("#4f9d6e", "#5a8fc4", "#c98a5a", "#a98bc9", "#8a93a0", "#b59a5b", "#c0665c", "#5aa3a0")
WELL_DASHES: Final = ("solid", "dash", "dot", "dashdot")

SUSPECT: Final = "#b58a2a"
NEUTRAL_TEXT: Final = "#87909a"
NEUTRAL_GRID: Final = "rgba(135,144,154,0.22)"


def well_pen(number: int) -> Pen:
    """The pen of the n-th well of a field: hues first, then another dash."""
    hue, dash = number % len(WELL_HUES), number // len(WELL_HUES) % len(WELL_DASHES)
    return Pen(WELL_HUES[hue], WELL_DASHES[dash])


def axis(title: str, **given: object) -> dict[str, object]:
    """An axis in the house style."""
    return {
        "title": {"text": title, "standoff": 8},
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
