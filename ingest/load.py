"""A whole source into storage, with progress, a summary, and no harm in doing it again."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ingest.parse import Source, pieces
from ingest.pipeline import Counts, Pipeline
from storage.domain.refused import Refused

Progress = Callable[[int, int], None]
"""Called with rows done and rows in all, first with (0, all), then after every committed batch."""


REFUSED_TOLD: Final = 1_000
"""So many quarantined rows are told with a load; all of them are in the quarantine."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a load came to: ``counts`` of its rows, how long it took, what the source told of how it was read, and the
    first REFUSED_TOLD of the quarantined rows."""

    source: str
    counts: Counts
    seconds: float
    told: tuple[str, ...] = ()
    refused: tuple[Refused, ...] = ()


def load(pipeline: Pipeline, source: Source, on_progress: Progress = lambda _done, _all: None) -> Summary:
    """Store all rows of a source, batch by batch in order.

    Every batch is committed on its own: after an interruption the same call finds what is there as duplicates.

    Raises:
        StorageDown: the batches before it are kept.
    """
    began_s = time.perf_counter()
    pipeline.prepare(source)
    counts = Counts()
    refused: list[Refused] = []
    on_progress(0, source.batch.rows)
    for batch in pieces(source.batch):
        receipt = pipeline.ingest(batch)
        counts += receipt.counts
        refused += receipt.refused[: REFUSED_TOLD - len(refused)]
        on_progress(counts.rows, source.batch.rows)
    return Summary(source.batch.source, counts, time.perf_counter() - began_s, source.told, tuple(refused))
