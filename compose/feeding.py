"""The commands that feed records in: load, replay, watch, simulate. All go the same way, through one pipeline."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from compose import progress
from compose.embedded import servers
from compose.formats import NO_OPTIONS, Format, Options, check, read
from compose.settings import Settings
from compose.up import stop_on_signals
from ingest import load, replay, simulate, watch
from ingest.load import Summary
from ingest.pipeline import Counts, Pipeline
from ingest.sources.simulator import Simulator
from ingest.watch import Handled
from storage import migrations
from storage.database import engine_for
from storage.domain.errors import StorageDown
from stream.doorbell import Doorbell


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
    source = read(form, file, options)
    stop = stop_on_signals()
    with _pipeline(known) as pipeline, progress.replay(source) as on_sent:
        sent = replay.replay(pipeline, source, speed, stop, on_sent, _told_outage)
    return counts(sent), progress.counted(sent)


def simulate_field(known: Settings, wells: int, every_s: int) -> None:
    """Stream the demonstration field until a signal comes.

    Raises:
        InputRefused: no wells, or an interval that is not 1 to 3,600 s.
    """
    stop = stop_on_signals()
    with _pipeline(known) as pipeline:
        simulate.simulate(
            pipeline,
            Simulator(number_of_wells=wells),
            every_s,
            stop,
            lambda: datetime.now(UTC),
            on_failure=_told_outage,
        )


def counts(of: Counts) -> dict[str, Any]:
    """Counts for machines."""
    return {"rows": of.rows, **asdict(of)}


@contextmanager
def _pipeline(known: Settings) -> Iterator[Pipeline]:
    """The way in, on a database with this version's schema: an embedded one is migrated, a named one must be."""
    with servers(known.folder, **known.server_options()) as found:
        engine = engine_for(found.database_url)
        doorbell = Doorbell(found.redis_url)
        try:
            if found.embedded:
                migrations.migrate(engine)
            migrations.require_current(engine)
            yield Pipeline(engine, doorbell, lambda: datetime.now(UTC))
        finally:
            doorbell.close()
            engine.dispose()


def _told_outage(error: StorageDown) -> None:
    Console(stderr=True).print(f"waiting: {error}", style="yellow", highlight=False)
