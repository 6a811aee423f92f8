"""What an address shows when there is no such page and when storage does not answer."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from dashboard.pages import page
from storage.database import engine_for
from tests.unit.dashboard.layouts import links, said


@pytest.fixture
def nowhere() -> Iterator[Engine]:
    """An engine whose PostgreSQL is not there."""
    engine = engine_for("postgresql+psycopg://nobody@127.0.0.1:1/none")
    yield engine
    engine.dispose()


@pytest.mark.parametrize("path", ["/nowhere", "/fields", "/fields/a/b", "/wells/", "/wells/demo%20x", "/fields/../x"])
def test_an_unknown_path_is_named_and_leads_back(nowhere: Engine, path: str) -> None:
    shown = page(nowhere, path)
    assert shown.title.startswith("Not found")
    assert path in said(shown.content)
    assert links(shown.content) == ["/"]


@pytest.mark.parametrize("path", ["/", "/fields/demo", "/fields/demo/", "/wells/demo.a"])
def test_while_storage_is_down_the_page_says_so_and_tries_again_by_itself(nowhere: Engine, path: str) -> None:
    shown = page(nowhere, path)
    assert "Waiting for the database" in said(shown.content)
    assert "PostgreSQL does not answer" in said(shown.content)
    assert "try-again" in said(shown.content)
    assert "Traceback" not in said(shown.content)
