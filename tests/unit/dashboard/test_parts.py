"""The parts of pages, and the description that makes them live."""

import json
import re
from typing import Any

import polars as pl
import pytest
from dash import html
from dash.development.base_component import Component

from dashboard import parts
from dashboard.app import ASSETS
from dashboard.figures.charts import rates
from dashboard.queries import FieldSnapshot
from storage.domain.position import Position
from storage.domain.record import KEY_COLUMNS, QUANTITIES, QUANTITY_COLUMNS, TRUST_COLUMNS, Kind, Resolution
from storage.domain.well import Field, Well
from storage.production import KEPT_SCHEMA
from tests.unit.dashboard.frames import FIELD, T0, WELLS, records
from tests.unit.dashboard.layouts import graphs, ids, links, parts_of, said, told

READINGS = (ASSETS / "readings.mjs").read_text()
DAILY = records({"oil_sm3": 5.0, "water_sm3": None})
NONE = pl.DataFrame(schema=KEPT_SCHEMA)
OTHER = FieldSnapshot(
    Field("other", "Other", "America/Chicago", 0), [Well("other.z", "Z")], Position("e1", 7), NONE, NONE, NONE
)
SNAPSHOT = FieldSnapshot(FIELD, WELLS, Position("e1", 42), DAILY, DAILY.clear(), DAILY)


def live_part(**options: Any) -> Component:
    chart = rates(FIELD, WELLS[0], DAILY, Resolution.DAILY)
    tiles = parts.tile_descriptions(parts.TILES, "all", field=None, well=None)
    return parts.live([SNAPSHOT], [chart], tiles, **options)


def test_the_page_goes_on_from_the_position_that_its_rows_were_read_at() -> None:
    assert told(live_part())["topics"] == {"field/demo": {"epoch": "e1", "offset": 42}}


def test_each_field_has_its_own_position_clock_and_heading() -> None:
    description = told(parts.live([SNAPSHOT, OTHER], [], []))
    assert {topic: at["offset"] for topic, at in description["topics"].items()} == {"field/demo": 42, "field/other": 7}
    assert description["zones"] == {"demo": "Europe/Oslo", "other": "America/Chicago"}
    assert description["fields"] == [{"id": "head-demo", "field": "demo"}, {"id": "head-other", "field": "other"}]
    assert [one["well"] for one in description["latest"]] == ["demo.a", "demo.b", "demo.i", "other.z"]
    assert [row["well"] for row in description["rows"]] == ["demo.a", "demo.b", "demo.i", "other.z"]


def test_a_page_without_a_ranking_says_so() -> None:
    assert told(live_part())["ranking"] is None
    assert told(live_part(ranking="wells-demo"))["ranking"] == {"table": "wells-demo", "by": "oil_sm3"}


def test_a_record_is_told_whole_and_its_times_as_milliseconds() -> None:
    newest = told(live_part())["latest"][0]
    assert {*KEY_COLUMNS, *QUANTITY_COLUMNS, *TRUST_COLUMNS, "at", "revision", "source", "name", "purpose"} == set(
        newest
    )
    assert newest["at"] == round(T0.timestamp() * 1000)
    assert newest["issues"] == []
    assert (newest["seconds"], newest["resolution"]) == (86_400, "daily")


def test_a_well_without_records_is_told_by_its_names_alone() -> None:
    assert told(parts.live([OTHER], [], []))["latest"] == [
        {"well": "other.z", "name": "Z", "field": "other", "purpose": "producer"}
    ]


def test_names_with_any_letters_come_through_unharmed() -> None:
    name = 'Åsgård "<script>" & Ø'
    strange = FieldSnapshot(FIELD, [Well("demo.a", name)], Position("e1", 1), NONE, NONE, NONE)
    assert told(parts.live([strange], [], []))["latest"][0]["name"] == name


def test_the_description_is_hidden_and_strict_json() -> None:
    element = live_part().to_plotly_json()["props"]
    assert element["hidden"] is True
    json.loads(element["data-live"], parse_constant=pytest.fail)


@pytest.mark.parametrize("name", parts.TILES)
def test_a_tile_says_its_label_and_unit_and_the_browser_finds_it_by_one_id(name: str) -> None:
    label, unit, _ = parts.TILES[name]
    tile = parts.tile(name, "demo")
    (description,) = parts.tile_descriptions([name], "demo", field="demo", well=None)
    assert ids(tile) == [description["id"]]
    assert label in said(tile)
    assert unit in said(tile)
    column = description["column"]
    kinds = {quantity.column: quantity.kind for quantity in QUANTITIES}
    assert column is None or kinds[column] is (Kind.VOLUME if description["kind"] == "rate" else Kind.STATE)
    assert re.search(rf"""\b{description["kind"]}(: \{{|")""", READINGS), "the browser computes it"


def test_tiles_of_two_scopes_never_share_an_id() -> None:
    both = [*ids(parts.tiles(parts.TILES, "all")), *ids(parts.tiles(parts.TILES, "demo"))]
    assert len(both) == len(set(both)) == 2 * len(parts.TILES)


def test_a_tile_belongs_to_the_field_or_well_that_it_was_made_for() -> None:
    told_of_well = parts.tile_descriptions(["oil", "cut"], "well", field="demo", well="demo.a")
    assert {(one["field"], one["well"]) for one in told_of_well} == {("demo", "demo.a")}


@pytest.mark.parametrize("ranked", [True, False])
def test_a_table_has_a_cell_for_each_head_and_a_link_for_each_well(ranked: bool) -> None:
    table = parts.wells_table(SNAPSHOT, ranked=ranked)
    head, *rows = [part for part in parts_of(table) if isinstance(part, html.Tr)]
    assert {len(row.children) for row in rows} == {len(head.children)} == {len(parts.COLUMNS) + (3 if ranked else 1)}
    assert links(table) == [f"/wells/{well.id}" for well in WELLS]
    assert ids(table) == ["wells-demo", "row-demo.a", "row-demo.b", "row-demo.i"]


def test_a_card_shows_the_chart_under_its_title() -> None:
    chart = rates(FIELD, WELLS[0], DAILY, Resolution.DAILY)
    shown = parts.card(chart, size="tall")
    assert graphs(shown) == {"rates-daily": chart.figure}
    assert chart.title in said(shown)
    assert chart.caption in said(shown)
    assert "graph tall" in said(shown)


@pytest.mark.parametrize(("day_start_s", "shown"), [(0, "00:00"), (5 * 3600 + 1800, "05:30"), (23 * 3600, "23:00")])
def test_a_production_days_start_is_a_time_of_day(day_start_s: int, shown: str) -> None:
    field = Field("demo", "Demo", "Europe/Oslo", day_start_s)
    head = parts.field_head(FieldSnapshot(field, [], Position("e", 0), NONE, NONE, NONE), html.H1("Demo"))
    assert f"production day from {shown}, Europe/Oslo" in said(head)


def test_every_well_is_told_with_its_newest_record_or_without_one() -> None:
    first, second, injector = told(live_part())["latest"]
    assert first["well"] == "demo.a"
    assert first["start"] == round(T0.timestamp() * 1000)
    assert first["oil_sm3"] == 5.0
    assert first["water_sm3"] is None
    assert "start" not in second
    assert injector["purpose"] == "injector"


def test_what_the_browser_writes_to_stands_on_the_page() -> None:
    description = told(live_part(ranking="wells-demo"))
    table = ids(parts.wells_table(SNAPSHOT, ranked=True))
    assert description["ranking"]["table"] in table
    assert {row["id"] for row in description["rows"]} <= set(table)
    tiles = ids(parts.tiles(parts.TILES, "all"))
    assert [tile["id"] for tile in description["tiles"]] == [one for one in tiles if one.startswith("tile-")]
    assert description["fields"][0]["id"] in ids(parts.field_head(SNAPSHOT, html.H1("Demo")))
    assert description["charts"][0]["id"] in ids(parts.card(rates(FIELD, WELLS[0], DAILY, Resolution.DAILY)))


def test_a_field_says_its_clock_and_its_production_day() -> None:
    head = json.dumps(parts.field_head(SNAPSHOT, html.H1("Demo")).to_plotly_json(), default=str)
    assert "production day from 06:00, Europe/Oslo" in head


def test_before_the_browser_fills_it_a_number_is_a_dash_and_not_a_zero() -> None:
    tile = parts.tile("oil", "all").to_plotly_json()
    assert tile["props"]["data-state"] == "none"
    assert "–" in json.dumps(tile, default=str, ensure_ascii=False)
