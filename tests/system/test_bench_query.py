"""The query bench runs to its end and every question is answered; its figures themselves are no matter of tests."""

import pytest

from compose.bench import query


@pytest.mark.system
def test_every_endpoint_is_asked_cold_and_warm_beside_plain_sql(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query, "WELLS", 40)
    monkeypatch.setattr(query, "_ALONE", 10)
    found = query.query(0.5, number_of_records=4_000, clients=4)
    assert not [name for name in found if name.endswith("not answered")]
    for case in ("well's full history at 2,000 points", "field's months", "ranking of 1,000 wells"):
        for kind in ("cold, all ask the same", "cold, each asks another", "warm"):
            assert f"{case}, {kind}: p50/p95/p99 ms" in found
        assert "_rollups" in str(found[f"{case}, served by"])
    assert "healthz (bare round trip): p50/p95/p99 ms" in found
