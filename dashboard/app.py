"""The dashboard as part of an ASGI program: the shell around the pages, and the callbacks that answer people."""

import asyncio
from pathlib import Path
from typing import Any, Final

from dash import ALL, Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component
from dash_extensions import EventListener
from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.pages import Page, page

ASSETS: Final = Path(__file__).parent / "assets"
_ENTRIES: Final = r"^(?!(?:live_page|theme)\.mjs$).*\.mjs$"
"""Modules that are loaded because another imports them, not by a script element of their own."""

_INDEX: Final = """<!DOCTYPE html>
<html lang="en">
    <head>
        {%metas%}
        <title>{%title%}</title>
        {%favicon%}
        <script>
            const kept = localStorage.getItem("wellstream-theme");
            const dark = matchMedia("(prefers-color-scheme: dark)").matches;
            document.documentElement.dataset.theme = kept ?? (dark ? "dark" : "light");
        </script>
        {%css%}
    </head>
    <body>
        {%app_entry%}
        <footer>
            {%config%}
            {%scripts%}
            {%renderer%}
        </footer>
    </body>
</html>"""


def mount(server: FastAPI, engine: Engine) -> Dash:
    """Put the dashboard on a FastAPI program, whose other routes must be there already: pages answer all other paths.

    Live records never pass a callback: one callback makes a page's content with its snapshot, when a person goes there,
    when the browser was told to load it anew, and while storage was away.
    """
    app = Dash(
        "wellstream",
        server=server,  # type: ignore[arg-type]
        assets_folder=str(ASSETS),
        assets_ignore=_ENTRIES,
        index_string=_INDEX,
        title="Wellstream",
        update_title=None,  # type: ignore[arg-type]
        suppress_callback_exceptions=True,
        meta_tags=[
            {"name": "viewport", "content": "width=device-width, initial-scale=1"},
            {"name": "color-scheme", "content": "dark light"},
        ],
    )
    app.backend.websocket_capability = False  # pages have no socket but ours
    app.layout = _shell()
    _answer(app, engine)
    server.add_middleware(_RevalidatedAssets)
    app._setup_server()  # type: ignore[no-untyped-call]  # noqa: SLF001  # Dash does this with the first request for "/"; ours may be for any page
    return app


class _RevalidatedAssets:
    """Modules import each other by plain names: without this a browser may mix those of two versions."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/assets/"):
            await self._app(scope, receive, send)
            return

        async def revalidated(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Cache-Control"] = "no-cache"
            await send(message)

        await self._app(scope, receive, revalidated)


def _shell() -> Component:
    return html.Div(
        [
            dcc.Location(id="address"),
            dcc.Store(id="title"),
            EventListener(id="reload", events=[{"event": "wellstream-reload", "props": ["detail.n"]}]),
            html.A("To the content", href="#content", className="skip"),
            html.Header(
                [
                    dcc.Link("Wellstream", href="/", className="brand"),
                    html.P(["", ""], id="connection", role="status", **_LIVE_REGION),
                    html.Button("Theme", id="theme-toggle", type="button", title="dark or light"),
                ],
                className="top",
            ),
            html.Main(html.Div("Loading", className="notice"), id="content", tabIndex=-1),
        ],
        className="shell",
    )


def _answer(app: Dash, engine: Engine) -> None:
    @app.callback(
        Output("content", "children"),
        Output("title", "data"),
        Input("address", "pathname"),
        Input("reload", "n_events"),
    )
    async def show(path: str | None, _reloads: int | None) -> tuple[Component, str]:
        shown = await asyncio.to_thread(page, engine, path or "/")
        return shown.content, shown.title

    @app.callback(
        Output("content", "children", allow_duplicate=True),
        Output("title", "data", allow_duplicate=True),
        Input({"kind": "try-again", "index": ALL}, "n_intervals"),
        State("address", "pathname"),
        prevent_initial_call=True,
    )
    async def try_again(times: list[int], path: str) -> Any:
        if not any(times):
            return no_update, no_update  # the timer has only just come with its page
        shown: Page = await asyncio.to_thread(page, engine, path)
        return shown.content, shown.title

    app.clientside_callback(  # type: ignore[no-untyped-call]
        "function(title) { document.title = title || 'Wellstream'; return window.dash_clientside.no_update; }",
        Output("title", "modified_timestamp"),
        Input("title", "data"),
    )


_LIVE_REGION: Final[dict[str, Any]] = {"aria-live": "polite", "data-state": "offline"}
