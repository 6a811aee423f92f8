"""A page in headless Chromium, asked by the DevTools protocol: for figures of what a person sees."""

import asyncio
import itertools
import json
import os
import shutil
import tempfile
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import websockets

from storage.domain.errors import ServerNotStarted

STARTS_WITHIN_S: Final = 30.0
_OPTIONS: Final = (
    "--headless=new",
    "--remote-debugging-port=0",
    "--window-size=1920,1080",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-sync",
    "--no-first-run",
)
_CARD: Final = "DevToolsActivePort"
"""The file in its profile in which Chromium says where it listens, once it does."""


class Page:
    """An open page."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self._socket = socket
        self._session: str | None = None
        self._numbers = itertools.count(1)

    async def open(self, url: str) -> None:
        """Open an address; it may still be loading when this returns."""
        target = await self._order("Target.createTarget", url=url)
        attached = await self._order("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]

    async def ask(self, expression: str) -> Any:
        """The value of an expression of JavaScript; None for what JSON cannot hold and for an exception."""
        answer = await self._order("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer.get("result", {}).get("value")

    async def until(self, expression: str, seconds: float) -> bool:
        """Whether the expression became true within some seconds."""
        deadline = time.monotonic() + seconds
        while not await self.ask(f"Boolean({expression})"):
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.05)
        return True

    async def _order(self, method: str, **given: object) -> dict[str, Any]:
        number = next(self._numbers)
        of_session = {} if self._session is None else {"sessionId": self._session}
        await self._socket.send(json.dumps({"id": number, "method": method, "params": given, **of_session}))
        while True:
            answer = json.loads(await self._socket.recv())
            if answer.get("id") == number:
                result: dict[str, Any] = answer.get("result", {})  # an error: the page is being loaded
                return result


def found() -> str | None:
    """Chromium's path; None where there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@asynccontextmanager
async def opened(binary: str, url: str) -> AsyncIterator[Page]:
    """A page of this address in a browser of its own, which ends with it.

    Raises:
        ServerNotStarted: the browser does not start.
    """
    with tempfile.TemporaryDirectory(prefix="wellstream-browser-", ignore_cleanup_errors=True) as profile:
        options = [*_OPTIONS, f"--user-data-dir={profile}", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        process = await asyncio.create_subprocess_exec(binary, *options, stdout=DEVNULL, stderr=DEVNULL)
        try:
            address = await _listening(process, Path(profile) / _CARD)
            async with websockets.connect(address, max_size=None, proxy=None) as socket:
                page = Page(socket)
                await page.open(url)
                yield page
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _listening(process: Process, card: Path) -> str:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline and process.returncode is None:
        if (address := _address_on(card)) is not None:
            return address
        await asyncio.sleep(0.05)
    message = f"chromium does not start (exit code {process.returncode})"
    raise ServerNotStarted(message)


def _address_on(card: Path) -> str | None:
    lines = card.read_text().split() if card.exists() else []
    return f"ws://127.0.0.1:{lines[0]}{lines[1]}" if len(lines) == 2 else None
