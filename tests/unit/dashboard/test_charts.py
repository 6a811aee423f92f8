"""Charts as data: which lines, on which axes, how told apart, with units, zone and marks."""

import itertools
from typing import Any

import polars as pl
import pytest

from dashboard.figures.charts import daily_totals, live_by_well, rates, stacked_oil, states
from dashboard.figures.series import Chart
from storage.domain.record import Resolution
from storage.production import TOTALS_SCHEMA
from tests.unit.dashboard.frames import FIELD, T0, WELLS, records

A, B, INJECTOR = WELLS


def named(chart: Chart) -> dict[str, Any]:
    return {trace["name"]: trace for trace in chart.figure["data"] if trace["mode"] == "lines"}


def axis_titles(chart: Chart) -> list[str]:
    return [
        axis["title"]["text"] for name, axis in chart.figure["layout"].items() if name.startswith(("xaxis", "yaxis"))
    ]


def test_oil_gas_and_water_differ_by_hue_and_by_line() -> None:
    chart = rates(FIELD, A, records({"oil_sm3": 3.0, "gas_sm3": 400.0, "water_sm3": 1.0}), Resolution.DAILY)
    lines = named(chart)
    assert {name: line["line"]["dash"] for name, line in lines.items()} == {
        "Oil": "solid", "Gas": "dash", "Water": "dot",
    }  # fmt: skip
    assert len({line["line"]["color"] for line in lines.values()}) == 3
    assert [lines[name]["yaxis"] for name in ("Oil", "Gas", "Water")] == ["y", "y2", "y"]


def test_axes_say_unit_kind_of_rate_and_time_zone() -> None:
    frame = records({"oil_sm3": 3.0, "gas_sm3": 400.0})
    daily = axis_titles(rates(FIELD, A, frame, Resolution.DAILY))
    assert "Liquids, Sm³/d (calendar day)" in daily
    assert "Gas, Sm³/d" in daily
    assert "field time (Europe/Oslo)" in daily
    live = records({"oil_sm3": 3.0}, resolution=Resolution.LIVE)
    assert "Liquids, Sm³/d" in axis_titles(rates(FIELD, A, live, Resolution.LIVE))


def test_an_injector_shows_what_it_injects() -> None:
    frame = records({"well": "demo.i", "injected_water_sm3": 900.0, "oil_sm3": 0.0})
    assert list(named(rates(FIELD, INJECTOR, frame, Resolution.DAILY))) == ["Injected water"]


def test_a_well_that_measures_nothing_still_has_a_chart() -> None:
    assert list(named(rates(FIELD, A, records({}), Resolution.DAILY))) == ["Oil"]
    assert list(named(states(FIELD, A, records({}), Resolution.DAILY))) == ["WHP"]


def test_states_stand_above_each_other_on_one_time_axis() -> None:
    frame = records({"wellhead_pressure_bar": 80.0, "wellhead_temperature_degc": 60.0, "choke_pct": 40.0})
    chart = states(FIELD, A, frame, Resolution.DAILY)
    assert [line["yaxis"] for line in named(chart).values()] == ["y", "y2", "y3"]
    layout = chart.figure["layout"]
    floors = [layout[name]["domain"] for name in ("yaxis", "yaxis2", "yaxis3")]
    assert all(upper[0] > lower[1] for upper, lower in itertools.pairwise(floors))
    assert layout["xaxis"]["anchor"] == "y3"
    assert not any(name.startswith("xaxis") and name != "xaxis" for name in layout)


def test_a_field_is_stacked_by_its_wells_that_measure_oil_or_may_begin_to() -> None:
    frame = pl.concat([records({"oil_sm3": 3.0}), records({"well": "demo.b", "oil_sm3": None})])
    chart = stacked_oil(FIELD, WELLS, frame)
    assert list(named(chart)) == ["A", "I"]
    assert {trace["stackgroup"] for trace in chart.figure["data"]} == {"one"}
    assert [line.well for line in chart.lines] == ["demo.a", "demo.i"]


def test_a_well_has_the_same_pen_on_every_chart_of_its_field() -> None:
    both = pl.concat([records({"oil_sm3": 3.0}), records({"well": "demo.b", "oil_sm3": 1.0})])
    live = live_by_well(FIELD, WELLS, both)
    stacked = stacked_oil(FIELD, WELLS, both.filter(pl.col("well") == "demo.b"))
    pens = {line.well: line.pen for line in stacked.lines}
    assert pens["demo.b"] == live.lines[1].pen


def test_a_fields_totals_are_moved_by_every_well() -> None:
    frame = pl.DataFrame(
        {"start": [T0], "seconds": [86_400], "wells": [2], "oil_sm3": [5.0], "gas_sm3": [0.0]},
        schema_overrides=dict(TOTALS_SCHEMA),
    ).match_to_schema(TOTALS_SCHEMA, missing_columns="insert")
    chart = daily_totals(FIELD, frame)
    assert list(named(chart)) == ["Oil"]
    assert [line.well for line in chart.lines] == [None]


@pytest.mark.parametrize("resolution", [Resolution.DAILY, Resolution.LIVE])
def test_suspect_points_are_crosses_on_the_line_that_the_issue_is_about(resolution: Resolution) -> None:
    doubt = {"verdict": "suspect", "issues": ["frozen-wellhead_pressure_bar"]}
    frame = records(
        {"oil_sm3": 1.0, "wellhead_pressure_bar": 80.0}, {"oil_sm3": 1.0, "wellhead_pressure_bar": 80.0, **doubt},
        resolution=resolution,
    )  # fmt: skip
    crosses = [trace for trace in states(FIELD, A, frame, resolution).figure["data"] if trace["mode"] == "markers"]
    assert [trace["y"] for trace in crosses] == [[80.0]]
    assert crosses[0]["marker"]["symbol"] == "x-thin"
    oil = [trace for trace in rates(FIELD, A, frame, resolution).figure["data"] if trace["mode"] == "markers"]
    assert [trace["y"] for trace in oil] == [[]]


def test_traces_stand_where_the_browser_is_told_they_do() -> None:
    frame = records({"oil_sm3": 1.0, "gas_sm3": 2.0, "wellhead_pressure_bar": 80.0, "choke_pct": 40.0})
    for chart in (rates(FIELD, A, frame, Resolution.DAILY), states(FIELD, A, frame, Resolution.DAILY)):
        told = chart.description()["traces"]
        assert [trace["index"] for trace in told] == list(range(len(chart.figure["data"])))
        modes = ["markers" if trace["only"] == "suspect" else "lines" for trace in told]
        assert modes == [trace["mode"] for trace in chart.figure["data"]]


def test_zoom_and_pan_outlive_new_data() -> None:
    first = rates(FIELD, A, records({"oil_sm3": 1.0}), Resolution.DAILY).figure["layout"]["uirevision"]
    then = rates(FIELD, A, records({"oil_sm3": 1.0}, {"oil_sm3": 2.0}), Resolution.DAILY).figure["layout"]["uirevision"]
    assert first == then
