"""What a person at the terminal sees of a load or a replay, on standard error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ingest.load import Summary
from ingest.parse import Source
from ingest.pipeline import Counts
from ingest.watch import Handled


@contextmanager
def rows(name: str) -> Iterator[Callable[[int, int], None]]:
    """A bar of rows done; the callable takes rows done and rows in all."""
    with _bar() as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


@contextmanager
def replay(source: Source) -> Iterator[Callable[[datetime, Counts], None]]:
    """A bar of rows sent, with the field's time."""
    with _bar() as bar:
        task = bar.add_task(source.batch.source, total=source.batch.rows)

        def sent(until: datetime, counts: Counts) -> None:
            bar.update(task, advance=counts.rows, description=f"field time {until:%Y-%m-%d %H:%M}Z")

        yield sent


def told(summary: Summary) -> str:
    """A load's summary for people."""
    speed = summary.counts.rows / max(summary.seconds, 1e-9)
    lines = [f"{summary.source}: {counted(summary.counts)}", *(f"  {one}" for one in summary.told)]
    return "\n".join([*lines, f"  {summary.seconds:.1f} s, {speed:,.0f} rows/s"])


def handled(one: Handled) -> str:
    """A watched file's end for people: what was loaded, or why it could not be."""
    if not one.loaded:
        return f"{one.report['file']}: {one.report['error']}\n  moved to {one.file}"
    told = one.report["counts"]
    return (
        f"{one.report['file']}: {told['rows']:,} rows: {told['accepted']:,} accepted, {told['revised']:,} revised,"
        f" {told['duplicates']:,} duplicates, {told['quarantined']:,} quarantined\n  moved to {one.file}"
    )


def counted(counts: Counts) -> str:
    """What became of rows, for people."""
    outcome = (
        f"{counts.rows:,} rows: {counts.accepted:,} accepted, {counts.revised:,} revised,"
        f" {counts.duplicates:,} duplicates, {counts.quarantined:,} quarantined; {counts.suspect:,} suspect"
    )
    lines = [
        outcome,
        *(f"  quarantined by {rule}: {number:,}" for rule, number in sorted(counts.quarantined_by_rule.items())),
    ]
    if counts.duplicates and counts.duplicates == counts.rows - counts.quarantined:
        lines.append("  every accepted row was there already: nothing changed")
    return "\n".join(lines)


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
