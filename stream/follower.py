"""A follower of one field's log: turns what is heard, lost, repeated and read into one unbroken order. Pure."""

from collections.abc import Sequence
from typing import Final

from storage.log import LogMessage
from stream.join import Gap, join

HELD_MAX: Final = 1_000
"""Live messages kept while a hole before them is read; past this they are dropped and read from the log."""


class Follower:
    """Stands at ``position`` in a field's log and gives out what follows, once and in order.

    ``heard`` takes doorbell messages, ``head_is`` takes the log's head from a poll, ``read`` takes rows of the log.
    When `missing` is not None, the caller reads that stretch of the log and gives it to ``read``.
    """

    def __init__(self, position: int) -> None:
        self.position = position
        self.head = position
        self._held: dict[int, LogMessage] = {}

    def heard(self, message: LogMessage) -> list[LogMessage]:
        """A message came by the doorbell. Returns what is now due, in order."""
        self.head = max(self.head, message.offset)
        return self._due((message,))

    def head_is(self, offset: int) -> None:
        """The log is known to reach ``offset``."""
        self.head = max(self.head, offset)

    def read(self, past: Sequence[LogMessage]) -> list[LogMessage]:
        """Rows of the log were read. Returns what is now due, in order."""
        if past:
            self.head = max(self.head, past[-1].offset)
        return self._due(past)

    def missing(self) -> Gap | None:
        """The stretch of the log that must be read before anything more can be given out."""
        if self.position >= self.head:
            return None
        return Gap(self.position, min(self._held, default=self.head + 1) - 1)

    def _due(self, messages: Sequence[LogMessage]) -> list[LogMessage]:
        known = self._held | {message.offset: message for message in messages}
        joined = join(self.position, known.values(), ())
        if isinstance(joined, Gap):
            end = joined.after
            joined = join(self.position, (message for message in known.values() if message.offset <= end), ())
            assert not isinstance(joined, Gap), "whole up to its first hole"  # noqa: S101
        self.position += len(joined)
        held = {offset: message for offset, message in known.items() if offset > self.position}
        self._held = held if len(held) <= HELD_MAX else {}
        return joined
