"""Errors as problem details."""

import json

import pytest

from storage.domain import errors
from storage.domain.errors import (
    InputRefused,
    NotFound,
    NotOffered,
    ParameterRefused,
    StorageDown,
    TooBusy,
    TookTooLong,
    WellstreamError,
)
from stream.problem import MEDIA_TYPE, SCHEMA, STATUSES, problem


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (InputRefused("x"), 400, None),
        (ParameterRefused("points", "7", "a number from 20 to 20,000"), 400, None),
        (NotFound("x"), 404, None),
        (NotOffered("x"), 406, None),
        (StorageDown("x"), 503, "2"),
        (TooBusy("x"), 503, "2"),
        (TookTooLong("x"), 504, None),
        (WellstreamError("x"), 500, None),
    ],
)
def test_an_error_is_told_with_its_status_its_code_and_whether_to_try_again(
    error: WellstreamError, status: int, retry_after: str | None
) -> None:
    answer = problem(error)
    content = json.loads(bytes(answer.body))
    assert (answer.status_code, answer.media_type, answer.headers.get("retry-after")) == (
        status,
        MEDIA_TYPE,
        retry_after,
    )
    assert (content["status"], content["code"], content["detail"], content["retry"]) == (
        status, error.code, str(error), error.retry,
    )  # fmt: skip
    assert set(SCHEMA["required"]) <= set(content) <= set(SCHEMA["properties"])


def test_a_refused_parameter_is_told_with_its_name_its_value_and_what_is_allowed() -> None:
    content = json.loads(bytes(problem(ParameterRefused("points", "7", "a number from 20 to 20,000")).body))
    assert (content["parameter"], content["value"], content["allowed"]) == ("points", "7", "a number from 20 to 20,000")
    assert content["detail"] == "points is '7', but must be a number from 20 to 20,000"


def test_codes_are_the_error_s_own() -> None:
    codes = [one.code for one in vars(errors).values() if isinstance(one, type) and issubclass(one, WellstreamError)]
    assert len(codes) == len(set(codes))
    assert all(one.code in codes for one in STATUSES)
