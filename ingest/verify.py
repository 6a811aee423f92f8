"""Verification: rules over a batch give every candidate its verdict, quality score and issues. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final

import numpy as np
import polars as pl

from ingest.parse import Batch, plain
from ingest.recent import Recent
from ingest.rules.claim_kinds import EARLIEST, LONGEST_AHEAD_D
from ingest.rules.document import default
from ingest.rules.rule import Glance, Known, Rule, RuleSet, Severity
from storage.domain.production_day import clock_of, day_bounds
from storage.domain.record import QUANTITY_COLUMNS, RECORD_SCHEMA, TIMESTAMP, Resolution, Verdict
from storage.domain.refused import Reason, Refused
from storage.domain.well import Field

OVERRIDDEN_WEIGHT: Final = 0.5
"""What a quarantine rule that somebody overrode takes of the quality."""

OUTSIDE_QUALITY: Final = {Verdict.VERIFIED: 1.0, Verdict.SUSPECT: 0.5}
"""The quality of an outside verdict that brings none."""

_VERIFIED_SCHEMA: Final = pl.Schema({**RECORD_SCHEMA, "index": pl.Int64(), "place": pl.String()})
VERIFIED_COLUMNS: Final = tuple(_VERIFIED_SCHEMA)
_NO_ISSUES: Final = pl.lit([], dtype=pl.List(pl.String))
_CALENDAR_SCHEMA: Final = pl.Schema(
    {"field": pl.String(), "start": TIMESTAMP, "day_s": pl.Int32(), "month_s": pl.Int32()}
)


@dataclass(frozen=True, slots=True)
class Verified:
    """What verification made of a batch: ``records`` (VERIFIED_COLUMNS, in order of index) and the refused rows,
    those that parsing refused among them."""

    records: pl.DataFrame
    refused: tuple[Refused, ...]


@dataclass(frozen=True, slots=True)
class Past:
    """What was stored before a batch: the last records of its groups, and of its rows those that are stored already
    (`storage.tails.STORED_SCHEMA`), where that was looked up."""

    recent: Recent
    stored: pl.DataFrame | None = None


def verified(
    batch: Batch,
    known: Known,
    now: datetime,
    rules: RuleSet | None = None,
    past: Past | None = None,
    *,
    override: bool = False,
) -> Verified:
    """The batch with a verdict on every row, by the rules given or those that Wellstream brings.

    A row that breaks a quarantine rule is refused with all its reasons; with ``override`` the rules that a person may
    break become issues instead, each taking OVERRIDDEN_WEIGHT of the quality. Else an outside verdict is kept with its
    quality (default 1 for verified, 0.5 for suspect), issues and audit id; a withdrawn row has quality 0. Else the row
    is suspect if it breaks a suspect rule, and its quality is the product of (1 - weight) over the broken ones: 1.0
    for none. Rules on a well's past see ``past`` and the earlier rows of the batch; a row that is stored already with
    the same quantities, judged by the same rules, keeps what they said then, so that sending it again changes nothing.
    """
    rules = rules or default()
    if batch.candidates.is_empty():
        return Verified(pl.DataFrame(schema=_VERIFIED_SCHEMA), batch.refused)
    ordered = batch.candidates["index"].is_sorted()
    frame, soft = _blanked(batch.candidates if ordered else batch.candidates.sort("index"), rules, known, now)
    hit, frame, flags = _hit(frame, rules.of_rows, known, now)
    hard = [rule for rule in hit if rule.severity is Severity.QUARANTINE and not (override and rule.breakable)]
    overridden = [rule for rule in hit if rule.severity is Severity.QUARANTINE and override and rule.breakable]
    soft += [rule for rule in hit if rule.severity is Severity.SUSPECT]
    refused = _refused(batch, frame, flags, hard)
    kept = frame.hstack(flags) if hit else frame
    if hard:
        kept = kept.filter(~pl.any_horizontal(pl.col(rule.code).fill_null(value=False) for rule in hard))
    kept, of_past = _with_past(kept, rules, past, Glance(frame, known, now))
    records = _judged(kept, rules, soft + of_past, overridden)
    return Verified(records, tuple(sorted((*batch.refused, *refused), key=lambda row: row.index)))


def _hit(
    frame: pl.DataFrame, rules: Iterable[Rule], known: Known, now: datetime
) -> tuple[list[Rule], pl.DataFrame, pl.DataFrame]:
    """The rules that some row breaks; the frame, with context if a rule asked for it; and these rules' flags."""
    glance = Glance(frame, known, now)
    awake = [rule for rule in rules if not rule.quiet(glance)]
    if not awake:
        return [], frame, pl.DataFrame()
    if any(rule.in_context for rule in awake):
        frame = with_context(frame, known, now)
    flags = frame.select(rule.broken for rule in awake if rule.broken is not None)
    hit = [rule for rule in awake if flags[rule.code].any()]
    return hit, frame, flags.select(rule.code for rule in hit)


def _blanked(candidates: pl.DataFrame, rules: RuleSet, known: Known, now: datetime) -> tuple[pl.DataFrame, list[Rule]]:
    """The candidates with what their gauges did not measure as null, and the rules that say so. What an outside
    verification judged stays as it came."""
    glance = Glance(candidates, known, now)
    awake = [rule for rule in rules.blanking if not rule.quiet(glance)]
    if not awake:
        return candidates, []
    frame = with_context(candidates, known, now) if any(rule.in_context for rule in awake) else candidates
    own = pl.col("verdict").is_null()
    flags = frame.select((own & rule.broken).alias(rule.code) for rule in awake if rule.broken is not None)
    hit = [rule for rule in awake if flags[rule.code].any()]
    kept = candidates.hstack(flags.select(rule.code for rule in hit))
    return kept.with_columns(
        pl.when(pl.any_horizontal(pl.col(rule.code).fill_null(value=False) for rule in about))
        .then(None)
        .otherwise(pl.col(column))
        .alias(column)
        for column in {rule.column: None for rule in hit}
        if (about := [rule for rule in hit if rule.column == column])
    ), hit


def _with_past(
    kept: pl.DataFrame, rules: RuleSet, past: Past | None, glance: Glance
) -> tuple[pl.DataFrame, list[Rule]]:
    """The rows with the flags of the rules on the past that some row breaks."""
    awake = [rule for rule in rules.of_past if not rule.quiet(glance)]
    if not awake or kept.is_empty():
        return kept, []
    if past is None:
        past = Past(begun(rules, kept))
    found = dict(past.recent.broken(kept, awake))
    told = _told_before(kept, rules, past.stored)
    if told is not None:
        rows, issues = told
        for rule in awake:
            before = [rule.code in codes for codes in issues]
            if rule.code in found or any(before):
                found[rule.code] = found.get(rule.code, np.zeros(kept.height, dtype=np.bool_))
                found[rule.code][rows] = before
    hit = [rule for rule in awake if rule.code in found]
    kept = kept.with_columns(pl.Series(rule.code, found[rule.code]) for rule in hit)
    if any(rule.in_context for rule in hit) and "purpose" not in kept.columns:
        kept = with_context(kept, glance.known, glance.now)
    return kept.with_columns(
        (pl.col(rule.code) & rule.applies).alias(rule.code) for rule in hit if rule.applies is not None
    ), hit


def begun(rules: RuleSet, rows: pl.DataFrame) -> Recent:
    """A past in which nothing is stored of the rows' groups."""
    recent = Recent(rules.past_columns, rules.depth)
    recent.begin(list(dict.fromkeys(zip(rows["well"].to_list(), rows["resolution"].to_list(), strict=True))))
    return recent


def _told_before(
    kept: pl.DataFrame, rules: RuleSet, stored: pl.DataFrame | None
) -> tuple[list[int], list[list[str]]] | None:
    """Which rows are stored already with the same quantities, judged by the same rules, and their issues."""
    if stored is None or stored.is_empty():
        return None
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name}_stored")) for name in QUANTITY_COLUMNS)
    found = (
        kept.select("well", "start", "seconds", "resolution", *QUANTITY_COLUMNS, _own_audit_id(rules))
        .with_row_index("row")
        .join(stored, on=["well", "start", "seconds", "resolution"], suffix="_stored")
        .filter(same & (pl.col("audit_id") == pl.col("audit_id_stored")))
    )
    return (found["row"].to_list(), found["issues"].to_list()) if found.height else None


def _own_audit_id(rules: RuleSet) -> pl.Expr:
    """What a row judged here says of who judged it: after what it says already, these rules."""
    return pl.concat_str([pl.col("audit_id"), pl.lit(rules.audit_id)], separator=" ", ignore_nulls=True).alias(
        "audit_id"
    )


def _judged(kept: pl.DataFrame, rules: RuleSet, soft: list[Rule], overridden: list[Rule]) -> pl.DataFrame:
    """Verdict, quality, issues and audit id of the rows that stay."""
    broken = [*soft, *overridden]
    found = {
        "verdict": pl.lit(Verdict.VERIFIED),
        "quality": pl.lit(1.0),
        "issues": _NO_ISSUES,
        "audit_id": _own_audit_id(rules),
    }
    if broken:
        found |= _findings(broken, {rule.code: OVERRIDDEN_WEIGHT for rule in overridden})
    if kept["verdict"].null_count() == kept.height:
        return kept.with_columns(**found).select(VERIFIED_COLUMNS)
    judged = kept.with_columns(expression.alias(f"own_{name}") for name, expression in found.items())
    judged = judged.with_columns(_given_or_own()).drop("own_verdict", "own_quality", "own_audit_id")
    return (_overruled(judged, overridden) if overridden else judged).select(VERIFIED_COLUMNS)


def _given_or_own() -> list[pl.Expr]:
    """What an outside verification said where it spoke, else what was found here."""
    outside, withdrawn = pl.col("verdict").is_not_null(), pl.col("verdict") == Verdict.WITHDRAWN
    quality = pl.coalesce("quality", pl.col("verdict").replace_strict(OUTSIDE_QUALITY, default=0.0))
    issues = pl.col("issues").fill_null([]).list.unique().list.sort()
    return [
        pl.coalesce("verdict", "own_verdict"),
        pl.when(withdrawn).then(0.0).when(outside).then(quality).otherwise("own_quality").alias("quality"),
        pl.when(outside).then(issues).otherwise("own_issues").alias("issues"),
        pl.when(outside).then("audit_id").otherwise("own_audit_id").alias("audit_id"),
    ]


def _overruled(judged: pl.DataFrame, overridden: list[Rule]) -> pl.DataFrame:
    """Where a quarantine rule was overridden, an outside verdict is no better than suspect."""
    broken = pl.any_horizontal(pl.col(rule.code).fill_null(value=False) for rule in overridden)
    worst = pl.col("quality") * (1.0 - OVERRIDDEN_WEIGHT)
    issues = pl.concat_list("issues", "own_issues").list.unique().list.sort()
    outside = broken & (pl.col("issues") != pl.col("own_issues"))
    return judged.with_columns(
        verdict=pl.when(broken).then(pl.lit(Verdict.SUSPECT)).otherwise("verdict"),
        quality=pl.when(outside).then(worst).otherwise("quality"),
        issues=pl.when(broken).then(issues).otherwise("issues"),
    )


def _findings(broken: Sequence[Rule], weights: Mapping[str, float]) -> dict[str, pl.Expr]:
    """Verdict, sorted issue codes, and the quality score (4 decimals), from the flags of the rules that were hit."""
    any_broken = pl.any_horizontal(pl.col(rule.code).fill_null(value=False) for rule in broken)
    codes = [pl.when(rule.code).then(pl.lit(rule.code)) for rule in sorted(broken, key=lambda rule: rule.code)]
    quality = pl.lit(1.0)
    for rule in broken:
        quality = quality * pl.when(rule.code).then(1.0 - weights.get(rule.code, rule.weight)).otherwise(1.0)
    return {
        "verdict": pl.when(any_broken).then(pl.lit(Verdict.SUSPECT)).otherwise(pl.lit(Verdict.VERIFIED)),
        "quality": quality.round(4),
        "issues": pl.concat_list(codes).list.drop_nulls(),
    }


def _refused(batch: Batch, frame: pl.DataFrame, flags: pl.DataFrame, hard: list[Rule]) -> list[Refused]:
    reasons: dict[int, list[Reason]] = {}
    for rule in hard:
        for row in flags[rule.code].fill_null(value=False).arg_true():
            values = frame.row(row, named=True)
            told = Reason(rule.name, rule.column, plain(values[rule.column]), rule.told(values))
            reasons.setdefault(row, []).append(told)
    return [batch.refusal(frame, row, reasons[row]) for row in sorted(reasons)]


def with_context(candidates: pl.DataFrame, known: Known, now: datetime) -> pl.DataFrame:
    """The candidates with CONTEXT_COLUMNS, in the same order."""
    wells, fields = candidates["well"].to_list(), candidates["field"].to_list()
    frame = candidates.with_columns(
        pl.Series("known_field", [field in known.fields for field in fields], dtype=pl.Boolean),
        pl.Series("known_well", [well in known.wells for well in wells], dtype=pl.Boolean),
        pl.Series("purpose", [known.purposes.get(well) for well in wells], dtype=pl.String),
        now=pl.lit(now, dtype=TIMESTAMP),
    )
    named = sorted(known.fields.keys() & set(fields))
    days = _calendar(candidates, tuple(known.fields[name] for name in named), now)
    if days.is_empty():
        return frame.with_columns(pl.lit(None, dtype=pl.Int32).alias(name) for name in ("day_s", "month_s"))
    return frame.join(days, on=["field", "start"], how="left", maintain_order="left")


def _calendar(candidates: pl.DataFrame, fields: tuple[Field, ...], now: datetime) -> pl.DataFrame:
    """The production days that the rows could mean; none when all are live."""
    if not fields or set(candidates["resolution"].to_list()) <= {Resolution.LIVE}:
        return pl.DataFrame(schema=_CALENDAR_SCHEMA)
    latest_year = (now + timedelta(days=LONGEST_AHEAD_D)).year
    years = sorted(set(candidates["start"].dt.year().drop_nulls().to_list()))
    return _days_of_years(fields, tuple(year for year in years if EARLIEST.year <= year <= latest_year))


@lru_cache(maxsize=64)
def _days_of_years(fields: tuple[Field, ...], years: tuple[int, ...]) -> pl.DataFrame:
    found = [
        _days_of_year(clock_of(field), year).with_columns(field=pl.lit(field.id)) for field in fields for year in years
    ]
    return pl.concat(found) if found else pl.DataFrame(schema=_CALENDAR_SCHEMA)


@lru_cache(maxsize=4096)
def _days_of_year(clock: Field, year: int) -> pl.DataFrame:
    """Every production day that starts in a UTC year: its length, and the month's length on a first of the month."""
    rows = [row for row in _days_around(clock, year) if row[1].year == year]
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
