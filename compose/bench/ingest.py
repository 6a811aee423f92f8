"""How many rows a second go the whole way in, beside plain COPY of the same rows into the same table."""

import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import polars as pl
from sqlalchemy import Engine, make_url, text

from compose.embedded import Servers, servers
from compose.worker import Worker
from ingest.parse import Batch, framed
from ingest.pipeline import Pipeline
from ingest.sources.simulator import SOURCE, Simulator
from storage import migrations, rollups
from storage.database import copied_csv, copy_csv_in, engine_for, reading, writing
from storage.domain.well import Field, Well
from stream.doorbell import Doorbell

WELLS: Final = 1_000
WRITERS: Final = 2
BATCHES: Final = {"live": 500, "bulk": 10_000}
_BEGIN: Final = datetime(2026, 6, 1, tzinfo=UTC)
_KEPT: Final = (
    "SELECT r.* FROM records r JOIN fields f USING (field_id) WHERE f.slug = '{field}' AND r.log_offset = {offset}"
    " ORDER BY r.start, r.well_id"
)


def ingest(seconds: float) -> dict[str, object]:
    """Verify, store, log, publish and roll up rows of 1,000 wells at one record a second each, in batches.

    The clock runs until the rollups stand at the log's head. Once with one writer, once with two, each with a field of
    its own; the limit is COPY of the same rows, rendered before, into the same table with the same indexes, from as
    many connections. ``seconds`` bounds the rows: about so long each part takes.
    """
    figures: dict[str, object] = {"wells a writer": WELLS, "cores": os.cpu_count()}
    with (
        tempfile.TemporaryDirectory(prefix="wellstream-bench-") as folder,
        servers(Path(folder) / "data", database_url=None, redis_url=None) as found,
    ):
        for name, rows in BATCHES.items():
            for writers in range(1, WRITERS + 1):
                batches = max(2, round(seconds * 15_000 / rows / writers))
                with _fresh(found) as engine:
                    whole = _whole_way(engine, found.redis_url, writers, rows, batches)
                    copied = _copied(engine, writers, batches)
                label = f"{name}: {rows:,} a batch, {writers} writer{'s' if writers > 1 else ''}"
                total = rows * batches * writers
                figures |= {
                    f"{label}: rows": total,
                    f"{label}: rows/s": round(total / whole["stored"]),
                    f"{label}: rows/s until rolled up": round(total / whole["rolled"]),
                    f"{label}: Python CPU us a row": round(whole["cpu"] / total * 1e6, 1),
                    f"{label}: COPY rows/s": round(total / copied),
                    f"{label}: ratio to COPY": round(copied / whole["rolled"], 3),
                }
    return figures


def _field(number: int) -> tuple[Field, list[Well]]:
    field = Field(f"bench-{number}", f"Bench {number}", "Europe/Oslo", 6 * 3600)
    return field, [Well(f"{field.id}.d-{well}", f"D-{well}") for well in range(1, WELLS + 1)]


def _batches(number: int, rows: int, batches: int) -> Iterator[pl.DataFrame]:
    """Records of one writer's field, batch by batch, in the order of time."""
    simulator = Simulator(number_of_wells=WELLS, seed=number + 1)
    whole_s = -(-rows * batches // WELLS)
    live = simulator.live(_BEGIN, _BEGIN + timedelta(seconds=whole_s), 1)
    named = live.with_columns(
        field=pl.lit(f"bench-{number}"), well=pl.col("well").str.replace("demo.", f"bench-{number}.", literal=True)
    )
    for batch in range(batches):
        yield named[batch * rows : (batch + 1) * rows]


@contextmanager
def _fresh(found: Servers) -> Iterator[Engine]:
    """A database of its own, migrated."""
    admin = engine_for(found.database_url).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE bench"))
    url = make_url(found.database_url).set(database="bench").render_as_string(hide_password=False)
    engine = engine_for(url)
    try:
        migrations.migrate(engine)
        yield engine
    finally:
        engine.dispose()
        with admin.connect() as connection:
            connection.execute(text("DROP DATABASE bench WITH (FORCE)"))
        admin.dispose()


def _whole_way(engine: Engine, redis_url: str, writers: int, rows: int, batches: int) -> dict[str, float]:
    """Seconds until all was stored, and until all was rolled up; CPU seconds of this process."""
    doorbell = Doorbell(redis_url)
    ready: list[list[Batch]] = []
    pipelines = [Pipeline(engine, doorbell, lambda: datetime.now(UTC)) for _ in range(writers)]
    for number, pipeline in enumerate(pipelines):
        pipeline.register(*_field(number))
        ready.append([framed(SOURCE, frame) for frame in _batches(number, rows, batches)])
    worker = Worker(engine, 7, lambda: None)
    worker.start()
    cpu, began = _cpu_s(), time.perf_counter()

    def feed(number: int) -> None:
        for batch in ready[number]:
            pipelines[number].ingest(batch)

    _together(feed, writers)
    stored = time.perf_counter() - began
    for number in range(writers):
        while _behind(engine, f"bench-{number}"):
            rollups.catch_up(engine, f"bench-{number}")
            time.sleep(0.02)  # the worker may be at it
    spent = {"stored": stored, "rolled": time.perf_counter() - began, "cpu": _cpu_s() - cpu}
    worker.stop(60)
    doorbell.close()
    return spent


def _behind(engine: Engine, field_id: str) -> bool:
    with reading(engine) as connection:
        return field_id in rollups.lagging(connection)


def _copied(engine: Engine, writers: int, batches: int) -> float:
    """Seconds of bare COPY, a transaction a batch, of the rows that are kept, after the table was emptied of them."""
    with reading(engine) as connection:
        ready = [
            [copied_csv(connection, _KEPT.format(field=f"bench-{number}", offset=one + 1)) for one in range(batches)]
            for number in range(writers)
        ]
    with writing(engine) as connection:
        connection.execute(text("TRUNCATE records"))
    began = time.perf_counter()

    def feed(number: int) -> None:
        for rows in ready[number]:
            with writing(engine) as connection:
                copy_csv_in(connection, "records", rows)

    _together(feed, writers)
    return time.perf_counter() - began


def _together(feed: Callable[[int], None], writers: int) -> None:
    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(feed, range(writers)))  # raises what a writer raised


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
