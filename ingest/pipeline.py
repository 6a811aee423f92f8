"""One batch's way: verify, one transaction, and after the commit the doorbell."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

import polars as pl
from sqlalchemy import Connection, Engine

from ingest.memory import Memory
from ingest.parse import Batch, Source, pieces
from ingest.rules.document import default
from ingest.rules.rule import Known, RuleSet
from ingest.verify import Verified, verified
from storage import audit, quarantine, records, rule_sets, well_headers, well_statuses, wells
from storage.database import reading, writing
from storage.domain.errors import AlreadyKept, NotFound
from storage.domain.record import RECORD_SCHEMA, Outcome, Verdict
from storage.domain.refused import Reason, Refused
from storage.domain.well import Field, Well
from storage.log import LogMessage
from storage.records import Continuation, Written
from storage.rule_sets import Judge

KNOWN_AGE: Final = timedelta(seconds=30)
"""How long the known fields and wells are believed; a row that names a stranger has them read again at once."""

_NOTHING_KNOWN: Final = Known({}, frozenset())


class Rings(Protocol):
    """Tells the world that log rows were committed."""

    def ring(self, messages: Sequence[LogMessage]) -> bool:
        """Publish committed messages in order; False when they could not be, which followers make good by polling."""


@dataclass(frozen=True, slots=True)
class RowAnswer:
    """What became of one row: its index and place in the batch, the outcome, and why it was quarantined."""

    index: int
    place: str
    outcome: Outcome
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows came to what. ``rows`` = accepted + revised + duplicates + quarantined; ``suspect`` of the accepted
    and revised have issues; a row that broke several rules counts once under each in ``quarantined_by_rule``."""

    accepted: int = 0
    revised: int = 0
    duplicates: int = 0
    quarantined: int = 0
    suspect: int = 0
    quarantined_by_rule: Mapping[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """All rows."""
        return self.accepted + self.revised + self.duplicates + self.quarantined

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.accepted + other.accepted,
            self.revised + other.revised,
            self.duplicates + other.duplicates,
            self.quarantined + other.quarantined,
            self.suspect + other.suspect,
            dict(Counter(self.quarantined_by_rule) + Counter(other.quarantined_by_rule)),
        )


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to a batch: it is committed. ``positions`` is the newest offset per field that the batch wrote,
    ``told`` whether the doorbell rang."""

    counts: Counts
    positions: Mapping[str, int]
    told: bool
    stored: pl.DataFrame
    outcomes: Sequence[Outcome]
    refused: Sequence[Refused]

    def rows(self) -> list[RowAnswer]:
        """One answer per row of the batch, in order of index."""
        places = zip(self.stored["index"], self.stored["place"], self.outcomes, strict=True)
        answers = [RowAnswer(index, place, outcome) for index, place, outcome in places]
        answers += [RowAnswer(row.index, row.place, Outcome.QUARANTINED, row.reasons) for row in self.refused]
        return sorted(answers, key=lambda answer: answer.index)


@dataclass(frozen=True, slots=True)
class Committing:
    """A batch about to be committed: what was judged and written in this transaction, at which time."""

    connection: Connection
    judged: Verified
    written: Written
    at: datetime


class Pipeline:
    """Takes batches to committed records. Safe to use from several threads; keeps only what it may forget."""

    def __init__(
        self, engine: Engine, doorbell: Rings, clock: Callable[[], datetime], rules: RuleSet | None = None
    ) -> None:
        """``clock`` gives the time with its zone; ``rules`` judge, by default those that Wellstream brings."""
        self.engine = engine
        self.now = clock
        self.rules = rules or default()
        self._memory = Memory(engine, self.rules)
        self._rules_kept = False
        self._doorbell = doorbell
        self._known = _NOTHING_KNOWN
        self._known_until: datetime | None = None
        self._continuation = Continuation()

    def register(self, of: Field, with_wells: Iterable[Well]) -> None:
        """Make a field and its wells known; doing it again changes nothing.

        Raises:
            StorageDown: nothing was kept.
        """
        with writing(self.engine) as connection:
            wells.add_field(connection, of)
            wells.add_wells(connection, with_wells)
        self._known_until = None

    def prepare(self, source: Source) -> None:
        """Make a source's fields and wells known, with what it says of them; doing it again changes nothing.

        Raises:
            StorageDown: nothing was kept.
        """
        now = self.now()
        with writing(self.engine) as connection:
            wells.add_fields(connection, source.fields)
            wells.add_wells(connection, source.wells)
            well_headers.keep(connection, source.headers, now)
            well_statuses.keep(connection, source.statuses, now)
        self._known_until = None

    def ingest(
        self, batch: Batch, *, override: bool = False, within: Callable[[Committing], None] = lambda _: None
    ) -> Receipt:
        """Verify and store a batch in one transaction, then ring; at most about BATCH_ROWS rows, one log row a field.

        Sending a batch again is harmless: its rows are duplicates then. ``override`` stores rows that break rules
        which a person may break, as suspect. ``within`` acts in the same transaction; what it raises undoes all.

        Raises:
            StorageDown: nothing of the batch is known to be kept; the same call may be made again.
        """
        try:
            return self._ingested(batch, within, override=override)
        except (NotFound, AlreadyKept):
            self._known_until = None
            self._continuation.forget()
            self._rules_kept = False
            return self._ingested(batch, within, override=override)

    def _ingested(self, batch: Batch, within: Callable[[Committing], None], *, override: bool) -> Receipt:
        now = self.now()
        known = self._known_for(batch, now)
        with self._memory.past(batch, known, now) as past:
            judged = verified(batch, known, now, self.rules, past, override=override)
        with writing(self.engine) as connection:
            self._keep_rules(connection, now)
            written = _stored(connection, judged, now, self._continuation)
            within(Committing(connection, judged, written, now))
        self._rules_kept = True
        self._continuation.remember(written)
        told = self._doorbell.ring(written.messages) if written.messages else True
        self._memory.follow(judged.records, written.outcomes, written.messages)
        positions = {message.field: message.offset for message in written.messages}
        counts = _counts(judged, written.outcomes)
        return Receipt(counts, positions, told, judged.records, written.outcomes, judged.refused)

    def _keep_rules(self, connection: Connection, now: datetime) -> None:
        """The rules that judge are kept before the first record that they judged."""
        if not self._rules_kept:
            judge = Judge(self.rules.version, self.rules.digest)
            rule_sets.use(connection, judge, self.rules.document, now)

    def _known_for(self, batch: Batch, now: datetime) -> Known:
        named = batch.candidates["well"].unique()
        stale = self._known_until is None or now >= self._known_until
        if stale or not self._known.wells.issuperset(named):
            with reading(self.engine) as connection:
                self._known = _known(connection)
            self._known_until = now + KNOWN_AGE
        return self._known


def ingested(pipeline: Pipeline, batch: Batch) -> Counts:
    """Ingest a batch of any size, in pieces of at most BATCH_ROWS rows that are committed one after the other.

    Raises:
        StorageDown: the pieces before it are kept; doing it all again is harmless.
    """
    return sum((pipeline.ingest(piece).counts for piece in pieces(batch)), Counts())


def _known(connection: Connection) -> Known:
    fields = {found.id: found for found in wells.all_fields(connection)}
    purposes = {well.id: well.purpose for name in fields for well in wells.wells_of(connection, name)}
    return Known(fields, frozenset(purposes), purposes)


def _stored(connection: Connection, judged: Verified, now: datetime, continuation: Continuation) -> Written:
    written = records.write(connection, judged.records.select(list(RECORD_SCHEMA)), now, continuation)
    quarantine.keep(connection, judged.refused, now)
    if Verdict.WITHDRAWN in judged.records["verdict"].to_list():
        new = pl.Series([outcome is not Outcome.DUPLICATE for outcome in written.outcomes], dtype=pl.Boolean)
        audit.note_withdrawn(connection, judged.records.filter(new), now)
    return written


def _counts(judged: Verified, outcomes: Sequence[Outcome]) -> Counts:
    by_outcome = Counter(outcomes)
    suspect = judged.records["verdict"] == Verdict.SUSPECT
    new = pl.Series([outcome is not Outcome.DUPLICATE for outcome in outcomes], dtype=pl.Boolean)
    return Counts(
        accepted=by_outcome[Outcome.ACCEPTED],
        revised=by_outcome[Outcome.REVISED],
        duplicates=by_outcome[Outcome.DUPLICATE],
        quarantined=len(judged.refused),
        suspect=int((new & suspect).sum()),
        quarantined_by_rule=dict(Counter(_rules_broken(judged.refused))),
    )


def _rules_broken(refused: Iterable[Refused]) -> Iterator[str]:
    for row in refused:
        yield from sorted({reason.rule for reason in row.reasons})
