"""Refusals are told as problems, and the documented row is the one that is read."""

import json

import pytest

from ingest.bodies import NotUnderstood, TooLarge
from ingest.parse import ROW_KEYS, ROW_SCHEMA
from ingest.service import ROW_DOCS, problem
from storage.domain.errors import InputRefused, NotFound, StorageDown, TooBusy, WellstreamError


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (InputRefused("x"), 400, None),
        (NotFound("x"), 404, None),
        (TooLarge("x"), 413, None),
        (NotUnderstood("x"), 415, None),
        (TooBusy("x"), 429, "2"),
        (StorageDown("x"), 503, "2"),
        (WellstreamError("x"), 500, None),
    ],
)
def test_an_error_is_told_as_problem_details(error: WellstreamError, status: int, retry_after: str | None) -> None:
    answer = problem(error)
    assert (answer.status_code, answer.media_type) == (status, "application/problem+json")
    assert answer.headers.get("retry-after") == retry_after
    content = json.loads(bytes(answer.body))
    assert (content["status"], content["code"], content["detail"], content["retry"]) == (
        status, error.code, "x", error.retry
    )  # fmt: skip


def test_the_documented_row_has_the_keys_that_are_read() -> None:
    properties = ROW_DOCS["properties"]
    assert isinstance(properties, dict)
    assert set(properties) == ROW_KEYS == set(ROW_SCHEMA)
