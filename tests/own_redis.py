"""A Redis of a test's own, to stop and start."""

import os
import subprocess
import time
from pathlib import Path

import redis

from compose.account import account_for
from compose.binaries import redis_binary

AWAY_S = float(os.environ.get("WELLSTREAM_TEST_OUTAGE_S", "4"))
"""How long tests stop it for; an acceptance takes 30."""


class OwnRedis:
    """Runs from when it is made; keeps nothing."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "redis.sock"
        self.url = f"unix://{self._socket}"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        binary = redis_binary(None, account_for(self._socket.parent))
        options = ["--port", "0", "--unixsocket", str(self._socket), "--save", ""]
        self._process = subprocess.Popen([binary, *options], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not self._answers():
            assert time.monotonic() < deadline, "Redis did not start within 10 s"
            time.sleep(0.02)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=10)

    def _answers(self) -> bool:
        with redis.Redis.from_url(self.url) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False
