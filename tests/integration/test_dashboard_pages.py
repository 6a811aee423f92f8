"""Pages over real servers: what every address shows, and how it reaches a browser."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, make_url, text

from dashboard.app import ASSETS
from dashboard.pages import page
from storage import records, wells
from storage.database import writing
from storage.domain.well import Well
from tests.records import frame, known_field
from tests.services import Services
from tests.unit.dashboard.layouts import graphs, ids, links, said, told

DAY_S = 86_400
Start = Callable[..., Services]
Away = Callable[[], AbstractContextManager[None]]
ROUTES = ["/", "/fields/demo", "/wells/demo.a", "/wells/demo.i", "/wells/demo.silent"]


@pytest.fixture
def produced(engine: Engine) -> Engine:
    """A field of a producer, an injector and a well without records: three days and two live records each."""
    known_field(engine, names=("a", "silent"))
    with writing(engine) as connection:
        wells.add_wells(connection, [Well("demo.i", "I", "injector")])
        days = [(well, DAY_S * day, oil) for well, oil in (("demo.a", 10.0), ("demo.i", 0.0)) for day in range(3)]
        lives = [(well, 5 * DAY_S + 5 * number, oil) for well, oil, number in (("demo.a", 0.1, 0), ("demo.i", 0.0, 1))]
        given = {"wellhead_pressure_bar": 80.0, "injected_water_sm3": 0.0}
        records.write(connection, frame(*days, resolution="daily", **given), datetime.now(UTC))
        records.write(connection, frame(*lives, **given | {"injected_water_sm3": 2.0}), datetime.now(UTC))
    return engine


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


def written_to(description: dict[str, Any]) -> set[str]:
    """The ids that the browser looks for on the page."""
    named = {part["id"] for kind in ("charts", "tiles") for part in description[kind]}
    return named | ({description["ranking"]["table"]} if description["ranking"] else set())


@pytest.mark.parametrize("path", ROUTES)
def test_what_a_page_tells_the_browser_of_stands_on_it_once(produced: Engine, path: str) -> None:
    shown = page(produced, path)
    on_page = ids(shown.content)
    assert len(on_page) == len(set(on_page))
    assert written_to(told(shown.content)) <= set(on_page)
    for chart in told(shown.content)["charts"]:
        drawn = graphs(shown.content)[chart["id"]]["data"]
        assert [trace["index"] for trace in chart["traces"]] == list(range(len(drawn)))


@pytest.mark.parametrize("path", ROUTES)
def test_every_page_goes_on_from_its_fields_position(produced: Engine, path: str) -> None:
    topics = told(page(produced, path).content)["topics"]
    assert {topic: position["offset"] for topic, position in topics.items()} == {"field/demo": 2}


@pytest.mark.parametrize(
    ("path", "title", "charts"),
    [
        ("/", "Overview", ["live-demo", "daily-demo"]),
        ("/fields/demo", "Demo", ["live-demo", "stacked-demo"]),
        ("/fields/demo/", "Demo", ["live-demo", "stacked-demo"]),
        ("/wells/demo.a", "A", ["rates-live", "states-live", "rates-daily", "states-daily"]),
        ("/wells/demo.silent", "SILENT", []),
    ],
)
def test_an_address_shows_its_title_and_its_charts(produced: Engine, path: str, title: str, charts: list[str]) -> None:
    shown = page(produced, path)
    assert shown.title == f"{title} – Wellstream"
    assert list(graphs(shown.content)) == charts


def test_each_page_leads_to_the_others(produced: Engine) -> None:
    every_well = ["/wells/demo.a", "/wells/demo.i", "/wells/demo.silent"]
    assert links(page(produced, "/").content) == ["/fields/demo", *every_well]
    assert links(page(produced, "/fields/demo").content) == ["/", *every_well]
    assert links(page(produced, "/wells/demo.i").content) == ["/", "/fields/demo"]


def test_an_injectors_page_shows_injection_and_not_oil(produced: Engine) -> None:
    shown = page(produced, "/wells/demo.i").content
    assert "tile-well-injection" in ids(shown)
    assert "tile-well-oil" not in ids(shown)
    lines = [trace["name"] for trace in graphs(shown)["rates-live"]["data"] if trace["mode"] == "lines"]
    assert lines == ["Injected water"]


def test_a_well_that_has_not_reported_says_so_and_still_listens(produced: Engine) -> None:
    shown = page(produced, "/wells/demo.silent").content
    assert "This well has not reported" in said(shown)
    assert [one["well"] for one in told(shown)["latest"]] == ["demo.silent"]


def test_one_field_is_summed_once_and_several_each_for_itself(produced: Engine) -> None:
    alone = ids(page(produced, "/").content)
    assert "tile-all-oil" in alone
    assert "tile-demo-oil" not in alone
    known_field(produced, "other")
    together = page(produced, "/").content
    assert {"tile-all-oil", "tile-demo-oil", "tile-other-oil"} <= set(ids(together))
    assert set(told(together)["topics"]) == {"field/demo", "field/other"}
    assert "No record came in yet" in said(together)
    assert len(ids(together)) == len(set(ids(together)))
    assert written_to(told(together)) <= set(ids(together))


@pytest.mark.parametrize("path", ["/fields/demo", "/wells/demo.a"])
def test_a_page_of_a_field_without_records_is_ready_for_the_first(engine: Engine, path: str) -> None:
    known_field(engine)
    shown = page(engine, path).content
    assert graphs(shown) == {}
    assert told(shown)["topics"]["field/demo"]["offset"] == 0
    assert written_to(told(shown)) <= set(ids(shown))


def test_before_the_first_field_the_overview_says_how_to_begin_and_looks_again(engine: Engine) -> None:
    shown = page(engine, "/")
    assert shown.title == "Overview – Wellstream"
    assert "wellstream simulate" in said(shown.content)
    assert "try-again" in said(shown.content)
    known_field(engine)
    assert "tile-all-oil" in ids(page(engine, "/").content)


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("/fields/nowhere", "There is no field 'nowhere'."),
        ("/wells/nowhere.a", "There is no field 'nowhere'."),
        ("/wells/demo.z", "There is no well 'demo.z'."),
        ("/wells/demo", "There is no well 'demo'."),
        ("/nothing/here", "There is no page '/nothing/here'."),
    ],
)
def test_what_is_not_there_is_named_and_leads_back(produced: Engine, path: str, what: str) -> None:
    shown = page(produced, path)
    assert shown.title == "Not found – Wellstream"
    assert what in said(shown.content)
    assert links(shown.content) == ["/"]
    assert "live-page" not in ids(shown.content)


@pytest.mark.parametrize("path", ROUTES)
def test_a_page_waits_while_postgresql_is_away_and_is_there_again_after(
    produced: Engine, away: Away, path: str
) -> None:
    before = told(page(produced, path).content)
    with away():
        waiting = page(produced, path)
        assert waiting.title == "Waiting – Wellstream"
        assert "PostgreSQL does not answer" in said(waiting.content)
        assert "try-again" in said(waiting.content)
        assert "live-page" not in ids(waiting.content)
    assert told(page(produced, path).content) == before


@pytest.fixture
def http(services: Start, produced: Engine) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=services("dashboard").url, timeout=20) as client:
        yield client


def callback(http: httpx.Client, part: str) -> dict[str, Any]:
    """The callback that has an input of such an id."""
    kept = http.get("/_dash-dependencies").json()
    (found,) = (one for one in kept if one["clientside_function"] is None and part in one["inputs"][0]["id"])
    assert isinstance(found, dict)
    return found


def asked(http: httpx.Client, path: str) -> dict[str, Any]:
    """What a browser that came to a path gets for the page."""
    answer = http.post(
        "/_dash-update-component",
        json={
            "output": callback(http, "address")["output"],
            "outputs": [{"id": "content", "property": "children"}, {"id": "title", "property": "data"}],
            "inputs": [
                {"id": "address", "property": "pathname", "value": path},
                {"id": "reload", "property": "n_events"},
            ],
            "changedPropIds": ["address.pathname"],
        },
    )
    assert answer.status_code == 200, answer.text
    found = answer.json()["response"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("path", ["/", "/fields/demo", "/wells/demo.a", "/wells/demo.a?x=1", "/nothing/here"])
def test_the_very_first_request_brings_the_whole_program_whatever_its_path(http: httpx.Client, path: str) -> None:
    answer = http.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    for name in ("live_page.mjs", "theme.mjs", "wellstream.css"):
        assert f"/assets/{name}" in answer.text
    assert answer.text.count('type="module"') == 2
    assert "dash_renderer" in answer.text
    assert "dash_extensions" in answer.text


def test_nothing_that_a_page_loads_comes_from_elsewhere(http: httpx.Client) -> None:
    html = http.get("/").text
    assert 'src="http' not in html
    assert 'href="http' not in html
    assert 'src="//' not in html


def test_modules_are_served_as_javascript_and_asked_for_anew(http: httpx.Client) -> None:
    modules = sorted(ASSETS.glob("*.mjs"))
    assert "live_page.mjs" in [one.name for one in modules]
    for one in modules:
        answer = http.get(f"/assets/{one.name}")
        assert answer.status_code == 200
        assert answer.headers["content-type"].split(";")[0] in ("text/javascript", "application/javascript")
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.text == one.read_text()


def test_the_style_sheet_is_served_and_an_asset_that_is_not_there_is_not_found(http: httpx.Client) -> None:
    assert http.get("/assets/wellstream.css").headers["content-type"].startswith("text/css")
    assert http.get("/assets/nothing.mjs").status_code == 404


def test_the_content_callback_answers_with_the_page(http: httpx.Client, produced: Engine) -> None:
    for path in ROUTES:
        shown = page(produced, path)
        answered = asked(http, path)
        assert answered["title"]["data"] == shown.title
        assert answered["content"]["children"] == json.loads(said(shown.content))


def test_the_content_callback_answers_for_what_is_not_there(http: httpx.Client) -> None:
    assert asked(http, "/wells/demo.z")["title"]["data"] == "Not found – Wellstream"
    assert asked(http, "/../etc/passwd")["title"]["data"] == "Not found – Wellstream"


def test_the_content_callback_answers_while_postgresql_is_away(http: httpx.Client, away: Away) -> None:
    with away():
        assert asked(http, "/fields/demo")["title"]["data"] == "Waiting – Wellstream"
    assert asked(http, "/fields/demo")["title"]["data"] == "Demo – Wellstream"


def test_a_waiting_page_that_tries_again_gets_the_page_and_one_that_just_came_nothing(http: httpx.Client) -> None:
    known = callback(http, "try-again")
    outputs = [
        dict(zip(("id", "property"), one.rsplit(".", 1), strict=True)) for one in known["output"][2:-2].split("...")
    ]

    def tried(times: int) -> httpx.Response:
        timer = {"id": {"kind": "try-again", "index": 0}, "property": "n_intervals", "value": times}
        state = [{"id": "address", "property": "pathname", "value": "/fields/demo"}]
        changed = ['{"index":0,"kind":"try-again"}.n_intervals']
        body = {"output": known["output"], "outputs": outputs, "inputs": [[timer]], "state": state}
        return http.post("/_dash-update-component", json=body | {"changedPropIds": changed})

    assert tried(0).json()["response"] == {}
    answered = tried(1).json()["response"]
    assert answered["title"]["data"] == "Demo – Wellstream"
    assert "live-page" in json.dumps(answered["content"])
