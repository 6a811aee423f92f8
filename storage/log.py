"""The log: one row per field and committed batch, at a position without holes; the row is the message."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
import polars as pl
from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import insert

from storage.database import rows_of
from storage.domain.position import Position
from storage.domain.record import CONTENT_COLUMNS
from storage.domain.well import Field
from storage.tables import log_epoch, log_heads
from storage.wells import field_key

READ_ROWS: Final = 500
READ_BYTES: Final = 4_000_000

_TAKE: Final = text("SELECT field_id, head FROM log_heads WHERE field_id = ANY(:keys) ORDER BY field_id FOR UPDATE")
_FIELDS_HELD: Final = text(
    "SELECT field_id, (SELECT epoch FROM log_epoch) AS epoch, slug, name, time_zone, day_start_s"
    " FROM fields WHERE field_id = ANY(:keys)"
)
_APPEND: Final = text(
    "WITH told AS (INSERT INTO log (field_id, log_offset, body, logged_at) VALUES (:key, :offset, :body, :at))"
    " UPDATE log_heads SET head = :offset WHERE field_id = :key"
)


@dataclass(frozen=True, slots=True)
class LogMessage:
    """One log row: the bytes that Redis, gateway and browser get, and the position they stand at.

    Two messages of one field and epoch with the same offset are the same message.
    """

    epoch: str
    field: str
    offset: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """How far a field's log reaches: newest offset, and the oldest that can still be read."""

    newest: int
    oldest: int


def body(field: str, offset: int, at: datetime, rows: pl.DataFrame) -> bytes:
    """A log row's message: JSON, columnar, columns without any value left out.

    ``rows`` holds well, start, seconds, resolution, the content columns, revision and source; times become whole
    milliseconds since 1970. Sorted by well and start, later revisions last.
    """
    ordered = rows.sort("well", "start", "seconds", "revision", maintain_order=True)
    sent = ordered.select(
        "well",
        pl.col("start").dt.epoch("ms"),
        "seconds",
        "resolution",
        *(name for name in CONTENT_COLUMNS if ordered[name].null_count() < ordered.height),
        "revision",
    )
    head = {
        "offset": offset,
        "at": round(at.timestamp() * 1000),
        "field": field,
        "source": rows["source"].first() or "",
    }
    return msgspec.json.encode(head | sent.to_dict(as_series=False))


@dataclass(frozen=True, slots=True)
class Held:
    """A field whose counter row this transaction holds: it is the field's only writer until it ends."""

    field: Field
    epoch: str
    newest: int


def hold(connection: Connection, field_keys: Sequence[int]) -> dict[int, Held]:
    """Take the counter rows of fields until commit, in sorted order, so that writers never wait in a ring.

    By internal field key. What stands in it was read after the rows were taken.
    """
    keys = sorted(field_keys)
    taken = connection.execute(_TAKE, {"keys": keys}).all()
    newest = {row.field_id: row.head for row in taken}
    return {
        row.field_id: Held(Field(*row[2:]), row.epoch, newest[row.field_id])
        for row in connection.execute(_FIELDS_HELD, {"keys": keys})
    }


def append(connection: Connection, messages: Mapping[int, LogMessage], at: datetime) -> None:
    """Write one log row per field and move the counter rows, which `hold` must have taken."""
    if messages:
        rows = [
            {"key": key, "offset": message.offset, "body": message.body, "at": at} for key, message in messages.items()
        ]
        connection.execute(_APPEND, rows if len(rows) > 1 else rows[0])


def epoch(connection: Connection) -> str:
    """The name of this database's life."""
    name: str = connection.execute(select(log_epoch.c.epoch)).scalar_one()
    return name


def start_epoch(connection: Connection) -> str:
    """Begin a new life: every follower will reload. For restored copies and clones."""
    name = secrets.token_hex(6)
    statement = insert(log_epoch).values(only=1, epoch=name)
    connection.execute(statement.on_conflict_do_update(index_elements=["only"], set_={"epoch": name}))
    return name


def heads(connection: Connection, field_ids: Sequence[str] | None = None) -> dict[str, Head]:
    """How far the logs of fields reach, by public field id; of all fields when none are named."""
    found = rows_of(
        connection,
        "SELECT f.slug, h.head, h.oldest FROM log_heads h JOIN fields f USING (field_id)"
        " WHERE CAST(:ids AS text[]) IS NULL OR f.slug = ANY(CAST(:ids AS text[]))",
        ids=None if field_ids is None else list(field_ids),
    )
    return {slug: Head(newest, oldest) for slug, newest, oldest in found}


def position(connection: Connection, field_id: str) -> Position:
    """Where the field's log stands in this transaction's snapshot.

    Raises:
        NotFound: the field is not kept.
    """
    key = field_key(connection, field_id)
    head = connection.execute(select(log_heads.c.head).where(log_heads.c.field_id == key)).scalar_one()
    return Position(epoch(connection), head)


def read(connection: Connection, field_id: str, after: int, upto: int) -> list[LogMessage]:
    """Log rows in (after, upto], oldest first, at most `READ_ROWS` rows or about `READ_BYTES` bytes of them.

    The first row is always given, however large. Fewer than asked means: ask again from the last one.
    """
    found = rows_of(
        connection,
        "SELECT log_offset, body FROM ("
        " SELECT log_offset, body, sum(length(body)) OVER (ORDER BY log_offset) - length(body) AS before"
        " FROM (SELECT l.log_offset, l.body FROM log l JOIN fields f USING (field_id)"
        "       WHERE f.slug = :field AND l.log_offset > :after AND l.log_offset <= :upto"
        "       ORDER BY l.log_offset LIMIT :rows) AS few) AS counted"
        " WHERE before < :bytes ORDER BY log_offset",
        field=field_id, after=after, upto=upto, rows=READ_ROWS, bytes=READ_BYTES,
    )  # fmt: skip
    life = epoch(connection)
    return [LogMessage(life, field_id, offset, bytes(content)) for offset, content in found]
