"""The overview: the portfolio's numbers, then each field with its production and its wells."""

from dash import dcc, html
from dash.development.base_component import Component
from sqlalchemy import Engine

from dashboard import parts, queries
from dashboard.figures.charts import daily_totals, live_by_well
from dashboard.figures.series import Chart
from dashboard.queries import FieldSnapshot

PORTFOLIO_TILES = ("oil", "gas", "water", "equivalent", "cut", "flowing", "reporting")
FIELD_TILES = ("oil", "gas", "water", "cut", "flowing", "uptime")


def page(engine: Engine) -> tuple[str, Component]:
    """Title and content.

    Raises:
        StorageDown: PostgreSQL does not answer.
    """
    snapshots = queries.portfolio(engine)
    return "Overview", _content(snapshots) if snapshots else _nothing_yet()


def _content(snapshots: list[FieldSnapshot]) -> Component:
    charts = {one.field.id: _charts(one) for one in snapshots}
    told = parts.tile_descriptions(PORTFOLIO_TILES, "all", field=None, well=None)
    for one in snapshots:
        told += parts.tile_descriptions(FIELD_TILES, one.field.id, field=one.field.id, well=None)
    several = len(snapshots) > 1
    return html.Div(
        [
            html.H1("Portfolio" if several else "Overview", className="title"),
            parts.tiles(PORTFOLIO_TILES, "all"),
            *(section for one in snapshots for section in _field(one, charts[one.field.id], several=several)),
            parts.live(
                snapshots,
                [chart for some in charts.values() for chart in some],
                told if several else told[: len(PORTFOLIO_TILES)],
            ),
        ]
    )


def _charts(snapshot: FieldSnapshot) -> list[Chart]:
    live = [live_by_well(snapshot.field, snapshot.wells, snapshot.live)] if snapshot.live.height else []
    return live + ([daily_totals(snapshot.field, snapshot.daily)] if snapshot.daily.height else [])


def _field(snapshot: FieldSnapshot, charts: list[Chart], *, several: bool) -> list[Component]:
    field = snapshot.field
    name = html.H2(dcc.Link(field.name, href=f"/fields/{field.id}"))
    return [
        parts.field_head(snapshot, name),
        *([parts.tiles(FIELD_TILES, field.id)] if several else []),
        html.Div(
            [
                *([parts.card(chart) for chart in charts] or [_no_records()]),
                html.Section([html.H2("Wells"), parts.wells_table(snapshot, ranked=False)], className="card wide"),
            ],
            className="columns",
        ),
    ]


def _no_records() -> Component:
    return html.Section([html.H2("Production"), html.P("No record came in yet.")], className="card")


def _nothing_yet() -> Component:
    return html.Div(
        [
            html.H1("No field yet"),
            html.P("Records appear here as soon as they come in. To see it move, start the demonstration field:"),
            html.Pre("wellstream simulate"),
            html.P("or load a file:"),
            html.Pre("wellstream load volve FILE"),
            dcc.Interval(id={"kind": "try-again", "index": 0}, interval=3_000, n_intervals=0),
        ],
        className="notice",
    )
