"""The contract of POST /api/v1/records."""

import asyncio
import gzip
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import polars as pl
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text

from ingest.admission import Admission
from ingest.bodies import ARROW, BODY_LIMIT_BYTES, PARQUET
from ingest.pipeline import Pipeline
from ingest.service import routes
from storage.database import engine_for, reading
from stream.doorbell import Doorbell
from tests.records import known_field

ROW: dict[str, Any] = {
    "field": "demo", "well": "demo.a", "start": "2026-05-01T02:00:00+02:00", "seconds": 60, "resolution": "live",
    "oil_sm3": 1.25, "on_stream_s": 60, "source": "plant",
}  # fmt: skip
PROBLEM = "application/problem+json"


def now() -> datetime:
    return datetime(2026, 6, 1, tzinfo=UTC)


class Client:
    """Sends requests to the routes of ingest without a socket."""

    def __init__(self, engine: Engine, redis_url: str, admission: Admission | None = None) -> None:
        app = FastAPI()
        app.include_router(routes(Pipeline(engine, Doorbell(redis_url), now), admission))
        self._transport = httpx.ASGITransport(app)

    def post(self, content: object, media_type: str = "application/json", coding: str = "") -> httpx.Response:
        """POST bytes or chunks of them as they are, anything else as JSON."""
        body = content if isinstance(content, bytes | AsyncIterator) else json.dumps(content).encode()
        headers = {"content-type": media_type, **({"content-encoding": coding} if coding else {})}
        return self._answer("POST", "/api/v1/records", content=body, headers=headers)

    def get(self, path: str) -> httpx.Response:
        return self._answer("GET", path)

    def _answer(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def sent() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://ingest") as client:
                return await client.request(method, path, **options)

        return asyncio.run(sent())


@pytest.fixture
def client(engine: Engine, redis_url: str) -> Client:
    known_field(engine)
    return Client(engine, redis_url)


def test_every_row_is_answered_with_reasons(client: Client, engine: Engine) -> None:
    rows = [ROW, ROW, ROW | {"oil_sm3": 2}, ROW | {"oil_sm3": -1}, ROW | {"colour": "black"}, "row"]
    answer = client.post(rows)
    assert answer.status_code == 200
    content = answer.json()
    assert [row["outcome"] for row in content["rows"]] == [
        "accepted", "duplicate", "revised", "quarantined", "quarantined", "quarantined"
    ]  # fmt: skip
    assert [row["index"] for row in content["rows"]] == list(range(6))
    assert content["rows"][4]["reasons"] == [
        {"rule": "unknown_key", "field": "colour", "value": "black",
         "message": "the row has the key 'colour', which no record has (rule unknown_key)"}
    ]  # fmt: skip
    assert "reasons" not in content["rows"][0]
    assert content["positions"] == {"demo": 1}
    assert content["counts"] == {
        "rows": 6, "accepted": 1, "revised": 1, "duplicates": 1, "quarantined": 3, "suspect": 0,
        "quarantined_by_rule": {"below_low": 1, "unknown_key": 1, "not_an_object": 1},
    }  # fmt: skip
    with reading(engine) as connection:
        kept = connection.execute(text("SELECT start, oil_sm3, source FROM records")).one()
    assert tuple(kept) == (datetime(2026, 5, 1, tzinfo=UTC), 2.0, "plant")


def test_an_object_with_records_is_taken_too(client: Client) -> None:
    assert client.post({"records": [ROW]}).json()["counts"]["accepted"] == 1


def test_lines_of_json_are_taken(client: Client) -> None:
    body = (json.dumps(ROW) + "\n{broken\n").encode()
    content = client.post(body, "application/x-ndjson; charset=utf-8").json()
    assert [(row["place"], row["outcome"]) for row in content["rows"]] == [
        ("line 1", "accepted"), ("line 2", "quarantined")
    ]  # fmt: skip


def columns_in(media_type: str) -> bytes:
    frame, body = pl.DataFrame([ROW, ROW | {"oil_sm3": -1.0}]), io.BytesIO()
    if media_type in PARQUET:
        frame.write_parquet(body)
    elif media_type == ARROW[0]:
        frame.write_ipc_stream(body)
    else:
        frame.write_ipc(body)
    return body.getvalue()


@pytest.mark.parametrize("media_type", [*ARROW, *PARQUET])
@pytest.mark.parametrize("coding", ["", "gzip"])
def test_columns_are_taken_and_every_row_is_answered(client: Client, media_type: str, coding: str) -> None:
    body = columns_in(media_type)
    for outcome in ("accepted", "duplicate"):
        content = client.post(gzip.compress(body) if coding else body, media_type, coding).json()
        assert [(row["index"], row["outcome"]) for row in content["rows"]] == [(0, outcome), (1, "quarantined")]
        assert content["rows"][1]["reasons"][0]["rule"] == "below_low"


def test_a_flood_is_told_to_wait_and_the_door_opens_again(engine: Engine, redis_url: str) -> None:
    known_field(engine)
    door = Admission(most_bodies=1, most_bytes=1 << 20)
    client = Client(engine, redis_url, door)
    with door.admitted(100):
        answer = client.post([ROW])
    assert (answer.status_code, answer.headers["content-type"], answer.headers["retry-after"]) == (429, PROBLEM, "2")
    assert (answer.json()["code"], answer.json()["retry"]) == ("too-busy", True)
    assert "1 bodies of 100 bytes" in answer.json()["detail"]
    assert client.post([ROW]).status_code == 200
    assert (door.bodies, door.bytes) == (0, 0)


def test_a_body_without_a_length_is_counted_as_the_longest(engine: Engine, redis_url: str) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"[]"

    client = Client(engine, redis_url, Admission(most_bytes=BODY_LIMIT_BYTES - 1))
    assert client.post(chunks()).status_code == 429
    assert client.post([]).status_code == 200


def test_no_rows_are_no_error(client: Client) -> None:
    content = client.post([]).json()
    assert (content["rows"], content["counts"]["rows"], content["positions"]) == ([], 0, {})


def test_an_outside_verdict_is_kept(client: Client, engine: Engine) -> None:
    trust = {"verdict": "suspect", "quality": 0.4, "issues": ["drift"], "audit_id": "run-9"}
    client.post([ROW | trust])
    with reading(engine) as connection:
        kept = connection.execute(text("SELECT verdict, quality, issues, audit_id FROM records")).one()
    assert tuple(kept) == ("suspect", 0.4, ["drift"], "run-9")


def test_more_rows_than_one_message_takes_are_answered_in_one_go(client: Client) -> None:
    rows = [ROW | {"start": f"2026-05-01T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}Z"} for n in range(2_100)]
    content = client.post(rows).json()
    assert [row["index"] for row in content["rows"]] == list(range(2_100))
    assert (content["counts"]["accepted"], content["positions"]) == (2_100, {"demo": 3})


@pytest.mark.parametrize(
    ("body", "media_type", "status", "code"),
    [
        (b"{", "application/json", 400, "input-refused"),
        (b"", "application/json", 400, "input-refused"),
        (b'{"rows": []}', "application/json", 400, "input-refused"),
        (b"a,b", "text/csv", 415, "media-type-unknown"),
        (b"ARROW1", ARROW[1], 400, "input-refused"),
        (b"PAR1PAR1", PARQUET[0], 400, "input-refused"),
    ],
)
def test_a_request_that_is_not_rows_is_a_problem_with_a_code(
    client: Client, body: bytes, media_type: str, status: int, code: str
) -> None:
    answer = client.post(body, media_type)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    assert (answer.json()["code"], answer.json()["status"]) == (code, status)
    assert answer.json()["detail"]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_long_is_refused(client: Client, chunked: bool) -> None:
    part = b" " * (1 << 20)
    parts = BODY_LIMIT_BYTES // len(part) + 1

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(parts):
            yield part

    answer = client.post(chunks() if chunked else part * parts)
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


def test_storage_that_is_away_says_when_to_come_back(redis_url: str) -> None:
    nowhere = engine_for("postgresql+psycopg://nobody@127.0.0.1:1/none")
    answer = Client(nowhere, redis_url).post([ROW])
    nowhere.dispose()
    assert (answer.status_code, answer.headers["content-type"], answer.headers["retry-after"]) == (503, PROBLEM, "2")
    assert (answer.json()["code"], answer.json()["retry"]) == ("storage-down", True)


def test_records_are_stored_while_redis_is_away(engine: Engine) -> None:
    known_field(engine)
    client = Client(engine, "redis://127.0.0.1:1/0")
    assert client.post([ROW]).json()["counts"]["accepted"] == 1


def test_the_route_is_documented(client: Client) -> None:
    operation = client.get("/openapi.json").json()["paths"]["/api/v1/records"]["post"]
    assert set(operation["responses"]) >= {"200", "400", "413", "415", "429", "503"}
    assert "oil_sm3" in json.dumps(operation["requestBody"])
