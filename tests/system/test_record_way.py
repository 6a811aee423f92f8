"""One record's way, followed from POST to the socket, in one process."""

from collections.abc import Callable

import httpx
from sqlalchemy import Engine

from storage import log, production
from storage.database import reading
from storage.domain.record import Resolution
from tests.follower_client import Client
from tests.records import known_field
from tests.services import Services

Start = Callable[..., Services]


def row(number: int, **given: object) -> dict[str, object]:
    minute, second = divmod(5 * number, 60)
    return {
        "field": "demo", "well": "demo.a", "start": f"2026-01-01T00:{minute:02d}:{second:02d}Z", "seconds": 5,
        "resolution": "live", "oil_sm3": number + 0.1, "on_stream_s": 5, **given,
    }  # fmt: skip


async def post(url: str, *rows: dict[str, object]) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.post(f"{url}/api/v1/records", json=list(rows), timeout=20)


async def test_a_posted_record_is_answered_stored_logged_and_pushed(engine: Engine, services: Start) -> None:
    known_field(engine)
    running = services("ingest", "gateway")
    async with Client(running.ws_url) as client:
        await client.subscribe("field/demo", "well/demo.a")
        await client.until("field/demo", 0)
        await client.until("well/demo.a", 0)
        answer = await post(running.url, row(1), row(2, oil_sm3=-1), row(1))
        await client.until("field/demo", 1)
        await client.until("well/demo.a", 1)
    assert answer.status_code == 200, answer.text
    assert [one["outcome"] for one in answer.json()["rows"]] == ["accepted", "quarantined", "duplicate"]
    start_ms = 1_767_225_605_000
    assert client.rows["field/demo"] == [(1, "demo.a", start_ms, 1.1, 0)] == client.rows["well/demo.a"]
    with reading(engine) as connection:
        kept = production.history(connection, "demo", resolution=Resolution.LIVE)
        (message,) = log.read(connection, "demo", 0, 10)
    assert kept["oil_sm3"].to_list() == [1.1]
    assert b'"oil_sm3":[1.1]' in message.body
