"""The door: kept answers, computed once, compressed once, never older than the records, whatever Redis does."""

import asyncio
import gzip
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import redis
from sqlalchemy import Engine, text

from dashboard.api.answer import Answer, Form
from dashboard.api.door import AT_ONCE, Coalesced, Door, Question, Stands
from storage import records, rollups, wells
from storage.database import engine_for, writing
from storage.domain.well import Field, Well
from tests.api_client import ApiClient
from tests.records import frame, known_field

DAY_S = 86_400
SERIES = "/wells/demo.a/production?resolution=day"


def write(engine: Engine, number: int) -> None:
    with writing(engine) as connection:
        days = frame(*((well, DAY_S * number, 1.0) for well in ("demo.a", "demo.b")), resolution="daily")
        records.write(connection, days, datetime.now(UTC))


@pytest.fixture
def filled(engine: Engine) -> Engine:
    known_field(engine)
    for number in range(20):
        write(engine, number)
    return engine


@pytest.fixture
def api(filled: Engine, redis_url: str) -> Iterator[ApiClient]:
    client = ApiClient(filled, redis_url)
    yield client
    client.close()


def another(engine: Engine, redis_url: str | None) -> ApiClient:
    """As another process would be: with the same Redis and a memory of its own."""
    return ApiClient(engine, redis_url)


def test_the_same_question_is_computed_once_until_something_was_written(api: ApiClient, filled: Engine) -> None:
    first, second = api.get(SERIES), api.get(SERIES)
    assert (first.content, api.door.computed) == (second.content, 1)
    write(filled, 20)
    third = api.get(SERIES)
    assert api.door.computed == 2
    assert third.headers["etag"] != first.headers["etag"]
    assert len(third.json()["columns"]["start"]["values"]) == 21


def test_questions_that_mean_the_same_are_one(api: ApiClient) -> None:
    api.get("/wells/demo.a/production?resolution=day&points=2000&units=metric")
    api.get("/wells/demo.a/production?units=metric&resolution=day")
    assert api.door.computed == 1


def test_equal_questions_at_the_same_time_are_computed_once(api: ApiClient) -> None:
    answers = api.all(*[SERIES] * 50)
    assert {answer.status_code for answer in answers} == {200}
    assert api.door.computed == 1


def test_many_at_once_cost_few_reads_of_the_position(api: ApiClient) -> None:
    api.get(SERIES)
    before = api.door.reads
    answers = api.all(*[SERIES] * 100)
    assert {answer.status_code for answer in answers} == {200}
    assert 1 <= api.door.reads - before <= 10


def test_an_answer_is_never_older_than_what_was_committed_before_it_was_asked_for(
    api: ApiClient, filled: Engine
) -> None:
    for number in range(20, 30):
        write(filled, number)
        answers = api.all(*[SERIES] * 5)
        assert {len(answer.json()["columns"]["start"]["values"]) for answer in answers} == {number + 1}


def test_another_process_finds_it_in_redis(api: ApiClient, filled: Engine, redis_url: str) -> None:
    first = api.get(SERIES)
    api.all("/wells")  # a turn of the loop, so that it has been put
    other = another(filled, redis_url)
    assert other.get(SERIES).content == first.content
    assert other.door.computed == 0
    other.close()


def test_damaged_answers_in_redis_are_computed_again(api: ApiClient, filled: Engine, redis_url: str) -> None:
    first = api.get(SERIES)
    api.all("/wells")
    raw = redis.Redis.from_url(redis_url)
    for key in raw.scan_iter("wellstream:answer:*"):
        raw.set(key, b"rubbish" * 9)
    other = another(filled, redis_url)
    assert other.get(SERIES).content == first.content
    assert other.door.computed == 1
    other.close()


@pytest.mark.parametrize("url", [None, "redis://127.0.0.1:1/0", "unix:///nowhere/redis.sock"])
def test_without_redis_answers_are_the_same(filled: Engine, redis_url: str, url: str | None) -> None:
    with_redis, without = another(filled, redis_url), another(filled, url)
    assert without.get(SERIES).content == with_redis.get(SERIES).content
    with_redis.close()
    without.close()


def test_who_has_the_answer_is_told_so_without_computing(api: ApiClient, filled: Engine) -> None:
    first = api.get(SERIES)
    write(filled, 20)
    changed = api.get(SERIES, headers={"if-none-match": first.headers["etag"]})
    assert changed.status_code == 200
    computed = api.door.computed
    for tag in (changed.headers["etag"], f'"other", {changed.headers["etag"]}', f"W/{changed.headers['etag']}"):
        same = api.get(SERIES, headers={"if-none-match": tag})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", changed.headers["etag"])
    fresh = another(filled, None)
    assert fresh.get(SERIES, headers={"if-none-match": changed.headers["etag"]}).status_code == 304
    assert (api.door.computed, fresh.door.computed) == (computed, 0)
    fresh.close()


def test_a_well_that_got_another_name_is_another_answer(api: ApiClient, filled: Engine) -> None:
    before = api.get("/wells")
    with writing(filled) as connection:
        wells.add_wells(connection, [Well("demo.a", "Renamed")])
    after = api.get("/wells")
    assert after.headers["etag"] != before.headers["etag"]
    assert after.json()["items"][0]["name"] == "Renamed"


def test_an_answer_by_the_clock_of_before_is_not_kept_as_one_by_the_new_clock(api: ApiClient, filled: Engine) -> None:
    api.get(SERIES)
    with writing(filled) as connection:
        wells.add_field(connection, Field("demo", "Demo", "America/New_York", 3_600))
    with writing(filled) as another:
        another.execute(text("SELECT FROM rollup_heads FOR UPDATE"))  # as a worker that stamps the records again
        meanwhile = api.get(SERIES)
    after = api.get(SERIES)
    rollups.catch_up(filled, "demo")
    fresh = ApiClient(filled, None)
    assert after.json()["columns"] == fresh.get(SERIES).json()["columns"] != meanwhile.json()["columns"]
    fresh.close()


def test_answers_are_gzipped_for_those_who_take_it_and_plain_for_others(api: ApiClient) -> None:
    zipped = api.get(SERIES, headers={"accept-encoding": "gzip"})
    plain = api.get(SERIES, headers={"accept-encoding": "identity"})
    none = api.get(SERIES, headers={"accept-encoding": "gzip;q=0"})
    assert (zipped.headers["content-encoding"], zipped.headers["vary"]) == ("gzip", "Accept, Accept-Encoding")
    assert "content-encoding" not in plain.headers
    assert zipped.content == plain.content == none.content
    assert zipped.headers["etag"] != plain.headers["etag"]
    assert int(zipped.headers["content-length"]) < int(plain.headers["content-length"])
    assert len(gzip.compress(plain.content, 1, mtime=0)) == int(zipped.headers["content-length"])


def test_a_question_that_takes_too_long_is_told_so_and_the_next_one_is_answered(filled: Engine) -> None:
    async def asked() -> None:
        door = Door(filled, None, limit_s=0.2)

        def sleep(stands: Stands) -> Answer:
            stands.connection.exec_driver_sql("SELECT pg_sleep(30)")
            return Answer({})

        slow = Question("slow", ("demo",), sleep)
        began = time.monotonic()
        with pytest.raises(Exception, match="ask for"):
            await door.answered(slow, Form.JSON, gzips=False)
        assert time.monotonic() - began < 15
        quick = Question("quick", ("demo",), lambda _: Answer({"fine": True}))
        assert (await door.answered(quick, Form.JSON, gzips=False)).status_code == 200
        await door.close()

    asyncio.run(asked())


def test_a_question_that_waited_for_too_long_is_not_computed_for_nobody(filled: Engine) -> None:
    async def asked() -> int:
        door = Door(filled, None, limit_s=0.3)
        held = threading.Event()

        def wait(_: Stands) -> Answer:
            held.wait(10)
            return Answer({})

        names = [f"slow {number}" for number in range(AT_ONCE + 3)]
        waiting = [door.answered(Question(name, ("demo",), wait), Form.JSON, gzips=False) for name in names]
        told = await asyncio.gather(*waiting, return_exceptions=True)
        assert all("ask for less" in str(one) for one in told)
        held.set()
        await asyncio.get_running_loop().run_in_executor(None, door._threads.shutdown)
        await door.close()
        return door.computed

    assert asyncio.run(asked()) == AT_ONCE


def test_a_metric_that_there_is_not_is_named_beside_those_that_there_are(api: ApiClient) -> None:
    told = api.get("/wells/demo.a/production", metrics="oil,oil_sm3").json()
    assert (told["code"], told["parameter"], told["value"]) == ("parameter-refused", "metrics", "oil_sm3")
    assert told["detail"].startswith("metrics is 'oil_sm3', but must be one of oil, gas, water")
    told = api.get("/fields/demo/ranking", metric="oil,gas").json()
    assert told["detail"].startswith("metric is 'oil,gas', but must be one of oil, gas, water")


def test_storage_that_is_away_is_a_problem_that_says_to_try_again() -> None:
    nowhere = engine_for("postgresql+psycopg://nobody@127.0.0.1:1/none")
    api = another(nowhere, None)
    answer = api.get(SERIES)
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "storage-down", "2")
    api.close()
    nowhere.dispose()


async def test_a_read_serves_all_who_were_waiting_when_it_began_and_none_who_came_after() -> None:
    began, go = [0], asyncio.Event()

    async def read() -> int:
        began[0] += 1
        mine = began[0]
        await go.wait()
        return mine

    shared = Coalesced(read)
    first = [asyncio.create_task(shared.get())]
    await asyncio.sleep(0.01)
    later = [asyncio.create_task(shared.get()) for _ in range(20)]
    await asyncio.sleep(0.01)
    go.set()
    assert [await one for one in first] == [1]
    assert {await one for one in later} == {2}


async def test_a_read_that_fails_is_told_to_all_who_waited_and_the_next_one_is_tried() -> None:
    outcomes = iter([OSError("away"), 7])

    async def read() -> int:
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    shared = Coalesced(read)
    waiting = [asyncio.create_task(shared.get()) for _ in range(3)]
    told = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(one, OSError) for one in told)
    assert await shared.get() == 7
