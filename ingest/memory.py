"""What a pipeline remembers of its wells' recent past, read from storage when it does not know it."""

import threading
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl
from sqlalchemy import Connection, Engine

from ingest.parse import Batch
from ingest.recent import Group, Recent, Starts, earliest, of_groups
from ingest.rules.rule import Known, RuleSet
from ingest.verify import Past
from storage import log, tails
from storage.database import reading
from storage.domain.position import Position
from storage.domain.record import Outcome, Verdict
from storage.log import LogMessage

BELIEVED: Final = timedelta(seconds=1)
"""How long a field's past is believed without asking whether another process has written to it."""

MOST_GROUPS: Final = 20_000
"""Groups kept at most; beyond it all are forgotten and read anew: at a depth of 30 and 9 columns that is 45 MB."""


class Memory:
    """The last records of each well and resolution, as far as the rules look back.

    **Right beside other processes**: a field's past is known as of a position of its log. Positions have no holes and
    every stored batch takes one, so that a batch of this process that is not written at the very next position shows
    that another process wrote in between: the field is forgotten and read anew before the next batch. Besides, the
    heads of the logs are compared when the last look is more than BELIEVED ago. A batch that came in between was
    judged by the past of a moment before: it may miss a suspect verdict or give one more, and never loses a record.

    **Deterministic**: the rows of a group are judged by the ``depth`` records stored before its earliest row in the
    batch and by the rows of the batch before each, whether they are remembered or read. A row that is not later than
    all that is stored (late, repeated, revised) makes its group be read for this batch alone; it is looked up whether
    it is stored as it is, since then what was said of it holds.
    """

    def __init__(self, engine: Engine, rules: RuleSet) -> None:
        self._engine = engine
        self._rules = rules
        self._recent = Recent(rules.past_columns, rules.depth)
        self._positions: dict[str, Position] = {}
        self._looked_at: datetime | None = None
        self._lock = threading.Lock()

    @contextmanager
    def past(self, batch: Batch, known: Known, now: datetime) -> Iterator[Past | None]:
        """What was stored before a batch; None when no rule asks for it. One batch at a time is judged.

        Raises:
            StorageDown: what is not remembered cannot be read.
        """
        if not self._rules.of_past or batch.candidates.is_empty():
            yield None
            return
        starts = {group: start for group, start in earliest(batch.candidates).items() if group[0] in known.wells}
        with self._lock:
            self._look(now)
            late = self._recalled(starts)
            stored = self._stored(batch.candidates, late) if late else None
            try:
                yield Past(self._recent, stored)
            finally:
                self._recent.forget(late)

    def follow(self, records: pl.DataFrame, outcomes: Sequence[Outcome], messages: Sequence[LogMessage]) -> None:
        """Remember what was committed: verified records, what became of each, and the log rows that tell of them."""
        if not self._rules.of_past or records.is_empty():
            return
        new = [outcome is Outcome.ACCEPTED for outcome in outcomes]
        with self._lock:
            fields = {message.field for message in messages if self._goes_on(message)}
            if not all(new):
                accepted = pl.Series(new, dtype=pl.Boolean)
                self._recent.forget(list(earliest(records.filter(~accepted))))
                records = records.filter(accepted)
            self._append(records, fields)

    def _append(self, rows: pl.DataFrame, fields: Set[str]) -> None:
        """Add new records of these fields to the groups that are remembered; one that is not later than all that its
        group has ends that."""
        starts = earliest(rows)
        later = {
            group for group, start in starts.items()
            if group in self._recent and _field(group) in fields and start > self._recent.newest_us(group)
        }  # fmt: skip
        self._recent.forget(list(starts.keys() - later))
        if len(later) < len(starts):
            rows = of_groups(rows, later)
        if Verdict.WITHDRAWN in rows["verdict"].to_list():
            rows = rows.filter(pl.col("verdict") != Verdict.WITHDRAWN)
        self._recent.append(rows)

    def _goes_on(self, message: LogMessage) -> bool:
        """Whether the field's past goes on with this message. If a position between is missing it is forgotten; if the
        message is known already there is nothing to add."""
        known = self._positions.get(message.field)
        if known is not None and known.epoch == message.epoch and message.offset <= known.offset:
            return False
        if known is None or (known.epoch, known.offset + 1) != (message.epoch, message.offset):
            self._forget([message.field])
            return False
        self._positions[message.field] = Position(message.epoch, message.offset)
        return True

    def _look(self, now: datetime) -> None:
        """Forget fields that another process has written to, if the last look is too long ago."""
        if self._looked_at is not None and self._looked_at <= now < self._looked_at + BELIEVED:
            return
        if self._positions:
            with reading(self._engine) as connection:
                self._forget(self._moved(connection))
        self._looked_at = now

    def _moved(self, connection: Connection) -> list[str]:
        """The fields whose logs are not where their past is known as of."""
        epoch, heads = log.epoch(connection), log.heads(connection, sorted(self._positions))
        return [
            field
            for field, position in self._positions.items()
            if field not in heads or position != Position(epoch, heads[field].newest)
        ]

    def _recalled(self, starts: Starts) -> list[Group]:
        """See that every group has begun; the groups whose rows are not later than all that is stored."""
        if len(self._recent) + len(starts) > MOST_GROUPS:
            self._forget(list(self._positions))
        asked = [group for group, start in starts.items() if start <= self._recent.newest_us(group) or self._new(group)]
        if not asked:
            return []
        with reading(self._engine) as connection:
            self._forget(self._moved(connection))
            asked = list(dict.fromkeys([*asked, *(group for group in starts if self._new(group))]))
            moments = {group: datetime.fromtimestamp(0, UTC) + timedelta(microseconds=starts[group]) for group in asked}
            rows, later = tails.before(connection, moments, self._recent.columns, self._recent.depth)
            epoch, heads = log.epoch(connection), log.heads(connection, sorted({_field(group) for group in asked}))
        self._positions |= {field: Position(epoch, head.newest) for field, head in heads.items()}
        self._recent.begin(asked)
        self._recent.append(rows)
        return sorted(later)

    def _new(self, group: Group) -> bool:
        return group not in self._recent

    def _stored(self, rows: pl.DataFrame, late: Sequence[Group]) -> pl.DataFrame:
        with reading(self._engine) as connection:
            return tails.stored(connection, of_groups(rows, late))

    def _forget(self, fields: Sequence[str]) -> None:
        self._recent.forget([group for group in self._recent.groups() if _field(group) in fields] if fields else [])
        for field in fields:
            self._positions.pop(field, None)


def _field(group: Group) -> str:
    return group[0].partition(".")[0]
