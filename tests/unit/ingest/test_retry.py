"""What storage could not take is tried again until it can, or until told to stop."""

import threading

import pytest

from ingest.retry import LONGEST_WAIT_S, until_stored, wait_s
from storage.domain.errors import InputRefused, StorageDown


class Storage:
    """Is away for so many calls, then answers."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.calls = 0

    def call(self) -> str:
        self.calls += 1
        if self.calls <= self.failures:
            message = "away"
            raise StorageDown(message)
        return "stored"


def test_what_succeeds_is_called_once() -> None:
    storage = Storage(0)
    assert until_stored(storage.call, threading.Event()) == "stored"
    assert storage.calls == 1


def test_what_fails_is_called_until_it_succeeds_and_every_failure_is_told() -> None:
    storage, told = Storage(3), list[StorageDown]()
    assert until_stored(storage.call, threading.Event(), told.append) == "stored"
    assert len(told) == 3


def test_stop_ends_the_waiting() -> None:
    stop = threading.Event()
    storage = Storage(10**9)
    assert until_stored(storage.call, stop, lambda _: stop.set()) is None
    assert storage.calls == 1


def test_what_cannot_get_better_is_not_tried_again() -> None:
    calls = []

    def refuse() -> None:
        calls.append(1)
        message = "never"
        raise InputRefused(message)

    with pytest.raises(InputRefused):
        until_stored(refuse, threading.Event())
    assert len(calls) == 1


def test_waits_grow_to_a_ceiling_and_are_jittered() -> None:
    ceilings = [wait_s(failures, 1.0) for failures in range(1, 100)]
    assert ceilings == sorted(ceilings)
    assert ceilings[0] < ceilings[1]
    assert ceilings[-1] == LONGEST_WAIT_S
    assert wait_s(5, 0.0) == 0
