"""The demonstration field, running: its history first, then every second what has fallen due."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final

import polars as pl

from ingest.parse import BATCH_ROWS, Batch, framed, pieces
from ingest.pipeline import Counts, Pipeline, ingested
from ingest.retry import until_stored
from ingest.sources.simulator import SOURCE, Simulator
from storage.domain.errors import InputRefused, StorageDown
from storage.domain.production_day import day_of
from storage.domain.well import Field

DAILY_HISTORY: Final = timedelta(days=730)
LIVE_HISTORY: Final = timedelta(hours=2)
"""Enough to fill a live chart; at eight wells and 5 s it is 11,520 rows, which a small machine stores in a second."""

EVERY_S: Final = 5
LONGEST_EVERY_S: Final = 3_600
MOST_WELLS: Final = 10_000


def ended_days(field: Field, since: datetime, until: datetime) -> list[date]:
    """The production days that end in (since, until], oldest first."""
    first, beyond = day_of(field, since), day_of(field, until)
    return [first + timedelta(days=ahead) for ahead in range((beyond - first).days)]


def due(simulator: Simulator, since: datetime, until: datetime, every_s: int) -> Batch:
    """The live records, and the daily ones of days that ended, that fall due in (since, until]."""
    frames = [simulator.live(since, until, every_s)]
    if days := ended_days(simulator.field(), since, until):
        frames.append(simulator.daily(days))
    return framed(SOURCE, pl.concat(frames))


def step_end(simulator: Simulator, since: datetime, now: datetime, every_s: int) -> datetime:
    """Up to when the next batch reaches: the last whole second, or as far as about BATCH_ROWS rows go."""
    most_s = max(1, BATCH_ROWS * every_s // simulator.number_of_wells)
    return min(now.replace(microsecond=0), since + timedelta(seconds=most_s))


def simulate(
    pipeline: Pipeline,
    simulator: Simulator,
    every_s: int,
    stop: threading.Event,
    clock: Callable[[], datetime],
    on_sent: Callable[[datetime, Counts], None] = lambda _until, _counts: None,
    on_failure: Callable[[StorageDown], None] = lambda _: None,
) -> None:
    """Keep the demonstration field running until ``stop`` is set.

    Begins with two years of days and the last hours of live records; what is kept already comes out as duplicates, so
    a restart continues the same curves. While storage is away the same batch is tried again, and all that fell due
    meanwhile follows. A field that was fed with another ``every_s`` before keeps those records beside the new ones.

    Raises:
        InputRefused: as for `check`.
    """
    check(simulator, every_s)

    def stored(batch: Batch) -> Counts | None:
        return until_stored(lambda: ingested(pipeline, batch), stop, on_failure)

    until_stored(lambda: pipeline.register(simulator.field(), simulator.wells()), stop, on_failure)
    since = clock().astimezone(UTC).replace(microsecond=0) - LIVE_HISTORY
    for batch in daily_history(simulator, since + LIVE_HISTORY):
        if stop.is_set():
            return
        if (counts := stored(batch)) is not None:
            on_sent(since, counts)
    while not stop.is_set():
        until = step_end(simulator, since, clock().astimezone(UTC), every_s)
        if until > since and (counts := stored(due(simulator, since, until, every_s))) is not None:
            since = until
            on_sent(until, counts)
        stop.wait(_until_due_s(since, clock()))


def daily_history(simulator: Simulator, now: datetime) -> Iterator[Batch]:
    """The days that ended within DAILY_HISTORY before now, oldest first; made as they are taken, for many wells."""
    days = ended_days(simulator.field(), now - DAILY_HISTORY, now)
    at_once = max(1, BATCH_ROWS // simulator.number_of_wells)
    for first in range(0, len(days), at_once):
        yield from pieces(framed(SOURCE, simulator.daily(days[first : first + at_once])))


def check(simulator: Simulator, every_s: int) -> None:
    """Refuse what cannot be simulated.

    Raises:
        InputRefused: ``every_s`` is not 1 to 3,600, or there are not 1 to 10,000 wells.
    """
    if not 1 <= every_s <= LONGEST_EVERY_S:
        message = f"live records are every {every_s} s, but it must be 1 to {LONGEST_EVERY_S} s"
        raise InputRefused(message)
    if not 1 <= simulator.number_of_wells <= MOST_WELLS:
        message = f"the demonstration field has {simulator.number_of_wells} wells, but it must be 1 to {MOST_WELLS}"
        raise InputRefused(message)


def _until_due_s(since: datetime, now: datetime) -> float:
    """How long until the second after ``since`` has passed; 0 when it has."""
    return max(0.0, (since + timedelta(seconds=1) - now).total_seconds())
