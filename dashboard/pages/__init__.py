"""The pages: which address shows which, and what is shown when it cannot be."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from dash import dcc, html
from dash.development.base_component import Component
from sqlalchemy import Engine

from dashboard.pages import field, overview, well
from storage.domain.errors import NotFound, StorageDown, WellstreamError


@dataclass(frozen=True, slots=True)
class Page:
    """What an address shows: the document's title and the content."""

    title: str
    content: Component


_ROUTES: Final[list[tuple[re.Pattern[str], Callable[..., tuple[str, Component]]]]] = [
    (re.compile(r"/"), overview.page),
    (re.compile(r"/fields/([a-z0-9-]+)"), field.page),
    (re.compile(r"/wells/([a-z0-9.-]+)"), well.page),
]


def page(engine: Engine, path: str) -> Page:
    """The page at a path; an explanation where there is none or storage does not answer."""
    for pattern, make in _ROUTES:
        if (found := pattern.fullmatch(path.rstrip("/") or "/")) is not None:
            try:
                title, content = make(engine, *found.groups())
            except NotFound as error:
                return _missing(str(error))
            except StorageDown as error:
                return _waiting(error)
            return Page(f"{title} – Wellstream", content)
    return _missing(f"there is no page {path!r}")


def _missing(what: str) -> Page:
    content = html.Div(
        [html.H1("Not found"), html.P(f"{what[0].upper()}{what[1:]}."), dcc.Link("To the overview", href="/")],
        className="notice",
    )
    return Page("Not found – Wellstream", content)


def _waiting(error: WellstreamError) -> Page:
    content = html.Div(
        [
            html.H1("Waiting for the database"),
            html.P(f"{error}. Nothing is lost: what sources send is kept until it can be stored."),
            html.P("This page tries again every few seconds by itself."),
            dcc.Interval(id={"kind": "try-again", "index": 0}, interval=3_000, n_intervals=0),
        ],
        className="notice",
        role="alert",
    )
    return Page("Waiting – Wellstream", content)
