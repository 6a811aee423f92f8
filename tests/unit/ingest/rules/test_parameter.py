"""Parameters: their bounds decide what fits, and are told."""

from datetime import date

import pytest

from ingest.rules.parameter import Parameter, Sort

SHARE = Parameter("share", "%", "a share", 5, 0, 100)
COUNT = Parameter("count", "records", "how many", 5, 3, sort=Sort.COUNT)
BOUND = Parameter("low", "", "a bound", words=("declared",))
DAY = Parameter("day", "", "a day", low=date(1900, 1, 1), sort=Sort.DAY)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [(SHARE, 0), (SHARE, 100), (SHARE, 0.5), (COUNT, 3), (BOUND, -1e9), (BOUND, "declared"), (DAY, date(1900, 1, 1))],
)
def test_what_is_within_bounds_fits(parameter: Parameter, value: object) -> None:
    assert parameter.fits(value)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (SHARE, -0.1), (SHARE, 100.1), (SHARE, True), (SHARE, float("nan")), (SHARE, "5"), (SHARE, [5]), (COUNT, 3.0),
        (COUNT, 2), (BOUND, "other"), (BOUND, float("inf")), (DAY, date(1899, 12, 31)), (DAY, 5), (DAY, "1900-01-01"),
    ],
)  # fmt: skip
def test_what_is_beyond_them_does_not(parameter: Parameter, value: object) -> None:
    assert not parameter.fits(value)


def test_what_is_allowed_is_told_with_its_unit() -> None:
    assert SHARE.allowed() == "a number from 0 to 100 %"
    assert COUNT.allowed() == "a whole number of at least 3 records"
    assert BOUND.allowed() == "a number or declared"
    assert DAY.allowed() == "a date of at least 1900-01-01"
