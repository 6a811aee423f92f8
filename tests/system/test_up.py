"""`wellstream up` as a process: starts from nothing, moves, stops cleanly, and survives being killed."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.follower_client import Client
from tests.services import free_port

pytestmark = pytest.mark.system


@pytest.fixture
def data() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="wellstream-up-", ignore_cleanup_errors=True) as folder:
        yield Path(folder) / "data"


class Up:
    """A running `wellstream up` with servers of its own."""

    def __init__(self, data: Path, *options: str) -> None:
        self.port = free_port()
        self.data = data
        own = {name: value for name, value in os.environ.items() if not name.startswith("WELLSTREAM_")}
        command = [sys.executable, "-m", "compose", "up", "--data", str(data), "--port", str(self.port), *options]
        self.process = subprocess.Popen(command, env=own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._await_ready()

    def _await_ready(self) -> None:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            assert self.process.poll() is None, self.process.communicate()[0]
            time.sleep(0.1)
        pytest.fail("not ready within 90 s")

    def left_behind(self, within_s: float) -> list[str]:
        """Processes of this data folder that are still there after a while."""
        deadline = time.monotonic() + within_s
        while (left := self._processes()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return left

    def _processes(self) -> list[str]:
        found = []
        for process in psutil.process_iter(["cmdline", "status"]):
            line = " ".join(process.info["cmdline"] or ())
            if str(self.data) in line and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(line)
        return found

    async def moved(self, seconds: float) -> list[tuple[int, str, int, object, int]]:
        """What a client of the field gets within some seconds."""
        async with Client(f"ws://127.0.0.1:{self.port}/ws") as client:
            await client.subscribe("field/demo")
            await client.quiet(seconds)
            return client.rows["field/demo"]


async def test_it_moves_and_ctrl_c_stops_everything(data: Path) -> None:
    up = Up(data)
    rows = await up.moved(6)
    assert rows
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(timeout=40) == 0
    assert f"http://127.0.0.1:{up.port}" in (up.process.stdout.read() if up.process.stdout else "")
    assert up.left_behind(5) == []


async def test_a_killed_parent_leaves_nothing_behind_and_the_next_start_has_every_record(data: Path) -> None:
    up = Up(data)
    rows = await up.moved(5)
    up.process.kill()
    up.process.wait(timeout=10)
    assert up.left_behind(30) == []
    again = Up(data, "--empty")
    try:
        async with Client(f"ws://127.0.0.1:{again.port}/ws") as client:
            client.positions["field/demo"] = 0
            await client.subscribe("field/demo")
            await client.until("field/demo", max(row[0] for row in rows))
        kept = {(well, start) for _, well, start, _, _ in client.rows["field/demo"]}
        assert {(well, start) for _, well, start, _, _ in rows} <= kept
    finally:
        again.process.send_signal(signal.SIGTERM)
        assert again.process.wait(timeout=40) == 0
