"""The socket: an asyncio protocol that uvicorn hands `/ws` to. websockets' sans-I/O core shakes hands and closes."""

import asyncio
import socket
import time
from typing import Any, Final, cast
from urllib.parse import urlsplit

from uvicorn.config import Config
from uvicorn.server import ServerState
from websockets.exceptions import ProtocolError
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State as WireState
from websockets.server import ServerProtocol

from stream.close_codes import ADVICE, Close
from stream.frames import MESSAGE_MAX_BYTES
from stream.gateway import Gateway
from stream.session import Session

PATH: Final = "/ws"
OUTBOX_BYTES: Final = 256 * 1024
"""The bound of a client's outbox: past this it leaves the shared frames until it has read."""

UNSENT_BYTES: Final = 128 * 1024
"""How much the kernel may hold unsent; without a bound it hides megabytes of stale data for a slow client."""

CLOSE_TIMEOUT_S: Final = 2.0
OPEN_TIMEOUT_S: Final = 10.0


class WebSocket(asyncio.Protocol):
    """One connection. `gateway` is set on the subclass that `websocket_class` makes."""

    gateway: Gateway

    def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, Any], **_: object) -> None:
        self._peers = server_state.connections
        self._wire = ServerProtocol(max_size=MESSAGE_MAX_BYTES)
        self._transport: asyncio.Transport | None = None
        self._text = bytearray()
        self._joined = False
        self._deadline: asyncio.TimerHandle | None = None
        self.session = Session(time.monotonic())

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The transport is there; uvicorn calls this with the one that spoke HTTP."""
        self._transport = cast(asyncio.Transport, transport)
        self._peers.add(self)  # type: ignore[arg-type]
        self._transport.set_write_buffer_limits(high=OUTBOX_BYTES)
        _bound_kernel_buffer(self._transport)
        self._abort_after(OPEN_TIMEOUT_S)

    def data_received(self, data: bytes) -> None:
        """Bytes from the client."""
        self._wire.receive_data(data)
        for event in self._wire.events_received():
            if isinstance(event, Request):
                self._shake_hands(event)
            else:
                self._on_frame(event)
        self._flush()

    def eof_received(self) -> None:
        """The client will send no more."""
        self._wire.receive_eof()
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """The transport is gone."""
        self._peers.discard(self)
        if self._deadline is not None:
            self._deadline.cancel()
        self.gateway.left(self)

    def pause_writing(self) -> None:
        """The outbox is full; called from inside `send`."""
        self.gateway.outbox_full(self)

    def resume_writing(self) -> None:
        """The outbox is drained."""
        self.gateway.outbox_drained(self)

    # uvicorn

    def shutdown(self) -> None:
        """The server stops."""
        self.close(Close.RESTARTING)

    # stream.gateway.Connection

    def send(self, frame: bytes) -> None:
        """Write a ready frame; nothing once the connection is closing."""
        if self._transport is not None and self._wire.state is WireState.OPEN:
            self._transport.write(frame)

    def close(self, code: Close) -> None:
        """Start the closing handshake; the transport is cut when the client does not end it in time."""
        if self._wire.state is WireState.OPEN:
            self._wire.send_close(code, ADVICE[code].reason)
            self._flush()
            self._abort_after(CLOSE_TIMEOUT_S)
        elif self._wire.state is WireState.CONNECTING and self._transport is not None:
            self._transport.abort()

    # Handshake and frames

    def _shake_hands(self, request: Request) -> None:
        response = self._wire.accept(request)
        if response.status_code == 101 and (refusal := _refusal(request)) is not None:
            response = self._wire.reject(*refusal)
        self._wire.send_response(response)
        self._flush()
        if response.status_code == 101:
            self._joined = True
            self._cancel_deadline()
            self.gateway.joined(self)

    def _on_frame(self, frame: Any) -> None:
        if not isinstance(frame, Frame) or not self._joined:
            return
        self.session.heard(time.monotonic())
        if frame.opcode is Opcode.BINARY:
            self.close(Close.BAD_MESSAGE)
        elif frame.opcode in (Opcode.TEXT, Opcode.CONT):
            self._text += frame.data
            if frame.fin:
                data, self._text = bytes(self._text), bytearray()
                self.gateway.received(self, data)

    def _flush(self) -> None:
        """Write what the sans-I/O core wants written; an empty piece means: half-close."""
        assert self._transport is not None, "connected"  # noqa: S101
        for data in self._wire.data_to_send():
            if data:
                self._transport.write(data)
            elif self._transport.can_write_eof():
                self._transport.write_eof()
        if isinstance(self._wire.parser_exc, ProtocolError) or self._wire.close_expected():
            self._abort_after(CLOSE_TIMEOUT_S)

    def _abort_after(self, seconds: float) -> None:
        if self._deadline is None and self._transport is not None:
            self._deadline = asyncio.get_running_loop().call_later(seconds, self._transport.abort)

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def websocket_class(gateway: Gateway) -> type[WebSocket]:
    """The class for uvicorn's ``ws=``: its connections belong to this gateway."""
    return type("GatewayWebSocket", (WebSocket,), {"gateway": gateway})


def _refusal(request: Request) -> tuple[int, str] | None:
    """Why a handshake is refused: another path, or a page of another origin."""
    if urlsplit(request.path).path != PATH:
        return 404, f"no socket here; it is at {PATH}\n"
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("Host"):
        return 403, "the page that asks is of another origin\n"
    return None


def _bound_kernel_buffer(transport: asyncio.Transport) -> None:
    raw = transport.get_extra_info("socket")
    if raw is not None and raw.family in (socket.AF_INET, socket.AF_INET6) and hasattr(socket, "TCP_NOTSENT_LOWAT"):
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
