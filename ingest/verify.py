"""Verification: rules over a batch give every candidate its verdict, quality score and issues. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final

import polars as pl

from ingest.parse import Batch, plain
from ingest.rules import AHEAD_D, EARLIEST, RULES, RULES_VERSION, Rule, Severity
from storage.domain.production_day import day_bounds
from storage.domain.record import RECORD_SCHEMA, TIMESTAMP, Resolution, Verdict
from storage.domain.refused import Reason, Refused
from storage.domain.well import Field

_VERIFIED_SCHEMA: Final = pl.Schema({**RECORD_SCHEMA, "index": pl.Int64(), "place": pl.String()})
VERIFIED_COLUMNS: Final = tuple(_VERIFIED_SCHEMA)
AUDIT_ID: Final = f"rules-{RULES_VERSION}"
_CALENDAR_SCHEMA: Final = pl.Schema(
    {"field": pl.String(), "start": TIMESTAMP, "day_s": pl.Int32(), "month_s": pl.Int32()}
)


@dataclass(frozen=True, slots=True)
class Known:
    """The fields (by id) and the ids of the wells that rows may speak of."""

    fields: Mapping[str, Field]
    wells: frozenset[str]


@dataclass(frozen=True, slots=True)
class Verified:
    """What verification made of a batch: ``records`` (VERIFIED_COLUMNS, in order of index) and the refused rows,
    those that parsing refused among them."""

    records: pl.DataFrame
    refused: tuple[Refused, ...]


def verified(batch: Batch, known: Known, now: datetime, rules: Sequence[Rule] = RULES) -> Verified:
    """The batch with a verdict on every row.

    A row that breaks a quarantine rule is refused with all its reasons. Else an outside verdict is kept with its
    quality (default 1 for verified, 0.5 for suspect), issues and audit id. Else the row is suspect if it breaks a
    suspect rule, and its quality is the product of (1 - weight) over the broken ones: 1.0 for none.
    """
    if batch.candidates.is_empty():
        return Verified(pl.DataFrame(schema=_VERIFIED_SCHEMA), batch.refused)
    ordered = batch.candidates["index"].is_sorted()
    frame = with_context(batch.candidates if ordered else batch.candidates.sort("index"), known, now)
    flags = frame.select(rule.broken for rule in rules)
    hit = [rule for rule in rules if flags[rule.code].any()]
    hard = [rule for rule in hit if rule.severity is Severity.QUARANTINE]
    soft = [rule for rule in hit if rule.severity is Severity.SUSPECT]
    refused = _refused(batch, frame, flags, hard)
    kept = frame.hstack(flags.select(rule.code for rule in hit))
    if hard:
        kept = kept.filter(~pl.any_horizontal(pl.col(rule.code).fill_null(value=False) for rule in hard))
    return Verified(_judged(kept, soft), tuple(sorted((*batch.refused, *refused), key=lambda row: row.index)))


def _judged(kept: pl.DataFrame, soft: list[Rule]) -> pl.DataFrame:
    """Verdict, quality, issues and audit id of the rows that stay."""
    issues, quality = _found(soft)
    outside = pl.col("verdict").is_not_null()
    given_quality = pl.when(pl.col("verdict") == Verdict.VERIFIED).then(1.0).otherwise(0.5)
    own_verdict = pl.when(issues.list.len() > 0).then(pl.lit(Verdict.SUSPECT)).otherwise(pl.lit(Verdict.VERIFIED))
    return kept.with_columns(
        verdict=pl.coalesce("verdict", own_verdict),
        quality=pl.when(outside).then(pl.coalesce("quality", given_quality)).otherwise(quality),
        issues=pl.when(outside).then(pl.col("issues").fill_null([]).list.unique().list.sort()).otherwise(issues),
        audit_id=pl.when(outside).then("audit_id").otherwise(pl.coalesce("audit_id", pl.lit(AUDIT_ID))),
    ).select(VERIFIED_COLUMNS)


def _found(soft: list[Rule]) -> tuple[pl.Expr, pl.Expr]:
    """Sorted issue codes, and the quality score (4 decimals), from the flags of the suspect rules that were hit."""
    if not soft:
        return pl.lit([], dtype=pl.List(pl.String)), pl.lit(1.0)
    codes = [pl.when(rule.code).then(pl.lit(rule.code)) for rule in sorted(soft, key=lambda rule: rule.code)]
    quality = pl.lit(1.0)
    for rule in soft:
        quality = quality * pl.when(rule.code).then(1.0 - rule.weight).otherwise(1.0)
    return pl.concat_list(codes).list.drop_nulls(), quality.round(4)


def _refused(batch: Batch, frame: pl.DataFrame, flags: pl.DataFrame, hard: list[Rule]) -> list[Refused]:
    reasons: dict[int, list[Reason]] = {}
    for rule in hard:
        for row in flags[rule.code].fill_null(value=False).arg_true():
            values = frame.row(row, named=True)
            told = Reason(rule.name, rule.column, plain(values[rule.column]), rule.told(values))
            reasons.setdefault(row, []).append(told)
    where = frame.select("index", "field", "place")
    made = []
    for row in sorted(reasons):
        index, field_id, place = where.row(row)
        made.append(Refused(index, field_id, batch.source, place, batch.raw(index), tuple(reasons[row])))
    return made


def with_context(candidates: pl.DataFrame, known: Known, now: datetime) -> pl.DataFrame:
    """The candidates with CONTEXT_COLUMNS, in the same order."""
    fields = [name for name in candidates["field"].unique() if name in known.fields]
    wells = [name for name in candidates["well"].unique() if name in known.wells]
    frame = candidates.with_columns(
        known_field=pl.col("field").is_in(fields),
        known_well=pl.col("well").is_in(wells),
        well_field=pl.col("well").str.split_exact(".", 1).struct.field("field_0"),
        now=pl.lit(now, dtype=TIMESTAMP),
    )
    days = _calendar(candidates, tuple(known.fields[name] for name in fields), now)
    if days.is_empty():
        return frame.with_columns(pl.lit(None, dtype=pl.Int32).alias(name) for name in ("day_s", "month_s"))
    return frame.join(days, on=["field", "start"], how="left", maintain_order="left")


def _calendar(candidates: pl.DataFrame, fields: tuple[Field, ...], now: datetime) -> pl.DataFrame:
    """The production days that the rows could mean; none when all are live."""
    if not fields or set(candidates["resolution"].unique()) <= {Resolution.LIVE}:
        return pl.DataFrame(schema=_CALENDAR_SCHEMA)
    latest_year = (now + timedelta(days=AHEAD_D)).year
    years = candidates["start"].dt.year().unique().drop_nulls().sort()
    return _days_of_years(fields, tuple(year for year in years if EARLIEST.year <= year <= latest_year))


@lru_cache(maxsize=64)
def _days_of_years(fields: tuple[Field, ...], years: tuple[int, ...]) -> pl.DataFrame:
    found = [_days_of_year(field, year) for field in fields for year in years]
    return pl.concat(found) if found else pl.DataFrame(schema=_CALENDAR_SCHEMA)


@lru_cache(maxsize=4096)
def _days_of_year(field: Field, year: int) -> pl.DataFrame:
    """Every production day that starts in a UTC year: its length, and the month's length on a first of the month."""
    rows = [row for row in _days_around(field, year) if row[1].year == year]
    return pl.DataFrame(rows, schema=_CALENDAR_SCHEMA, orient="row")


def _days_around(field: Field, year: int) -> Iterable[tuple[str, datetime, int, int | None]]:
    day = date(year - 1, 12, 30)
    while day < date(year + 1, 1, 3):
        start, end = day_bounds(field, day)
        month_s = None
        if day.day == 1:
            next_month = (day + timedelta(days=31)).replace(day=1)
            month_s = round((day_bounds(field, next_month)[0] - start).total_seconds())
        yield field.id, start, round((end - start).total_seconds()), month_s
        day += timedelta(days=1)
