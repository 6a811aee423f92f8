"""One client's session: what it follows, where it stands, whether it reads and answers. Pure; time is an argument."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from stream.close_codes import Close
from stream.topics import Topic

SILENT_S: Final = 30.0
"""A client that sends nothing for this long, not even a control frame, though asked by pings, is closed."""

PAUSED_MAX_S: Final = 15.0
"""A client that does not read its full outbox for this long is closed and told to resume."""


class State(StrEnum):
    """Where a session is in its life."""

    OPEN = "open"
    PAUSED = "paused"
    CLOSING = "closing"


class Event(StrEnum):
    """What moves a session."""

    OUTBOX_FULL = "outbox full"
    OUTBOX_DRAINED = "outbox drained"
    CLOSED = "closed"


TRANSITIONS: Final[dict[State, dict[Event, State]]] = {
    State.OPEN: {Event.OUTBOX_FULL: State.PAUSED, Event.CLOSED: State.CLOSING},
    State.PAUSED: {Event.OUTBOX_DRAINED: State.OPEN, Event.CLOSED: State.CLOSING},
    State.CLOSING: {},
}
"""What is not listed changes nothing."""


@dataclass(slots=True)
class Subscription:
    """A topic that a client follows.

    ``offset`` is the last position sent; None until the first is known. A hot subscription gets the topic's shared
    frames; a cold one is caught up first, and its position then moves only with what was written to this client.
    """

    offset: int | None
    epoch: str | None = None
    hot: bool = False


class Session:
    """The state of one connection."""

    def __init__(self, now: float) -> None:
        self.state = State.OPEN
        self.subscriptions: dict[Topic, Subscription] = {}
        self._heard_at = now
        self._paused_at = now

    def subscribe(self, topic: Topic, offset: int | None, epoch: str | None = None) -> None:
        """Follow a topic from a position, or from now on; a topic already followed starts again from there."""
        self.subscriptions[topic] = Subscription(offset, epoch)

    def unsubscribe(self, topic: Topic) -> None:
        """Follow a topic no more."""
        self.subscriptions.pop(topic, None)

    def cold(self) -> Topic | None:
        """A topic that must be caught up next; None when all are hot or nothing may be written now."""
        if self.state is not State.OPEN:
            return None
        return next((topic for topic, one in self.subscriptions.items() if not one.hot), None)

    def heard(self, now: float) -> None:
        """The client sent something."""
        self._heard_at = now

    def on(self, event: Event, now: float) -> None:
        """Move by the table."""
        self.state = TRANSITIONS[self.state].get(event, self.state)
        if event is Event.OUTBOX_FULL:
            self._paused_at = now

    def verdict(self, now: float) -> Close | None:
        """Whether the session must end now, and why."""
        if self.state is State.PAUSED and now - self._paused_at > PAUSED_MAX_S:
            return Close.TOO_SLOW
        if self.state is State.OPEN and now - self._heard_at > SILENT_S:
            return Close.SILENT
        return None
