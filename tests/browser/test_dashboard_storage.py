"""Pages while PostgreSQL is away: open ones say that they are stale, new ones wait, and all heal by themselves."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine, make_url, text

from tests.browser.conftest import Stack, Tab

Open = Callable[..., Tab]
Away = Callable[[], AbstractContextManager[None]]
TOPIC = "field/demo"


@pytest.fixture
def away(template: tuple[Engine, str], database_url: str) -> Away:
    """A context in which nobody can speak with the test's database."""
    admin, _ = template
    name = make_url(database_url).database

    @contextmanager
    def refused() -> Iterator[None]:
        with admin.connect() as connection:
            connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
            connection.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"), {"name": name}
            )
        try:
            yield
        finally:
            with admin.connect() as connection:
                connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))

    return refused


def test_an_open_page_says_that_it_is_stale_and_goes_on_by_itself(stack: Stack, tab: Open, away: Away) -> None:
    field = tab("/fields/demo")
    field.until_state("live")
    with away():
        field.until_state("stale", seconds=20)
        expect(field.page.locator("#connection")).to_contain_text("Stale since")
        assert field.page.locator("#live-page").count() == 1
    field.until_state("live", seconds=30)
    field.until_position(TOPIC, stack.feed(3), seconds=30)


def test_a_new_page_waits_and_appears_by_itself(stack: Stack, tab: Open, away: Away) -> None:
    one = tab("/")
    with away():
        one.page.goto(f"{stack.url}/fields/demo")
        expect(one.page.get_by_role("heading", name="Waiting for the database")).to_be_visible(timeout=20_000)
        expect(one.page.get_by_role("alert")).to_contain_text("PostgreSQL does not answer")
        expect(one.page).to_have_title("Waiting – Wellstream")
    one.page.wait_for_selector("#live-demo .js-plotly-plot", timeout=30_000)
    expect(one.page).to_have_title("Demonstration field – Wellstream")
    one.until_state("live", seconds=30)
