"""The wire format: JSON text messages of the gateway and its clients, and the WebSocket frames that carry them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from storage.domain.errors import InputRefused
from storage.log import LogMessage
from stream.topics import Subject, Topic

FRAME_BYTES: Final = 1_000_000
"""A `records` message is ended before it grows past this; one larger log row still goes out whole."""

TOPICS_MAX: Final = 256
MESSAGE_MAX_BYTES: Final = 64_000
"""What a client may send in one message."""


class From(msgspec.Struct, frozen=True):
    """Where a client stands in a topic."""

    epoch: str
    offset: int


class Subscribe(msgspec.Struct, frozen=True, tag="subscribe", rename={"start": "from"}):
    """Send these topics, each from its position or, without one, from now on."""

    topics: list[str]
    start: dict[str, From] = {}


class Unsubscribe(msgspec.Struct, frozen=True, tag="unsubscribe"):
    """Send these topics no more."""

    topics: list[str]


class Pong(msgspec.Struct, frozen=True, tag="pong"):
    """Answer to a ping that asked for one."""

    n: int = 0


ClientMessage = Subscribe | Unsubscribe | Pong
_client_messages: Final[msgspec.json.Decoder[ClientMessage]] = msgspec.json.Decoder(ClientMessage)


def client_message(data: bytes) -> ClientMessage:
    """A client's message.

    Raises:
        InputRefused: says what of it is not of the protocol.
    """
    try:
        message: ClientMessage = _client_messages.decode(data)
    except msgspec.MsgspecError as error:
        told = f"not a message of this protocol: {error}"
        raise InputRefused(told) from error
    if not isinstance(message, Pong) and len(message.topics) > TOPICS_MAX:
        told = f"{len(message.topics)} topics in one message; at most {TOPICS_MAX}"
        raise InputRefused(told)
    return message


def welcome(epoch: str, now_ms: int, heartbeat_s: float, version: str) -> bytes:
    """First message of a connection."""
    return _encoded("welcome", epoch=epoch, now=now_ms, heartbeat_s=heartbeat_s, version=version)


def ping(n: int, now_ms: int, store_s: float, reply: bool) -> bytes:
    """The heartbeat; ``store_s``: seconds since the heads were last confirmed with PostgreSQL."""
    return _encoded("ping", n=n, now=now_ms, store_s=round(store_s, 3), reply=reply)


def reload(topic: Topic, reason: str, epoch: str) -> bytes:
    """The topic cannot be continued from the client's position: load a snapshot and subscribe from there."""
    return _encoded("reload", topic=str(topic), reason=reason, epoch=epoch)


def error(code: str, message: str, topic: str | None = None) -> bytes:
    """Something the client asked for cannot be done."""
    return _encoded("error", code=code, message=message, **({} if topic is None else {"topic": topic}))


@dataclass(frozen=True, slots=True)
class Records:
    """A `records` message and the stretch of positions, (after, offset], that it covers."""

    after: int
    offset: int
    payload: bytes
    is_empty: bool


def records(
    topic: Topic, after: int, upto: int, head: int, messages: Sequence[LogMessage], limit: int = FRAME_BYTES
) -> list[Records]:
    """`records` messages that cover (after, upto] of a topic; at least one.

    ``messages`` are the field's log rows in that stretch. A field topic carries their bodies untouched, a well
    topic the well's rows of each.
    """
    parts = list(_parts(topic, messages, limit))
    ends = [*(part[-1][0] for part in parts[:-1]), upto]
    starts = [after, *ends[:-1]]
    bodies = [[body for _, body in part] for part in parts] or [[]]
    return [
        Records(first, last, _records_payload(topic, first, last, head, part), not part)
        for first, last, part in zip(starts, ends, bodies, strict=True)
    ]


def _parts(topic: Topic, messages: Iterable[LogMessage], limit: int) -> Iterator[list[tuple[int, bytes]]]:
    part: list[tuple[int, bytes]] = []
    size = 0
    for message in messages:
        body = message.body if topic.subject is Subject.FIELD else rows_of_well(message.body, topic.id)
        if body is None:
            continue
        if part and size + len(body) > limit:
            yield part
            part, size = [], 0
        part.append((message.offset, body))
        size += len(body)
    if part:
        yield part


def _records_payload(topic: Topic, after: int, upto: int, head: int, bodies: Sequence[bytes]) -> bytes:
    opening = f'{{"type":"records","topic":"{topic}","after":{after},"offset":{upto},"head":{head},"batches":['
    return b"".join((opening.encode(), b",".join(bodies), b"]}"))


def rows_of_well(body: bytes, well: str) -> bytes | None:
    """A log row's body with only the rows of one well; None when it has none."""
    if f'"{well}"'.encode() not in body:
        return None
    content: dict[str, Any] = msgspec.json.decode(body)
    places = [place for place, name in enumerate(content["well"]) if name == well]
    if not places:
        return None
    return msgspec.json.encode(
        {
            name: [values[place] for place in places] if isinstance(values, list) else values
            for name, values in content.items()
        }
    )


def text_frame(payload: bytes) -> bytes:
    """An unmasked, final WebSocket text frame (RFC 6455 section 5.2): the same bytes for every client."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


def _encoded(kind: str, **content: object) -> bytes:
    return msgspec.json.encode({"type": kind, **content})
