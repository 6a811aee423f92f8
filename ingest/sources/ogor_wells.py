"""What an OGOR-A file and BSEE's reference say of fields and wells: names, headers, and status over time."""

from dataclasses import dataclass
from typing import Final

import polars as pl

from ingest.sources.bsee_reference import Reference
from storage.domain.well import Field, Well, slug
from storage.domain.well_header import HEADER_SCHEMA
from storage.domain.well_status import STATUS_SCHEMA, Aspect, runs

TIME_ZONE: Final = "America/Chicago"
TYPES: Final = {"O": "producer", "G": "producer", "T": "producer", "S": "injector"}
"""Type of a completion by its product: oil, gas, test; service. U (no product yet or any more) says nothing."""

_DATED: Final = {"status": Aspect.STATUS, "type": Aspect.TYPE, "operator": Aspect.OPERATOR, "lease": Aspect.LEASE}
_FROM_REFERENCE: Final = ("company", "spud_date", "total_depth_m", "water_depth_m", "latitude", "longitude")


@dataclass(frozen=True, slots=True)
class Found:
    """Fields and wells by id, headers (HEADER_SCHEMA) and statuses (STATUS_SCHEMA)."""

    fields: tuple[Field, ...]
    wells: tuple[Well, ...]
    headers: pl.DataFrame
    statuses: pl.DataFrame


def found(rows: pl.DataFrame, months: pl.DataFrame, known: Reference | None, source: str) -> Found:
    """From completions (field, month and the file's columns) and well-months (well, start, seconds, codes).

    A well is called as the reference calls it, else by its API number. Operator, lease and status hold for the months
    that they were reported for; a type holds until another is reported.
    """
    codes = sorted(rows["field"].unique())
    fields = tuple(Field(slug(code), known.fields.get(code, code) if known else code, TIME_ZONE) for code in codes)
    slugs = {code: slug(code) for code in codes}
    wells = (
        rows.sort("month")
        .with_columns(
            pl.col("FIRST_PROD_DATE").str.to_date("%Y%m%d", strict=False),
            type=pl.col("PRODUCT_CODE").replace_strict(TYPES, default=None, return_dtype=pl.String),
        )
        .group_by("field", "API_WELL_NUMBER")
        .agg(pl.col("type").drop_nulls().last(), pl.col("FIRST_PROD_DATE").min().alias("first_production"))
        .with_columns(pl.col("field").replace_strict(slugs, return_dtype=pl.String))
        .with_columns(well=pl.concat_str("field", "API_WELL_NUMBER", separator="."))
        .sort("well")
    )
    if known:
        wells = wells.join(
            known.boreholes, left_on="API_WELL_NUMBER", right_on="api", how="left", maintain_order="left"
        )
    return Found(fields, _named(wells), _headers(wells, source), _statuses(wells, months, source))


def _named(wells: pl.DataFrame) -> tuple[Well, ...]:
    name = pl.coalesce("name", "API_WELL_NUMBER") if "name" in wells.columns else pl.col("API_WELL_NUMBER")
    told = wells.select("well", name.alias("name"), pl.col("type").fill_null("producer"))
    return tuple(Well(*row) for row in told.iter_rows())


def _headers(wells: pl.DataFrame, source: str) -> pl.DataFrame:
    given = [name for name in _FROM_REFERENCE if name in wells.columns]
    return wells.select(
        "well", "first_production", *given, pl.col("API_WELL_NUMBER").alias("api_number"), source=pl.lit(source)
    ).match_to_schema(HEADER_SCHEMA, missing_columns="insert")


def _statuses(wells: pl.DataFrame, months: pl.DataFrame, source: str) -> pl.DataFrame:
    dated = months.with_columns(since="start", until=pl.col("start") + pl.duration(seconds="seconds"))
    told = [
        runs(dated.select("well", "since", "until", code=name), aspect, source, bridged=aspect is Aspect.TYPE)
        for name, aspect in _DATED.items()
    ]
    return pl.concat([*told, _boreholes(wells, source)])


def _boreholes(wells: pl.DataFrame, source: str) -> pl.DataFrame:
    """The borehole's status by the reference, from the day it was given on."""
    if "borehole" not in wells.columns:
        return pl.DataFrame(schema=STATUS_SCHEMA)
    day = pl.col("borehole_since").cast(pl.Datetime("us")).dt.replace_time_zone(TIME_ZONE)
    return (
        wells.select(
            "well",
            pl.lit(str(Aspect.BOREHOLE)).alias("aspect"),
            day.dt.convert_time_zone("UTC").alias("since"),
            pl.lit(None).alias("until"),
            pl.col("borehole").alias("code"),
            pl.lit(source).alias("source"),
        )
        .filter(pl.col("since").is_not_null() & pl.col("code").is_not_null())
        .cast(STATUS_SCHEMA)
    )
