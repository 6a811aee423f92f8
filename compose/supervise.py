"""Runs named child processes through a guard: none of them outlives this process, however it dies."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from compose.programs import Happened, Program, What

_ROOT: Final = str(Path(__file__).resolve().parents[1])
_GUARD: Final = f"import sys; sys.path.insert(0, {_ROOT!r}); from compose.guard import main; main()"
MARGIN_S: Final = 5.0


class Supervisor:
    """Keeps programs running from `start` to `stop`; also a context manager.

    Programs are started in order and stopped in reverse order, one after the other; one that dies is started again
    after a bounded exponential wait with full jitter. ``told`` gets every fact, on a thread of the supervisor's. The
    programs have sessions of their own: Ctrl-C at the terminal reaches only this process. When this process is killed,
    the guard stops the programs in the same way; when the guard is killed, the kernel does (Linux only).

    ``kept`` are file descriptors that the guard holds open until everything is stopped (a lock), ``lent`` those that
    the programs get too. ``forget`` is a file that the guard removes when stopping begins. ``log`` is the file for what
    the guard itself has to say; None is this process's standard error.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        told: Callable[[Happened], None] | None = None,
        *,
        kept: tuple[int, ...] = (),
        lent: tuple[int, ...] = (),
        forget: Path | None = None,
        log: Path | None = None,
    ) -> None:
        self._programs = tuple(programs)
        self._told = told or (lambda _fact: None)
        self._kept = kept
        self._lent = lent
        self._forget = forget
        self._log = log
        self._guard: subprocess.Popen[bytes] | None = None
        self._pids: dict[str, int] = {}
        self._stopping = False
        self._over = threading.Event()

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of the programs that run now."""
        return dict(self._pids)

    def start(self) -> None:
        """Start the guard, which starts the programs; does not wait for them.

        Raises:
            OSError: the guard cannot be started.
        """
        self._guard = self._popen()
        order = {
            "programs": [asdict(one) for one in self._programs],
            "lent": self._lent,
            "forget": None if self._forget is None else str(self._forget),
        }
        threading.Thread(target=self._listen, args=(self._guard,), name="supervisor", daemon=True).start()
        with suppress(BrokenPipeError):  # the guard is dead already: `_listen` tells so
            stdin = self._guard.stdin
            if stdin is not None:
                stdin.write(json.dumps(order).encode() + b"\n")
                stdin.flush()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Whether all programs have ended for good, or the guard was lost, within the time."""
        return self._over.wait(timeout_s)

    def stop(self) -> None:
        """Stop all programs in reverse order and return when they are gone. Safe to call twice."""
        if self._guard is None:
            return
        self._stopping = True
        self._guard.send_signal(signal.SIGTERM)  # a forked copy of this process may hold the pipe open too
        if self._guard.stdin is not None:
            with suppress(BrokenPipeError):
                self._guard.stdin.close()
        bound_s = MARGIN_S + sum(seconds for one in self._programs for _, seconds in one.stops)
        try:
            self._guard.wait(timeout=bound_s)
        except subprocess.TimeoutExpired:
            self._guard.send_signal(signal.SIGKILL)
            self._guard.wait()
        self._over.wait(MARGIN_S)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _popen(self) -> subprocess.Popen[bytes]:
        errors = None if self._log is None else self._log.open("ab")
        try:
            return subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _GUARD, "wellstream-guard"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                pass_fds=(*self._kept, *self._lent),
                cwd="/",
                start_new_session=True,
            )
        finally:
            if errors is not None:
                errors.close()

    def _listen(self, guard: subprocess.Popen[bytes]) -> None:
        if guard.stdout is not None:
            with guard.stdout:
                for line in guard.stdout:
                    self._happened(json.loads(line))
        self._pids.clear()
        if not self._stopping and guard.wait() != 0:
            self._told(Happened("guard", What.LOST, code=guard.returncode))
        self._over.set()

    def _happened(self, line: dict[str, str | int | None]) -> None:
        fact = Happened(**{**line, "what": What(str(line["what"]))})  # type: ignore[arg-type]
        if fact.what is What.STARTED and fact.pid is not None:
            self._pids[fact.name] = fact.pid
        else:
            self._pids.pop(fact.name, None)
        self._told(fact)
