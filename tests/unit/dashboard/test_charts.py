"""Charts as data: which lines, on which axes, how told apart, with units, zone and marks."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from dashboard.figures.charts import RATES, STATES, daily_totals, live_by_well, rates, stacked_oil, states
from dashboard.figures.series import Chart
from storage.domain.record import Resolution
from storage.production import TOTALS_SCHEMA
from tests.unit.dashboard.frames import FIELD, T0, WELLS, records

A, B, INJECTOR = WELLS


def named(chart: Chart) -> dict[str, Any]:
    return {trace["name"]: trace for trace in chart.figure["data"] if trace["mode"] == "lines"}


def axis_titles(chart: Chart) -> list[str]:
    return [axis["title"]["text"] for name, axis in chart.figure["layout"].items() if name.startswith("yaxis")]


def totals(**columns: float | None) -> pl.DataFrame:
    rows = {"start": [T0], "seconds": [86_400], "wells": [2], **{name: [value] for name, value in columns.items()}}
    return pl.DataFrame(rows, schema_overrides=dict(TOTALS_SCHEMA)).match_to_schema(
        TOTALS_SCHEMA, missing_columns="insert"
    )


FULL = pl.concat(
    records(
        {"well": well, **dict.fromkeys((*RATES, *STATES), 10.0)},
        {"well": well, "after": 1, **dict.fromkeys((*RATES, *STATES), 12.0), "verdict": "suspect"},
        {"well": well, "after": 9, **dict.fromkeys((*RATES, *STATES), 14.0)},
    )
    for well in ("demo.a", "demo.b")
)  # fmt: skip
OF_A = FULL.filter(well="demo.a")
EACH_CHART = [
    pytest.param(lambda few: daily_totals(FIELD, few(totals(**dict.fromkeys(RATES, 5.0)))), id="daily totals"),
    pytest.param(lambda few: stacked_oil(FIELD, WELLS, few(FULL)), id="stacked oil"),
    pytest.param(lambda few: live_by_well(FIELD, WELLS, few(FULL)), id="live by well"),
    pytest.param(lambda few: live_by_well(FIELD, WELLS, few(FULL), "gas_sm3"), id="live gas by well"),
    pytest.param(lambda few: rates(FIELD, A, few(OF_A), Resolution.DAILY), id="daily rates"),
    pytest.param(lambda few: rates(FIELD, A, few(OF_A), Resolution.LIVE), id="live rates"),
    pytest.param(lambda few: states(FIELD, A, few(OF_A), Resolution.DAILY), id="daily states"),
    pytest.param(lambda few: states(FIELD, A, few(OF_A), Resolution.LIVE), id="live states"),
]
Few = Callable[[pl.DataFrame], pl.DataFrame]
Make = Callable[[Few], Chart]


def every_row(frame: pl.DataFrame) -> pl.DataFrame:
    return frame


def no_row(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.clear()


@pytest.mark.parametrize("few", [every_row, no_row])
@pytest.mark.parametrize("make", EACH_CHART)
def test_what_the_browser_is_told_agrees_with_the_figure_trace_by_trace(make: Make, few: Few) -> None:
    chart = make(few)
    traces = chart.description()["traces"]
    assert [trace["index"] for trace in traces] == list(range(len(chart.figure["data"])))
    lines = [line for _ in range(2 if chart.is_marked else 1) for line in chart.lines]
    for trace, line, drawn in zip(traces, lines, chart.figure["data"], strict=True):
        assert (trace["well"], trace["column"]) == (line.well, line.column)
        assert trace["as"] == ("rate" if line.is_rate else "value")
        assert drawn["mode"] == ("markers" if trace["only"] == "suspect" else "lines")
        assert drawn["name"] == ("suspect" if trace["only"] == "suspect" else line.name)
        assert drawn["yaxis"] == line.axis
        assert len(drawn["x"]) == len(drawn["y"])


@pytest.mark.parametrize("few", [every_row, no_row])
@pytest.mark.parametrize("make", EACH_CHART)
def test_every_trace_has_its_axis_and_every_axis_its_unit(make: Make, few: Few) -> None:
    figure = make(few).figure
    for trace in figure["data"]:
        assert trace["yaxis"].replace("y", "yaxis") in figure["layout"]
    assert all(any(unit in title for unit in ("Sm³/d", "bar", "°C", "%")) for title in axis_titles(make(few)))


@pytest.mark.parametrize("make", EACH_CHART)
def test_without_records_a_chart_has_lines_without_points(make: Make) -> None:
    chart = make(no_row)
    assert chart.lines
    assert all(trace["x"] == [] and trace["y"] == [] for trace in chart.figure["data"])


@pytest.mark.parametrize("few", [every_row, no_row])
@pytest.mark.parametrize("make", EACH_CHART)
def test_a_figure_can_be_sent_to_a_browser(make: Make, few: Few) -> None:
    chart = make(few)
    assert json.loads(json.dumps(chart.figure, allow_nan=False)) == chart.figure
    assert json.loads(json.dumps(chart.description(), allow_nan=False)) == chart.description()


@pytest.mark.parametrize("make", EACH_CHART)
def test_the_gap_that_is_drawn_is_the_gap_that_the_browser_is_told(make: Make) -> None:
    chart = make(every_row)
    gap_ms = chart.description()["gap_s"] * 1000
    for trace in chart.figure["data"][: len(chart.lines)]:
        for (at, value), (then, following) in itertools.pairwise(zip(trace["x"], trace["y"], strict=True)):
            assert value is None or following is None or then - at <= gap_ms


def test_every_suspect_point_of_every_line_has_its_cross_and_the_legend_says_it_once() -> None:
    for chart in (states(FIELD, A, OF_A, Resolution.DAILY), live_by_well(FIELD, WELLS, FULL)):
        crosses = [trace for trace in chart.figure["data"] if trace["mode"] == "markers"]
        doubted = [trace for trace in crosses if trace["x"]]
        assert [len(trace["x"]) for trace in doubted] == [1] * (6 if chart.id == "states-daily" else 2)
        assert [trace["showlegend"] for trace in crosses].count(True) == 1
        for line, cross in zip(chart.figure["data"], crosses, strict=False):
            assert set(zip(cross["x"], cross["y"], strict=True)) <= set(zip(line["x"], line["y"], strict=True))


def test_an_injector_of_gas_shows_it_on_the_axis_of_gas() -> None:
    frame = records({"well": "demo.i", "injected_gas_sm3": 9e5}, resolution=Resolution.LIVE)
    chart = rates(FIELD, INJECTOR, frame, Resolution.LIVE)
    assert [(line.name, line.axis) for line in chart.lines] == [("Injected gas", "y2")]


def test_a_fields_injection_is_among_its_totals() -> None:
    chart = daily_totals(FIELD, totals(oil_sm3=5.0, injected_water_sm3=900.0))
    assert [line.column for line in chart.lines] == ["oil_sm3", "injected_water_sm3"]


def test_the_cadence_of_live_records_sets_the_gap() -> None:
    frame = records({"oil_sm3": 1.0}, resolution=Resolution.LIVE)
    minutes = frame.with_columns(seconds=pl.lit(60, dtype=pl.Int32))
    assert live_by_well(FIELD, WELLS, frame).description()["gap_s"] == 15
    assert live_by_well(FIELD, WELLS, minutes).description()["gap_s"] == 180


def test_charts_of_one_page_have_ids_of_their_own() -> None:
    well_page = [make(FIELD, A, OF_A, kind).id for make in (rates, states) for kind in Resolution]
    field_page = [
        daily_totals(FIELD, totals()).id,
        stacked_oil(FIELD, WELLS, FULL).id,
        live_by_well(FIELD, WELLS, FULL).id,
    ]
    assert len({*well_page, *field_page}) == len(well_page) + len(field_page)


def test_oil_gas_and_water_differ_by_hue_and_by_line() -> None:
    chart = rates(FIELD, A, records({"oil_sm3": 3.0, "gas_sm3": 400.0, "water_sm3": 1.0}), Resolution.DAILY)
    lines = named(chart)
    assert {name: line["line"]["dash"] for name, line in lines.items()} == {
        "Oil": "solid", "Gas": "dash", "Water": "dot",
    }  # fmt: skip
    assert len({line["line"]["color"] for line in lines.values()}) == 3
    assert [lines[name]["yaxis"] for name in ("Oil", "Gas", "Water")] == ["y", "y2", "y"]


def test_axes_say_the_unit_and_the_caption_the_kind_of_rate_and_the_clock() -> None:
    frame = records({"oil_sm3": 3.0, "gas_sm3": 400.0})
    daily = rates(FIELD, A, frame, Resolution.DAILY)
    assert {"Liquids, Sm³/d", "Gas, Sm³/d"} <= set(axis_titles(daily))
    assert daily.caption == "calendar-day rates, field time, Europe/Oslo"
    live = records({"oil_sm3": 3.0}, resolution=Resolution.LIVE)
    assert rates(FIELD, A, live, Resolution.LIVE).caption == "field time, Europe/Oslo"


@pytest.mark.parametrize("make", EACH_CHART)
def test_every_chart_of_daily_rates_says_that_they_are_of_calendar_days(make: Make) -> None:
    chart = make(every_row)
    is_of_daily_rates = chart.resolution is Resolution.DAILY and any(line.is_rate for line in chart.lines)
    assert chart.caption.startswith("calendar-day rates, ") == is_of_daily_rates


def test_an_injector_shows_what_it_injects() -> None:
    frame = records({"well": "demo.i", "injected_water_sm3": 900.0, "oil_sm3": 0.0})
    assert list(named(rates(FIELD, INJECTOR, frame, Resolution.DAILY))) == ["Injected water"]


def test_what_is_zero_now_has_its_line_because_it_may_move() -> None:
    shut_in = records({"well": "demo.i", "injected_water_sm3": 0.0}, resolution=Resolution.LIVE)
    assert list(named(rates(FIELD, INJECTOR, shut_in, Resolution.LIVE))) == ["Injected water"]
    dry = records({"oil_sm3": 1.0, "water_sm3": 0.0})
    assert list(named(rates(FIELD, A, dry, Resolution.DAILY))) == ["Oil", "Water"]


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
    chart = daily_totals(FIELD, totals(oil_sm3=5.0, gas_sm3=0.0))
    assert list(named(chart)) == ["Oil", "Gas"]
    assert [line.well for line in chart.lines] == [None, None]


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
