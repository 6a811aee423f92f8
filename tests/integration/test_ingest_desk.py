"""The contract of the desk: quarantine, audit trail and rules over HTTP."""

import asyncio
import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text

from ingest.desk import desk_routes
from ingest.pipeline import Pipeline
from ingest.rules.document import default
from ingest.service import routes
from storage.database import engine_for, reading, writing
from stream.doorbell import Doorbell
from tests.records import known_field

ROW: dict[str, Any] = {
    "field": "demo", "well": "demo.a", "start": "2026-05-01T00:00:00Z", "seconds": 60, "resolution": "live",
    "oil_sm3": -1.0, "on_stream_s": 60, "source": "plant",
}  # fmt: skip
KEY = {"well": "demo.a", "start": "2026-05-01T00:00:00Z", "resolution": "live"}
WORD = {"by": "kari", "reason": "the meter ran backwards"}
PROBLEM = "application/problem+json"


class Clock:
    """Stands still until moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 6, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Client:
    """Sends requests to an application without a socket; safe from several threads."""

    def __init__(self, app: FastAPI) -> None:
        self._transport = httpx.ASGITransport(app)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self._answer("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self._answer("POST", path, **options)

    def _answer(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def sent() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://desk") as client:
                return await client.request(method, path, **options)

        return asyncio.run(sent())


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(engine: Engine, redis_url: str, clock: Clock) -> Client:
    known_field(engine)
    return client_of(engine, redis_url, clock)


def client_of(engine: Engine, redis_url: str, clock: Clock) -> Client:
    app = FastAPI()
    pipeline = Pipeline(engine, Doorbell(redis_url), clock)
    app.include_router(routes(pipeline))
    app.include_router(desk_routes(pipeline))
    return Client(app)


def quarantined(client: Client, *rows: object) -> list[int]:
    """Post rows that are refused; their ids, oldest first."""
    answer = client.post("/api/v1/records", json=list(rows))
    assert answer.json()["counts"]["quarantined"] == len(rows), answer.text
    entries = client.get("/api/v1/quarantine", params={"limit": len(rows)}).json()["entries"]
    return sorted(entry["id"] for entry in entries)


def release(client: Client, entry: int, **word: Any) -> httpx.Response:
    return client.post(f"/api/v1/quarantine/{entry}/release", json={**WORD, **word})


def stored(engine: Engine) -> list[tuple[Any, ...]]:
    query = "SELECT oil_sm3, verdict, quality, issues, audit_id, source, revision FROM records ORDER BY start"
    with reading(engine) as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_a_quarantined_row_is_shown_as_it_came_with_its_reasons(client: Client) -> None:
    (entry,) = quarantined(client, ROW)
    found = client.get(f"/api/v1/quarantine/{entry}").json()
    assert (found["state"], found["field"], found["closed"]) == ("open", "demo", None)
    assert found["raw"] == ROW
    assert found["record"] == {
        "well": "demo.a", "start": "2026-05-01T00:00:00+00:00", "seconds": 60, "resolution": "live"
    }  # fmt: skip
    assert [(one["rule"], one["field"], one["value"]) for one in found["reasons"]] == [("below_low", "oil_sm3", -1.0)]


def test_rows_are_listed_page_by_page(client: Client) -> None:
    ids = quarantined(client, *(ROW | {"oil_sm3": -1.0 - n} for n in range(5)))
    seen, cursor = [], None
    for _ in range(3):
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = client.get("/api/v1/quarantine", params=params).json()
        seen += [entry["id"] for entry in page["entries"]]
        cursor = page["next"]
    assert seen == ids[::-1]
    assert cursor is None


def test_rows_can_be_filtered(client: Client) -> None:
    first, second = quarantined(client, ROW, ROW | {"field": "x", "well": "x.y"})
    client.post(f"/api/v1/quarantine/{second}/reject", json=WORD)

    def listed(**params: str) -> list[int]:
        return [one["id"] for one in client.get("/api/v1/quarantine", params=params).json()["entries"]]

    assert listed() == [first]
    assert listed(state="all") == [second, first]
    assert listed(state="rejected") == [second]
    assert listed(field="x", state="all") == [second]
    assert listed(rule="unknown_well", state="all") == [second]
    assert listed(source="api") == [first]
    assert listed(since="2026-06-01T00:00:00Z", until="2026-06-02T00:00:00+02:00") == [first]
    assert listed(until="2026-06-01T00:00:00Z") == []


def test_a_corrected_row_takes_the_same_way_and_is_verified(client: Client, engine: Engine) -> None:
    (entry,) = quarantined(client, ROW)
    answer = release(client, entry, values={"oil_sm3": 1.0})
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "released"
    assert answer.json()["closed"] == {
        "at": "2026-06-01T00:00:00+00:00", **WORD, "values": {"oil_sm3": 1.0}, "outcome": "accepted"
    }  # fmt: skip
    audit_id = f"quarantine-{entry} {default().audit_id}"
    assert stored(engine) == [(1.0, "verified", 1.0, [], audit_id, "plant", 0)]
    with reading(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM log")).scalar_one() == 1


def test_a_row_released_as_it_is_becomes_suspect_with_the_rule_as_issue(client: Client, engine: Engine) -> None:
    (entry,) = quarantined(client, ROW)
    assert release(client, entry).status_code == 200
    ((oil, verdict, quality, issues, *_),) = stored(engine)
    assert (oil, verdict, quality, issues) == (-1.0, "suspect", 0.5, ["below_low-oil_sm3"])


def test_releasing_again_changes_nothing(client: Client, engine: Engine) -> None:
    (entry,) = quarantined(client, ROW)
    first = release(client, entry, values={"oil_sm3": 1.0})
    again = release(client, entry, values={"oil_sm3": 1.0})
    assert (again.status_code, again.json()) == (200, first.json())
    otherwise = release(client, entry, values={"oil_sm3": 2.0})
    assert (otherwise.status_code, otherwise.json()["code"]) == (409, "conflict")
    assert "released by kari" in otherwise.json()["detail"]
    with reading(engine) as connection:
        actions = (
            connection.execute(text("SELECT action FROM audit WHERE by = 'kari' ORDER BY audit_id")).scalars().all()
        )
    assert actions == ["corrected", "released"]
    assert len(stored(engine)) == 1


def test_two_who_release_at_once_release_once(client: Client, engine: Engine) -> None:
    (entry,) = quarantined(client, ROW)
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(release(client, entry, values={"oil_sm3": 1.0}).status_code))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert answers == [200] * 4
    with reading(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM audit WHERE action = 'released'")).scalar_one() == 1
    assert len(stored(engine)) == 1


@pytest.mark.parametrize(
    ("row", "word", "rule"),
    [
        (ROW, {"override": False}, "below_low"),
        (ROW, {"values": {"oil_sm3": -2}}, "below_low"),
        (ROW | {"well": "demo.z"}, {}, "unknown_well"),
        (ROW | {"seconds": 0}, {"override": True}, "not_positive"),
        (ROW | {"verdict": "withdrawn", "oil_sm3": 1}, {}, "withdrawn_has_values"),
        (ROW, {"values": {"oil_sm3": "much"}}, "not_a_number"),
        (ROW, {"values": {"start": "yesterday"}}, "bad_time"),
        (ROW | {"verdict": "verified", "quality": 2}, {}, "above_high"),
    ],
)
def test_a_row_that_breaks_rules_still_is_refused_with_them_and_nothing_happens(
    client: Client, engine: Engine, row: dict[str, Any], word: dict[str, Any], rule: str
) -> None:
    (entry,) = quarantined(client, row)
    answer = release(client, entry, **word)
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM), answer.text
    assert answer.json()["code"] == "still-refused"
    assert rule in [reason["rule"] for reason in answer.json()["reasons"]]
    assert stored(engine) == []
    listed = client.get("/api/v1/quarantine", params={"state": "all"}).json()["entries"]
    assert [(one["id"], one["state"]) for one in listed] == [(entry, "open")]


def test_a_row_that_could_not_be_read_needs_corrected_values(client: Client, engine: Engine) -> None:
    (entry,) = quarantined(client, ROW | {"oil_sm3": "much"})
    answer = release(client, entry)
    assert (answer.status_code, answer.json()["code"]) == (400, "input-refused")
    assert "release it with corrected values" in answer.json()["detail"]
    assert release(client, entry, values={"oil_sm3": None}).status_code == 200
    assert stored(engine)[0][:2] == (None, "verified")


def test_a_row_of_which_nothing_was_kept_but_itself_needs_all_its_values(client: Client, engine: Engine) -> None:
    (entry,) = quarantined(client, ROW)
    with writing(engine) as connection:  # as rows stand that came before schema 0003
        connection.execute(text("UPDATE quarantine SET read = NULL, whole = false"))
    answer = release(client, entry, values={"oil_sm3": 1.0})
    assert (answer.status_code, answer.json()["reasons"][0]["rule"]) == (422, "missing")
    assert release(client, entry, values=ROW | {"oil_sm3": 1.0}).status_code == 200
    assert len(stored(engine)) == 1


def test_what_an_outside_verification_refused_becomes_suspect(client: Client, engine: Engine) -> None:
    outside = {"verdict": "quarantined", "issues": ["drift"], "audit_id": "run-7", "oil_sm3": 1.0}
    (entry,) = quarantined(client, ROW | outside)
    assert release(client, entry).status_code == 200
    assert stored(engine)[0][1:5] == ("suspect", 0.5, ["drift"], f"run-7 quarantine-{entry}")


def test_a_rejected_row_stays_with_its_reason_and_can_be_reconsidered(client: Client, engine: Engine) -> None:
    (entry,) = quarantined(client, ROW)
    answers = [client.post(f"/api/v1/quarantine/{entry}/reject", json=WORD) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["closed"]["reason"] == WORD["reason"]
    other = client.post(f"/api/v1/quarantine/{entry}/reject", json={**WORD, "by": "ola"})
    assert (other.status_code, other.json()["code"]) == (409, "conflict")
    assert release(client, entry).status_code == 200
    assert len(stored(engine)) == 1
    last = client.post(f"/api/v1/quarantine/{entry}/reject", json=WORD)
    assert last.status_code == 409


def test_a_closed_row_that_comes_again_is_not_a_new_one(client: Client) -> None:
    (entry,) = quarantined(client, ROW)
    client.post(f"/api/v1/quarantine/{entry}/reject", json=WORD)
    client.post("/api/v1/records", json=[ROW])
    listed = client.get("/api/v1/quarantine", params={"state": "all"}).json()["entries"]
    assert [(one["id"], one["state"]) for one in listed] == [(entry, "rejected")]


@pytest.mark.parametrize(
    ("path", "body", "status", "told"),
    [
        ("1/release", b"{", 400, "the body is not what is wanted"),
        ("1/release", b'{"by": "kari"}', 400, "reason"),
        ("1/release", b'{"by": "", "reason": "x"}', 400, "by is ''"),
        ("1/release", b'{"by": "kari", "reason": " "}', 400, "reason is ' '"),
        ("1/release", b'{"by": "a\\nb", "reason": "x"}', 400, "in one line"),
        ("1/release", b'{"by": "kari", "reason": "x", "force": true}', 400, "force"),
        ("1/release", b'{"by": "kari", "reason": "x", "values": {"colour": 1}}', 400, "'colour' is no column"),
        ("9/release", b'{"by": "kari", "reason": "x"}', 404, "there is no quarantined row 9"),
        ("9/reject", b'{"by": "kari", "reason": "x"}', 404, "there is no quarantined row 9"),
        ("x/reject", b'{"by": "kari", "reason": "x"}', 400, "quarantine_id is 'x'"),
        ("0/reject", b'{"by": "kari", "reason": "x"}', 400, "quarantine_id is '0'"),
        ("1/reject", b'{"by": "kari", "reason": "' + b"x" * 70_000 + b'"}', 413, "longer than"),
    ],
)
def test_a_request_that_cannot_be_is_a_problem_in_a_sentence(
    client: Client, path: str, body: bytes, status: int, told: str
) -> None:
    quarantined(client, ROW)
    answer = client.post(f"/api/v1/quarantine/{path}", content=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM), answer.text
    assert told in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("quarantine?limit=0", "limit is '0'"),
        ("quarantine?cursor=x", "cursor is 'x'"),
        ("quarantine?state=lost", "state is 'lost'"),
        ("quarantine?since=yesterday", "since is 'yesterday'"),
        ("quarantine?since=2026-01-01T00:00:00", "since is"),
        ("quarantine?field=%00", "NUL"),
        ("audit?well=demo.a", "start"),
        ("audit?well=demo.a&start=2026-01-01T00:00:00&resolution=live", "start is"),
        ("audit?well=demo.a&start=2026-01-01T00:00:00Z&resolution=hourly", "resolution is 'hourly'"),
    ],
)
def test_a_parameter_that_cannot_be_is_told_by_name(client: Client, path: str, told: str) -> None:
    answer = client.get(f"/api/v1/{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (400, PROBLEM), answer.text
    assert told in answer.json()["detail"]


def test_storage_that_is_away_says_when_to_come_back(redis_url: str, clock: Clock) -> None:
    nowhere = engine_for("postgresql+psycopg://nobody@127.0.0.1:1/none")
    answer = client_of(nowhere, redis_url, clock).get("/api/v1/quarantine")
    nowhere.dispose()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


def test_a_record_s_whole_trail_is_told_oldest_first(client: Client, clock: Clock) -> None:
    hour = timedelta(hours=1)
    (entry,) = quarantined(client, ROW)
    clock.now += hour
    release(client, entry, values={"oil_sm3": 1.0})
    clock.now += hour
    client.post("/api/v1/records", json=[ROW | {"oil_sm3": 2.0, "on_stream_s": 0}])
    clock.now += hour
    taken = {name: ROW[name] for name in ("field", "well", "start", "seconds", "resolution", "source")}
    client.post("/api/v1/records", json=[taken | {"verdict": "withdrawn", "issues": ["wrong_well"], "quality": 0.7}])
    found = client.get("/api/v1/audit", params=KEY).json()
    assert [(event["what"], event["by"], event["at"][11:13]) for event in found["trail"]] == [
        ("quarantined", "api", "00"), ("corrected", "kari", "01"), ("released", "kari", "01"),
        ("stored", "plant", "01"), ("revised", "plant", "02"), ("withdrawn", "plant", "03"), ("revised", "plant", "03"),
    ]  # fmt: skip
    quarantine, corrected, released, stored_, revised, withdrawn, last = found["trail"]
    assert quarantine["reasons"][0]["rule"] == "below_low"
    assert corrected["detail"] == {"oil_sm3": {"from": -1.0, "to": 1.0}}
    assert (released["reason"], released["detail"]) == (
        WORD["reason"], {"rules": ["below_low"], "outcome": "accepted"}
    )  # fmt: skip
    rules = {"version": default().version, "digest": default().digest}
    assert (stored_["values"]["oil_sm3"], stored_["rules"], stored_["superseded_at"][11:13]) == (1.0, rules, "02")
    assert (revised["verdict"], revised["issues"]) == ("suspect", ["volume_without_hours-oil_sm3"])
    assert withdrawn["detail"]["issues"] == ["wrong_well"]
    assert (last["verdict"], last["quality"], last["issues"], last["values"]) == ("withdrawn", 0.0, ["wrong_well"], {})
    assert [one["verdict"] for one in found["known"]] == ["withdrawn"]


def test_what_was_known_then_is_told_without_what_came_later(client: Client, clock: Clock) -> None:
    client.post("/api/v1/records", json=[ROW | {"oil_sm3": 1.0}])
    clock.now += timedelta(hours=2)
    client.post("/api/v1/records", json=[ROW | {"oil_sm3": 2.0}])
    found = client.get("/api/v1/audit", params=KEY | {"known_at": "2026-06-01T01:00:00Z"}).json()
    assert [one["values"]["oil_sm3"] for one in found["known"]] == [1.0]
    assert [(event["what"], event["superseded_at"]) for event in found["trail"]] == [("stored", None)]
    before = client.get("/api/v1/audit", params=KEY | {"known_at": "2026-05-31T00:00:00Z"}).json()
    assert (before["known"], before["trail"]) == ([], [])
    now = client.get("/api/v1/audit", params=KEY).json()
    assert [one["values"]["oil_sm3"] for one in now["known"]] == [2.0]


def test_a_row_that_was_corrected_into_another_record_is_in_the_trails_of_both(client: Client) -> None:
    (entry,) = quarantined(client, ROW)
    release(client, entry, values={"oil_sm3": 1.0, "well": "demo.b"})
    told = {
        well: [event["what"] for event in client.get("/api/v1/audit", params=KEY | {"well": well}).json()["trail"]]
        for well in ("demo.a", "demo.b")
    }
    assert told == {
        "demo.a": ["quarantined", "corrected", "released"],
        "demo.b": ["quarantined", "corrected", "released", "stored"],
    }


def test_a_record_that_was_never_heard_of_has_no_trail_and_an_unknown_well_is_told(client: Client) -> None:
    assert client.get("/api/v1/audit", params=KEY).json()["trail"] == []
    answer = client.get("/api/v1/audit", params=KEY | {"well": "demo.z"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_the_rules_that_judge_and_those_that_judged_are_shown(client: Client) -> None:
    now = client.get("/api/v1/rules").json()
    assert (now["version"], now["digest"]) == (default().version, default().digest)
    path = f"/api/v1/rules/{now['version']}/{now['digest']}"
    assert client.get(path).status_code == 404
    client.post("/api/v1/records", json=[ROW])
    assert client.get(path).json()["document"] == now["document"]


def test_the_routes_are_documented_with_examples(client: Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    for path in ("quarantine", "quarantine/{quarantine_id}", "audit", "rules"):
        operation = paths[f"/api/v1/{path}"]["get"]
        assert operation["summary"]
        assert "example" in operation["responses"]["200"]["content"]["application/json"], path
        assert "application/problem+json" in operation["responses"]["400"]["content"]
        assert "422" not in operation["responses"]
    body = paths["/api/v1/quarantine/{quarantine_id}/release"]["post"]["requestBody"]["content"]["application/json"]
    assert body["example"]["by"]
    assert "oil_sm3" in json.dumps(body["schema"])
