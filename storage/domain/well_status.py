"""Status and type of a well over time: what was reported, in intervals, and what its production says. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

import polars as pl

from storage.domain.record import TIMESTAMP


class Aspect(StrEnum):
    """What an interval is about. DERIVED is worked out from records and never stored beside what was reported."""

    STATUS = "status"
    BOREHOLE = "borehole"
    TYPE = "type"
    OPERATOR = "operator"
    LEASE = "lease"
    LABEL = "label"
    DERIVED = "derived"


STATUS_SCHEMA: Final = pl.Schema(
    {
        "well": pl.String(),
        "aspect": pl.String(),
        "since": TIMESTAMP,
        "until": TIMESTAMP,
        "code": pl.String(),
        "source": pl.String(),
    }
)
"""One row an interval [since, until) of one well and aspect; ``until`` null: it holds on. ``code`` is as the source
writes it ("08", "PA", "injector"); codes that hold at once are joined by "+"."""

REPORTING_PERIODS: Final = 3
"""A well is active while it has a volume in one of so many of the newest reporting periods."""

ACTIVE: Final = "active"
INACTIVE: Final = "inactive"


@dataclass(frozen=True, slots=True)
class Held:
    """A code that held in [since, until); until None: it holds on."""

    since: datetime
    until: datetime | None
    code: str
    source: str


def merged(kept: Sequence[Held], reported: Sequence[Held]) -> list[Held]:
    """What holds after a newer report, of one well and aspect: where the two overlap, the report counts.

    An open end of what is kept gives way from where a later report begins. Neighbours with the same code become one.
    Sorted by ``since``, without overlaps.
    """
    newer = _joined(sorted(reported, key=lambda held: held.since))
    rest = [part for held in kept for part in _without(held, newer)]
    return _joined(sorted((*rest, *newer), key=lambda held: held.since))


def _without(held: Held, newer: Iterable[Held]) -> list[Held]:
    """The parts of an interval that no newer one covers."""
    parts = [held]
    for one in newer:
        parts = [left for part in parts for left in _cut(part, one)]
    return parts


def _cut(part: Held, away: Held) -> list[Held]:
    left = []
    if part.since < away.since:
        end = away.since if part.until is None else min(part.until, away.since)
        left.append(replace(part, until=end))
    if away.until is not None and (part.until is None or away.until < part.until):
        left.append(replace(part, since=max(part.since, away.until)))
    return left


def _joined(ordered: Iterable[Held]) -> list[Held]:
    """Intervals in order, with overlaps cut by the later one and equal neighbours made one."""
    found: list[Held] = []
    for held in ordered:
        last = found[-1] if found else None
        if last is not None and last.code == held.code and (last.until is None or last.until >= held.since):
            until = None if last.until is None or held.until is None else max(last.until, held.until)
            found[-1] = replace(last, until=until, source=held.source)
            continue
        if last is not None and (last.until is None or last.until > held.since):
            found[-1] = replace(last, until=held.since)
            if found[-1].since >= held.since:
                found.pop()
        found.append(held)
    return found


def runs(observed: pl.DataFrame, aspect: Aspect, source: str, *, bridged: bool = False) -> pl.DataFrame:
    """Observations (well, since, until, code), at most one a well and since, as the intervals of STATUS_SCHEMA.

    Neighbours without a gap that have the same code become one; a null code is no observation. ``bridged``: what was
    observed holds on until the next observation, as a well's type does over a day without a report.
    """
    ordered = observed.filter(pl.col("code").is_not_null()).sort("well", "since")
    if bridged:
        ordered = ordered.with_columns(until=pl.coalesce(pl.col("since").shift(-1).over("well"), "until"))
    new = (
        (pl.col("code") != pl.col("code").shift())
        | (pl.col("since") != pl.col("until").shift())
        | (pl.col("well") != pl.col("well").shift())
    ).fill_null(value=True)
    return (
        ordered.with_columns(new.cum_sum().alias("run"))
        .group_by("run", maintain_order=True)
        .agg(pl.col("well", "since").first(), pl.col("until").last(), pl.col("code").first())
        .select(
            "well", pl.lit(str(aspect)).alias("aspect"), "since", "until", "code", pl.lit(source).alias("source")
        )
        .cast(STATUS_SCHEMA)
    )  # fmt: skip


def derived(periods: Sequence[datetime], producing: Iterable[datetime], source: str) -> list[Held]:
    """Whether a well was active, by its volumes: from each reporting period on until the next.

    ``periods`` are the starts of the field's reporting periods, ascending; ``producing`` those in which the well had
    a volume. Before its first volume a well has no derived status; after that it is active while one of the last
    REPORTING_PERIODS has a volume.
    """
    had = set(producing)
    found: list[Held] = []
    for at, start in enumerate(periods):
        newest = periods[max(0, at + 1 - REPORTING_PERIODS) : at + 1]
        code = ACTIVE if any(one in had for one in newest) else INACTIVE
        if not found and code == INACTIVE:
            continue
        if not found or found[-1].code != code:
            if found:
                found[-1] = replace(found[-1], until=start)
            found.append(Held(start, None, code, source))
    return found
