"""A source's records sent again as if they were live: each when its interval has ended in field time."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from ingest.parse import TEXT_LIMIT, Batch, Source
from ingest.pipeline import Counts, Pipeline, ingested
from ingest.retry import until_stored
from storage.domain.errors import InputRefused, StorageDown

LONGEST_SLEEP_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Pacing:
    """What is due when field time runs ``speed`` times as fast as the clock.

    ``ends`` are the distinct ends of intervals, ascending; the field time at ``began_s`` (monotonic seconds) is one
    interval before the first end, so that the first batch is due after one interval's time.
    """

    ends: tuple[datetime, ...]
    first_start: datetime
    speed: float
    began_s: float

    def field_time(self, now_s: float) -> datetime:
        """The field's time at a moment of the clock; it stays at the last end."""
        elapsed_s = max(0.0, now_s - self.began_s) * self.speed
        whole_s = (self.ends[-1] - self.first_start).total_seconds()
        return self.first_start + timedelta(seconds=min(elapsed_s, whole_s))

    def due(self, now_s: float, sent: int) -> Sequence[datetime]:
        """The ends that are due at a moment and are not among the first ``sent``, oldest first."""
        reached = self.field_time(now_s)
        upto = sent
        while upto < len(self.ends) and self.ends[upto] <= reached:
            upto += 1
        return self.ends[sent:upto]

    def wait_s(self, now_s: float, sent: int) -> float:
        """How long from a moment until the next end is due; 0 when one is due or none is left."""
        if sent >= len(self.ends):
            return 0.0
        due_after_s = (self.ends[sent] - self.first_start).total_seconds() / self.speed
        return max(0.0, self.began_s + due_after_s - now_s)


def paced(source: Source, speed: float, began_s: float) -> Pacing:
    """The pacing of a source's candidates.

    Raises:
        InputRefused: the speed is not a positive number, or there is nothing to send.
    """
    if not 0 < speed < float("inf"):
        message = f"the speed is {speed}, but it must be a positive number of field-seconds a second"
        raise InputRefused(message)
    candidates = source.batch.candidates
    if candidates.is_empty():
        message = f"{source.batch.source} has no rows that could be replayed"
        raise InputRefused(message)
    ends = candidates.select(_END)["end"].unique().sort().to_list()
    first_start: datetime = candidates.select(pl.col("start").min()).item()
    return Pacing(tuple(ends), first_start, speed, began_s)


_END = (pl.col("start") + pl.duration(seconds="seconds")).alias("end")


def by_end(source: Source) -> dict[datetime, Batch]:
    """One batch per end of an interval, all wells in it; rows that could not be parsed go with the first.

    The source is named "replay <field>", after all its fields.
    """
    name = f"replay {', '.join(sorted(one.id for one in source.fields))}"[:TEXT_LIMIT]
    whole = source.batch
    candidates = whole.candidates.with_columns(_END, source=pl.lit(name)).sort("end", "index")
    batches = {
        end: replace(whole, source=name, candidates=rows.drop("end"), refused=())
        for (end,), rows in candidates.group_by("end", maintain_order=True)
        if isinstance(end, datetime)
    }
    refused = tuple(replace(row, source=name) for row in whole.refused)
    first = next(iter(batches))
    return batches | {first: replace(batches[first], refused=refused)}


def replay(
    pipeline: Pipeline,
    source: Source,
    speed: float,
    stop: threading.Event,
    on_sent: Callable[[datetime, Counts], None] = lambda _end, _counts: None,
    on_failure: Callable[[StorageDown], None] = lambda _: None,
) -> Counts:
    """Send a source's rows at ``speed`` field-seconds a second, until all are sent or ``stop`` is set.

    A batch that storage could not take is tried again until it can, so nothing is skipped; what fell due meanwhile
    follows at once. ``on_sent`` hears of every committed interval.

    Raises:
        InputRefused: as for `paced`.
    """
    pacing = paced(source, speed, time.monotonic())
    batches = by_end(source)
    until_stored(lambda: pipeline.prepare(source), stop, on_failure)
    counts, sent = Counts(), 0
    while sent < len(pacing.ends) and not stop.is_set():
        for end in pacing.due(time.monotonic(), sent):
            stored = until_stored(lambda end=end: ingested(pipeline, batches[end]), stop, on_failure)  # type: ignore[misc]
            if stored is None:
                return counts
            counts, sent = counts + stored, sent + 1
            on_sent(end, stored)
        stop.wait(min(LONGEST_SLEEP_S, pacing.wait_s(time.monotonic(), sent)))
    return counts
