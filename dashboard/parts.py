"""The parts that pages are made of: tiles, charts, tables of wells, and the description that makes them live."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

import polars as pl
from dash import dcc, html
from dash.development.base_component import Component

from dashboard.figures.series import Chart
from dashboard.queries import FieldSnapshot
from storage.domain.record import QUANTITY_COLUMNS
from storage.domain.well import Well

TILES: Final[dict[str, tuple[str, str, dict[str, object]]]] = {
    "oil": ("Oil", "Sm³/d", {"kind": "rate", "column": "oil_sm3", "digits": 0}),
    "gas": ("Gas", "Sm³/d", {"kind": "rate", "column": "gas_sm3", "digits": 0}),
    "water": ("Water", "Sm³/d", {"kind": "rate", "column": "water_sm3", "digits": 0}),
    "injection": ("Water injection", "Sm³/d", {"kind": "rate", "column": "injected_water_sm3", "digits": 0}),
    "equivalent": ("Oil equivalent", "Sm³ o.e./d", {"kind": "boe", "digits": 0}),
    "cut": ("Water cut", "%", {"kind": "water_cut", "digits": 1}),
    "gor": ("GOR", "Sm³/Sm³", {"kind": "gor", "digits": 0}),
    "flowing": ("On stream", "wells", {"kind": "on_stream"}),
    "reporting": ("Reporting", "wells", {"kind": "reporting"}),
    "uptime": ("Uptime", "%", {"kind": "uptime", "digits": 0}),
    "whp": ("Wellhead pressure", "bar", {"kind": "value", "column": "wellhead_pressure_bar", "digits": 1}),
    "dhp": ("Downhole pressure", "bar", {"kind": "value", "column": "downhole_pressure_bar", "digits": 1}),
    "wht": ("Wellhead temp.", "°C", {"kind": "value", "column": "wellhead_temperature_degc", "digits": 1}),
    "choke": ("Choke", "%", {"kind": "value", "column": "choke_pct", "digits": 1}),
}
"""Every tile there is: label, unit, and how the browser computes it from the newest records."""

COLUMNS: Final = (
    ("oil", "Oil", "Sm³/d"),
    ("gas", "Gas", "Sm³/d"),
    ("water", "Water", "Sm³/d"),
    ("water_cut", "Water cut", "%"),
    ("whp", "WHP", "bar"),
    ("choke", "Choke", "%"),
    ("status", "Status", ""),
    ("verdict", "Verdict", ""),
    ("age", "Measured", "ago"),
)


def tile(name: str, scope: str) -> Component:
    """One number with its unit, age and note; the browser fills it. ``scope`` makes its id unique on the page."""
    label, unit, _ = TILES[name]
    return html.Article(
        [
            html.H3(label),
            html.P("–", className="value", **_part("value")),
            html.Div(
                [html.Span(unit, className="unit"), html.Span("", className="age", **_part("age"))],
                className="unit-line",
            ),
            html.P("", className="note", **_part("note")),
        ],
        id=f"tile-{scope}-{name}",
        className="tile",
        **attributes(data_state="none"),
    )


def tiles(names: Iterable[str], scope: str) -> Component:
    """A row of tiles."""
    return html.Div([tile(name, scope) for name in names], className="tiles")


def tile_descriptions(names: Iterable[str], scope: str, *, field: str | None, well: str | None) -> list[dict[str, Any]]:
    """What the browser is told of a row of tiles."""
    return [
        {"id": f"tile-{scope}-{name}", "field": field, "well": well, "digits": 0, "column": None, **TILES[name][2]}
        for name in names
    ]


def card(chart: Chart, *, size: str = "") -> Component:
    """A chart with its title; ``size`` is a class of the style sheet."""
    return html.Section(
        [
            html.H2([chart.title, html.Span(chart.caption, className="unit")]),
            html.Div(
                dcc.Graph(
                    id=chart.id,
                    figure=chart.figure,
                    responsive=True,
                    config={"displaylogo": False, "modeBarButtonsToRemove": ["lasso2d", "select2d"]},
                ),
                className=f"graph {size}".strip(),
            ),
        ],
        className="card",
    )


def wells_table(snapshot: FieldSnapshot, *, ranked: bool) -> Component:
    """The wells of a field with their newest rates; the browser fills the cells."""
    heads = (
        [html.Th("#", scope="col"), html.Th("", scope="col", className="move", title="moved in the ranking")]
        if ranked
        else []
    )
    heads.append(html.Th("Well", scope="col", className="name"))
    heads += [
        html.Th([label, html.Span(unit, className="unit")], scope="col", **attributes(data_column=part))
        for part, label, unit in COLUMNS
    ]
    body = [_row(well, ranked=ranked) for well in snapshot.wells]
    return html.Div(
        html.Table([html.Thead(html.Tr(heads)), html.Tbody(body, id=f"wells-{snapshot.field.id}")], className="wells"),
        className="scroller",
        tabIndex=0,
        role="region",
        **attributes(aria_label=f"Wells of {snapshot.field.name}"),
    )


def _row(well: Well, *, ranked: bool) -> Component:
    first = [html.Td("", **_part("rank")), html.Td("", className="move", **_part("move"))] if ranked else []
    name = html.Th(dcc.Link(well.name, href=f"/wells/{well.id}"), scope="row")
    cells = [html.Td("–", **_part(part)) for part, _, _ in COLUMNS]
    return html.Tr([*first, name, *cells], id=f"row-{well.id}", **attributes(data_state="none"))


def field_head(snapshot: FieldSnapshot, heading: Component) -> Component:
    """A field's heading with the age of its newest measurement, its clock and its production day."""
    field = snapshot.field
    hours, minutes = divmod(field.day_start_s // 60, 60)
    return html.Div(
        [
            heading,
            html.P("", className="measured", **_part("measured")),
            html.P(f"production day from {hours:02d}:{minutes:02d}, {field.time_zone}", className="unit"),
        ],
        id=f"head-{field.id}",
        className="field-head",
    )


def live(
    snapshots: Sequence[FieldSnapshot],
    charts: Iterable[Chart],
    tile_list: Iterable[dict[str, Any]],
    *,
    ranking: str | None = None,
    whole: bool = True,
) -> Component:
    """The hidden element that tells the browser modules what stands on the page and from which positions to go on.

    ``whole``: the page shows all wells of its fields, so a record of another one is of a new well.
    """
    description = {
        "topics": {
            f"field/{one.field.id}": {"epoch": one.position.epoch, "offset": one.position.offset} for one in snapshots
        },
        "zones": {one.field.id: one.field.time_zone for one in snapshots},
        "latest": [newest for one in snapshots for newest in _newest(one)],
        "charts": [chart.description() for chart in charts],
        "tiles": list(tile_list),
        "rows": [{"id": f"row-{well.id}", "well": well.id} for one in snapshots for well in one.wells],
        "ranking": None if ranking is None else {"table": ranking, "by": "oil_sm3"},
        "fields": [{"id": f"head-{one.field.id}", "field": one.field.id} for one in snapshots],
        "whole": whole,
        "connection": "connection",
    }
    return html.Div(id="live-page", hidden=True, **attributes(data_live=json.dumps(description)))


def _newest(snapshot: FieldSnapshot) -> list[dict[str, Any]]:
    times = [pl.col("start").dt.epoch("ms"), pl.col("received_at").dt.epoch("ms").alias("at")]
    kept = ["seconds", "resolution", *QUANTITY_COLUMNS, "verdict", "quality", "issues", "revision", "source"]
    records = {row["well"]: row for row in snapshot.latest.select("well", *times, *kept).to_dicts()}
    return [
        {
            "well": well.id,
            "name": well.name,
            "field": snapshot.field.id,
            "purpose": well.purpose,
            **records.get(well.id, {}),
        }
        for well in snapshot.wells
    ]


def attributes(**given: str) -> dict[str, Any]:
    """HTML attributes with hyphens in their names: ``data_state`` becomes ``data-state``."""
    return {name.replace("_", "-"): value for name, value in given.items()}


def _part(name: str) -> dict[str, Any]:
    return attributes(data_part=name)
