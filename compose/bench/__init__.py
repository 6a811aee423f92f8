"""`wellstream bench NAME`: figures beside their peer or physical limit, measured in one run."""

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import Final

SHORTEST_S: Final = 1.0
LONGEST_S: Final = 3_600.0


class Name(StrEnum):
    """What can be measured."""

    INGEST = "ingest"
    LATENCY = "latency"
    QUERY = "query"


def bench(name: Name, *, records: int, clients: int) -> Callable[[float], dict[str, object]]:
    """What measures: takes for how many seconds, returns figures by name, units in the names.

    ``records`` and ``clients`` say how much data and how many at once, where that matters.
    """
    match name:
        case Name.INGEST:
            from compose.bench.ingest import ingest

            return ingest
        case Name.LATENCY:
            from compose.bench.latency import latency

            return latency
        case Name.QUERY:
            from compose.bench.query import query

            return partial(query, number_of_records=records, clients=clients)
