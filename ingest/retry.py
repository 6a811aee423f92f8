"""Trying again what storage could not take, with growing, jittered waits."""

import random
import threading
from collections.abc import Callable
from typing import Final, TypeVar

from storage.domain.errors import StorageDown

FIRST_WAIT_S: Final = 0.2
LONGEST_WAIT_S: Final = 5.0

Result = TypeVar("Result")


def wait_s(failures: int, share: float) -> float:
    """How long to wait after so many failures in a row (at least 1): full jitter, ``share`` in 0..1 of the ceiling."""
    return share * float(min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(failures - 1, 10)))


def until_stored(
    attempt: Callable[[], Result], stop: threading.Event, on_failure: Callable[[StorageDown], None] = lambda _: None
) -> Result | None:
    """The attempt's result, tried until it succeeds; None when ``stop`` is set first.

    ``on_failure`` hears of every failure, so that an outage can be told.
    """
    failures = 0
    while not stop.is_set():
        try:
            return attempt()
        except StorageDown as error:
            failures += 1
            on_failure(error)
            stop.wait(wait_s(failures, random.random()))  # noqa: S311
    return None
