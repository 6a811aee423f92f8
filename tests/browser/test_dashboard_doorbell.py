"""Pages while Redis is away under a replay: they stay live, and have every point of every line in order and once."""

import json
import threading
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ingest.parse import Source
from ingest.replay import replay
from ingest.sources.volve import read
from storage import log
from storage.database import reading
from storage.domain.record import Resolution
from tests.browser.conftest import Stack, Tab, oil, same
from tests.own_redis import AWAY_S, OwnRedis
from tests.unit.ingest.workbooks import daily_workbook, day

Open = Callable[..., Tab]
TOPIC = "field/volve"
CHART = "stacked-volve"
DAYS_A_S = 10


@pytest.fixture
def redis_url(own_redis: OwnRedis) -> str:
    """Everything of these tests rings and listens at a Redis that can be stopped."""
    return own_redis.url


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """Two wells for as many days as the test's replay takes."""
    numbers = range(round(DAYS_A_S * (AWAY_S + 15)))
    return read(
        daily_workbook(
            tmp_path / "v.xlsx",
            [
                day(DATEPRD=f"{date(2010, 1, 1) + timedelta(days=n)}", NPD_WELL_BORE_NAME=well, BORE_OIL_VOL=1000.0 + n)
                for well in ("15/9-F-12", "15/9-F-14")
                for n in numbers
            ],
        )
    )


def test_every_point_is_there_once_in_order_and_the_page_stays_live(
    stack: Stack, tab: Open, own_redis: OwnRedis, source: Source
) -> None:
    first, stop = threading.Event(), threading.Event()
    sending = threading.Thread(
        target=replay, args=(stack.pipeline, source, DAYS_A_S * 86_400.0, stop, lambda *_: first.set())
    )
    sending.start()
    try:
        assert first.wait(10)
        field = tab("/fields/volve")
        field.until_state("live")
        field.page.wait_for_selector(f"#{CHART} .js-plotly-plot")
        own_redis.stop()
        before = field.position(TOPIC)
        states = {field.state() for _ in range(round(AWAY_S)) if field.page.wait_for_timeout(1_000) is None}
        shown_while_away = field.position(TOPIC) - before
        own_redis.start()
        sending.join(timeout=60)
        assert not sending.is_alive()
    finally:
        stop.set()
        sending.join(timeout=60)
    field.until_position(TOPIC, head(stack.engine))
    assert states == {"live"}
    assert shown_while_away > 0
    for trace, well in enumerate(wells_of(field)):
        kept = oil(stack.engine, "volve", well, Resolution.DAILY)
        assert len(kept) == source.batch.rows / 2
        assert same(field.points(CHART, trace), kept)
        field.page.wait_for_function(
            f"([trace, length]) => document.querySelector('#{CHART} .js-plotly-plot').data[trace].x.length >= length",
            arg=[trace, len(kept)],
        )
        assert same(field.drawn(CHART, trace), kept)


def head(engine: Engine) -> int:
    with reading(engine) as connection:
        return log.position(connection, "volve").offset


def wells_of(tab: Tab) -> list[str]:
    """The wells of the chart's traces."""
    description = json.loads(str(tab.page.locator("#live-page").get_attribute("data-live")))
    (chart,) = (one for one in description["charts"] if one["id"] == CHART)
    return [trace["well"] for trace in chart["traces"]]
