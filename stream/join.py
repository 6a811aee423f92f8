"""Joining what was read from the log with what was heard live, by position; a hole is an answer."""

from collections.abc import Iterable
from dataclasses import dataclass

from storage.log import LogMessage


@dataclass(frozen=True, slots=True)
class Gap:
    """Positions in (after, upto] that are neither in the past nor among the live ones given."""

    after: int
    upto: int


def join(seen: int, past: Iterable[LogMessage], live: Iterable[LogMessage]) -> list[LogMessage] | Gap:
    """What follows ``seen``: each position once, in order, without a hole; or the first hole.

    ``past`` and ``live`` are messages of one field and epoch in any order, with repeats and overlaps; messages at
    or before ``seen`` are dropped.
    """
    by_offset = {message.offset: message for message in (*past, *live) if message.offset > seen}
    ordered = [by_offset[offset] for offset in sorted(by_offset)]
    for expected, message in enumerate(ordered, start=seen + 1):
        if message.offset != expected:
            return Gap(expected - 1, message.offset - 1)
    return ordered
