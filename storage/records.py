"""Where records are kept: one transaction's rows in, with revisions and the log rows that tell of them."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import polars as pl
from sqlalchemy import Connection, text

from storage import log, partitions, wells
from storage.database import copy_in
from storage.domain.errors import AlreadyKept
from storage.domain.production_day import days_and_hours
from storage.domain.record import CONTENT_COLUMNS, TIMESTAMP, Outcome
from storage.log import Held, LogMessage
from storage.tables import superseded_records

_KEY: Final = ("field_id", "well_id", "resolution", "start", "seconds")
_CARRIED: Final = (*CONTENT_COLUMNS, "audit_id", "source", "received_at", "log_offset")
_STAMPED: Final = (*_CARRIED, "day", "hour")


@dataclass(frozen=True, slots=True)
class Written:
    """What a batch did: one outcome per offered row, in order, and the log rows to tell after the commit.

    ``newest`` and ``partitions`` are for `Continuation.remember`.
    """

    outcomes: list[Outcome]
    messages: list[LogMessage]
    newest: Mapping[int, "Newest"] = field(default_factory=dict)
    partitions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest start (us) of some series of a field, (well key, resolution), as of a position of its log."""

    epoch: str
    offset: int
    starts_us: Mapping[tuple[int, str], int]


class Continuation:
    """What a writer may know without asking, so that rows that continue their wells' series are not looked up.

    Well keys never change within a database's life. The newest starts of a field hold for as long as nobody else writes
    to it: they are used only while its counter row, held, still stands at the position where they were true.
    Thread-safe.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys = pl.DataFrame(schema=wells.KEY_SCHEMA)
        self._newest: dict[int, Newest] = {}
        self._epoch: str | None = None
        self.partitions: frozenset[str] = frozenset()

    def remember(self, written: Written) -> None:
        """What a batch made newest; to be called after its commit, never before."""
        with self._lock:
            self.partitions |= written.partitions
            for key, newest in written.newest.items():
                kept = self._newest.get(key)
                if kept is None or kept.epoch != newest.epoch or kept.offset < newest.offset:
                    self._newest[key] = newest

    def forget(self) -> None:
        """Know nothing any more."""
        with self._lock:
            self._keys = self._keys.clear()
            self._newest.clear()
            self._epoch = None
            self.partitions = frozenset()

    def keyed(self, connection: Connection, records: pl.DataFrame) -> pl.DataFrame:
        """The records with field_id and well_id.

        Raises:
            NotFound: a well is not kept.
        """
        found = records.join(self._keys, on="well", how="left", maintain_order="left")
        if not found["well_id"].null_count():
            return found
        strangers = found.filter(pl.col("well_id").is_null())["well"].unique().to_list()
        learnt = wells.keys_of(connection, strangers)
        with self._lock:
            self._keys = pl.concat([self._keys, learnt]).unique("well")
        return records.join(self._keys, on="well", how="left", maintain_order="left")

    def held(self, connection: Connection, keys: Sequence[int]) -> dict[int, Held]:
        """Take the counter rows of fields as `log.hold` does.

        Raises:
            AlreadyKept: what is known here was learnt in another life of the database, where keys may have meant
                other wells.
        """
        held = log.hold(connection, keys)
        with self._lock:
            lives = {one.epoch for one in held.values()} | ({self._epoch} if self._epoch else set())
            if len(held) < len(keys) or len(lives) > 1:
                message = "the database has begun a new life; what was known of its wells does not hold any more"
                raise AlreadyKept(message)
            self._epoch = lives.pop()
        return held

    def newest(self, key: int, held: Held) -> Newest | None:
        """The newest starts of a field, if they still are; of a field that nobody wrote to, none."""
        kept = self._newest.get(key) or Newest(held.epoch, 0, {})
        return kept if (kept.epoch, kept.offset) == (held.epoch, held.newest) else None


def write(
    connection: Connection, records: pl.DataFrame, received_at: datetime, continuation: Continuation | None = None
) -> Written:
    """Write a frame of RECORD_SCHEMA and append one log row for each field in which anything changed.

    The fields' counter rows are held until the caller commits, so positions are committed in order and without
    holes. A row whose key is kept with the same content is a duplicate and writes nothing; with other content it
    becomes a revision and the old one goes to ``superseded_records``. Rows of one key within the frame count as
    offered one after the other.

    Raises:
        NotFound: a well or field is not kept; nothing is written.
        AlreadyKept: the continuation is not this database's; nothing is written, the same call with a new one will do.
    """
    if records.is_empty():
        return Written([], [])
    known = continuation or Continuation()
    keyed = known.keyed(connection, records.with_row_index("row"))
    held = known.held(connection, keyed["field_id"].unique().to_list())
    made = _ensure_partitions(connection, keyed["start"], received_at, known)
    stamped = _stamped(keyed, held, received_at)
    reached = _reached(connection, stamped, {key: known.newest(key, one) for key, one in held.items()})
    if reached is None:
        told = _merged(connection, stamped)
    else:
        told = stamped.with_columns(revision=pl.lit(0, dtype=pl.Int32))
        copy_in(connection, "records", _without_empty(told.select(*_KEY, "revision", *_STAMPED)))
    messages = _messages(held, told.filter(pl.col("revision").is_not_null()), received_at)
    log.append(connection, messages, received_at)
    newest = {
        key: Newest(message.epoch, message.offset, (reached or {}).get(key, {})) for key, message in messages.items()
    }
    return Written(_outcomes(told["revision"]), list(messages.values()), newest, made)


def _stamped(keyed: pl.DataFrame, held: Mapping[int, Held], received_at: datetime) -> pl.DataFrame:
    """With log_offset, received_at, and the production day and hour that each record starts in."""
    parts = keyed.partition_by("field_id") if len(held) > 1 else [keyed]
    stamped = [_stamped_field(part, held[part["field_id"][0]], received_at) for part in parts]
    return stamped[0] if len(stamped) == 1 else pl.concat(stamped).sort("row")


def _stamped_field(rows: pl.DataFrame, held: Held, received_at: datetime) -> pl.DataFrame:
    return rows.with_columns(
        *days_and_hours(held.field, rows["start"]),
        pl.lit(held.newest + 1, dtype=pl.Int64).alias("log_offset"),
        pl.lit(received_at, dtype=TIMESTAMP).alias("received_at"),
    )


def _reached(
    connection: Connection, stamped: pl.DataFrame, known: Mapping[int, Newest | None]
) -> dict[int, dict[tuple[int, str], int]] | None:
    """The newest starts of each field after this batch; None unless every row lies beyond what its series holds."""
    if None in known.values():
        return None
    series = stamped.group_by("field_id", "well_id", "resolution").agg(
        first=pl.col("start").min().dt.epoch("us"),
        last=pl.col("start").max().dt.epoch("us"),
        repeated=pl.len() > pl.col("start").n_unique(),
    )
    if series["repeated"].any():
        return None
    reached = {}
    for key, newest in known.items():
        starts = dict(newest.starts_us) if newest else {}
        rows = series.filter(pl.col("field_id") == key).select("well_id", "resolution", "first", "last").rows()
        strangers = [(well, resolution) for well, resolution, *_ in rows if (well, resolution) not in starts]
        starts |= _kept_starts(connection, key, strangers)
        if any(first <= starts[well, resolution] for well, resolution, first, _ in rows):
            return None
        reached[key] = starts | {(well, resolution): last for well, resolution, _, last in rows}
    return reached


def _kept_starts(connection: Connection, key: int, series: Sequence[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """The newest kept start (us) of some series of a field; of one that holds nothing, before all time."""
    if not series:
        return {}
    wells_asked, resolutions = zip(*series, strict=True)
    found = connection.execute(
        _NEWEST_STARTS, {"key": key, "wells": list(wells_asked), "resolutions": list(resolutions)}
    )
    return {(row.well_id, row.resolution): _NEVER_US if row.us is None else row.us for row in found}


def _merged(connection: Connection, stamped: pl.DataFrame) -> pl.DataFrame:
    """Write rows of which some may be kept already: the rows with their revision, null for duplicates."""
    staged = stamped.with_columns(pl.int_range(pl.len()).over(_KEY).cast(pl.Int32).alias("wave"))
    connection.execute(_STAGING)
    connection.execute(_CLEAR_STAGING)  # a transaction may write more than once
    copy_in(connection, "staged_records", _without_empty(staged.select("wave", *_KEY, *_STAMPED)))
    changed = pl.concat([_upserted(connection, wave) for wave in sorted(staged["wave"].unique())])
    return staged.join(changed, on=["wave", *_KEY], how="left", maintain_order="left")


def _without_empty(frame: pl.DataFrame) -> pl.DataFrame:
    """Without the columns in which no row has a value: they need not travel."""
    return frame.select(column for column in frame if column.null_count() < len(column))


def _upserted(connection: Connection, wave: int) -> pl.DataFrame:
    """Write one wave (at most one row a key); the keys that changed, with their new revision."""
    connection.execute(_SUPERSEDE, {"wave": wave})
    changed = connection.execute(_UPSERT, {"wave": wave}).all()
    frame = pl.DataFrame([tuple(row) for row in changed], schema=_CHANGED_SCHEMA, orient="row")
    return frame.with_columns(pl.lit(wave, dtype=pl.Int32).alias("wave"))


def _messages(held: Mapping[int, Held], changed: pl.DataFrame, at: datetime) -> dict[int, LogMessage]:
    """One message per field with changes, by internal key."""
    messages = {}
    for key, one in held.items():
        rows = changed if len(held) == 1 else changed.filter(pl.col("field_id") == key)
        if not rows.is_empty():
            name, offset = one.field.id, one.newest + 1
            messages[key] = LogMessage(one.epoch, name, offset, log.body(name, offset, at, rows))
    return messages


def _outcomes(revisions: pl.Series) -> list[Outcome]:
    meaning: dict[Any, Outcome] = {None: Outcome.DUPLICATE, 0: Outcome.ACCEPTED}
    return [meaning.get(revision, Outcome.REVISED) for revision in revisions]


def _ensure_partitions(
    connection: Connection, starts: pl.Series, received_at: datetime, continuation: Continuation
) -> frozenset[str]:
    """Make the partitions that the rows need and that are not known to be there; the names of all they need."""
    wanted = [partitions.year_of_records(year) for year in starts.dt.year().unique()]
    wanted.append(partitions.day_of_log(received_at.astimezone(UTC).date()))
    partitions.ensure(connection, [one for one in wanted if one.name not in continuation.partitions])
    return frozenset(one.name for one in wanted)


def _listed(columns: Sequence[str], prefix: str = "") -> str:
    return ", ".join(prefix + column for column in columns)


def _differs(left: str, right: str) -> str:
    return f"({_listed(CONTENT_COLUMNS, left)}) IS DISTINCT FROM ({_listed(CONTENT_COLUMNS, right)})"


_CHANGED_SCHEMA: Final = pl.Schema(
    {
        "field_id": pl.Int32(),
        "well_id": pl.Int32(),
        "resolution": pl.String(),
        "start": TIMESTAMP,
        "seconds": pl.Int32(),
        "revision": pl.Int32(),
    }
)

_NEVER_US: Final = -(1 << 62)

_NEWEST_STARTS: Final = text(
    "SELECT well_id, resolution, (SELECT (extract(epoch FROM max(kept.start)) * 1000000)::bigint FROM records AS kept"
    "  WHERE kept.field_id = :key AND kept.well_id = asked.well_id AND kept.resolution = asked.resolution) AS us"
    " FROM unnest(CAST(:wells AS int[]), CAST(:resolutions AS text[])) AS asked (well_id, resolution)"
)

_STAGING: Final = text(
    "CREATE TEMP TABLE IF NOT EXISTS staged_records ON COMMIT DELETE ROWS AS"  # noqa: S608
    f" SELECT 0 AS wave, {_listed(_KEY)}, {_listed(_STAMPED)} FROM records WITH NO DATA"
)
_CLEAR_STAGING: Final = text("DELETE FROM staged_records")

_SUPERSEDE: Final = text(
    f"INSERT INTO superseded_records ({_listed([column.name for column in superseded_records.columns])})"  # noqa: S608
    f" SELECT {_listed(_KEY, 'kept.')}, kept.revision, {_listed(_CARRIED, 'kept.')}, offered.received_at"
    f" FROM records AS kept JOIN staged_records AS offered USING ({_listed(_KEY)})"
    f" WHERE offered.wave = :wave AND {_differs('kept.', 'offered.')}"
)

_UPSERT: Final = text(
    f"INSERT INTO records ({_listed(_KEY)}, {_listed(_STAMPED)})"  # noqa: S608
    f" SELECT {_listed(_KEY)}, {_listed(_STAMPED)} FROM staged_records WHERE wave = :wave"
    f" ON CONFLICT ({_listed(_KEY)}) DO UPDATE SET revision = records.revision + 1,"
    f" {', '.join(f'{column} = excluded.{column}' for column in _STAMPED)}"
    f" WHERE {_differs('records.', 'excluded.')}"
    f" RETURNING {_listed(_KEY)}, revision"
)
