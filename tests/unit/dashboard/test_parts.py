"""The parts of pages, and the description that makes them live."""

import json
from typing import Any

from dash.development.base_component import Component

from dashboard import parts
from dashboard.figures.charts import rates
from dashboard.queries import FieldSnapshot
from storage.domain.position import Position
from storage.domain.record import Resolution
from tests.unit.dashboard.frames import FIELD, T0, WELLS, records

DAILY = records({"oil_sm3": 5.0, "water_sm3": None})
SNAPSHOT = FieldSnapshot(FIELD, WELLS, Position("e1", 42), DAILY, DAILY.clear(), DAILY)


def told(**options: Any) -> dict[str, Any]:
    chart = rates(FIELD, WELLS[0], DAILY, Resolution.DAILY)
    tiles = parts.tile_descriptions(parts.TILES, "all", field=None, well=None)
    element = parts.live([SNAPSHOT], [chart], tiles, **options).to_plotly_json()
    found: dict[str, Any] = json.loads(element["props"]["data-live"])
    return found


def ids(component: Component) -> list[str]:
    return [one.id for one in [component, *component._traverse()] if isinstance(getattr(one, "id", None), str)]


def test_the_page_goes_on_from_the_position_that_its_rows_were_read_at() -> None:
    assert told()["topics"] == {"field/demo": {"epoch": "e1", "offset": 42}}


def test_every_well_is_told_with_its_newest_record_or_without_one() -> None:
    first, second, injector = told()["latest"]
    assert first["well"] == "demo.a"
    assert first["start"] == round(T0.timestamp() * 1000)
    assert first["oil_sm3"] == 5.0
    assert first["water_sm3"] is None
    assert "start" not in second
    assert injector["purpose"] == "injector"


def test_what_the_browser_writes_to_stands_on_the_page() -> None:
    description = told(ranking="wells-demo")
    table = ids(parts.wells_table(SNAPSHOT, ranked=True))
    assert description["ranking"]["table"] in table
    assert {row["id"] for row in description["rows"]} <= set(table)
    tiles = ids(parts.tiles(parts.TILES, "all"))
    assert [tile["id"] for tile in description["tiles"]] == [one for one in tiles if one.startswith("tile-")]
    assert description["fields"][0]["id"] in ids(parts.field_head(SNAPSHOT, parts.html.H1("Demo")))
    assert description["charts"][0]["id"] in ids(parts.card(rates(FIELD, WELLS[0], DAILY, Resolution.DAILY)))


def test_a_field_says_its_clock_and_its_production_day() -> None:
    head = json.dumps(parts.field_head(SNAPSHOT, parts.html.H1("Demo")).to_plotly_json(), default=str)
    assert "production day from 06:00, Europe/Oslo" in head


def test_before_the_browser_fills_it_a_number_is_a_dash_and_not_a_zero() -> None:
    tile = parts.tile("oil", "all").to_plotly_json()
    assert tile["props"]["data-state"] == "none"
    assert "–" in json.dumps(tile, default=str, ensure_ascii=False)
