"""What stands in a layout: its ids, its words, and what the browser is told."""

import json
from collections.abc import Iterator
from typing import Any

from dash import dcc
from dash.development.base_component import Component
from plotly.utils import PlotlyJSONEncoder


def parts_of(component: Component) -> Iterator[Component]:
    """The component and all inside it."""
    yield component
    yield from (part for part in component._traverse() if isinstance(part, Component))


def ids(component: Component) -> list[str]:
    """The ids that are plain text, in the order of the page."""
    return [part.id for part in parts_of(component) if isinstance(getattr(part, "id", None), str)]


def said(component: Component) -> str:
    """The layout as the browser gets it."""
    return json.dumps(component, cls=PlotlyJSONEncoder, ensure_ascii=False)


def links(component: Component) -> list[str]:
    """Where its links lead."""
    return [part.href for part in parts_of(component) if isinstance(part, dcc.Link)]


def graphs(component: Component) -> dict[str, Any]:
    """The figures by the ids of their graphs."""
    return {part.id: part.figure for part in parts_of(component) if isinstance(part, dcc.Graph)}


def told(component: Component) -> dict[str, Any]:
    """What makes the page live."""
    (element,) = (part for part in parts_of(component) if getattr(part, "id", None) == "live-page")
    found: dict[str, Any] = json.loads(element.to_plotly_json()["props"]["data-live"])
    return found
