"""Pages in a browser: points arrive, breaks heal, nothing is lost, repeated or redrawn, and stale looks stale."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from ingest.sources.simulator import Simulator
from tests.browser.conftest import Stack, Tab, same

Open = Callable[..., Tab]
TOPIC = "field/demo"
CHART = "live-demo"


def well_of(tab: Tab, trace: int) -> str:
    """The id of the well that a trace of the field page's live chart shows."""
    description = tab.page.evaluate("JSON.parse(document.querySelector('#live-page').dataset.live)")
    chart = next(one for one in description["charts"] if one["id"] == CHART)
    return str(chart["traces"][trace]["well"])


def test_a_point_arrives_and_the_chart_has_it_without_the_page_being_redrawn(stack: Stack, tab: Open) -> None:
    field = tab("/fields/demo")
    field.until_state("live")
    field.page.wait_for_selector(f"#{CHART} .js-plotly-plot")
    field.page.evaluate(f"document.querySelector('#{CHART} .js-plotly-plot').marked = true")
    field.page.evaluate("document.querySelector('#live-page').marked = true")
    requests: list[str] = []
    field.page.on("request", lambda request: requests.append(request.url))
    field.until_position(TOPIC, stack.feed(5))
    kept = stack.live_oil(well_of(field, 0))
    assert same(field.points(CHART, 0), kept)
    field.page.wait_for_function(
        f"length => document.querySelector('#{CHART} .js-plotly-plot').data[0].x.length >= length", arg=len(kept)
    )
    assert same(field.drawn(CHART, 0), kept)
    assert field.page.evaluate(f"document.querySelector('#{CHART} .js-plotly-plot').marked")
    assert field.page.evaluate("document.querySelector('#live-page').marked")
    assert requests == []


def test_the_tile_shows_the_sum_of_the_newest_rates(stack: Stack, tab: Open) -> None:
    overview = tab("/")
    overview.until_state("live")
    overview.until_position(TOPIC, stack.feed(3))
    wells = [well.id for well in stack.simulator.wells()]
    newest = sum(points[-1][1] for well in wells if (points := stack.live_oil(well)))
    overview.page.wait_for_function(
        """wanted => {
            const text = document.querySelector("#tile-all-oil [data-part=value]").textContent;
            return Math.abs(Number(text.replaceAll(/[^0-9.-]/g, "")) - wanted) <= 1;
        }""",
        arg=newest,
        timeout=5_000,
    )


def test_a_well_that_is_new_appears_by_itself(stack: Stack, tab: Open) -> None:
    field = tab("/fields/demo")
    field.until_state("live")
    larger = Simulator(number_of_wells=5)
    stack.pipeline.register(larger.field(), larger.wells())
    stack.simulator = larger
    stack.feed(2)
    field.page.wait_for_selector("[id='row-demo.d-5']", timeout=15_000)
    field.until_state("live")
    field.until_position(TOPIC, stack.feed(2))


def test_a_cut_connection_heals_with_every_point_once_and_in_order(stack: Stack, tab: Open) -> None:
    field = tab("/fields/demo")
    field.until_state("live")
    before = stack.feed(3)
    field.until_position(TOPIC, before)
    stack.services.stop()
    stack.feed(10)
    expect(field.page.locator("#connection")).to_have_attribute("data-state", "offline", timeout=15_000)
    newest = stack.feed(2)
    stack.services.start()
    field.until_position(TOPIC, newest, seconds=60)
    field.until_state("live", seconds=30)
    field.page.wait_for_timeout(1_000)
    assert same(field.points(CHART, 0), stack.live_oil(well_of(field, 0)))
    field.complaints.clear()  # the browser reports the refused connections by itself


def test_a_page_loaded_again_goes_on_where_the_snapshot_ends(stack: Stack, tab: Open) -> None:
    field = tab("/fields/demo")
    field.until_state("live")
    stack.feed(4)
    field.page.reload()
    field.page.wait_for_selector(f"#{CHART} .js-plotly-plot")
    field.until_state("live")
    field.until_position(TOPIC, stack.feed(4))
    assert same(field.points(CHART, 0), stack.live_oil(well_of(field, 0)))


def test_pages_change_without_a_reload_and_each_is_live(stack: Stack, tab: Open) -> None:
    overview = tab("/")
    overview.until_state("live")
    overview.page.evaluate("window.stayed = true")
    overview.page.get_by_role("link", name="Demonstration field").first.click()
    overview.page.wait_for_selector(f"#{CHART}")
    overview.until_position(TOPIC, stack.feed(2))
    overview.page.get_by_role("link", name="D-1", exact=True).first.click()
    overview.page.wait_for_selector("#rates-live")
    overview.until_position(TOPIC, stack.feed(2))
    overview.page.wait_for_timeout(500)
    well = "demo.d-1"
    assert same(overview.points("rates-live", 0), stack.live_oil(well)[-len(overview.points("rates-live", 0)) :])
    assert overview.page.evaluate("window.stayed")


def test_a_restored_database_redraws_the_page_from_its_snapshot(stack: Stack, tab: Open) -> None:
    from storage import log
    from storage.database import writing

    field = tab("/fields/demo")
    field.until_state("live")
    with writing(stack.engine) as connection:
        epoch = log.start_epoch(connection)
    field.page.wait_for_function(
        "epoch => window.wellstream.positions()['field/demo']?.epoch === epoch", arg=epoch, timeout=20_000
    )
    field.until_state("live")
    field.until_position(TOPIC, stack.feed(2))
    assert same(field.points(CHART, 0), stack.live_oil(well_of(field, 0)))


def test_numbers_look_stale_within_seconds_when_nothing_comes(stack: Stack, tab: Open) -> None:
    overview = tab("/")
    overview.until_state("live")
    stale = overview.page.locator("#tile-all-oil[data-state=stale]")
    expect(stale).to_be_attached(timeout=60_000)
    note = stale.locator("[data-part=note]")
    assert "stale" in note.inner_text() or "no data" in note.inner_text() or "0 of" in note.inner_text()


def test_the_zoom_stays_while_records_arrive(stack: Stack, tab: Open) -> None:
    field = tab("/fields/demo")
    field.until_state("live")
    field.page.wait_for_selector(f"#{CHART} .js-plotly-plot")
    points = field.points(CHART, 0)
    chosen = [points[3][0], points[10][0]]
    graph = f"document.querySelector('#{CHART} .js-plotly-plot')"
    field.page.evaluate(f"range => window.Plotly.relayout({graph}, {{'xaxis.range': range}})", chosen)
    field.until_position(TOPIC, stack.feed(5))
    field.page.wait_for_timeout(1_000)
    shown = f"{graph}._fullLayout.xaxis.range"
    kept = field.page.evaluate(f"{shown}.map(each => +each || +new Date(each.replace(' ', 'T') + 'Z'))")
    assert kept == pytest.approx(chosen, abs=1_000)


def test_an_unknown_page_and_an_unknown_well_say_so_and_lead_back(stack: Stack, tab: Open) -> None:
    overview = tab("/")
    for path, told in (("/nowhere", "there is no page"), ("/wells/demo.zz", "there is no well")):
        overview.page.goto(f"{stack.url}{path}")
        expect(overview.page.get_by_role("heading", name="Not found")).to_be_visible()
        expect(overview.page.locator("main")).to_contain_text(told, ignore_case=True)
    overview.page.get_by_role("link", name="To the overview").click()
    overview.page.wait_for_selector("#tile-all-oil", timeout=10_000)


@pytest.mark.parametrize("width", [390, 1920, 3840])
@pytest.mark.parametrize("path", ["/", "/fields/demo", "/wells/demo.d-1"])
def test_no_page_is_wider_than_its_screen(stack: Stack, tab: Open, path: str, width: int) -> None:
    one = tab(path, viewport={"width": width, "height": 900})
    one.until_state("live")
    assert one.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [1366, 1920, 3840])
@pytest.mark.parametrize("path", ["/", "/fields/demo"])
def test_no_column_of_the_wells_is_cut_off_on_a_wide_screen(stack: Stack, tab: Open, path: str, width: int) -> None:
    one = tab(path, viewport={"width": width, "height": 900})
    one.until_state("live")
    one.until_position(TOPIC, stack.feed(80))
    one.page.wait_for_function("document.querySelector('[data-part=verdict]').textContent === 'verified'")
    hidden = "document.querySelector('.scroller').scrollWidth - document.querySelector('.scroller').clientWidth"
    assert one.page.evaluate(hidden) <= 0


def test_a_phone_shows_of_each_well_what_it_does_and_how_old_that_is(stack: Stack, tab: Open) -> None:
    one = tab("/fields/demo", viewport={"width": 390, "height": 844})
    one.until_state("live")
    one.until_position(TOPIC, stack.feed(80))
    row = one.page.locator("[id='row-demo.d-1']")
    for part in ("oil", "status", "age"):
        box = row.locator(f"[data-part={part}]").bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 390, part


def test_the_values_of_a_row_of_tiles_are_on_one_line(stack: Stack, tab: Open) -> None:
    one = tab("/wells/demo.d-1")
    one.until_state("live")
    tops = (
        "[...document.querySelectorAll('.tile')].map(each => each.querySelector('.value').offsetTop - each.offsetTop)"
    )
    assert len(set(one.page.evaluate(tops))) == 1


def test_nothing_is_written_over_the_buttons_of_a_chart(stack: Stack, tab: Open) -> None:
    for width in (390, 1920):
        one = tab("/wells/demo.d-1", viewport={"width": width, "height": 900})
        buttons = one.page.locator("#rates-daily .rangeselector")
        buttons.scroll_into_view_if_needed()
        mine, title = buttons.bounding_box(), one.page.locator("#rates-daily .xtitle")
        assert mine is not None
        for other in (one.page.locator("#rates-daily .rangeslider-container").bounding_box(),
                      title.bounding_box() if title.count() else None):  # fmt: skip
            assert (
                other is None or other["y"] + other["height"] <= mine["y"] or mine["y"] + mine["height"] <= other["y"]
            )


def test_the_theme_is_chosen_by_the_room_and_kept_by_hand(stack: Stack, tab: Open) -> None:
    one = tab("/", color_scheme="light")
    expect(one.page.locator("html")).to_have_attribute("data-theme", "light")
    one.page.get_by_role("button", name="Theme").click()
    expect(one.page.locator("html")).to_have_attribute("data-theme", "dark")
    one.page.reload()
    expect(one.page.locator("html")).to_have_attribute("data-theme", "dark")
