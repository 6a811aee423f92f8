"""The hub: feeds of fields, the topics cut from them, and who gets the shared frames. Pure; nothing waits here."""

import dataclasses
from collections import deque
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from storage.log import Head, LogMessage
from stream.follower import Follower
from stream.frames import Records, records, text_frame
from stream.join import Gap
from stream.session import Session, Subscription
from stream.topics import Topic

RECENT_MAX: Final = 512
RECENT_MAX_BYTES: Final = 8_000_000
"""How much of a field's newest log is kept in memory for clients that come back: no query for them."""


@dataclass(frozen=True, slots=True)
class Reload:
    """A client cannot continue from its position; it must load a snapshot."""

    reason: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One frame, built once, for all these sessions."""

    topic: Topic
    offset: int
    frame: bytes
    sessions: tuple[Session, ...]


@dataclass(slots=True)
class _Audience:
    sent: int
    hot: set[Session] = dataclasses.field(default_factory=set)


@dataclass(slots=True)
class Feed:
    """One field's log as it comes in: where it stands, what of it was sent on, its newest part, its topics."""

    field: str
    wells: frozenset[str]
    follower: Follower
    flushed: int
    oldest: int = 1
    recent: deque[LogMessage] = dataclasses.field(default_factory=deque)
    recent_bytes: int = 0
    audiences: dict[Topic, _Audience] = dataclasses.field(default_factory=dict)

    def knows(self, topic: Topic) -> bool:
        """Whether the topic is of this field and, for a well, whether the field has it."""
        return topic.id == self.field or topic.id in self.wells

    def take(self, due: list[LogMessage]) -> bool:
        """Put what is due behind the newest; True when there is something to flush."""
        for message in due:
            self.recent.append(message)
            self.recent_bytes += len(message.body)
        self._trim()
        return bool(due)

    def _trim(self) -> None:
        while self.recent and self.recent[0].offset <= self.flushed and self._is_large():
            self.recent_bytes -= len(self.recent.popleft().body)

    def _is_large(self) -> bool:
        return len(self.recent) > RECENT_MAX or self.recent_bytes > RECENT_MAX_BYTES

    def unflushed(self) -> list[LogMessage]:
        """What was taken and not yet sent on."""
        newest_first = takewhile(lambda message: message.offset > self.flushed, reversed(self.recent))
        return list(newest_first)[::-1]

    def after(self, offset: int) -> list[LogMessage] | None:
        """The messages in (offset, flushed] from memory; None when memory does not reach back so far."""
        if offset >= self.flushed:
            return []
        if not self.recent or self.recent[0].offset > offset + 1:
            return None
        return [message for message in self.recent if offset < message.offset <= self.flushed]


class Hub:
    """All feeds of one gateway in one epoch."""

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch
        self.feeds: dict[str, Feed] = {}

    def open(self, field_id: str, wells: frozenset[str], head: Head) -> Feed:
        """Start to follow a field at its head, or renew what is known of its wells."""
        feed = self.feeds.get(field_id)
        if feed is None:
            feed = Feed(field_id, wells, Follower(head.newest), head.newest, head.oldest)
            self.feeds[field_id] = feed
        feed.wells = wells
        return feed

    def close_idle(self, wanted: Set[str]) -> None:
        """Stop following fields that nobody wants, and forget topics without an audience."""
        for feed in list(self.feeds.values()):
            feed.audiences = {topic: one for topic, one in feed.audiences.items() if one.hot}
            if feed.field not in wanted:
                del self.feeds[feed.field]

    def heard(self, message: LogMessage) -> bool:
        """A doorbell message; True when its feed has something to flush."""
        feed = self.feeds.get(message.field)
        return feed is not None and message.epoch == self.epoch and feed.take(feed.follower.heard(message))

    def positions(self) -> dict[str, int]:
        """Where each feed stands; to be taken before the heads are asked for, and given to `heads_are`."""
        return {name: feed.follower.position for name, feed in self.feeds.items()}

    def heads_are(self, heads: Mapping[str, Head], stood: Mapping[str, int]) -> bool:
        """The heads that PostgreSQL told after the feeds had ``stood`` there; False: a log has turned back.

        The doorbell may have overtaken the answer, so a head below where a feed stands now proves nothing; one below
        where it stood before the question does.
        """
        if any(head.newest < stood.get(name, 0) for name, head in heads.items()):
            return False
        for name, head in heads.items():
            if (feed := self.feeds.get(name)) is not None:
                feed.follower.head_is(head.newest)
                feed.oldest = head.oldest
        return True

    def missing(self) -> list[tuple[Feed, Gap]]:
        """What must be read from the log."""
        return [(feed, gap) for feed in self.feeds.values() if (gap := feed.follower.missing()) is not None]

    def flush(self, feed: Feed) -> Iterator[Delivery]:
        """Frames for everything taken since the last flush: per topic, built once, for all hot sessions."""
        messages = feed.unflushed()
        if not messages:
            return
        feed.flushed = messages[-1].offset
        for topic, audience in list(feed.audiences.items()):
            if not audience.hot:
                continue
            for one in records(topic, audience.sent, feed.flushed, feed.follower.head, messages):
                if one.is_empty:
                    continue
                audience.sent = one.offset
                yield Delivery(topic, one.offset, text_frame(one.payload), tuple(audience.hot))

    def advance(self) -> Iterator[Delivery]:
        """Empty frames that move the position of topics in which nothing happened while their field went on."""
        for feed in self.feeds.values():
            for topic, audience in list(feed.audiences.items()):
                if audience.hot and audience.sent < feed.flushed:
                    (one,) = records(topic, audience.sent, feed.flushed, feed.follower.head, ())
                    audience.sent = feed.flushed
                    yield Delivery(topic, one.offset, text_frame(one.payload), tuple(audience.hot))

    def admission(self, topic: Topic, subscription: Subscription) -> Reload | list[Records] | None:
        """What a cold subscription needs to become hot: frames from memory, a reload, or None: the log must be read.

        The feed must be open. A position a little ahead of the feed is fine: the client drops what it has.
        """
        feed = self.feeds[topic.field]
        if subscription.epoch not in (None, self.epoch):
            return Reload("epoch")
        offset = feed.flushed if subscription.offset is None else subscription.offset
        if offset > feed.follower.head:
            return Reload("ahead")
        if offset + 1 < feed.oldest:
            return Reload("too-old")
        messages = feed.after(offset)
        if messages is None:
            return None
        return records(topic, offset, max(offset, feed.flushed), feed.follower.head, messages)

    def warm(self, session: Session, topic: Topic) -> None:
        """From now on the session gets the topic's shared frames; it must stand at the feed's flushed position."""
        feed = self.feeds[topic.field]
        audience = feed.audiences.setdefault(topic, _Audience(feed.flushed))
        if not audience.hot:
            audience.sent = feed.flushed
        audience.hot.add(session)
        subscription = session.subscriptions[topic]
        subscription.hot, subscription.epoch = True, self.epoch
        subscription.offset = max(subscription.offset or 0, feed.flushed)

    def cool(self, session: Session) -> None:
        """Take a session out of all shared frames; its subscriptions stand where the last frame ended."""
        for topic, subscription in session.subscriptions.items():
            if subscription.hot:
                self.cool_topic(session, topic)

    def cool_topic(self, session: Session, topic: Topic) -> None:
        """Take a session out of one topic's shared frames."""
        subscription = session.subscriptions[topic]
        audience = self.feeds[topic.field].audiences[topic]
        audience.hot.discard(session)
        subscription.hot, subscription.offset = False, max(subscription.offset or 0, audience.sent)
