"""A field: its numbers, its wells ranked live, live rates and daily history by well."""

from dash import dcc, html
from dash.development.base_component import Component
from sqlalchemy import Engine

from dashboard import parts, queries
from dashboard.figures.charts import live_by_well, stacked_oil

TILES = ("oil", "gas", "water", "injection", "cut", "gor", "flowing", "reporting", "uptime")


def page(engine: Engine, field_id: str) -> tuple[str, Component]:
    """Title and content.

    Raises:
        NotFound: there is no such field.
        StorageDown: PostgreSQL does not answer.
    """
    snapshot = queries.field(engine, field_id)
    field, wells = snapshot.field, snapshot.wells
    charts = [live_by_well(field, wells, snapshot.live)] if snapshot.live.height else []
    charts += [stacked_oil(field, wells, snapshot.daily)] if snapshot.daily.height else []
    told = parts.tile_descriptions(TILES, field.id, field=field.id, well=None)
    ranking = html.Section([html.H2("Wells by oil rate"), parts.wells_table(snapshot, ranked=True)], className="card")
    content = html.Div(
        [
            html.Nav(
                [dcc.Link("Portfolio", href="/"), html.Span(field.name)],
                className="crumbs",
                **parts.attributes(aria_label="Breadcrumb"),
            ),
            parts.field_head(snapshot, html.H1(field.name)),
            parts.tiles(TILES, field.id),
            html.Div([*(parts.card(chart) for chart in charts[:1]), ranking], className="columns ranked"),
            *(parts.card(chart, size="tall") for chart in charts[1:]),
            parts.live([snapshot], charts, told, ranking=f"wells-{field.id}"),
        ]
    )
    return field.name, content
