"""A well: its newest numbers, live rates and states, and its daily history."""

import polars as pl
from dash import dcc, html
from dash.development.base_component import Component
from sqlalchemy import Engine

from dashboard import parts, queries
from dashboard.figures.charts import STATES, rates, states
from dashboard.figures.series import Chart
from storage.domain.record import Resolution
from storage.domain.well import Field, Well

PRODUCER_TILES = ("oil", "gas", "water", "cut", "gor", "whp", "dhp", "wht", "choke", "uptime")
INJECTOR_TILES = ("injection", "whp", "dhp", "wht", "choke", "uptime")


def page(engine: Engine, well_id: str) -> tuple[str, Component]:
    """Title and content.

    Raises:
        NotFound: there is no such well.
        StorageDown: PostgreSQL does not answer.
    """
    snapshot = queries.well(engine, well_id)
    field, well = snapshot.field, snapshot.wells[0]
    charts = [
        *_charts(field, well, snapshot.live, Resolution.LIVE),
        *_charts(field, well, snapshot.daily, Resolution.DAILY),
    ]
    names = INJECTOR_TILES if well.purpose == "injector" else PRODUCER_TILES
    told = parts.tile_descriptions(names, "well", field=field.id, well=well.id)
    crumbs = [dcc.Link("Portfolio", href="/"), dcc.Link(field.name, href=f"/fields/{field.id}"), html.Span(well.name)]
    content = html.Div(
        [
            html.Nav(crumbs, className="crumbs", **parts.attributes(aria_label="Breadcrumb")),
            parts.field_head(snapshot, html.H1([well.name, html.Span(well.purpose, className="unit")])),
            parts.tiles(names, "well"),
            html.Div([parts.card(chart, size="well") for chart in charts], className="columns")
            if charts
            else _no_records(),
            parts.live([snapshot], charts, told, whole=False),
        ]
    )
    return well.name, content


def _charts(field: Field, well: Well, frame: pl.DataFrame, resolution: Resolution) -> list[Chart]:
    if frame.is_empty():
        return []
    has_states = any(frame[column].count() for column in STATES)
    return [rates(field, well, frame, resolution), *([states(field, well, frame, resolution)] if has_states else [])]


def _no_records() -> Component:
    return html.Section([html.H2("No records yet"), html.P("This well has not reported.")], className="card")
