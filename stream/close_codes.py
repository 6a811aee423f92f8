"""Why the gateway closes a socket, and whether and when to come back: one table for server, browser and README."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class Close(IntEnum):
    """The close codes of the gateway."""

    GOING_AWAY = 1001
    RESTARTING = 1012
    NOT_READY = 1013
    SILENT = 4001
    BAD_MESSAGE = 4002
    NOT_ALLOWED = 4003
    TOO_SLOW = 4008


@dataclass(frozen=True, slots=True)
class Advice:
    """What a close means to a client: come back by itself or not, and how soon at the earliest, with full jitter."""

    reason: str
    come_back: bool
    within_s: float


ADVICE: Final[dict[Close, Advice]] = {
    Close.GOING_AWAY: Advice("the service stops", True, 2.0),
    Close.RESTARTING: Advice("the service restarts", True, 2.0),
    Close.NOT_READY: Advice("the gateway does not reach PostgreSQL yet", True, 5.0),
    Close.SILENT: Advice("nothing was heard from the client for 30 s", True, 1.0),
    Close.BAD_MESSAGE: Advice("a message was not of the protocol", False, 0.0),
    Close.NOT_ALLOWED: Advice("the client may not see this", False, 0.0),
    Close.TOO_SLOW: Advice("the client did not read fast enough; it resumes at its position", True, 0.5),
}
