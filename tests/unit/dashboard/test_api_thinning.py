"""Long series get fewer points: extremes and gaps stay, nothing is made up."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.api.thinning import Curve, least_points, thinned, with_gaps
from storage.domain.errors import InputRefused

T0 = datetime(2026, 1, 1, tzinfo=UTC)
OIL = [Curve("oil_rate")]
WITH_EXTREMES = [Curve("oil_rate", "oil_rate_low", "oil_rate_high")]


def series(values: list[float | None], hours: list[int] | None = None, **columns: list[float | None]) -> pl.DataFrame:
    at = [T0 + timedelta(hours=hour) for hour in (hours or range(len(values)))]
    made = pl.DataFrame(
        {"start": at, "seconds": [3_600] * len(at), "oil_rate": values, **columns},
        schema_overrides={"start": pl.Datetime("us", "UTC"), **dict.fromkeys(["oil_rate", *columns], pl.Float64)},
    )
    return with_gaps(made)


def wave(count: int) -> list[float | None]:
    return [float(one) for one in 100 + 10 * np.sin(np.arange(count) / 50)]


def test_a_short_series_is_left_as_it_is() -> None:
    short = series(wave(200))
    assert thinned(short, OIL, 200).equals(short)


def test_a_ten_minute_trip_that_only_an_hours_low_knows_stays_in_a_year_of_hours() -> None:
    values = wave(8_760)
    low, high = list(values), list(values)
    trips = (17, 2_345, 2_400, 6_000, 8_758)
    for hour in trips:
        low[hour] = 0.0
    kept = thinned(series(values, oil_rate_low=low, oil_rate_high=high), WITH_EXTREMES, 2_000)
    assert kept.height <= 2_000
    assert kept.filter(pl.col("oil_rate_low") == 0)["start"].to_list() == [T0 + timedelta(hours=hour) for hour in trips]


def test_a_gap_in_time_is_told_by_the_row_after_it_also_when_its_neighbours_are_left_out() -> None:
    hours = [*range(3_000), *range(3_500, 6_000)]
    kept = thinned(series(wave(len(hours)), hours), OIL, 200)
    assert kept.filter("gap_before").height == 1
    after = kept.filter("gap_before")["start"][0]
    assert after >= T0 + timedelta(hours=3_500)
    assert kept.filter(pl.col("start") < after)["start"].max() < T0 + timedelta(hours=3_000)  # type: ignore[operator]


def test_a_stretch_without_values_stays_a_stretch_without_values() -> None:
    values = wave(5_000)
    values[1_000:1_400] = [None] * 400
    kept = thinned(series(values), OIL, 200)
    silent = kept.filter(pl.col("oil_rate").is_null())
    assert silent["start"].to_list() == [T0 + timedelta(hours=1_000)]


def test_each_metric_keeps_its_own_extremes() -> None:
    water = [float(one) for one in np.random.default_rng(1).normal(50, 5, 5_000)]
    made = series(wave(5_000), water_rate=list(water))
    kept = thinned(made, [Curve("oil_rate"), Curve("water_rate")], 300)
    for name in ("oil_rate", "water_rate"):
        assert (kept[name].min(), kept[name].max()) == (made[name].min(), made[name].max())


def test_more_metrics_than_points_are_refused_with_the_number_they_need() -> None:
    curves = [Curve(f"m{n}") for n in range(20)]
    made = series(wave(500), **{f"m{n}": wave(500) for n in range(20)})
    with pytest.raises(InputRefused, match=f"at least {least_points(curves)}"):
        thinned(made, curves, least_points(curves) - 1)
    assert thinned(made, curves, least_points(curves)).height <= least_points(curves)


steps = st.lists(st.sampled_from([1, 1, 1, 2, 30]), min_size=200, max_size=400)
values = st.one_of(st.none(), st.just(0.0), st.floats(-1e6, 1e6))


@given(steps, st.data())
def test_what_is_left_was_there_holds_the_extremes_and_is_no_more_than_asked(
    gaps: list[int], data: st.DataObject
) -> None:
    hours = np.cumsum(gaps).tolist()
    drawn = data.draw(st.lists(values, min_size=len(hours), max_size=len(hours)))
    low = [None if one is None else one - 1 for one in drawn]
    high = [None if one is None else one + 1 for one in drawn]
    made = series(drawn, hours, oil_rate_low=low, oil_rate_high=high)
    kept = thinned(made, WITH_EXTREMES, 60)
    assert kept.height <= 60
    plain = ["start", "oil_rate"]
    assert kept.select(plain).join(made.select(plain), on=plain, how="anti", nulls_equal=True).is_empty()
    assert kept["start"].is_sorted()
    assert kept["oil_rate_low"].min() == made["oil_rate_low"].min()
    assert kept["oil_rate_high"].max() == made["oil_rate_high"].max()
    assert kept["oil_rate"].min() == made["oil_rate"].min()
    assert (kept["start"][0], kept["start"][-1]) == (made["start"][0], made["start"][-1])
    assert bool(kept["gap_before"].any()) == bool(made["gap_before"].any())
