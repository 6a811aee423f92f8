"""A watched folder on a real database: every file once, whatever happens in between."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from ingest.parse import Batch, Source
from ingest.pipeline import Pipeline, Receipt
from ingest.sources import csv_mapping
from ingest.sources.mapping import parsed
from ingest.watch import DONE, FAILED, REPORT, Handled, watch
from storage.database import reading
from storage.domain.errors import InputRefused, StorageDown
from storage.log import LogMessage

MAPPING = parsed("field: Demo\ncolumns: {Date: day, Well: well, Oil: {is: oil_sm3, unit: Sm3}}")
WITHIN_S = 20.0


class Silence:
    """A doorbell that nobody hears."""

    def ring(self, messages: Sequence[LogMessage]) -> bool:
        return bool(messages)


def now() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC)


def read(path: Path) -> Source:
    return csv_mapping.read(path, MAPPING)


def content(rows: int = 3, first: int = 1) -> str:
    return "Date,Well,Oil\n" + "".join(f"2025-01-{first + n:02},F-1,{n + 1}\n" for n in range(rows))


def dropped(folder: Path, name: str, body: str | bytes) -> Path:
    """A file that was finished a while ago and is moved in."""
    made = folder / f".{name}"
    made.write_bytes(body if isinstance(body, bytes) else body.encode())
    os.utime(made, (time.time() - 100,) * 2)
    made.rename(folder / name)
    return folder / name


def await_(condition: Callable[[], bool], told: str) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < deadline, f"{told} within {WITHIN_S} s"
        time.sleep(0.02)


@contextmanager
def watching(
    pipeline: Pipeline, folder: Path, reads: Callable[[Path], Source] = read
) -> Iterator[tuple[list[Handled], list[StorageDown]]]:
    handled: list[Handled] = []
    failures: list[StorageDown] = []
    stop = threading.Event()
    one = threading.Thread(target=watch, args=(pipeline, folder, reads, stop, handled.append, failures.append))
    one.start()
    try:
        yield handled, failures
    finally:
        stop.set()
        one.join(timeout=WITHIN_S)
        assert not one.is_alive()


@pytest.fixture
def pipeline(engine: Engine) -> Pipeline:
    return Pipeline(engine, Silence(), now)


def counted(engine: Engine) -> int:
    with reading(engine) as connection:
        return int(connection.execute(text("SELECT count(*) FROM records")).scalar_one())


def test_files_are_loaded_and_put_away_with_a_report(pipeline: Pipeline, engine: Engine, tmp_path: Path) -> None:
    dropped(tmp_path, "before.csv", content())
    with watching(pipeline, tmp_path) as (handled, _):
        await_(lambda: len(handled) == 1, "the file that was there is loaded")
        dropped(tmp_path, "after.csv", content(first=10) + "2025-01-20,F-1,much\n")
        await_(lambda: len(handled) == 2, "the file that came is loaded")
    assert counted(engine) == 6
    assert sorted(path.name for path in (tmp_path / DONE).iterdir()) == [
        "after.csv", f"after.csv{REPORT}", "before.csv", f"before.csv{REPORT}"
    ]  # fmt: skip
    report = json.loads((tmp_path / DONE / f"after.csv{REPORT}").read_text())
    assert (report["counts"]["accepted"], report["counts"]["quarantined"]) == (3, 1)
    (row,) = report["quarantined"]
    assert (row["place"], row["reasons"][0]["rule"], row["raw"]["Oil"]) == ("line 5", "not_a_number", "much")
    assert len(report["sha256"]) == 64


def test_what_cannot_be_read_is_put_apart_and_says_why(pipeline: Pipeline, tmp_path: Path) -> None:
    dropped(tmp_path, "bad.csv", b"\x00\x01\x02")
    with watching(pipeline, tmp_path) as (handled, _):
        await_(lambda: len(handled) == 1, "the file is refused")
        dropped(tmp_path, "good.csv", content())
        await_(lambda: len(handled) == 2, "the next file is loaded")
    assert [one.loaded for one in handled] == [False, True]
    report = json.loads((tmp_path / FAILED / f"bad.csv{REPORT}").read_text())
    assert "lacks the columns" in report["error"]


def test_the_same_name_again_is_kept_beside_the_first(pipeline: Pipeline, engine: Engine, tmp_path: Path) -> None:
    with watching(pipeline, tmp_path) as (handled, _):
        for number in (1, 2):
            dropped(tmp_path, "d.csv", content())
            await_(lambda number=number: len(handled) == number, "the file is loaded")  # type: ignore[misc]
    assert [one.file.name for one in handled] == ["d.csv", "d.2.csv"]
    assert handled[1].report["counts"]["duplicates"] == 3
    assert counted(engine) == 3


def test_a_file_that_is_still_written_is_not_taken(pipeline: Pipeline, engine: Engine, tmp_path: Path) -> None:
    with watching(pipeline, tmp_path) as (handled, _), (tmp_path / "slow.csv").open("w") as file:
        file.write("Date,Well,Oil\n")
        for day in range(1, 8):
            file.write(f"2025-01-{day:02},F-1,1\n")
            file.flush()
            time.sleep(0.5)
            assert handled == []
        file.close()
        await_(lambda: len(handled) == 1, "the whole file is loaded")
    assert counted(engine) == 7


def test_a_file_that_changes_while_it_is_loaded_is_loaded_again(
    pipeline: Pipeline, engine: Engine, tmp_path: Path
) -> None:
    path = dropped(tmp_path, "d.csv", content())
    calls: list[int] = []

    def reads(file: Path) -> Source:
        source = read(file)
        calls.append(1)
        if len(calls) == 1:
            path.write_text(content(rows=5))
        return source

    with watching(pipeline, tmp_path, reads) as (handled, _):
        await_(lambda: len(handled) == 1, "the file is loaded")
    assert (len(calls), counted(engine)) == (2, 5)


def test_two_watchers_load_every_file_once(engine: Engine, tmp_path: Path) -> None:
    pipelines = [Pipeline(engine, Silence(), now) for _ in range(2)]
    with watching(pipelines[0], tmp_path) as (first, _), watching(pipelines[1], tmp_path) as (second, _):
        for number in range(12):
            dropped(tmp_path, f"f{number}.csv", content(rows=1, first=number + 1))
        await_(lambda: len(first) + len(second) == 12, "all files are loaded")
    names = sorted(one.report["file"] for one in (*first, *second))
    assert names == sorted(f"f{number}.csv" for number in range(12))
    assert [one.report["counts"]["accepted"] for one in (*first, *second)] == [1] * 12
    assert counted(engine) == 12


def test_a_file_that_another_watcher_has_is_left_to_it(pipeline: Pipeline, tmp_path: Path) -> None:
    import fcntl

    path = dropped(tmp_path, "d.csv", content())
    with path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with watching(pipeline, tmp_path) as (handled, _):
            time.sleep(1.5)
            assert handled == []
            fcntl.flock(held, fcntl.LOCK_UN)
            await_(lambda: len(handled) == 1, "the file is loaded when the other is gone")


class Flaky(Pipeline):
    """A pipeline whose storage is away for the first calls."""

    calls = 0

    def ingest(self, batch: Batch) -> Receipt:
        self.calls += 1
        if self.calls < 4:
            message = "away"
            raise StorageDown(message)
        return super().ingest(batch)


def test_an_outage_is_waited_out_and_the_file_stays_meanwhile(engine: Engine, tmp_path: Path) -> None:
    dropped(tmp_path, "d.csv", content())
    with watching(Flaky(engine, Silence(), now), tmp_path) as (handled, failures):
        await_(lambda: len(handled) == 1, "the file is loaded after the outage")
    assert len(failures) == 3
    assert handled[0].report["counts"]["accepted"] == 3


class Dies(Pipeline):
    """A pipeline whose process dies after so many batches were stored."""

    left = 2

    def ingest(self, batch: Batch) -> Receipt:
        receipt = super().ingest(batch)
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt
        return receipt


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_restart_after_a_crash_finishes_the_file_and_doubles_nothing(engine: Engine, tmp_path: Path) -> None:
    rows = "".join(f"2025-01-{1 + n % 28:02},F-{n // 28},1\n" for n in range(2_500))
    dropped(tmp_path, "d.csv", "Date,Well,Oil\n" + rows)
    with pytest.raises(KeyboardInterrupt):
        watch(Dies(engine, Silence(), now), tmp_path, read, threading.Event())
    assert counted(engine) == 2_000
    assert (tmp_path / "d.csv").exists()
    with watching(Pipeline(engine, Silence(), now), tmp_path) as (handled, _):
        await_(lambda: len(handled) == 1, "the file is loaded again")
    assert counted(engine) == 2_500
    assert (handled[0].report["counts"]["duplicates"], handled[0].report["counts"]["accepted"]) == (2_000, 500)


def test_without_notices_of_changes_the_folder_is_looked_at(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deaf(*_: object, **__: object) -> Iterator[None]:
        message = "no watches left"
        raise OSError(message)

    monkeypatch.setattr("watchfiles.watch", deaf)
    with watching(pipeline, tmp_path) as (handled, _):
        time.sleep(0.2)
        dropped(tmp_path, "d.csv", content())
        await_(lambda: len(handled) == 1, "the file is found")


def test_a_folder_that_cannot_be_watched_is_refused(pipeline: Pipeline, tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="there is no folder"):
        watch(pipeline, tmp_path / "nowhere", read, threading.Event())
    (tmp_path / DONE).write_text("")
    with pytest.raises(InputRefused, match="cannot be used"):
        watch(pipeline, tmp_path, read, threading.Event())
