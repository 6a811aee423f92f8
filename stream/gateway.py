"""The gateway: follows the log for the fields that clients want and sends on what is due. The shell around the hub."""

import asyncio
import time
from collections.abc import Iterable
from importlib.metadata import version
from typing import Final, Protocol

import structlog
from sqlalchemy import Engine

from storage.domain.errors import InputRefused, StorageDown
from storage.log import LogMessage
from stream import frames, metrics
from stream.close_codes import Close
from stream.doorbell import Listener
from stream.frames import Pong, Subscribe, Unsubscribe
from stream.hub import Delivery, Feed, Hub, Reload
from stream.log_reader import LogReader
from stream.session import Event, Session, State
from stream.topics import Topic, topic

TICK_S: Final = 0.05
"""What comes for a field within a tick leaves as one frame; the first after a silent tick leaves at once."""

POLL_S: Final = 1.0
HEARTBEAT_S: Final = 1.0
REPLY_EVERY: Final = 10
"""Every how many pings the client is asked to answer."""

STORE_LOST_S: Final = 5.0

_log = structlog.get_logger(__name__)


class Connection(Protocol):
    """What the gateway needs of a socket."""

    session: Session

    def send(self, frame: bytes) -> None:
        """Write a ready WebSocket frame; may call back `Gateway.outbox_full` before it returns."""

    def close(self, code: Close) -> None:
        """End the connection with the table's code and reason."""


class Gateway:
    """Everything one gateway process shares: the hub, the doorbell's listener and the log's reader."""

    def __init__(self, engine: Engine, redis_url: str, tick_s: float = TICK_S) -> None:
        self._log = LogReader(engine)
        self._tick_s = tick_s
        self._listener = Listener(redis_url, self._heard)
        self._hub: Hub | None = None
        self._connections: dict[Session, Connection] = {}
        self._catching_up: dict[Session, asyncio.Task[None]] = {}
        self._opening = asyncio.Lock()
        self._hole = asyncio.Event()
        self._flush_at: dict[str, float] = {}
        self._confirmed_at = -STORE_LOST_S
        self._pings = 0

    # What the service asks

    def faults(self) -> list[str]:
        """Why the gateway is not ready; empty when it is."""
        faults = [] if self._hub else ["the log's epoch was not read yet"]
        if self._store_s() > STORE_LOST_S:
            faults.append(f"PostgreSQL was last heard {self._store_s():.0f} s ago")
        return faults

    async def run(self) -> None:
        """Follow, poll and beat until cancelled; an unexpected error in one ends all."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listener.run())
            tasks.create_task(self._poll())
            tasks.create_task(self._read_holes())
            tasks.create_task(self._beat())

    def close(self) -> None:
        """Tell every client that the service restarts."""
        for connection in list(self._connections.values()):
            connection.close(Close.RESTARTING)

    # What a connection tells

    def joined(self, connection: Connection) -> None:
        """A client is connected."""
        if self._hub is None:
            connection.close(Close.NOT_READY)
            return
        self._connections[connection.session] = connection
        metrics.CLIENTS.set(len(self._connections))
        self._tell(connection, frames.welcome(self._hub.epoch, _now_ms(), HEARTBEAT_S, version("wellstream")))

    def left(self, connection: Connection) -> None:
        """A client is gone."""
        if self._connections.pop(connection.session, None) is None:
            return
        metrics.CLIENTS.set(len(self._connections))
        connection.session.on(Event.CLOSED, time.monotonic())
        if self._hub is not None:
            self._hub.cool(connection.session)
        if task := self._catching_up.pop(connection.session, None):
            task.cancel()

    def received(self, connection: Connection, data: bytes) -> None:
        """A client sent a text message."""
        try:
            message = frames.client_message(data)
            self._obey(connection, message)
        except InputRefused as error:
            self._tell(connection, frames.error("bad-message", str(error)))
            connection.close(Close.BAD_MESSAGE)

    def outbox_full(self, connection: Connection) -> None:
        """The client does not read as fast as we write: it leaves the shared frames and keeps its position."""
        if self._hub is not None:
            self._hub.cool(connection.session)
        connection.session.on(Event.OUTBOX_FULL, time.monotonic())
        metrics.OUTBOX_FULL.inc()

    def outbox_drained(self, connection: Connection) -> None:
        """The client has read what was written: it comes back from its position."""
        connection.session.on(Event.OUTBOX_DRAINED, time.monotonic())
        self._catch_up(connection)

    # Subscriptions

    def _obey(self, connection: Connection, message: frames.ClientMessage) -> None:
        match message:
            case Subscribe():
                wanted = [(topic(text), message.start.get(text)) for text in message.topics]
                if len(connection.session.subscriptions) + len(wanted) > frames.TOPICS_MAX:
                    told = f"more than {frames.TOPICS_MAX} topics on one connection"
                    raise InputRefused(told)
                for one, start in wanted:
                    self._drop(connection.session, one)
                    epoch, offset = (start.epoch, start.offset) if start else (None, None)
                    connection.session.subscribe(one, offset, epoch)
                self._catch_up(connection)
            case Unsubscribe():
                for text in message.topics:
                    self._drop(connection.session, topic(text))
            case Pong():
                pass

    def _drop(self, session: Session, dropped: Topic) -> None:
        subscription = session.subscriptions.get(dropped)
        if subscription is not None and subscription.hot and self._hub is not None:
            self._hub.cool_topic(session, dropped)
        session.unsubscribe(dropped)

    def _catch_up(self, connection: Connection) -> None:
        session = connection.session
        if session.cold() is None or session in self._catching_up:
            return
        task = asyncio.create_task(self._caught_up(connection))
        self._catching_up[session] = task
        task.add_done_callback(lambda done: self._catch_up_ended(connection, done))

    def _catch_up_ended(self, connection: Connection, task: asyncio.Task[None]) -> None:
        if self._catching_up.get(connection.session) is task:
            del self._catching_up[connection.session]
        if task.cancelled():
            return
        if error := task.exception():
            _log.error("catch-up failed", error=repr(error))
            connection.close(Close.GOING_AWAY)
        else:
            self._catch_up(connection)

    async def _caught_up(self, connection: Connection) -> None:
        """Bring every cold subscription to the newest position, until the client's outbox is full."""
        session = connection.session
        while (cold := session.cold()) is not None:
            try:
                feed = await self._feed(cold)
                if session.cold() != cold:
                    continue
                if feed is None:
                    session.unsubscribe(cold)
                    self._tell(connection, frames.error("unknown-topic", f"there is no {cold}", str(cold)))
                else:
                    await self._admit(connection, feed, cold)
            except StorageDown as error:
                _log.warning("catch-up waits for PostgreSQL", topic=str(cold), error=str(error))
                await asyncio.sleep(POLL_S)

    async def _admit(self, connection: Connection, feed: Feed, cold: Topic) -> None:
        session, hub = connection.session, self._hub
        subscription = session.subscriptions[cold]
        assert hub is not None, "a feed is open"  # noqa: S101
        if subscription.offset is not None and subscription.offset > feed.follower.head:
            await self._ask_heads([feed.field])
            if session.cold() != cold:
                return
        admission = hub.admission(cold, subscription) if hub is self._hub else Reload("epoch")
        match admission:
            case Reload(reason):
                self._reload(connection, cold, reason, hub.epoch)
            case None:
                await self._send_past(connection, feed, cold, subscription.offset or 0)
            case ready:
                if self._send_all(connection, cold, ready):
                    hub.warm(session, cold)

    async def _send_past(self, connection: Connection, feed: Feed, cold: Topic, after: int) -> None:
        """One stretch of the log that memory no longer holds."""
        upto = feed.flushed
        past = await self._log.stretch(feed.field, after, upto)
        metrics.BACKFILLED.inc(len(past))
        subscription = connection.session.subscriptions.get(cold)
        if subscription is None or subscription.hot or subscription.offset != after:
            return
        if not past:
            feed.oldest = max(feed.oldest, after + 2)
            return
        end = past[-1].offset
        self._send_all(connection, cold, frames.records(cold, after, end, feed.follower.head, past))

    def _send_all(self, connection: Connection, cold: Topic, ready: list[frames.Records]) -> bool:
        """Send to one client and move its position; False when its outbox filled up on the way."""
        session = connection.session
        for one in ready:
            if session.state is not State.OPEN:
                return False
            session.subscriptions[cold].offset = one.offset
            self._tell(connection, one.payload)
        return session.state is State.OPEN

    # Following the log

    async def _feed(self, wanted: Topic) -> Feed | None:
        """The open feed of a topic's field; None when there is no such field or well."""
        async with self._opening:
            feed = self._hub.feeds.get(wanted.field) if self._hub else None
            if feed is not None and feed.knows(wanted):
                return feed
            hub = self._hub
            found = await self._log.field(wanted.field)
            if hub is None or hub is not self._hub or found is None:
                return None
            feed = hub.open(wanted.field, *found)
            await self._listener.want({(hub.epoch, name) for name in hub.feeds})
            return feed if feed.knows(wanted) else None

    def _heard(self, message: LogMessage) -> None:
        if self._hub is None:
            return
        if self._hub.heard(message):
            self._due(self._hub.feeds[message.field])
        if self._hub.missing():
            self._hole.set()

    async def _poll(self) -> None:
        """Ask for the heads once in `POLL_S`: finds what the doorbell lost, a new epoch, and PostgreSQL's silence."""
        silent = False
        while True:
            try:
                if self._hub is not None:
                    self._hub.close_idle(set(self._wanted_fields()))
                await self._ask_heads(self._hub.feeds if self._hub else ())
                silent = False
            except StorageDown as error:
                if not silent:
                    _log.warning("PostgreSQL lost", error=str(error))
                silent = True
            await asyncio.sleep(POLL_S)

    def _wanted_fields(self) -> Iterable[str]:
        return (one.field for session in self._connections for one in session.subscriptions)

    async def _ask_heads(self, field_ids: Iterable[str]) -> None:
        """Confirm the heads of some fields with PostgreSQL, and the epoch."""
        hub = self._hub
        stood = hub.positions() if hub else {}
        epoch, heads = await self._log.heads(list(field_ids))
        self._confirmed_at = time.monotonic()
        if hub is None:
            self._hub = Hub(epoch)
        elif hub is self._hub:
            if epoch != hub.epoch or not hub.heads_are(heads, stood):
                self._new_life(epoch)
            elif hub.missing():
                self._hole.set()

    def _new_life(self, epoch: str) -> None:
        """The database is another one than before: everybody loads anew."""
        _log.warning("new epoch", epoch=epoch)
        self._hub = Hub(epoch)
        for session, connection in list(self._connections.items()):
            for lost in list(session.subscriptions):
                self._reload(connection, lost, "epoch", epoch)

    def _lost(self, feed: Feed) -> None:
        """The log no longer holds what this feed lacks: its audience loads anew and the feed starts at the head."""
        _log.warning("log rows gone before they were read", field=feed.field)
        hub = self._hub
        if hub is None or hub.feeds.pop(feed.field, None) is None:
            return
        for session, connection in list(self._connections.items()):
            for lost in [one for one in session.subscriptions if one.field == feed.field]:
                self._reload(connection, lost, "too-old", hub.epoch)

    def _reload(self, connection: Connection, lost: Topic, reason: str, epoch: str) -> None:
        connection.session.unsubscribe(lost)
        metrics.RELOADS.labels(reason).inc()
        self._tell(connection, frames.reload(lost, reason, epoch))

    async def _read_holes(self) -> None:
        while True:
            await self._hole.wait()
            self._hole.clear()
            try:
                for feed, gap in self._hub.missing() if self._hub else ():
                    past = await self._log.stretch(feed.field, gap.after, gap.upto)
                    metrics.BACKFILLED.inc(len(past))
                    if gap.after + 1 < feed.oldest or (past and past[0].offset > gap.after + 1):
                        self._lost(feed)
                    else:
                        self._take(feed, past)
            except StorageDown as error:
                _log.warning("a hole waits for PostgreSQL", error=str(error))
                await asyncio.sleep(POLL_S)
                self._hole.set()

    def _take(self, feed: Feed, past: list[LogMessage]) -> None:
        if feed.take(feed.follower.read(past)):
            self._due(feed)
        if past and feed.follower.missing() is not None:
            self._hole.set()

    # Sending

    def _due(self, feed: Feed) -> None:
        """Flush at once after a silent tick, else at the end of the running one."""
        now = time.monotonic()
        at = self._flush_at.get(feed.field, 0.0)
        if at > now:
            return
        self._flush_at[feed.field] = now + self._tick_s
        self._flush(feed)
        asyncio.get_running_loop().call_later(self._tick_s, self._tick_ended, feed)

    def _tick_ended(self, feed: Feed) -> None:
        if feed.unflushed():
            self._flush_at.pop(feed.field, None)
            self._due(feed)

    def _flush(self, feed: Feed) -> None:
        if self._hub is not None and self._hub.feeds.get(feed.field) is feed:
            metrics.LAG.set(feed.follower.head - feed.flushed)
            self._deliver(self._hub.flush(feed))

    def _deliver(self, deliveries: Iterable[Delivery]) -> None:
        for delivery in deliveries:
            for session in delivery.sessions:
                if (connection := self._connections.get(session)) is not None:
                    connection.send(delivery.frame)
            metrics.DELIVERIES.inc(len(delivery.sessions))
            metrics.FRAMES.inc()

    def _tell(self, connection: Connection, payload: bytes) -> None:
        connection.send(frames.text_frame(payload))

    async def _beat(self) -> None:
        while True:
            self._pings += 1
            reply = self._pings % REPLY_EVERY == 0
            ping = frames.text_frame(frames.ping(self._pings, _now_ms(), self._store_s(), reply))
            now = time.monotonic()
            for session, connection in list(self._connections.items()):
                if (code := session.verdict(now)) is not None:
                    metrics.CLOSES.labels(code.name).inc()
                    connection.close(code)
                elif session.state is State.OPEN:
                    connection.send(ping)
            if self._hub is not None:
                self._deliver(self._hub.advance())
            await asyncio.sleep(HEARTBEAT_S)

    def _store_s(self) -> float:
        return time.monotonic() - self._confirmed_at


def _now_ms() -> int:
    return round(time.time() * 1000)
