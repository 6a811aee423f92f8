"""Every endpoint's numbers against plain SQL over the records: DST days, revisions and withdrawn records included."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from sqlalchemy import Engine, text

from storage import records, well_headers, well_statuses, wells
from storage.database import reading, writing
from storage.domain.production_day import day_bounds, day_of
from storage.domain.record import RECORD_SCHEMA
from storage.domain.well import Field, Well
from storage.domain.well_header import HEADER_SCHEMA
from storage.domain.well_status import STATUS_SCHEMA
from tests.api_client import ApiClient

FIELD = Field("demo", "Demo", "Europe/Oslo", 6 * 3600)
DAYS = [date(2026, 3, 15) + timedelta(days=ahead) for ahead in range(30)]
"""In the night to 2026-03-29 the clocks of Oslo lose an hour: that production day (28 March from 06:00) has 23."""

SHORT_DAY = date(2026, 3, 28)
FIRST, SECOND = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 2, tzinfo=UTC)
LIVE_FROM = day_bounds(FIELD, date(2026, 4, 13))[1]

Row = dict[str, Any]


def row(well: str, start: datetime, seconds: int, resolution: str, **content: Any) -> Row:
    base: Row = dict.fromkeys(RECORD_SCHEMA)
    return base | {
        "field": "demo", "well": f"demo.{well}", "start": start, "seconds": seconds, "resolution": resolution,
        "verdict": "verified", "quality": 1.0, "issues": [], "source": "test", **content,
    }  # fmt: skip


def day_row(well: str, day: date, oil: float | None, **content: Any) -> Row:
    start, end = day_bounds(FIELD, day)
    given = {"oil_sm3": oil, "gas_sm3": None if oil is None else 100 * oil, "water_sm3": 10.0, "on_stream_s": 40_000.0}
    return row(well, start, round((end - start).total_seconds()), "daily", **given | content)


def write(engine: Engine, rows: list[Row], at: datetime) -> None:
    with writing(engine) as connection:
        records.write(connection, pl.DataFrame(rows, schema=RECORD_SCHEMA), at)


def history() -> list[Row]:
    """Three wells by day, one of them silent for a while, and live records after the days."""
    rows = [day_row("a", day, 100.0 + n) for n, day in enumerate(DAYS)]
    rows += [day_row("b", day, 50.0 - n, quality=0.5) for n, day in enumerate(DAYS)]
    rows += [day_row("c", day, 7.0, verdict="suspect", issues=["drift", "jump"]) for day in DAYS[:20]]
    rows += [
        row(
            "a",
            LIVE_FROM + timedelta(minutes=n),
            60,
            "live",
            oil_sm3=0.05 + n % 7 / 100,
            wellhead_pressure_bar=40.0 + n % 5,
        )
        for n in range(900)
    ]
    return rows


@pytest.fixture
def api(engine: Engine, redis_url: str) -> Iterator[ApiClient]:
    with writing(engine) as connection:
        wells.add_field(connection, FIELD)
        wells.add_wells(connection, [Well(f"demo.{name}", name.upper()) for name in "abcd"])
    write(engine, history(), FIRST)
    revised = [
        day_row("a", SHORT_DAY, 500.0),
        row("b", *day_span(DAYS[3]), "daily", verdict="withdrawn", quality=0.0),
        day_row("c", DAYS[5], 70.0),
    ]
    write(engine, revised, SECOND)
    client = ApiClient(engine, redis_url)
    yield client
    client.close()


def day_span(day: date) -> tuple[datetime, int]:
    start, end = day_bounds(FIELD, day)
    return start, round((end - start).total_seconds())


def asked(engine: Engine, sql: str, **values: object) -> list[Any]:
    with reading(engine) as connection:
        return list(connection.execute(text(sql), values))


DAILY = (
    "SELECT w.slug, r.start, r.seconds, r.oil_sm3, r.gas_sm3, r.water_sm3, r.quality, r.verdict, r.revision"
    " FROM records r JOIN wells w USING (field_id, well_id)"
    " WHERE r.resolution = 'daily' AND r.verdict <> 'withdrawn' ORDER BY w.slug, r.start"
)


def daily(engine: Engine, well: str | None = None) -> list[Any]:
    return [one for one in asked(engine, DAILY) if well in (None, one.slug)]


def ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def test_a_wells_days_are_its_records_with_rates_over_the_length_of_that_day(api: ApiClient, engine: Engine) -> None:
    found = api.rows(
        "/wells/demo.a/production", resolution="day", end="2026-04-14", metrics="oil,oil_rate,water_cut,gor"
    )
    wanted = daily(engine, "a")
    assert [one["start"] for one in found] == [ms(one.start) for one in wanted]
    assert [one["oil"] for one in found] == [one.oil_sm3 for one in wanted]
    assert [one["oil_rate"] for one in found] == pytest.approx([one.oil_sm3 * 86_400 / one.seconds for one in wanted])
    assert [one["water_cut"] for one in found] == pytest.approx(
        [one.water_sm3 / (one.water_sm3 + one.oil_sm3) for one in wanted]
    )
    assert [one["gor"] for one in found] == pytest.approx([one.gas_sm3 / one.oil_sm3 for one in wanted])
    short = next(one for one in found if one["start"] == ms(day_bounds(FIELD, SHORT_DAY)[0]))
    assert (short["seconds"], short["oil"], short["oil_rate"]) == (82_800, 500.0, pytest.approx(500 * 24 / 23))


def test_a_withdrawn_record_counts_nowhere(api: ApiClient, engine: Engine) -> None:
    gone = ms(day_bounds(FIELD, DAYS[3])[0])
    well = api.rows("/wells/demo.b/production", resolution="day", metrics="oil")
    assert gone not in [one["start"] for one in well]
    assert sum(one["oil"] for one in well) == pytest.approx(sum(one.oil_sm3 for one in daily(engine, "b")))
    field = {one["start"]: one for one in api.rows("/fields/demo/production", resolution="day", metrics="oil")}
    assert field[gone]["wells"] == 2
    assert field[gone]["wells_expected"] == 3


def test_live_records_come_as_they_are(api: ApiClient, engine: Engine) -> None:
    found = api.rows("/wells/demo.a/production", resolution="live", metrics="oil,wellhead_pressure", points=2_000)
    wanted = asked(
        engine, "SELECT start, oil_sm3, wellhead_pressure_bar FROM records WHERE resolution = 'live' ORDER BY start"
    )
    assert [(one["start"], one["oil"], one["wellhead_pressure"]) for one in found] == [
        (ms(one.start), one.oil_sm3, one.wellhead_pressure_bar) for one in wanted
    ]


def test_hours_are_sums_of_volumes_and_averages_of_states(api: ApiClient, engine: Engine) -> None:
    found = api.rows("/wells/demo.a/production", resolution="hour", metrics="oil,oil_rate,wellhead_pressure")
    wanted = asked(
        engine,
        "SELECT date_trunc('hour', start) AS hour, sum(oil_sm3) AS oil, avg(wellhead_pressure_bar) AS pressure,"
        " min(oil_sm3) * 1440 AS low, max(oil_sm3) * 1440 AS high, max(wellhead_pressure_bar) AS highest"
        " FROM records WHERE resolution = 'live' GROUP BY 1 ORDER BY 1",
    )
    assert [one["start"] for one in found] == [ms(one.hour) for one in wanted]
    for name, column in (("oil", "oil"), ("wellhead_pressure", "pressure"), ("oil_rate_low", "low"),
                         ("oil_rate_high", "high"), ("wellhead_pressure_high", "highest")):  # fmt: skip
        assert [one[name] for one in found] == pytest.approx([getattr(one, column) for one in wanted]), name


def test_a_fields_days_and_months_are_sums_over_its_wells(api: ApiClient, engine: Engine) -> None:
    days = api.rows("/fields/demo/production", resolution="day", end="2026-04-14", metrics="oil,gas,water_cut")
    by_start: dict[int, list[Any]] = {}
    for one in daily(engine):
        by_start.setdefault(ms(one.start), []).append(one)
    assert [one["start"] for one in days] == sorted(by_start)
    for one in days:
        rows = by_start[one["start"]]
        oil, water = sum(row.oil_sm3 for row in rows), sum(row.water_sm3 for row in rows)
        assert (one["oil"], one["wells"]) == (pytest.approx(oil), len(rows))
        assert one["water_cut"] == pytest.approx(water / (oil + water))
        assert one["suspects"] == sum(row.verdict == "suspect" for row in rows)
    months = api.rows("/fields/demo/production", resolution="month", metrics="oil")
    live = asked(engine, "SELECT sum(oil_sm3) AS oil FROM records WHERE resolution = 'live'")[0].oil
    in_march = [one.oil_sm3 for one in daily(engine) if day_of(FIELD, one.start).month == 3]
    in_april = [one.oil_sm3 for one in daily(engine) if day_of(FIELD, one.start).month == 4]
    assert [one["oil"] for one in months] == pytest.approx([sum(in_march), sum(in_april) + live])
    assert [one["basis"] for one in months] == ["daily", "mixed"]


@pytest.mark.parametrize("span", [(date(2026, 3, 20), date(2026, 4, 5)), (date(2026, 3, 1), date(2026, 4, 1))])
def test_a_ranking_is_the_order_of_the_sums_beside_those_of_the_period_before(
    api: ApiClient, engine: Engine, span: tuple[date, date]
) -> None:
    since, until = span
    content = api.json("/fields/demo/ranking", metric="oil", start=str(since), end=str(until))
    found = {name: column["values"] for name, column in content["columns"].items()}
    sums = dict.fromkeys("abc", 0.0)
    for one in daily(engine):
        if since <= day_of(FIELD, one.start) < until:
            sums[one.slug] += one.oil_sm3
    order = sorted(sums, key=lambda name: -sums[name])
    assert found["well"] == [f"demo.{name}" for name in order] + ["demo.d"]
    assert found["value"][:3] == pytest.approx([sums[name] for name in order])
    assert (found["value"][3], found["rank"]) == (None, [1, 2, 3, None])
    assert content["field_value"] == pytest.approx(sum(sums.values()))
    assert found["share"][:3] == pytest.approx([sums[name] / sum(sums.values()) for name in order])


def test_a_ranking_knows_rank_and_value_of_the_period_before(api: ApiClient) -> None:
    content = api.json("/fields/demo/ranking", metric="oil", start="2026-03-25", end="2026-03-29")
    found = {name: column["values"] for name, column in content["columns"].items()}
    before = api.json("/fields/demo/ranking", metric="oil", start="2026-03-21", end="2026-03-25")
    then = dict(zip(*(before["columns"][name]["values"] for name in ("well", "value")), strict=True))
    ranks = dict(zip(*(before["columns"][name]["values"] for name in ("well", "rank")), strict=True))
    assert content["previous_period"] == before["period"]
    assert found["previous"] == [then[well] for well in found["well"]]
    assert found["previous_rank"] == [ranks[well] for well in found["well"]]
    assert found["change"][0] == pytest.approx(found["value"][0] - found["previous"][0])


def test_a_ratio_is_ranked_by_summed_volumes_not_by_the_mean_of_ratios(api: ApiClient, engine: Engine) -> None:
    found = api.rows("/fields/demo/ranking", metric="gor", start="2026-03-15", end="2026-04-14")
    for one in found[:3]:
        rows = daily(engine, one["well"].partition(".")[2])
        assert one["value"] == pytest.approx(sum(r.gas_sm3 for r in rows) / sum(r.oil_sm3 for r in rows))


def test_a_comparison_aligns_wells_by_the_calendar_or_by_their_first_flow(api: ApiClient, engine: Engine) -> None:
    rows = api.rows("/fields/demo/comparison", wells="demo.c,demo.a", resolution="day", metrics="oil", end="2026-04-14")
    for place, name in enumerate("ca"):
        assert [one["oil"] for one in rows if one["well"] == place] == [one.oil_sm3 for one in daily(engine, name)]
    zeroed = api.rows("/fields/demo/comparison", wells="demo.c", resolution="day", metrics="oil", aligned="time-zero")
    first = daily(engine, "c")[0].start
    assert [one["since_zero_d"] for one in zeroed] == pytest.approx(
        [(one["start"] - ms(first)) / 86_400_000 for one in zeroed]
    )


def test_a_heatmap_has_a_cell_for_each_well_and_day_with_records(api: ApiClient, engine: Engine) -> None:
    content = api.json("/fields/demo/heatmap", metric="oil", start="2026-03-15", end="2026-04-14")
    values = {name: column["values"] for name, column in content["columns"].items()}
    cells = {
        (content["wells"][well], start): value
        for well, start, value in zip(values["well"], values["start"], values["value"], strict=True)
    }
    assert cells == {(f"demo.{one.slug}", ms(one.start)): one.oil_sm3 for one in daily(engine)}
    assert content["days"] == [ms(day_bounds(FIELD, day)[0]) for day in DAYS]


def test_the_figures_at_a_glance_are_sums_over_the_newest_days(api: ApiClient, engine: Engine) -> None:
    items = {one["metric"]: one for one in api.json("/kpis", days=10)["items"]}
    last = day_of(FIELD, LIVE_FROM + timedelta(seconds=900 * 60 - 1))
    since = last - timedelta(days=9)
    live = asked(engine, "SELECT sum(oil_sm3) AS oil FROM records WHERE resolution = 'live'")[0].oil
    oil = sum(one.oil_sm3 for one in daily(engine) if since <= day_of(FIELD, one.start) <= last) + live
    before = [one for one in daily(engine) if since - timedelta(days=10) <= day_of(FIELD, one.start) < since]
    assert items["oil"]["value"] == pytest.approx(oil)
    assert items["oil"]["previous"] == pytest.approx(sum(one.oil_sm3 for one in before))
    assert items["oil_rate"]["value"] == pytest.approx(oil / 10)
    assert items["gor"]["previous"] == pytest.approx(sum(o.gas_sm3 for o in before) / sum(o.oil_sm3 for o in before))


def test_quality_counts_records_suspects_and_issues(api: ApiClient, engine: Engine) -> None:
    content = api.json("/fields/demo/quality", start="2026-03-15", end="2026-04-14")
    rows = daily(engine)
    suspects = [one for one in rows if one.verdict == "suspect"]
    assert (content["records"], content["suspects"]) == (len(rows), len(suspects))
    assert content["issues"] == [{"issue": name, "records": len(suspects)} for name in ("drift", "jump")]
    weighted = sum(one.quality * one.seconds for one in rows) / sum(one.seconds for one in rows)
    assert content["quality"] == pytest.approx(weighted)
    well = api.json("/wells/demo.a/quality", start="2026-03-15", end="2026-04-14")
    assert (well["records"], well["suspects"], well["issues"]) == (30, 0, [])


def test_a_revised_row_is_marked_and_its_old_values_are_reachable(api: ApiClient) -> None:
    content = api.json("/wells/demo.a/production", resolution="day", metrics="oil")
    values = {name: column["values"] for name, column in content["columns"].items()}
    marked = [start for start, revised in zip(values["start"], values["revised"], strict=True) if revised]
    assert marked == [ms(day_bounds(FIELD, SHORT_DAY)[0])]
    items = api.json(content["links"]["revisions"].removeprefix("/api/v1"))["items"]
    assert [(one["revision"], one["oil_sm3"]) for one in items] == [(0, 113.0), (1, 500.0)]
    assert [(one["received_at"], one["superseded_at"]) for one in items] == [
        (ms(FIRST), ms(SECOND)), (ms(SECOND), None)
    ]  # fmt: skip


def test_what_was_known_then_is_answered_from_what_had_come_by_then(api: ApiClient) -> None:
    then = "2026-05-01T12:00:00Z"
    parameters = {
        "resolution": "day",
        "metrics": "oil",
        "start": str(SHORT_DAY),
        "end": str(SHORT_DAY + timedelta(days=1)),
    }
    before = api.json("/wells/demo.a/production", known_at=then, **parameters)
    assert before["columns"]["oil"]["values"] == [113.0]
    assert before["source"] == "records and superseded records"
    assert api.rows("/wells/demo.a/production", known_at="2026-05-03T00:00:00Z", **parameters)[0]["oil"] == 500.0
    assert api.rows("/wells/demo.a/production", known_at="2026-04-01T00:00:00Z", **parameters) == []
    withdrawn = {"resolution": "day", "metrics": "oil", "start": str(DAYS[3]), "end": str(DAYS[4])}
    assert api.rows("/wells/demo.b/production", known_at=then, **withdrawn)[0]["oil"] == 47.0
    assert api.rows("/wells/demo.b/production", **withdrawn) == []


def test_what_was_known_of_more_records_than_are_read_is_refused_and_says_what_to_do(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.api.series.READ_MOST", 3)
    told = api.get("/wells/demo.a/production?resolution=month&known_at=2026-05-01T12:00:00Z")
    assert told.status_code == 400
    assert "at most 3 records lie between it and the end" in told.text


@pytest.mark.parametrize("resolution", ["live", "hour", "day", "month", "auto"])
@pytest.mark.parametrize("well", ["a", "b", "c", "d"])
def test_what_is_known_now_is_what_the_rollups_say(api: ApiClient, well: str, resolution: str) -> None:
    metrics = "oil,oil_rate,gas,water_cut,uptime,wellhead_pressure"
    now = api.rows(f"/wells/demo.{well}/production", resolution=resolution, metrics=metrics)
    known = api.rows(
        f"/wells/demo.{well}/production", resolution=resolution, metrics=metrics, known_at="2030-01-01T00:00:00Z"
    )
    assert len(now) == len(known)
    for one, other in zip(now, known, strict=True):
        assert one == pytest.approx(other)


def test_the_automatic_resolution_takes_the_finest_that_fits_and_reaches_as_far_as_the_days(api: ApiClient) -> None:
    whole = api.json("/wells/demo.a/production")
    assert (whole["resolution"], whole["downsampled"]) == ("day", None)
    newest = {"start": LIVE_FROM.isoformat().replace("+00:00", "Z")}
    assert api.json("/wells/demo.a/production", **newest)["resolution"] == "live"
    assert api.json("/wells/demo.a/production", points=100, **newest)["resolution"] == "hour"
    assert api.json("/wells/demo.a/production", points=28)["resolution"] == "month"
    assert api.json("/wells/demo.d/production")["rows"] == 0


def test_units_are_converted_at_the_edge_and_named(api: ApiClient) -> None:
    metric = api.json("/wells/demo.a/production", resolution="day", metrics="oil,gas,oil_equivalent")
    field = api.json("/wells/demo.a/production", resolution="day", metrics="oil,gas,oil_equivalent", units="field")
    assert [field["columns"][name]["unit"] for name in ("oil", "gas")] == ["bbl", "Mscf"]
    assert field["columns"]["oil"]["values"][0] == pytest.approx(metric["columns"]["oil"]["values"][0] / 0.158987295)
    assert field["oil_equivalent"] == "6 Mscf = 1 bbl"
    oil, gas, both = (field["columns"][name]["values"][0] for name in ("oil", "gas", "oil_equivalent"))
    assert both == pytest.approx(oil + gas / 6)


def test_lists_are_in_pages_and_can_be_narrowed(api: ApiClient, engine: Engine) -> None:
    with writing(engine) as connection:
        wells.add_wells(connection, [Well("demo.inj", "Water 100%", "injector")])
    first = api.json("/wells", limit=3)
    assert [one["id"] for one in first["items"]] == ["demo.a", "demo.b", "demo.c"]
    second = api.json("/wells", limit=3, cursor=first["next"])
    assert ([one["id"] for one in second["items"]], second["next"]) == (["demo.d", "demo.inj"], None)
    assert [one["id"] for one in api.json("/wells", purpose="injector")["items"]] == ["demo.inj"]
    assert [one["id"] for one in api.json("/wells", search="100%")["items"]] == ["demo.inj"]
    assert api.json("/wells", search="%")["rows"] == 1
    assert api.json("/search", q="watr 100")["items"][0]["id"] == "demo.inj"


def test_a_well_tells_its_newest_records_and_a_field_how_far_it_reaches(api: ApiClient) -> None:
    well = api.json("/wells/demo.a")
    assert well["newest"]["daily"]["values"]["oil"] == {"value": 129.0, "unit": "Sm3"}
    assert well["newest"]["live"]["start"] == "2026-04-14T18:59:00Z"
    assert well["reach"]["day"] == {"first": "2026-03-15", "last": "2026-04-14"}
    field = api.json("/fields/demo")
    assert (field["wells"], field["reach"]["month"]["first"]) == (4, "2026-03-01")


def test_a_well_tells_its_header_and_status_as_soon_as_they_are_reported(api: ApiClient, engine: Engine) -> None:
    before = api.get("/wells/demo.a")
    tag = {"if-none-match": before.headers["etag"]}
    assert api.get("/wells/demo.a", headers=tag).status_code == 304
    assert before.json()["header"]["water_depth_m"] is None
    header = {name: [None] for name in HEADER_SCHEMA} | {"well": ["demo.a"], "water_depth_m": [91.0], "source": ["x"]}
    status = {"well": "demo.a", "aspect": "status", "since": FIRST, "until": None, "code": "PA", "source": "x"}
    with writing(engine) as connection:
        well_headers.keep(connection, pl.DataFrame(header, schema=HEADER_SCHEMA), SECOND)
        well_statuses.keep(connection, pl.DataFrame([status], schema=STATUS_SCHEMA), SECOND)
    after = api.get("/wells/demo.a", headers=tag)
    assert (after.status_code, after.json()["header"]["water_depth_m"]) == (200, 91.0)
    assert after.json()["statuses"][-1] == {
        "aspect": "status", "since": "2026-05-01T00:00:00Z", "until": None, "code": "PA", "source": "x"
    }  # fmt: skip


def test_an_answer_stands_at_the_position_of_the_log_and_moves_with_it(api: ApiClient, engine: Engine) -> None:
    before = api.json("/fields/demo/production", resolution="month", metrics="oil")
    write(engine, [day_row("d", DAYS[0], 1_000.0)], SECOND)
    after = api.json("/fields/demo/production", resolution="month", metrics="oil")
    assert (before["position"]["offset"], after["position"]["offset"]) == (2, 3)
    assert after["columns"]["oil"]["values"][0] == pytest.approx(before["columns"]["oil"]["values"][0] + 1_000)
