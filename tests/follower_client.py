"""A plain client of the gateway for tests: keeps positions, joins by them, remembers every row it applied."""

import asyncio
import contextlib
import json
from collections import defaultdict
from typing import Any

import websockets


class Client:
    """Follows topics by the protocol of the README; nothing of the product's client code is used."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.positions: dict[str, int] = {}
        self.rows: dict[str, list[tuple[int, str, int, Any, int]]] = defaultdict(list)
        self.messages: list[dict[str, Any]] = []
        self.epoch = ""
        self.holes = 0
        self.dropped = 0
        self._socket: websockets.ClientConnection | None = None

    async def __aenter__(self) -> "Client":
        self._socket = await websockets.connect(self.url, max_size=None, proxy=None)
        self.epoch = (await self.next("welcome"))["epoch"]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._socket is not None
        await self._socket.close()

    @property
    def socket(self) -> websockets.ClientConnection:
        assert self._socket is not None
        return self._socket

    async def subscribe(self, *topics: str, resume: bool = True) -> None:
        start = {
            topic: {"epoch": self.epoch, "offset": self.positions[topic]}
            for topic in topics
            if resume and topic in self.positions
        }
        await self.send({"type": "subscribe", "topics": list(topics), "from": start})

    async def send(self, message: object) -> None:
        await self.socket.send(json.dumps(message))

    async def next(self, kind: str, seconds: float = 10) -> dict[str, Any]:
        """The next message of a kind; others are applied on the way."""
        async with asyncio.timeout(seconds):
            while True:
                message = await self._received()
                if message["type"] == kind:
                    return message

    async def until(self, topic: str, offset: int, seconds: float = 20) -> None:
        """Read until the topic stands at the offset."""
        async with asyncio.timeout(seconds):
            while self.positions.get(topic, -1) < offset:
                await self._received()

    async def quiet(self, seconds: float) -> None:
        """Read for a while."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    await self._received()

    async def _received(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(await self.socket.recv())
        self.apply(message)
        if message["type"] == "ping" and message["reply"]:
            await self.send({"type": "pong", "n": message["n"]})
        return message

    def apply(self, message: dict[str, Any]) -> None:
        self.messages.append(message)
        if message["type"] == "records":
            self._join(message)

    def _join(self, message: dict[str, Any]) -> None:
        topic = message["topic"]
        mine = self.positions.setdefault(topic, message["after"])
        if message["after"] > mine:
            self.holes += 1
            return
        for batch in message["batches"]:
            if batch["offset"] <= mine:
                self.dropped += 1
                continue
            self.rows[topic] += [
                (batch["offset"], well, start, oil, revision)
                for well, start, oil, revision in zip(
                    batch["well"], batch["start"], batch["oil_sm3"], batch["revision"], strict=True
                )
            ]
        self.positions[topic] = max(mine, message["offset"])
