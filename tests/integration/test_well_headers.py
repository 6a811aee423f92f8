"""Headers of wells: what is known is kept, what is new is added."""

from datetime import date

import polars as pl
import pytest
from sqlalchemy import Engine, text

from storage import well_headers
from storage.database import reading, writing
from storage.domain.errors import NotFound
from storage.domain.well_header import HEADER_SCHEMA
from tests.records import T0, known_field


def header(well: str, **facts: object) -> pl.DataFrame:
    return pl.DataFrame([{"well": well, "source": "test", **facts}], schema=HEADER_SCHEMA)


def kept(engine: Engine) -> list[dict[str, object]]:
    with reading(engine) as connection:
        return well_headers.of_field(connection, "demo").to_dicts()


def test_headers_come_with_every_well_of_the_field(engine: Engine) -> None:
    known_field(engine)
    facts = {
        "api_number": "042501200001", "company": "Oil, Inc. \"Deep\"", "spud_date": date(1998, 2, 28),
        "total_depth_m": 3_000.5, "water_depth_m": 99.0, "latitude": 28.25, "longitude": -91.5,
        "first_production": date(1999, 1, 1),
    }  # fmt: skip
    with writing(engine) as connection:
        well_headers.keep(connection, header("demo.a", **facts), T0)
    a, b = kept(engine)
    assert a == {"well": "demo.a", "name": "A", "purpose": "producer", **facts, "source": "test", "received_at": T0}
    assert (b["well"], b["api_number"], b["received_at"]) == ("demo.b", None, None)


def test_what_a_newer_header_leaves_open_stays_and_the_first_production_is_the_earliest(engine: Engine) -> None:
    known_field(engine)
    with writing(engine) as connection:
        first = header("demo.a", company="Old", latitude=1.0, first_production=date(1999, 1, 1))
        well_headers.keep(connection, first, T0)
        again = header("demo.a", company="New", first_production=date(2005, 1, 1))
        well_headers.keep(connection, again, T0)
    a = kept(engine)[0]
    assert (a["company"], a["latitude"], a["first_production"]) == ("New", 1.0, date(1999, 1, 1))


def test_the_same_header_again_writes_nothing(engine: Engine) -> None:
    known_field(engine)
    versions = []
    for _ in range(2):
        with writing(engine) as connection:
            well_headers.keep(connection, header("demo.a", company="One"), T0)
            versions.append(connection.execute(text("SELECT xmin::text FROM well_headers")).scalar_one())
    assert versions[0] == versions[1]


def test_a_header_of_an_unknown_well_or_field_is_refused(engine: Engine) -> None:
    known_field(engine)
    with pytest.raises(NotFound, match=r"demo\.z"), writing(engine) as connection:
        well_headers.keep(connection, header("demo.z"), T0)
    with pytest.raises(NotFound, match="nowhere"), reading(engine) as connection:
        well_headers.of_field(connection, "nowhere")
