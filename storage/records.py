"""Where records are kept: one transaction's rows in, with revisions and the log rows that tell of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import polars as pl
from sqlalchemy import Connection, text

from storage import log, wells
from storage.database import copy_in, rows_of
from storage.domain.record import CONTENT_COLUMNS, TIMESTAMP, Outcome
from storage.log import LogMessage
from storage.tables import superseded_records

_KEY: Final = ("field_id", "well_id", "resolution", "start", "seconds")
_CARRIED: Final = (*CONTENT_COLUMNS, "audit_id", "source", "received_at", "log_offset")
_PARTITION_LOCK: Final = 7_305_001


@dataclass(frozen=True, slots=True)
class Written:
    """What a batch did: one outcome per offered row, in order, and the log rows to tell after the commit."""

    outcomes: list[Outcome]
    messages: list[LogMessage]


def write(connection: Connection, records: pl.DataFrame, received_at: datetime) -> Written:
    """Write a frame of RECORD_SCHEMA and append one log row for each field in which anything changed.

    The fields' counter rows are held until the caller commits, so positions are committed in order and without
    holes. A row whose key is kept with the same content is a duplicate and writes nothing; with other content it
    becomes a revision and the old one goes to ``superseded_records``. Rows of one key within the frame count as
    offered one after the other.

    Raises:
        NotFound: a well or field is not kept; nothing is written.
    """
    if records.is_empty():
        return Written([], [])
    keyed = records.join(wells.keys_of(connection, records["well"].unique().to_list()), on="well", how="left")
    heads = log.lock_heads(connection, keyed["field_id"].unique().to_list())
    _ensure_partitions(connection, keyed["start"])
    staged = _staged(keyed, heads, received_at)
    _stage(connection, staged)
    changed = pl.concat([_upserted(connection, wave) for wave in sorted(staged["wave"].unique())])
    told = staged.join(changed, on=["wave", *_KEY], how="left", maintain_order="left")
    messages = _messages(log.epoch(connection), told.filter(pl.col("revision").is_not_null()), received_at)
    log.append(connection, messages, received_at)
    return Written(_outcomes(told["revision"]), list(messages.values()))


def _staged(keyed: pl.DataFrame, heads: dict[int, int], received_at: datetime) -> pl.DataFrame:
    return keyed.with_columns(
        pl.int_range(pl.len()).over(_KEY).cast(pl.Int32).alias("wave"),
        (pl.col("field_id").replace_strict(heads, return_dtype=pl.Int64) + 1).alias("log_offset"),
        pl.lit(received_at, dtype=TIMESTAMP).alias("received_at"),
    )


def _stage(connection: Connection, staged: pl.DataFrame) -> None:
    connection.execute(text(_STAGING))
    connection.execute(text("DELETE FROM staged_records"))  # a transaction may write more than once
    copy_in(connection, "staged_records", staged.select("wave", *_KEY, *_CARRIED))


def _upserted(connection: Connection, wave: int) -> pl.DataFrame:
    """Write one wave (at most one row a key); the keys that changed, with their new revision."""
    connection.execute(text(_SUPERSEDE), {"wave": wave})
    changed = rows_of(connection, _UPSERT, wave=wave)
    frame = pl.DataFrame([tuple(row) for row in changed], schema=_CHANGED_SCHEMA, orient="row")
    return frame.with_columns(pl.lit(wave, dtype=pl.Int32).alias("wave"))


def _messages(epoch: str, changed: pl.DataFrame, at: datetime) -> dict[int, LogMessage]:
    """One message per field, by internal key."""
    messages = {}
    for (key, field, offset), rows in changed.group_by("field_id", "field", "log_offset", maintain_order=True):
        text_id, number = str(field), int(str(offset))
        messages[int(str(key))] = LogMessage(epoch, text_id, number, log.body(text_id, number, at, rows))
    return messages


def _outcomes(revisions: pl.Series) -> list[Outcome]:
    meaning: dict[Any, Outcome] = {None: Outcome.DUPLICATE, 0: Outcome.ACCEPTED}
    return [meaning.get(revision, Outcome.REVISED) for revision in revisions]


def _ensure_partitions(connection: Connection, starts: pl.Series) -> None:
    years = sorted(starts.dt.year().unique())
    missing = rows_of(
        connection,
        "SELECT year FROM unnest(CAST(:years AS int[])) AS year WHERE to_regclass('records_' || year) IS NULL",
        years=years,
    )
    if missing:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _PARTITION_LOCK})
    for (year,) in missing:
        connection.execute(
            text(
                f"CREATE TABLE IF NOT EXISTS records_{int(year)} PARTITION OF records"
                f" FOR VALUES FROM ('{int(year):04d}-01-01+00') TO ('{int(year) + 1:04d}-01-01+00')"
            )
        )


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

_STAGING: Final = (
    "CREATE TEMP TABLE IF NOT EXISTS staged_records ON COMMIT DELETE ROWS AS"  # noqa: S608
    f" SELECT 0 AS wave, {_listed(_KEY)}, {_listed(_CARRIED)} FROM records WITH NO DATA"
)

_SUPERSEDE: Final = (
    f"INSERT INTO superseded_records ({_listed([column.name for column in superseded_records.columns])})"  # noqa: S608
    f" SELECT {_listed(_KEY, 'kept.')}, kept.revision, {_listed(_CARRIED, 'kept.')}, offered.received_at"
    f" FROM records AS kept JOIN staged_records AS offered USING ({_listed(_KEY)})"
    f" WHERE offered.wave = :wave AND {_differs('kept.', 'offered.')}"
)

_UPSERT: Final = (
    f"INSERT INTO records ({_listed(_KEY)}, {_listed(_CARRIED)})"  # noqa: S608
    f" SELECT {_listed(_KEY)}, {_listed(_CARRIED)} FROM staged_records WHERE wave = :wave"
    f" ON CONFLICT ({_listed(_KEY)}) DO UPDATE SET revision = records.revision + 1,"
    f" {', '.join(f'{column} = excluded.{column}' for column in _CARRIED)}"
    f" WHERE {_differs('records.', 'excluded.')}"
    f" RETURNING {_listed(_KEY)}, revision"
)
