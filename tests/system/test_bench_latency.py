"""The latency bench runs to its end and misses nothing; its figures themselves are no matter of tests."""

import asyncio
import threading
from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from compose.bench import browser, latency
from stream import gateway, session
from tests.records import known_field
from tests.services import Services

pytestmark = pytest.mark.system


def test_every_batch_is_received_and_painted_where_there_is_a_browser() -> None:
    figures = latency.latency(2.0)
    assert figures["batches received"] == figures["batches received without tick"] == "40 of 40"
    if browser.found() is None:
        assert figures["commit to painted"] == "not measured: there is no chromium here"
    else:
        assert figures["batches painted"] == "40 of 40"
        assert isinstance(figures["commit to painted p99 ms"], float)


async def test_its_client_is_not_taken_for_silent(
    engine: Engine, services: Callable[..., Services], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "SILENT_S", 1.5)
    monkeypatch.setattr(gateway, "REPLY_EVERY", 1)
    known_field(engine)
    stop = threading.Event()
    receiving = asyncio.create_task(latency.receive(services("gateway").ws_url, {}, stop))
    await asyncio.sleep(4.0)
    assert not receiving.done()
    stop.set()
    await receiving
