"""A whole source into storage, with progress, a summary, and no harm in doing it again."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from ingest.parse import Source, pieces
from ingest.pipeline import Counts, Pipeline

Progress = Callable[[int, int], None]
"""Called with rows done and rows in all, first with (0, all), then after every committed batch."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a load came to: ``counts`` of its rows, and how long it took."""

    source: str
    counts: Counts
    seconds: float


def load(pipeline: Pipeline, source: Source, on_progress: Progress = lambda _done, _all: None) -> Summary:
    """Store all rows of a source, batch by batch in order.

    Every batch is committed on its own: after an interruption the same call finds what is there as duplicates.

    Raises:
        StorageDown: the batches before it are kept.
    """
    began_s = time.perf_counter()
    pipeline.register(source.field, source.wells)
    counts = Counts()
    on_progress(0, source.batch.rows)
    for batch in pieces(source.batch):
        counts += pipeline.ingest(batch).counts
        on_progress(counts.rows, source.batch.rows)
    return Summary(source.batch.source, counts, time.perf_counter() - began_s)
