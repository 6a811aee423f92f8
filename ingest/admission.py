"""How many bodies are let in at once: bounded in number and in bytes, so that a flood is told to wait."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from storage.domain.errors import TooBusy

MOST_BODIES: Final = 32
MOST_BYTES: Final = 64 * 1024 * 1024
AT_WORK: Final = 4
"""Of the bodies let in, so many are parsed and stored at once; the others wait for their turn."""


class Admission:
    """Counts the bodies and bytes that are let in. Used on one thread, that of the event loop."""

    def __init__(self, most_bodies: int = MOST_BODIES, most_bytes: int = MOST_BYTES) -> None:
        self._most_bodies = most_bodies
        self._most_bytes = most_bytes
        self.bodies = 0
        self.bytes = 0

    @contextmanager
    def admitted(self, size: int) -> Iterator[None]:
        """Hold a place for a body of at most ``size`` bytes until the end of the block.

        Raises:
            TooBusy: all places are taken, or the bytes would be more than are held at once.
        """
        if self.bodies + 1 > self._most_bodies or self.bytes + size > self._most_bytes:
            message = (
                f"{self.bodies} bodies of {self.bytes:,} bytes are being worked on, and at most {self._most_bodies}"
                f" of {self._most_bytes:,} are: send this one of {size:,} bytes again later"
            )
            raise TooBusy(message)
        self.bodies += 1
        self.bytes += size
        try:
            yield
        finally:
            self.bodies -= 1
            self.bytes -= size
