"""The guard: a process that runs programs for as long as its standard input is held open by who started it.

Standard input brings one line of JSON (the programs), then nothing; when it closes, for whatever reason, all programs
are stopped. Facts go to standard output, one JSON line each. Only the standard library, to be there at once.
"""

import ctypes
import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, Final

from compose.programs import Happened, Overseer, Program, Send, Start, What

CONTROL: Final = 0
ERRORS: Final = 2
LOOK_AT_PARENT_S: Final = 1.0
NOT_STARTED: Final = 127
PR_SET_PDEATHSIG: Final = 1


def main() -> None:
    """Run what the first line of standard input names, until it closes or SIGTERM comes."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _ignore)
    order = json.loads(_first_line())
    forget = None if order["forget"] is None else Path(order["forget"])
    Guard([_program(one) for one in order["programs"]], tuple(order["lent"]), forget).run()


class Guard:
    """Carries out what an `Overseer` decides. ``lent`` are the file descriptors that the programs get.

    ``forget`` is a file that is removed as soon as stopping begins: what tells others that the programs are there.
    """

    def __init__(self, programs: list[Program], lent: tuple[int, ...], forget: Path | None) -> None:
        self._programs = {one.name: one for one in programs}
        self._overseer = Overseer(programs, random.random, time.monotonic())
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._lent = lent
        self._forget = forget
        self._parent = os.getppid()
        self._asked_to_stop = False
        self._stopping = False
        self._die_with_guard = _die_with_guard()

    def run(self) -> None:
        """Return when every program has ended."""
        woken, waker = os.pipe()
        os.set_blocking(waker, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _ignore)
        signal.signal(signal.SIGTERM, self._ask_to_stop)
        while not self._overseer.done:
            for action in self._overseer.tick(time.monotonic()):
                self._carry_out(action)
            self._wait(woken)
            self._reap()

    def _wait(self, woken: int) -> None:
        due = self._overseer.wake_at()
        patience = LOOK_AT_PARENT_S if due is None else min(LOOK_AT_PARENT_S, max(0.0, due - time.monotonic()))
        watched = [woken] if self._stopping else [woken, CONTROL]
        readable, _, _ = select.select(watched, [], [], patience)
        if woken in readable:
            os.read(woken, 4096)
        closed = CONTROL in readable and not os.read(CONTROL, 4096)
        if closed or self._asked_to_stop or os.getppid() != self._parent:
            self._stop()

    def _ask_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._asked_to_stop = True

    def _stop(self) -> None:
        if not self._stopping:
            self._stopping = True
            if self._forget is not None:
                self._forget.unlink(missing_ok=True)
            self._overseer.stop()

    def _carry_out(self, action: Start | Send) -> None:
        if isinstance(action, Start):
            self._start(self._programs[action.name])
            return
        running = self._running[action.name]
        if action.number == signal.SIGKILL:
            with suppress(ProcessLookupError):
                os.killpg(running.pid, action.number)
        else:
            running.send_signal(action.number)

    def _start(self, program: Program) -> None:
        try:
            running = self._popen(program)
        except (OSError, subprocess.SubprocessError) as error:
            os.write(ERRORS, f"{program.name} cannot be started: {error}\n".encode())
            self._gone(program.name, NOT_STARTED)
            return
        self._running[program.name] = running
        self._overseer.started(program.name, time.monotonic())
        _tell(Happened(program.name, What.STARTED, pid=running.pid))

    def _popen(self, program: Program) -> subprocess.Popen[bytes]:
        """The program in a session of its own, told by the kernel when this guard dies (on Linux)."""
        output = ERRORS if program.log is None else os.open(program.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        first_stop = program.stops[0][0] if program.stops else int(signal.SIGKILL)
        account: dict[str, Any] = {}
        if program.account is not None:
            account = {"user": program.account[0], "group": program.account[1], "extra_groups": []}
        try:
            return subprocess.Popen(
                program.argv,
                env=program.environment,
                cwd=program.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=self._lent,
                start_new_session=True,
                preexec_fn=lambda: self._die_with_guard(first_stop),
                **account,
            )
        finally:
            if output != ERRORS:
                os.close(output)

    def _reap(self) -> None:
        for name, running in list(self._running.items()):
            code = running.poll()
            if code is not None:
                del self._running[name]
                self._gone(name, code)

    def _gone(self, name: str, code: int) -> None:
        again = self._overseer.exited(name, code, time.monotonic())
        _tell(Happened(name, What.ENDED if again is None else What.DIED, code=code, again_in_s=again))


def _die_with_guard() -> Callable[[int], None]:
    """A function for the child, called between fork and exec: the kernel shall signal it when this process dies."""
    if sys.platform != "linux":
        return lambda _number: None
    prctl = ctypes.CDLL(None).prctl
    guard = os.getpid()

    def ask(number: int) -> None:
        prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != guard:
            os._exit(NOT_STARTED)

    return ask


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """A handler that does nothing: unlike SIG_IGN the programs do not inherit it."""


def _tell(fact: Happened) -> None:
    line = {"name": fact.name, "what": fact.what, "pid": fact.pid, "code": fact.code, "again_in_s": fact.again_in_s}
    with suppress(BrokenPipeError):  # who started this guard is dead: its standard input says so too
        os.write(1, json.dumps(line).encode() + b"\n")


def _first_line() -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        more = os.read(CONTROL, 65_536)
        if not more:
            sys.exit(0)
        line += more
    return line


def _program(order: dict[str, Any]) -> Program:
    order["argv"] = tuple(order["argv"])
    order["account"] = None if order["account"] is None else tuple(order["account"])
    order["stops"] = tuple((number, seconds) for number, seconds in order["stops"])
    return Program(**order)
