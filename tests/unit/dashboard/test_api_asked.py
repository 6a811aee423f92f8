"""Parameters are read strictly: what is not allowed is named."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dashboard.api.asked import (
    Ranged,
    SeriesAsked,
    WellsAsked,
    after,
    aware,
    cursor_of,
    days,
    metrics_of,
    span,
    well_ids,
)
from storage.domain.derived import METRICS
from storage.domain.errors import ParameterRefused
from storage.domain.well import Field

OSLO = Field("demo", "Demo", "Europe/Oslo", 6 * 3600)


def test_a_date_is_the_start_of_its_production_day_and_a_time_is_itself() -> None:
    asked = Ranged(start="2026-03-29", end="2026-04-01T00:00:00+02:00")
    assert span(asked, OSLO) == (datetime(2026, 3, 29, 4, tzinfo=UTC), datetime(2026, 3, 31, 22, tzinfo=UTC))
    assert span(Ranged(), OSLO) == (None, None)


def test_a_plus_that_was_not_escaped_in_the_address_is_a_plus() -> None:
    asked = Ranged(start="2026-03-29T00:00:00 02:00")
    assert span(asked, OSLO)[0] == datetime(2026, 3, 28, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2026-13-01", "2026-02-30", "0001-01-01", "9999-12-31", "2026-01-01T00:00:00", "1e5", "2026"],
)
@pytest.mark.parametrize("name", ["start", "end"])
def test_what_is_no_time_or_knows_no_zone_is_refused_with_its_name_and_what_is_allowed(name: str, text: str) -> None:
    with pytest.raises(ParameterRefused) as told:
        span(Ranged(**{name: text}), OSLO)
    assert (told.value.parameter, told.value.value) == (name, text)
    assert "ISO" in told.value.allowed


def test_a_range_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ParameterRefused, match="later than start"):
        span(Ranged(start="2026-01-02", end="2026-01-02"), OSLO)


def test_a_range_in_days_holds_every_day_that_it_touches() -> None:
    assert days(Ranged(start="2026-01-05", end="2026-01-08"), OSLO) == (date(2026, 1, 5), date(2026, 1, 8))
    touched = Ranged(start="2026-01-05T12:00:00Z", end="2026-01-08T05:00:01Z")
    assert days(touched, OSLO) == (date(2026, 1, 5), date(2026, 1, 9))


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ParameterRefused, match="known_at"):
        aware("known_at", datetime(2026, 1, 1))  # noqa: DTZ001
    assert aware("known_at", None) is None


def test_metrics_come_once_in_the_order_asked_for() -> None:
    assert [one.name for one in metrics_of("gor,oil,gor")] == ["gor", "oil"]


@pytest.mark.parametrize(
    "given",
    [
        {"metrics": "oil,"}, {"metrics": "oil,gold"}, {"metrics": ""}, {"metrics": ",".join(["oil"] * 25)},
        {"points": 19}, {"points": 20_001}, {"units": "imperial"}, {"resolution": "second"}, {"format": "xml"},
        {"colour": "red"},
    ],
)  # fmt: skip
def test_a_parameter_out_of_its_bounds_or_unknown_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SeriesAsked(**given)  # type: ignore[arg-type]


def test_every_metric_can_be_asked_for() -> None:
    for name in METRICS:
        assert metrics_of(SeriesAsked(metrics=name).metrics) == [METRICS[name]]


def test_the_same_question_has_the_same_text_however_it_was_written() -> None:
    assert SeriesAsked().canonical() == SeriesAsked(points=2_000, units="metric", format="csv").canonical()
    assert SeriesAsked(points=100).canonical() != SeriesAsked().canonical()


@given(st.text(st.characters(exclude_characters="\x00", codec="utf-8"), min_size=1, max_size=60))
def test_a_cursor_brings_back_the_id_that_it_was_made_of(last: str) -> None:
    cursor = WellsAsked(cursor=cursor_of(last)).cursor
    assert after(cursor) == last


@pytest.mark.parametrize("cursor", ["A", "____", "AA"])
def test_a_made_up_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(ParameterRefused, match="`next` of a page"):
        after(cursor)


def test_wells_are_those_of_the_field_each_once() -> None:
    known = ["demo.a", "demo.b"]
    assert well_ids("demo.b, demo.a,demo.b", "demo", known) == ["demo.b", "demo.a"]
    for text in ("", ",", "demo.c", ",".join(f"demo.{n}" for n in range(21))):
        with pytest.raises(ParameterRefused) as told:
            well_ids(text, "demo", known)
        assert told.value.parameter == "wells"
