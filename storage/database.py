"""The door to PostgreSQL: engines, transactions, and frames in and out by COPY."""

import asyncio
import contextlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import polars as pl
import psycopg
from psycopg.generators import copy_from
from psycopg.rows import namedtuple_row
from sqlalchemy import Compiled, Connection, Engine, Select, TextClause, create_engine, text
from sqlalchemy.dialects.postgresql import psycopg as psycopg_dialect
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from storage.domain.errors import AlreadyKept, Overtaken, StorageDown, TookTooLong

CONNECT_TIMEOUT_S: Final = 5
POOL_SIZE: Final = 10
_TOO_LONG: Final = "the question was not answered in the time that is given to one; ask for a shorter range"
_DIALECT: Final = psycopg_dialect.dialect()  # type: ignore[no-untyped-call]


def engine_for(url: str, *, pool_size: int = POOL_SIZE) -> Engine:
    """An engine whose sessions speak UTC. Nothing connects before the first use."""
    return create_engine(
        url,
        pool_size=pool_size,
        pool_pre_ping=True,
        pool_timeout=10,
        connect_args={"connect_timeout": CONNECT_TIMEOUT_S, "options": "-c timezone=UTC"},
    )


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction: committed at the end, rolled back on any error.

    Raises:
        StorageDown: PostgreSQL is away, restarting or ended this transaction; nothing was kept.
    """
    with _translated(), engine.begin() as connection:
        yield connection


@contextmanager
def writing_from_snapshot(engine: Engine) -> Iterator[Connection]:
    """One transaction that reads and writes as of one moment (REPEATABLE READ).

    Raises:
        Overtaken: another transaction changed the same rows first; nothing was kept.
        StorageDown: PostgreSQL is away, restarting or ended this transaction; nothing was kept.
    """
    with _translated(), engine.connect() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


@contextmanager
def reading(engine: Engine, limit_s: float | None = None) -> Iterator[Connection]:
    """One read-only snapshot (REPEATABLE READ): rows and positions read in it belong together.

    Raises:
        StorageDown: PostgreSQL is away or restarting.
        TookTooLong: a statement ran longer than ``limit_s``; PostgreSQL has ended it.
    """
    with _translated(), engine.connect() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with connection.begin():
            if limit_s is not None:
                connection.exec_driver_sql(f"SET LOCAL statement_timeout = {round(limit_s * 1000)}")
            yield connection


class LoopReader:
    """Asks small plain queries on the event loop, over one kept connection: no thread, no transaction to begin.

    For what is asked with every request. Each answer is what was committed when the query began. One at a time.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: psycopg.AsyncConnection[Any] | None = None

    async def rows(self, query: str) -> list[Any]:
        """The rows of a query without parameters; what breaks a kept connection is tried once more on a new one.

        Raises:
            StorageDown: PostgreSQL is away, restarting or silent.
        """
        kept = self._connection is not None and not self._connection.closed
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                return await self._asked(query)
        except (psycopg.Error, TimeoutError, OSError) as error:
            await self.close()
            if kept and not isinstance(error, TimeoutError):
                return await self.rows(query)
            raise StorageDown(_told(error)) from error

    async def close(self) -> None:
        """Give the connection back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error, OSError):
                await connection.close()

    async def _asked(self, query: str) -> list[Any]:
        if self._connection is None:
            arguments, options = self._engine.dialect.create_connect_args(self._engine.url)
            self._connection = await psycopg.AsyncConnection.connect(
                *arguments, **options, autocommit=True, row_factory=namedtuple_row
            )
        cursor = await self._connection.execute(query.encode(), prepare=True)
        return await cursor.fetchall()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except psycopg.errors.QueryCanceled as error:
        raise TookTooLong(_TOO_LONG) from error
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        if isinstance(getattr(error, "orig", None), psycopg.errors.QueryCanceled):
            raise TookTooLong(_TOO_LONG) from error
        if isinstance(getattr(error, "orig", None), psycopg.errors.SerializationFailure):
            message = "another transaction changed the same rows first"
            raise Overtaken(message) from error
        raise StorageDown(_told(error)) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise StorageDown(_told(error)) from error
        raise
    except psycopg.OperationalError as error:
        raise StorageDown(_told(error)) from error


def _told(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    lines = str(cause).strip().splitlines() or [type(cause).__name__]
    return f"PostgreSQL does not answer: {lines[0].strip()}"


def copy_in(connection: Connection, table: str, frame: pl.DataFrame) -> None:
    """Append a frame to a table by COPY; the frame's column names are the table's.

    Lists of text are written as array literals and must hold plain codes (letters, digits, ``_``, ``-``).

    Raises:
        AlreadyKept: a row's key is there already.
    """
    lists = [name for name, kind in frame.schema.items() if kind == pl.List(pl.String)]
    flat = frame.with_columns(
        pl.concat_str(pl.lit("{"), pl.col(name).list.join(","), pl.lit("}")).alias(name) for name in lists
    )
    columns = ", ".join(flat.columns)
    copy_csv_in(connection, f"{table} ({columns})", flat.write_csv(include_header=False).encode())


def copy_csv_in(connection: Connection, table: str, rows: bytes) -> None:
    """Append rows, rendered as CSV without a header, to a table (with or without its columns listed).

    Raises:
        AlreadyKept: a row's key is there already.
    """
    try:
        with _raw_cursor(connection) as cursor, cursor.copy(f"COPY {table} FROM STDIN (FORMAT csv)".encode()) as copy:
            copy.write(rows)
    except psycopg.errors.UniqueViolation as error:
        raise AlreadyKept(str(error).strip().splitlines()[0]) from error


def copied_csv(connection: Connection, query: str) -> bytes:
    """The rows of a plain query as CSV without a header, as `copy_csv_in` takes them."""
    with _raw_cursor(connection) as cursor, cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT csv)".encode()) as copy:
        return b"".join(bytes(chunk) for chunk in copy)


def prepared(query: Select[Any] | TextClause) -> Compiled:
    """A query made ready for `copied_out` once, however often it is asked with other values of its parameters."""
    return query.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})


def copied_out(
    connection: Connection, query: Select[Any] | TextClause | Compiled, schema: pl.Schema, **values: object
) -> pl.DataFrame:
    """The rows of a query as a frame, by COPY; ``values`` are those of its named parameters.

    ``schema`` names the columns in the query's order. Times must be selected as microseconds (see `microseconds`),
    lists of text as space-separated text (see `spaced`); both are turned back here.
    """
    compiled = query if isinstance(query, Compiled) else prepared(query)
    given = {name: value for name, value in values.items() if name in compiled.params}
    statement = f"COPY ({compiled}) TO STDOUT (FORMAT csv)"
    with _raw_cursor(connection) as cursor, cursor.copy(statement.encode(), {**compiled.params, **given}):
        data = cursor.connection.wait(_all_sent(cursor.connection.pgconn))
    wire = pl.Schema({name: _wire_type(kind) for name, kind in schema.items()})
    if not data:
        return pl.DataFrame(schema=schema)
    frame = pl.read_csv(data, has_header=False, schema=wire)
    return frame.with_columns(_restored(name, kind) for name, kind in schema.items())


def _all_sent(driver: Any) -> Generator[Any, Any, bytes]:
    """What a COPY sends, to its end: one wait for all rows, where iterating over the cursor's waits for each."""
    parts = []
    while isinstance(sent := (yield from copy_from(driver)), memoryview):
        parts.append(sent)
    return b"".join(parts)


def microseconds(column: str) -> Any:
    """A timestamptz column as whole microseconds since 1970, for `copied_out`."""
    return text(f"(extract(epoch from {column}) * 1000000)::bigint")


def spaced(column: str) -> Any:
    """A text[] column as space-separated text, for `copied_out`."""
    return text(f"array_to_string({column}, ' ')")


def _wire_type(kind: pl.DataType) -> pl.DataType:
    if isinstance(kind, pl.Datetime):
        return pl.Int64()
    return pl.String() if isinstance(kind, pl.List) else kind


def _restored(name: str, kind: pl.DataType) -> pl.Expr:
    if isinstance(kind, pl.Datetime):
        return pl.col(name).cast(kind)
    if isinstance(kind, pl.List):
        words = pl.col(name).fill_null("").str.split(" ")
        return words.list.eval(pl.element().filter(pl.element() != "")).alias(name)
    return pl.col(name)


def _raw_cursor(connection: Connection) -> psycopg.Cursor[Any]:
    driver: psycopg.Connection[Any] | None = connection.connection.driver_connection
    assert driver is not None, "the connection is open"  # noqa: S101
    return driver.cursor()


def rows_of(connection: Connection, statement: str, **values: object) -> Sequence[Any]:
    """The rows of one plain SQL statement with named parameters."""
    return connection.execute(text(statement), values).all()
