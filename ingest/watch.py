"""A watched folder: files that are complete are loaded and put away, with a report beside each."""

import contextlib
import fcntl
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Final

import watchfiles

from ingest.load import REFUSED_TOLD, Summary, load
from ingest.parse import Source, jsonable
from ingest.pipeline import Pipeline
from ingest.retry import until_stored
from storage.domain.errors import InputRefused, StorageDown

DONE: Final = "done"
FAILED: Final = "failed"
REPORT: Final = ".report.json"
LOOK_S: Final = 1.0
SETTLED_S: Final = 2.0
"""A file is complete when it has not changed for so long; one that is renamed in after that is complete at once."""

EMPTY_S: Final = 60.0
"""An empty file may be one whose writer has only begun: it is given longer."""

_UNFINISHED: Final = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".filepart", "~", REPORT)
_CHUNK_BYTES: Final = 1 << 20

Reads = Callable[[Path], Source]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a file looked like: its bytes, when it was changed (ns since 1970), and since when (s) it looks so."""

    size: int
    changed_ns: int
    since_s: float


def seen(before: Seen | None, size: int, changed_ns: int, now_s: float) -> Seen:
    """A look at a file; ``since_s`` stays while it looks the same, and is no later than its last change."""
    if before is not None and (before.size, before.changed_ns) == (size, changed_ns):
        return before
    return Seen(size, changed_ns, now_s if before is not None else min(now_s, changed_ns / 1e9))


def complete(file: Seen, now_s: float) -> bool:
    """Whether a file has been left alone for long enough to be whole."""
    return now_s - file.since_s >= (SETTLED_S if file.size else EMPTY_S)


def is_candidate(name: str) -> bool:
    """Whether a name is one that a finished file has: not hidden, and not as programs call what they still write."""
    return not name.startswith(".") and not name.casefold().endswith(_UNFINISHED)


@dataclass(frozen=True, slots=True)
class Handled:
    """A file that was put away: where it is now, and the report that lies beside it."""

    file: Path
    report: Mapping[str, Any]

    @property
    def loaded(self) -> bool:
        """Whether it could be read."""
        return "error" not in self.report


def watch(
    pipeline: Pipeline,
    folder: Path,
    read: Reads,
    stop: threading.Event,
    on_handled: Callable[[Handled], None] = lambda _: None,
    on_failure: Callable[[StorageDown], None] = lambda _: None,
    clock: Callable[[], float] = time.time,
) -> None:
    """Load every file that appears in a folder, until ``stop`` is set.

    A file is taken when it is complete, loaded as `load` does, and moved to ``done`` or, when it cannot be read, to
    ``failed``, with a report beside it. While storage is away it stays and is tried again. A stop or a crash at any
    point leaves it where it was, to be loaded again: what was stored before comes out as duplicates. Watchers of one
    folder share its files: each is locked by whoever loads it.

    Raises:
        InputRefused: the folder is none, or cannot be written to, or a file cannot be put away.
    """
    _prepare(folder)
    looks: dict[Path, Seen] = {}
    for _ in _wakes(folder, stop):
        looks = _looked(folder, looks, clock())
        for path in sorted(looks, key=lambda one: (looks[one].changed_ns, one.name)):
            if stop.is_set():
                return
            if complete(looks[path], clock()):
                handled = _taken(pipeline, path, read, stop, on_failure)
                if handled is not None:
                    looks.pop(path)
                    on_handled(handled)


def _prepare(folder: Path) -> None:
    if not folder.is_dir():
        message = f"there is no folder '{folder}' to watch"
        raise InputRefused(message)
    try:
        for name in (DONE, FAILED):
            (folder / name).mkdir(exist_ok=True)
    except OSError as error:
        message = f"the folder '{folder}' cannot be used: {error.strerror}: '{error.filename}'"
        raise InputRefused(message) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        message = f"the folder '{folder}' cannot be used: files cannot be moved out of it"
        raise InputRefused(message)


def _wakes(folder: Path, stop: threading.Event) -> Iterator[None]:
    """When to look: at once, at every change, and every LOOK_S; only the last where changes cannot be heard."""
    yield
    try:
        for _ in watchfiles.watch(
            folder, stop_event=stop, rust_timeout=round(LOOK_S * 1000), yield_on_timeout=True, recursive=False,
            raise_interrupt=False,
        ):  # fmt: skip
            yield
    except (OSError, RuntimeError):  # no notice of changes here: look now and then
        while not stop.wait(LOOK_S):
            yield


def _looked(folder: Path, before: Mapping[Path, Seen], now_s: float) -> dict[Path, Seen]:
    found = {}
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return dict(before)  # away for a moment, as a network folder may be
    for entry in entries:
        with contextlib.suppress(OSError):  # gone since it was listed
            if is_candidate(entry.name) and entry.is_file(follow_symlinks=False):
                told = entry.stat()
                path = Path(entry.path)
                found[path] = seen(before.get(path), told.st_size, told.st_mtime_ns, now_s)
    return found


def _taken(
    pipeline: Pipeline, path: Path, read: Reads, stop: threading.Event, on_failure: Callable[[StorageDown], None]
) -> Handled | None:
    """Load a file and put it away; None when another watcher has it, it changed meanwhile, or ``stop`` was set."""
    with _locked(path) as mine:
        if not mine:
            return None
        before = _identity(path)
        began_s = time.time()
        try:
            source = read(path)
        except InputRefused as error:
            report = _report(path, began_s) | {"error": str(error)}
            return _put_away(path, FAILED, report) if _identity(path) == before else None
        summary = until_stored(lambda: load(pipeline, source), stop, on_failure)
        if summary is None or _identity(path) != before:
            return None
        return _put_away(path, DONE, _report(path, began_s) | _of_summary(summary))


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Whether this file is ours alone until the end of the block; the lock goes with the process that has it."""
    file = _opened(path)
    if file is None:
        yield os.path.lexists(path)  # it may not be read: it is refused by its reader, which says why
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield _is_still(path, file)


def _opened(path: Path) -> IO[bytes] | None:
    try:
        return path.open("rb")
    except OSError:
        return None


def _is_still(path: Path, file: IO[bytes]) -> bool:
    """Whether the path still leads to the file that was opened: another watcher may have put it away before."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        return False


def _identity(path: Path) -> tuple[int, int, int] | None:
    try:
        told = path.stat()
    except OSError:
        return None
    return told.st_ino, told.st_size, told.st_mtime_ns


def _report(path: Path, began_s: float) -> dict[str, Any]:
    return {
        "file": path.name,
        "bytes": path.stat().st_size,
        "sha256": _digest(path),
        "began": _iso(began_s),
        "ended": _iso(time.time()),
    }


def _of_summary(summary: Summary) -> dict[str, Any]:
    counts = summary.counts
    return {
        "source": summary.source,
        "told": list(summary.told),
        "counts": {"rows": counts.rows, **asdict(counts)},
        "quarantined": [
            {"place": row.place, "reasons": [asdict(reason) for reason in row.reasons], "raw": row.raw}
            for row in summary.refused
        ],
        "quarantined_not_listed": max(0, counts.quarantined - REFUSED_TOLD),
    }


def _put_away(path: Path, where: str, report: Mapping[str, Any]) -> Handled | None:
    """Write the report, then move the file: a crash between leaves the file to be loaded, and reported, again.

    None when somebody else has taken the file meanwhile.

    Raises:
        InputRefused: there is no room, or no right, to put it away.
    """
    home = _free(path.parent / where / path.name)
    beside = home.with_name(home.name + REPORT)
    written = beside.with_name(f".{beside.name}.{os.getpid()}")
    try:
        written.write_text(json.dumps(jsonable(dict(report)), indent=2, ensure_ascii=False) + "\n")
        written.replace(beside)
        path.replace(home)
    except FileNotFoundError:
        return None
    except OSError as error:
        message = f"'{path}' was handled but cannot be moved to '{home}': {error.strerror}"
        raise InputRefused(message) from error
    return Handled(home, report)


def _free(home: Path) -> Path:
    """The path, or one with a number in its name where a file of that name was put away before."""
    number, free = 1, home
    while free.exists():
        number += 1
        free = home.with_name(f"{home.stem}.{number}{home.suffix}")
    return free


def _digest(path: Path) -> str | None:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError:
        return None
    return digest.hexdigest()


def _iso(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
