"""Requests are read as batches, or refused as problems."""

import json

import pytest

from ingest.parse import ROW_KEYS
from ingest.service import ROW_DOCS, NotUnderstood, TooLarge, batch_in, problem
from storage.domain.errors import InputRefused, NotFound, StorageDown, WellstreamError
from tests.unit.ingest.candidates import LIVE


@pytest.mark.parametrize("content", [[LIVE, LIVE], {"records": [LIVE, LIVE]}])
def test_an_array_and_an_object_with_records_mean_the_same(content: object) -> None:
    batch = batch_in(json.dumps(content).encode(), "application/json")
    assert (batch.candidates.height, batch.refused, batch.source) == (2, (), "api")


def test_lines_are_rows_and_a_broken_line_is_one_refused_row() -> None:
    body = b"\n".join([json.dumps(LIVE).encode(), b"", b"{broken", b"\xff\xfe", json.dumps(LIVE).encode() + b"\r"])
    batch = batch_in(body, "application/x-ndjson")
    assert batch.candidates["place"].to_list() == ["line 1", "line 5"]
    assert [(row.place, row.reasons[0].rule) for row in batch.refused] == [
        ("line 3", "not_json"),
        ("line 4", "not_json"),
    ]


@pytest.mark.parametrize("body", [b"", b"{", b"[NaN]", b"[1e999]", b'"text"', b"7", b'{"rows": []}', b"[" * 5_000])
def test_a_body_that_is_not_rows_is_refused(body: bytes) -> None:
    with pytest.raises(InputRefused, match="the body"):
        batch_in(body, "application/json")


@pytest.mark.parametrize("media_type", ["", "text/csv", "application/xml"])
def test_another_content_type_is_not_understood(media_type: str) -> None:
    with pytest.raises(NotUnderstood, match="content type"):
        batch_in(b"[]", media_type)


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (InputRefused("x"), 400, None),
        (NotFound("x"), 404, None),
        (TooLarge("x"), 413, None),
        (NotUnderstood("x"), 415, None),
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
    assert set(properties) == ROW_KEYS
