"""The query API is what its OpenAPI document says: schemathesis asks everything, valid and not."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import jsonschema_rs
import polars as pl
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import checks
from schemathesis.generation import GenerationMode
from sqlalchemy import Engine

from dashboard.api.docs import EXAMPLES, SCHEMAS
from ingest.sources.simulator import Simulator
from storage import records, wells
from storage.database import writing
from tests.services import Services

CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]
EXAMPLES_EACH = 25


@pytest.fixture
def api(engine: Engine, services: Callable[..., Services]) -> Services:
    simulator = Simulator(number_of_wells=3)
    trust = {"verdict": pl.lit("verified"), "quality": pl.lit(1.0), "issues": pl.lit([], pl.List(pl.String))}
    days = simulator.daily([date(2026, 1, 1) + timedelta(days=ahead) for ahead in range(60)])
    live = simulator.live(datetime(2026, 3, 2, 6, tzinfo=UTC), datetime(2026, 3, 2, 9, tzinfo=UTC), 30)
    with writing(engine) as connection:
        wells.add_field(connection, simulator.field())
        wells.add_wells(connection, simulator.wells())
        for rows in (days, live):
            records.write(connection, rows.with_columns(**trust), datetime(2026, 3, 3, tzinfo=UTC))
    return services("dashboard")


def document(api: Services) -> dict[str, Any]:
    """What the running service says of itself."""
    content: dict[str, Any] = httpx.get(f"{api.url}/api/openapi.json").json()
    return content


KNOWN = {"well_id": ["demo.d-1", "demo.d-3"], "field_id": ["demo"]}
"""Ids that are there: without them almost every question would be about nothing."""

PATHS = [
    "/wells", "/wells/{well_id}", "/wells/{well_id}/production", "/wells/{well_id}/quality",
    "/wells/{well_id}/revisions", "/fields", "/fields/{field_id}", "/fields/{field_id}/production",
    "/fields/{field_id}/quality", "/fields/{field_id}/ranking", "/fields/{field_id}/comparison",
    "/fields/{field_id}/heatmap", "/kpis", "/search",
]  # fmt: skip


def test_these_are_the_routes(api: Services) -> None:
    told = [path for path in document(api)["paths"] if path.startswith("/api/v1")]
    assert sorted(told) == sorted(f"/api/v1{path}" for path in PATHS)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_answer_is_as_documented(api: Services, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_dict(document(api))
    for path in PATHS:
        conforms(api, schema[f"/api/v1{path}"]["GET"], mode)


def conforms(api: Services, operation: Any, mode: GenerationMode) -> None:
    """Ask one route of what is generated for it, valid or not, always the same; of valid ids often ones that exist."""
    names = [name for name in KNOWN if name in operation.path]
    ids = st.fixed_dictionaries({name: st.sampled_from(KNOWN[name]) for name in names})

    @settings(
        max_examples=EXAMPLES_EACH, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode), known=st.none() | ids)
    def asked(case: schemathesis.Case, known: dict[str, str] | None) -> None:
        if known and mode is GenerationMode.POSITIVE:
            case.path_parameters = known
        case.call_and_validate(base_url=api.url, checks=CHECKS)

    asked()


@pytest.mark.parametrize("kind", SCHEMAS)
def test_the_examples_are_of_their_schema(kind: str) -> None:
    jsonschema_rs.validate(SCHEMAS[kind], json.loads(json.dumps(EXAMPLES[kind])))


def test_every_parameter_and_every_route_says_what_it_is(api: Services) -> None:
    for path, methods in document(api)["paths"].items():
        if not path.startswith("/api/v1"):
            continue
        route = methods["get"]
        assert route["summary"], path
        assert route["description"], path
        assert {"200", "304", "400", "404", "406", "503", "504"} <= set(route["responses"]), path
        for parameter in route["parameters"]:
            assert parameter["description"], f"{path} {parameter['name']}"
