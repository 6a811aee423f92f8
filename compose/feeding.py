"""The commands that feed records in: load, replay, watch, simulate. All go the same way, through one pipeline."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from sqlalchemy import Engine

from compose import progress, rulebook
from compose.embedded import servers
from compose.formats import NO_OPTIONS, Format, Options, check, read
from compose.settings import Settings
from compose.up import stop_on_signals
from ingest import load, replay, simulate, watch
from ingest.load import Summary
from ingest.parse import Source
from ingest.pipeline import Counts, Pipeline
from ingest.sources.simulator import Simulator
from ingest.watch import Handled
from storage import bulk, migrations, rollups
from storage.database import engine_for
from storage.domain.errors import StorageDown
from storage.domain.well import Field
from stream.doorbell import Doorbell

BULK: Final = Field("bulk", "Bulk field", "Europe/Oslo", 6 * 3600)


def load_files(
    known: Settings, form: Format, files: Sequence[Path], options: Options = NO_OPTIONS
) -> Iterator[tuple[dict[str, Any], str]]:
    """Load whole files, one after the other; a result for machines and for people each.

    Every file is read before the first is loaded, and of several again when its turn comes, so that one is in memory.

    Raises:
        InputRefused: a file cannot be read as what it claims to be; nothing of any file was loaded.
        StorageDown: what was loaded before stays.
    """
    first = [read(form, file, options) for file in files[:1]]
    for file in files[1:]:
        read(form, file, options)
    with _pipeline(known) as pipeline:
        for file in files:
            source = first.pop() if first else read(form, file, options)
            with progress.rows(source.batch.source) as on_progress:
                summary = load.load(pipeline, source, on_progress)
            yield _loaded(summary), progress.told(summary)


def watch_folder(
    known: Settings, form: Format, folder: Path, options: Options, on_handled: Callable[[dict[str, Any], str], None]
) -> None:
    """Load what appears in a folder until a signal comes; ``on_handled`` takes each file's result as `load_files`.

    Raises:
        InputRefused: the folder or an option's file cannot be used.
    """
    check(form, options)

    def handled(one: Handled) -> None:
        on_handled({"moved_to": str(one.file), **one.report}, progress.handled(one))

    stop = stop_on_signals()
    with _pipeline(known) as pipeline:
        watch.watch(pipeline, folder, lambda file: read(form, file, options), stop, handled, _told_outage)


def _loaded(summary: Summary) -> dict[str, Any]:
    return {
        "source": summary.source,
        "seconds": round(summary.seconds, 3),
        **counts(summary.counts),
        "told": list(summary.told),
    }


def replay_file(
    known: Settings, form: Format, file: Path, speed: float, options: Options = NO_OPTIONS
) -> tuple[dict[str, Any], str]:
    """Send a file's records as if they were live, until all are sent or a signal comes.

    Raises:
        InputRefused: the file or the speed cannot be used.
    """
    source = replayable(form, file, speed, options)
    stop = stop_on_signals()
    with _pipeline(known) as pipeline, progress.replay(source) as on_sent:
        sent = replay.replay(pipeline, source, speed, stop, on_sent, _told_outage)
    return counts(sent), progress.counted(sent)


def replayable(form: Format, file: Path, speed: float, options: Options = NO_OPTIONS) -> Source:
    """A file as a source that can be replayed at a speed: found out before anything is started for it.

    Raises:
        InputRefused: the file or the speed cannot be used.
    """
    source = read(form, file, options)
    replay.paced(source, speed, began_s=0.0)
    return source


def simulate_field(known: Settings, wells: int, every_s: int) -> None:
    """Stream the demonstration field until a signal comes.

    Raises:
        InputRefused: not 1 to 10,000 wells, or an interval that is not 1 to 3,600 s.
    """
    simulator = Simulator(number_of_wells=wells)
    simulate.check(simulator, every_s)
    stop = stop_on_signals()
    with _pipeline(known) as pipeline:
        simulate.simulate(
            pipeline,
            simulator,
            every_s,
            stop,
            lambda: datetime.now(UTC),
            on_failure=_told_outage,
        )


def fill_field(known: Settings, number_of_wells: int, records: int) -> tuple[dict[str, Any], str]:
    """Make a field of any size with its rollups, for measuring: ten years of days and minutes up to now.

    Raises:
        InputRefused: less than one record a well, or the field is there already.
    """
    wanted = bulk.plan(number_of_wells, records)
    with _database(known) as (engine, _):
        began_s = time.perf_counter()
        with progress.rows(BULK.name) as on_progress:
            made = bulk.make(engine, BULK, wanted, datetime.now(UTC), lambda done: on_progress(done, wanted.records))
        stored_s = time.perf_counter() - began_s
        rollups.catch_up(engine, BULK.id)
        rolled_s = time.perf_counter() - began_s - stored_s
    result = {"field": BULK.id, "records": made, "stored_s": round(stored_s, 1), "rolled_up_s": round(rolled_s, 1)}
    told = f"{made:,} records of {number_of_wells:,} wells in the field {BULK.id!r}: made in {stored_s:.1f} s"
    return result, f"{told} ({made / stored_s:,.0f}/s), rolled up in {rolled_s:.1f} s"


def counts(of: Counts) -> dict[str, Any]:
    """Counts for machines."""
    return {"rows": of.rows, **asdict(of)}


@contextmanager
def _pipeline(known: Settings) -> Iterator[Pipeline]:
    """The way in."""
    rules = rulebook.active(known)
    with _database(known) as (engine, redis_url):
        doorbell = Doorbell(redis_url)
        try:
            yield Pipeline(engine, doorbell, lambda: datetime.now(UTC), rules)
        finally:
            doorbell.close()


@contextmanager
def _database(known: Settings) -> Iterator[tuple[Engine, str]]:
    """A database with this version's schema, and Redis: an embedded one is migrated, a named one must be."""
    with servers(known.folder, **known.server_options()) as found:
        engine = engine_for(found.database_url)
        try:
            if found.embedded:
                migrations.migrate(engine)
            migrations.require_current(engine)
            yield engine, found.redis_url
        finally:
            engine.dispose()


def _told_outage(error: StorageDown) -> None:
    Console(stderr=True).print(f"waiting: {error}", style="yellow", highlight=False)
