"""A browser and the whole product behind it."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from sqlalchemy import Engine

from ingest.parse import framed
from ingest.pipeline import Pipeline
from ingest.sources.simulator import SOURCE, Simulator
from storage import production
from storage.database import reading
from storage.domain.record import Resolution
from stream.doorbell import Doorbell
from tests.services import Services

EVERY_S = 5
CHROMIUM_OPTIONS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser a module: its driver holds the thread's event loop, which asynchronous tests after it need."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        missing = "there is no chromium here: install it (Debian: apt-get install chromium)"
        pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)
    with sync_playwright() as playwright:
        options = [*CHROMIUM_OPTIONS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        browser = playwright.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()


@dataclass
class Tab:
    """An open page, and what its console said."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def position(self, topic: str) -> int:
        return int(self.page.evaluate("topic => window.wellstream.positions()[topic]?.offset ?? -1", topic))

    def state(self) -> str:
        return str(self.page.evaluate("window.wellstream.state()"))

    def until_state(self, state: str, seconds: float = 40) -> None:
        self.page.wait_for_function("state => window.wellstream?.state() === state", arg=state, timeout=seconds * 1000)

    def until_position(self, topic: str, offset: int, seconds: float = 40) -> None:
        self.page.wait_for_function(
            "([topic, offset]) => (window.wellstream?.positions()[topic]?.offset ?? -1) >= offset",
            arg=[topic, offset],
            timeout=seconds * 1000,
        )

    def points(self, chart: str, trace: int) -> list[tuple[float, float]]:
        """The points of a chart's trace that are not breaks of the line."""
        found = self.page.evaluate("([chart, trace]) => window.wellstream.points(chart)[trace]", [chart, trace])
        return [(x, y) for x, y in found if y is not None]

    def drawn(self, chart: str, trace: int) -> list[tuple[float, float]]:
        """The points that Plotly holds for a chart's trace."""
        found = self.page.evaluate(
            """([chart, trace]) => {
                const {x, y} = document.querySelector(`#${CSS.escape(chart)} .js-plotly-plot`).data[trace];
                return Array.from(x, (each, at) => [each, y[at]]);
            }""",
            [chart, trace],
        )
        return [(x, y) for x, y in found if y is not None]


@dataclass
class Stack:
    """The demonstration field, fed by hand: records of `EVERY_S` s from a fixed moment shortly before now."""

    services: Services
    engine: Engine
    pipeline: Pipeline
    simulator: Simulator
    began: datetime
    sent: int = 0

    @property
    def url(self) -> str:
        return self.services.url

    def feed(self, steps: int = 1) -> int:
        """Send the next records of all wells, a batch a step; the newest offset."""
        offset = 0
        for _ in range(steps):
            since = self.began + timedelta(seconds=EVERY_S * self.sent)
            rows = self.simulator.live(since, since + timedelta(seconds=EVERY_S), EVERY_S)
            offset = self.pipeline.ingest(framed(SOURCE, rows)).positions["demo"]
            self.sent += 1
        return offset

    def live_oil(self, well: str) -> list[tuple[float, float]]:
        """What PostgreSQL holds of a well's live oil."""
        return oil(self.engine, "demo", well, Resolution.LIVE)


def oil(engine: Engine, field_id: str, well: str, resolution: Resolution) -> list[tuple[float, float]]:
    """What PostgreSQL holds of a well's oil: (ms of the interval's middle on the field's clock, Sm3/d)."""
    with reading(engine) as connection:
        kept = production.history(connection, field_id, resolution=resolution, wells=[well])
    middle = pl.col("start") + pl.duration(milliseconds=pl.col("seconds") * 500)
    local = middle.dt.convert_time_zone("Europe/Oslo").dt.replace_time_zone(None).dt.epoch("ms")
    return kept.select(local.cast(pl.Float64), pl.col("oil_sm3") * 86_400 / pl.col("seconds")).drop_nulls().rows()


def same(left: list[tuple[float, float]], right: list[tuple[float, float]]) -> bool:
    """Whether two lines have the same points in the same order."""
    return len(left) == len(right) and all(
        a[0] == b[0] and abs(a[1] - b[1]) < 1e-6 for a, b in zip(left, right, strict=True)
    )


@pytest.fixture
def stack(services: Callable[..., Services], database_url: str, redis_url: str, engine: Engine) -> Iterator[Stack]:
    running = services("ingest", "gateway", "dashboard")
    doorbell = Doorbell(redis_url)
    simulator = Simulator(number_of_wells=4)
    pipeline = Pipeline(engine, doorbell, lambda: datetime.now(UTC))
    pipeline.register(simulator.field(), simulator.wells())
    began = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)
    made = Stack(running, engine, pipeline, simulator, began)
    made.feed(40)
    days = [(began - timedelta(days=back)).date() for back in range(40, 1, -1)]
    pipeline.ingest(framed(SOURCE, simulator.daily(days)))
    yield made
    doorbell.close()


@pytest.fixture
def tab(chromium: Browser, stack: Stack) -> Iterator[Callable[..., Tab]]:
    """Open a page of the stack; at the end its console must have said nothing that is a fault."""
    opened: list[Tab] = []
    contexts = []

    def open_page(path: str = "/", **options: object) -> Tab:
        context = chromium.new_context(**{"viewport": {"width": 1920, "height": 1080}, **options})  # type: ignore[arg-type]
        contexts.append(context)
        one = Tab(context.new_page())
        one.page.on("console", lambda message: _heard(one, message))
        one.page.on("pageerror", lambda error: one.complaints.append(str(error)))
        one.page.goto(f"{stack.url}{path}")
        one.page.wait_for_selector("#live-page", state="attached", timeout=20_000)
        opened.append(one)
        return one

    yield open_page
    for context in contexts:
        context.close()
    assert [one.complaints for one in opened] == [[] for _ in opened]


def _heard(tab: Tab, message: ConsoleMessage) -> None:
    if message.type in ("error", "warning"):
        tab.complaints.append(message.text)
