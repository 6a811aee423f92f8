"""Services of the product on a free loopback port, run on a thread of the test's process."""

import asyncio
import socket
import threading
import time
from collections.abc import Sequence

import httpx
import uvicorn
import uvloop

from compose.roles import Role
from compose.wiring import application
from storage.database import engine_for
from stream.gateway import Gateway
from stream.websocket import websocket_class


def free_port() -> int:
    """A loopback port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Services:
    """Some roles sharing one port, as `wellstream serve` runs them."""

    def __init__(self, database_url: str, redis_url: str, roles: Sequence[str], port: int = 0) -> None:
        self.port = port or free_port()
        self.engine = engine_for(database_url)
        self._redis_url = redis_url
        self._roles = [Role(role) for role in roles]
        self.gateway: Gateway | None = None
        self._server: uvicorn.Server | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    def start(self) -> None:
        """Begin anew, as a restarted process does; listen, and wait until ready."""
        self.gateway = Gateway(self.engine, self._redis_url) if Role.GATEWAY in self._roles else None
        config = uvicorn.Config(
            application(self._roles, self.engine, self._redis_url, self.gateway),
            host="127.0.0.1",
            port=self.port,
            ws=websocket_class(self.gateway) if self.gateway else "none",
            log_config=None,
            lifespan="on",
            timeout_graceful_shutdown=2,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, args=(self._server,), daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 20
        while not self._ready():
            assert time.monotonic() < deadline, "the services were not ready within 20 s"
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop as SIGTERM does."""
        if self._server is not None:
            self._server.should_exit = True
            self._thread.join(timeout=15)
            assert not self._thread.is_alive(), "the services did not stop within 15 s"
            self._server = None
        self.engine.dispose()

    def _run(self, server: uvicorn.Server) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(server.serve())

    def _ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False
