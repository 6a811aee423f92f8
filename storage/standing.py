"""Where everything stands now, in one small query: what an answer may be kept by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from storage.database import LoopReader, rows_of


@dataclass(frozen=True, slots=True)
class Standing:
    """The epoch; a mark that changes whenever a field or well is added or changed; and per field id the newest offset
    of its log (``heads``), that at which its rollups are right (``rolled``) and the clock that they were made by
    (``clocks``). ``behind`` are the fields whose rollups are not those of their log's head or of their clock."""

    epoch: str
    catalogue: str
    heads: Mapping[str, int]
    rolled: Mapping[str, int]
    clocks: Mapping[str, str]
    behind: frozenset[str]


def standing(connection: Connection) -> Standing:
    """How things stand in this transaction's snapshot."""
    return _of(rows_of(connection, _QUERY))


async def standing_now(reader: LoopReader) -> Standing:
    """How things stand now.

    Raises:
        StorageDown: PostgreSQL is away.
    """
    return _of(await reader.rows(_QUERY))


def _of(found: Sequence[Any]) -> Standing:
    named = [row for row in found if row.slug is not None]
    return Standing(
        found[0].epoch,
        f"{found[0].fields}-{found[0].wells}-{found[0].written}",
        {row.slug: row.head for row in named},
        {row.slug: row.rolled for row in named},
        {row.slug: row.clock for row in named},
        frozenset(row.slug for row in named if row.behind),
    )


_QUERY: Final = (
    "SELECT e.epoch, c.fields, c.wells, c.written, f.slug, h.head, r.log_offset AS rolled,"
    " concat(r.time_zone, ' ', r.day_start_s) AS clock, h.head > r.log_offset OR r.clock_changed AS behind"
    " FROM log_epoch e CROSS JOIN (SELECT f.fields, w.wells, f.written + w.written AS written"
    "  FROM (SELECT count(*) AS fields, coalesce(sum(xmin::text::bigint), 0) AS written FROM fields) AS f,"
    "  (SELECT count(*) AS wells, coalesce(sum(xmin::text::bigint), 0) AS written FROM wells) AS w) AS c"
    " LEFT JOIN (fields f JOIN log_heads h USING (field_id) JOIN rollup_heads r USING (field_id)) ON true"
    " ORDER BY f.slug"
)
"""``written`` sums the transactions that wrote the rows, so that it moves when any of them is written again."""
