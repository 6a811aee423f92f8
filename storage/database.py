"""The door to PostgreSQL: engines, transactions, and frames in and out by COPY."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import polars as pl
import psycopg
from sqlalchemy import Connection, Engine, Select, TextClause, create_engine, text
from sqlalchemy.dialects.postgresql import psycopg as psycopg_dialect
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from storage.domain.errors import AlreadyKept, Overtaken, StorageDown

CONNECT_TIMEOUT_S: Final = 5
POOL_SIZE: Final = 10
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
def reading(engine: Engine) -> Iterator[Connection]:
    """One read-only snapshot (REPEATABLE READ): rows and positions read in it belong together.

    Raises:
        StorageDown: PostgreSQL is away or restarting.
    """
    with _translated(), engine.connect() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with connection.begin():
            yield connection


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout) as error:
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


def copied_out(connection: Connection, query: Select[Any] | TextClause, schema: pl.Schema) -> pl.DataFrame:
    """The rows of a query as a frame, by COPY.

    ``schema`` names the columns in the query's order. Times must be selected as microseconds (see `microseconds`),
    lists of text as space-separated text (see `spaced`); both are turned back here.
    """
    compiled = query.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    statement = f"COPY ({compiled}) TO STDOUT (FORMAT csv)"
    with _raw_cursor(connection) as cursor, cursor.copy(statement.encode(), compiled.params) as copy:
        data = b"".join(bytes(chunk) for chunk in copy)
    wire = pl.Schema({name: _wire_type(kind) for name, kind in schema.items()})
    if not data:
        return pl.DataFrame(schema=schema)
    frame = pl.read_csv(data, has_header=False, schema=wire)
    return frame.with_columns(_restored(name, kind) for name, kind in schema.items())


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
