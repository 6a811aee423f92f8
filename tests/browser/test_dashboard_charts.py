"""Charts in a browser: suspect points are marked as they come, time axes move together, revisions reach totals."""

from collections.abc import Callable
from datetime import timedelta

import polars as pl
import pytest

from ingest.parse import framed
from ingest.sources.simulator import SOURCE
from storage import production
from storage.database import reading
from storage.domain.record import Resolution
from tests.browser.conftest import EVERY_S, Stack, Tab

Open = Callable[..., Tab]
TOPIC = "field/demo"
WELL = "demo.d-1"
GRAPH = "document.querySelector('#{chart} .js-plotly-plot')"


def opened(tab: Open, path: str, *charts: str) -> Tab:
    """A live page whose charts are drawn."""
    one = tab(path)
    one.until_state("live")
    for chart in charts:
        one.page.wait_for_selector(f"#{chart} .js-plotly-plot .xtick")
    one.page.wait_for_timeout(1_500)  # the live page looks at its charts once a second
    return one


def feed_doubted(stack: Stack, issue: str) -> int:
    """The next live records of all wells, with an issue."""
    since = stack.began + timedelta(seconds=EVERY_S * stack.sent)
    rows = stack.simulator.live(since, since + timedelta(seconds=EVERY_S), EVERY_S)
    doubted = rows.with_columns(verdict=pl.lit("suspect"), quality=0.5, issues=[issue])
    stack.sent += 1
    return stack.pipeline.ingest(framed(SOURCE, doubted)).positions["demo"]


def marks(tab: Tab, chart: str) -> list[list[object]]:
    """[x, y, text] of the crosses that Plotly holds on a chart's first line."""
    found: list[list[object]] = tab.page.evaluate(
        f"""() => {{
            const {{x, y, text}} = {GRAPH.format(chart=chart)}.data.find(({{mode}}) => mode === 'markers');
            return x.map((each, at) => [each, y[at], text[at]]);
        }}"""
    )
    return found


def test_a_suspect_point_is_marked_as_it_comes_on_the_line_that_the_issue_is_about(stack: Stack, tab: Open) -> None:
    well = opened(tab, f"/wells/{WELL}", "rates-live", "states-live")
    well.until_position(TOPIC, feed_doubted(stack, "jump-oil_sm3"))
    well.page.wait_for_function(
        f"() => {GRAPH.format(chart='rates-live')}.data.some(one => one.mode === 'markers' && one.x.length > 0)"
    )
    well.until_position(TOPIC, stack.feed(2))
    well.page.wait_for_timeout(1_500)
    doubted = stack.live_oil(WELL)[-3]
    ((at, rate, issue),) = marks(well, "rates-live")
    assert (at, rate, issue) == (doubted[0], pytest.approx(doubted[1]), "jump-oil_sm3")
    assert marks(well, "states-live") == []
    well.page.reload()
    well.page.wait_for_selector("#rates-live .js-plotly-plot .xtick")
    ((at, rate, issue),) = marks(well, "rates-live")
    assert (at, rate, issue) == (doubted[0], pytest.approx(doubted[1]), "jump-oil_sm3")


def test_what_is_shown_of_the_time_on_one_chart_is_shown_on_the_other(stack: Stack, tab: Open) -> None:
    well = opened(tab, f"/wells/{WELL}", "rates-daily", "states-daily", "rates-live")
    rates, states, live = (GRAPH.format(chart=one) for one in ("rates-daily", "states-daily", "rates-live"))
    chosen = well.page.evaluate(f"[5, 15].map(at => {rates}.data[0].x[at])")
    well.page.evaluate(f"range => window.Plotly.relayout({rates}, {{'xaxis.range': range}})", chosen)
    shown = f"{states}._fullLayout.xaxis.range.map(each => +each || Date.parse(each.replace(' ', 'T') + 'Z'))"
    well.page.wait_for_function(f"range => {shown}.every((each, at) => Math.abs(each - range[at]) < 1000)", arg=chosen)
    assert well.page.evaluate(f"{live}._fullLayout.xaxis.autorange") is True
    well.page.evaluate(f"window.Plotly.relayout({states}, {{'xaxis.autorange': true}})")
    well.page.wait_for_function(f"() => {rates}._fullLayout.xaxis.autorange === true")


def test_a_revision_of_an_older_day_reaches_the_fields_total(stack: Stack, tab: Open) -> None:
    overview = opened(tab, "/", "daily-demo")
    with reading(stack.engine) as connection:
        kept = production.history(connection, "demo", resolution=Resolution.DAILY, wells=[WELL])
    revised = kept.head(1).drop("received_at", "revision", "log_offset").with_columns(oil_sm3=pl.col("oil_sm3") + 7_000)
    stack.pipeline.ingest(framed(SOURCE, revised))
    with reading(stack.engine) as connection:
        total = production.daily_totals(connection, "demo")["oil_sm3"][0]
    overview.page.wait_for_function(
        f"total => Math.abs({GRAPH.format(chart='daily-demo')}.data[0].y[0] - total) < 1e-6", arg=total, timeout=15_000
    )
