"""When a supervised program is started, started again and stopped. Decides; owns no clock, no process."""

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

BACKOFF_FIRST_S: Final = 0.2
BACKOFF_LAST_S: Final = 15.0
HEALTHY_AFTER_S: Final = 30.0

TERMINATE_THEN_KILL: Final = ((int(signal.SIGTERM), 10.0), (int(signal.SIGKILL), 5.0))


@dataclass(frozen=True, slots=True)
class Program:
    """What to run. ``stops`` are the signals that stop it, each with the seconds it is given before the next one.

    ``environment`` None means the supervisor's own; ``account`` is (uid, gid) to run as; ``log`` is a file that all its
    output is added to, None the supervisor's standard error. ``ends``: leaving with code 0 is its end, not a fault.
    """

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] | None = None
    folder: str | None = None
    account: tuple[int, int] | None = None
    log: str | None = None
    stops: tuple[tuple[int, float], ...] = TERMINATE_THEN_KILL
    ends: bool = False


class What(StrEnum):
    """What became of a program. LOST is told of the guard itself: it and everything it ran is gone."""

    STARTED = "started"
    DIED = "died"
    ENDED = "ended"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Happened:
    """A fact about one program. A negative code is the signal that killed it; ``again_in_s`` goes with DIED."""

    name: str
    what: What
    pid: int | None = None
    code: int | None = None
    again_in_s: float | None = None

    def __str__(self) -> str:
        if self.what is What.DIED:
            return f"{self.name} died ({_said(self.code)}), started again in {self.again_in_s or 0:.1f} s"
        return f"{self.name} {self.what}" + (f" ({_said(self.code)})" if self.code is not None else "")


@dataclass(frozen=True, slots=True)
class Start:
    """Start this program now."""

    name: str


@dataclass(frozen=True, slots=True)
class Send:
    """Send this program a signal now."""

    name: str
    number: int


class Overseer:
    """Starts programs in order, starts dead ones again after a backoff, stops all in reverse order.

    ``jitter()`` is uniform in 0..1: the n-th wait is ``jitter() * min(BACKOFF_LAST_S, BACKOFF_FIRST_S * 2**n)``; a
    program that lived for ``HEALTHY_AFTER_S`` begins anew. Times are seconds of one monotonic clock.
    """

    def __init__(self, programs: Sequence[Program], jitter: Callable[[], float], now: float) -> None:
        self._jitter = jitter
        self._runs = {one.name: _Run(one, start_at=now) for one in programs}
        self._stopping = False

    @property
    def done(self) -> bool:
        """Whether every program has ended for good."""
        return all(run.over for run in self._runs.values())

    def tick(self, now: float) -> list[Start | Send]:
        """What is due now. A `Start` is answered by `started` or `exited` before the next tick."""
        if self._stopping:
            return self._next_stop(now)
        return [Start(name) for name, run in self._runs.items() if run.start_at is not None and run.start_at <= now]

    def wake_at(self) -> float | None:
        """When `tick` is next due, if nothing happens before."""
        runs = self._runs.values()
        due = [run.patience_until if self._stopping else run.start_at for run in runs if not run.over]
        return min((at for at in due if at is not None), default=None)

    def started(self, name: str, now: float) -> None:
        """The program runs."""
        run = self._runs[name]
        run.start_at, run.running_since = None, now

    def exited(self, name: str, code: int, now: float) -> float | None:
        """The program is gone, or could not be started. Seconds until it is started again; None when it is not."""
        run = self._runs[name]
        since, run.running_since, run.start_at = run.running_since, None, None
        if self._stopping or (run.program.ends and code == 0):
            run.over = True
            return None
        if since is not None and now - since >= HEALTHY_AFTER_S:
            run.failures = 0
        wait: float = self._jitter() * min(BACKOFF_LAST_S, BACKOFF_FIRST_S * 2**run.failures)
        run.failures = min(run.failures + 1, 16)
        run.start_at = now + wait
        return wait

    def stop(self) -> None:
        """Stop everything; nothing is started from now on."""
        self._stopping = True
        for run in self._runs.values():
            run.start_at = None
            run.over = run.over or run.running_since is None

    def _next_stop(self, now: float) -> list[Start | Send]:
        """The next signal for the last program that still runs; one that outlived all its signals is given up."""
        for run in reversed(self._runs.values()):
            if run.over:
                continue
            if run.patience_until is not None and now < run.patience_until:
                return []
            if run.signals_sent == len(run.program.stops):
                run.over = True
                continue
            number, patience_s = run.program.stops[run.signals_sent]
            run.signals_sent += 1
            run.patience_until = now + patience_s
            return [Send(run.program.name, number)]
        return []


@dataclass(slots=True)
class _Run:
    program: Program
    start_at: float | None
    running_since: float | None = None
    failures: int = 0
    signals_sent: int = 0
    patience_until: float | None = None
    over: bool = False


def _said(code: int | None) -> str:
    if code is None or code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
