"""Kinds of rules about what a row claims to be: whose, when, and who verified it."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import polars as pl

from ingest.parse import shown
from ingest.rules.kind import RuleKind, Test, Values, about
from ingest.rules.parameter import Parameter, Sort
from ingest.rules.rule import Glance, Row, Severity
from storage.domain.record import QUANTITY_COLUMNS, TIMESTAMP, Resolution, Verdict

EARLIEST: Final = date(1900, 1, 1)
"""Calendars are made from here on; nothing was produced from wells before."""

LONGEST_AHEAD_D: Final = 31
"""Calendars are made up to here; a record that starts later is a fault of somebody's clock."""

_QUARANTINE: Final = (Severity.QUARANTINE,)


def _known_field(column: str, _: Values) -> Test:
    return Test(
        about(column, "which is not a known field"),
        ~pl.col("known_field"),
        quiet=lambda batch: batch.words("field") <= batch.known.fields.keys(),
    )


def _known_well(column: str, _: Values) -> Test:
    return Test(
        about(column, "which is not a known well"),
        ~pl.col("known_well"),
        quiet=lambda batch: batch.words("well") <= batch.known.wells,
    )


def _well_of_field(column: str, _: Values) -> Test:
    def quiet(batch: Glance) -> bool:
        return all(well.startswith(f"{field}.") for field, well in batch.pairs("field", "well"))

    named = pl.col("well").str.split_exact(".", 1).struct.field("field_0")
    told = "which is not a well of the field '{row[field]}'"
    return Test(about(column, told), named != pl.col("field"), quiet=quiet)


def _positive(column: str, _: Values) -> Test:
    return Test(
        about(column, "but an interval has a length"),
        pl.col(column) <= 0,
        quiet=lambda batch: bool(batch.low("seconds") > 0),
    )


def _not_before(column: str, values: Values) -> Test:
    first = datetime.combine(values["earliest"], time.min, UTC)
    told = f"before {first.year}" if (first.month, first.day) == (1, 1) else f"before {first:%Y-%m-%d}"
    return Test(
        about(column, told),
        pl.col(column) < pl.lit(first, dtype=TIMESTAMP),
        quiet=lambda batch: bool(batch.low("start") >= first),
    )


def _not_ahead(column: str, values: Values) -> Test:
    ahead = timedelta(days=values["ahead_d"])
    days = values["ahead_d"]
    return Test(
        about(column, f"more than {'a day' if days == 1 else f'{days:g} days'} ahead of now"),
        pl.col(column) > pl.col("now") + ahead,
        quiet=lambda batch: bool(batch.high("start") <= batch.now + ahead),
    )


def _whole(resolution: Resolution, context: str, word: str, column: str) -> Test:
    """A daily or monthly record covers a whole production day or month of its field; a start beyond the calendars is
    for other rules to tell."""
    dated = (pl.col("start") >= pl.lit(datetime.combine(EARLIEST, time.min, UTC), dtype=TIMESTAMP)) & (
        pl.col("start") <= pl.col("now") + timedelta(days=LONGEST_AHEAD_D)
    )
    wrong = (pl.col("resolution") == resolution) & ~pl.col(column).eq_missing(pl.col(context))

    def sentence(row: Row) -> str:
        told = f"{column} is {row[column]} s from {row['start']:%Y-%m-%dT%H:%MZ}"
        return f"{told}, which is not a whole production {word} of the field"

    return Test(
        sentence,
        pl.col("known_field") & dated & wrong,
        quiet=lambda batch: resolution not in batch.words("resolution"),
    )


def _whole_day(column: str, _: Values) -> Test:
    return _whole(Resolution.DAILY, "day_s", "day", column)


def _whole_month(column: str, _: Values) -> Test:
    return _whole(Resolution.MONTHLY, "month_s", "month", column)


def _live_length(column: str, values: Values) -> Test:
    longest = values["longest_s"]
    return Test(
        lambda row: f"{column} is {row[column]} s, above {longest} s",
        (pl.col("resolution") == Resolution.LIVE) & (pl.col(column) > longest),
        quiet=lambda batch: bool(batch.high("seconds") <= longest),
    )


def _outside_whole(column: str, _: Values) -> Test:
    partial = pl.col("verdict").is_null() & (pl.col("quality").is_not_null() | pl.col("issues").is_not_null())
    return Test(
        about(column, "but quality or issues are given"),
        partial,
        quiet=lambda batch: batch.full("verdict") or (batch.empty("quality") and batch.empty("issues")),
    )


def _refused_outside(column: str, _: Values) -> Test:
    return Test(
        lambda row: f"{column} is {shown(row[column])}: the outside verification refused it",
        pl.col(column) == Verdict.QUARANTINED,
        quiet=lambda batch: batch.empty("verdict") or Verdict.QUARANTINED not in batch.words("verdict"),
    )


def _withdrawn_empty(column: str, _: Values) -> Test:
    some = pl.any_horizontal(pl.col(name).is_not_null() for name in QUANTITY_COLUMNS)

    def sentence(row: Row) -> str:
        given = [name for name in QUANTITY_COLUMNS if row[name] is not None]
        told = f"{given[0]} is {shown(row[given[0]])}" + (f" and {len(given) - 1} more are given" if given[1:] else "")
        return f"{column} is 'withdrawn', but {told}: a record that is taken back has no quantities"

    return Test(
        sentence,
        (pl.col(column) == Verdict.WITHDRAWN) & some,
        quiet=lambda batch: batch.empty("verdict") or Verdict.WITHDRAWN not in batch.words("verdict"),
    )


CLAIM_KINDS: Final = (
    RuleKind(
        "known_field", "The row's field is kept here.", ("field",), _known_field, fixed=True,
        severities=_QUARANTINE, indispensable=("field",), in_context=True,
    ),
    RuleKind(
        "known_well", "The row's well is kept here.", ("well",), _known_well, fixed=True,
        severities=_QUARANTINE, indispensable=("well",), in_context=True,
    ),
    RuleKind(
        "well_of_field", "The row's well is one of the row's field.", ("well",), _well_of_field, fixed=True,
        severities=_QUARANTINE, indispensable=("well",),
    ),
    RuleKind(
        "positive_length", "The interval has a length.", ("seconds",), _positive, fixed=True,
        severities=_QUARANTINE, indispensable=("seconds",),
    ),
    RuleKind(
        "not_before", "The interval starts on or after a day (0:00 UTC).", ("start",), _not_before,
        (Parameter("earliest", "", "the first day that is taken", EARLIEST, EARLIEST, sort=Sort.DAY),), fixed=True,
        severities=_QUARANTINE, indispensable=("start",),
    ),
    RuleKind(
        "not_ahead", "The interval starts at most so far ahead of now.", ("start",), _not_ahead,
        (Parameter("ahead_d", "days", "how far ahead of now a record may start", 1, 0, LONGEST_AHEAD_D),), fixed=True,
        severities=_QUARANTINE, indispensable=("start",), in_context=True,
    ),
    RuleKind(
        "whole_production_day", "A daily record covers a whole production day of its field: 23, 24 or 25 h.",
        ("seconds",), _whole_day, fixed=True, severities=_QUARANTINE, indispensable=("seconds",), in_context=True,
    ),
    RuleKind(
        "whole_production_month", "A monthly record covers a whole production month of its field.",
        ("seconds",), _whole_month, fixed=True, severities=_QUARANTINE, indispensable=("seconds",), in_context=True,
    ),
    RuleKind(
        "live_length", "A live record is not longer than so much.", ("seconds",), _live_length,
        (Parameter("longest_s", "s", "the longest live interval", 3_600, 1, 3_600, Sort.COUNT),), fixed=True,
        severities=_QUARANTINE, indispensable=("seconds",),
    ),
    RuleKind(
        "outside_trust_whole", "Quality or issues of an outside verification come with its verdict.", ("verdict",),
        _outside_whole, fixed=True, severities=_QUARANTINE, indispensable=("verdict",),
    ),
    RuleKind(
        "refused_outside", "What an outside verification quarantined is not stored.", ("verdict",), _refused_outside,
        fixed=True, severities=_QUARANTINE,
    ),
    RuleKind(
        "withdrawn_empty", "A row that takes a record back (verdict `withdrawn`) has no quantities.", ("verdict",),
        _withdrawn_empty, fixed=True, severities=_QUARANTINE, indispensable=("verdict",),
    ),
)  # fmt: skip
