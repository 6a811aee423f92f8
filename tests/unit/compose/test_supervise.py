"""When programs are started again and how they are stopped; and that a supervisor does so with real processes."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from compose.programs import (
    BACKOFF_FIRST_S,
    BACKOFF_LAST_S,
    HEALTHY_AFTER_S,
    Happened,
    Overseer,
    Program,
    Send,
    Start,
    What,
)
from compose.supervise import Supervisor

SLEEPER = (sys.executable, "-c", "import time; time.sleep(60)")
STUBBORN = (
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)",
)


def overseer(*programs: Program, jitter: float = 1.0) -> Overseer:
    return Overseer(programs, lambda: jitter, now=0.0)


def running(*names: str) -> Overseer:
    made = overseer(*(Program(name, ("x",), stops=((15, 2.0), (9, 1.0))) for name in names))
    for name in names:
        made.started(name, 0.0)
    return made


def until(happens: Callable[[], bool], within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    while not happens():
        assert time.monotonic() < deadline, f"did not happen within {within_s} s"
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    """Whether a process is dead; one that nobody collected counts."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def test_programs_are_started_in_their_order() -> None:
    made = overseer(Program("first", ("x",)), Program("second", ("x",)))
    assert made.tick(0.0) == [Start("first"), Start("second")]


def test_each_wait_before_a_new_start_is_twice_the_last_and_bounded() -> None:
    made = overseer(Program("a", ("x",)))
    waits = [made.exited("a", 1, now=0.0) for _ in range(10)]
    assert waits[:3] == [BACKOFF_FIRST_S, 2 * BACKOFF_FIRST_S, 4 * BACKOFF_FIRST_S]
    assert waits[-1] == BACKOFF_LAST_S


def test_the_jitter_is_full() -> None:
    assert overseer(Program("a", ("x",)), jitter=0.0).exited("a", 1, now=0.0) == 0.0


def test_a_dead_program_is_started_when_its_wait_is_over_and_not_before() -> None:
    made = running("a")
    made.exited("a", 1, now=1.0)
    assert made.tick(1.0 + BACKOFF_FIRST_S / 2) == []
    assert made.wake_at() == 1.0 + BACKOFF_FIRST_S
    assert made.tick(1.0 + BACKOFF_FIRST_S) == [Start("a")]


def test_a_program_that_lived_long_begins_anew() -> None:
    made = overseer(Program("a", ("x",)))
    for _ in range(5):
        made.exited("a", 1, now=0.0)
    made.started("a", 0.0)
    assert made.exited("a", 1, now=HEALTHY_AFTER_S) == BACKOFF_FIRST_S


def test_code_0_is_the_end_only_of_a_program_that_ends() -> None:
    assert overseer(Program("a", ("x",), ends=True)).exited("a", 0, now=0.0) is None
    assert overseer(Program("a", ("x",), ends=True)).exited("a", 1, now=0.0) is not None
    assert overseer(Program("a", ("x",))).exited("a", 0, now=0.0) is not None


def test_programs_are_stopped_one_after_the_other_from_the_last() -> None:
    made = running("first", "second")
    made.stop()
    assert made.tick(0.0) == [Send("second", 15)]
    assert made.tick(1.0) == []
    assert made.exited("second", 0, now=1.0) is None
    assert made.tick(1.0) == [Send("first", 15)]
    made.exited("first", -15, now=1.5)
    assert made.done


def test_one_that_does_not_stop_gets_the_next_signal_and_is_given_up_at_last() -> None:
    made = running("a")
    made.stop()
    assert made.tick(0.0) == [Send("a", 15)]
    assert made.wake_at() == 2.0
    assert made.tick(2.0) == [Send("a", 9)]
    assert made.tick(3.0) == []
    assert made.done


def test_what_waits_for_a_new_start_is_not_started_while_stopping() -> None:
    made = running("a")
    made.exited("a", 1, now=0.0)
    made.stop()
    assert made.tick(100.0) == []
    assert made.done


@pytest.mark.parametrize(
    ("fact", "sentence"),
    [
        (Happened("a", What.DIED, code=-9, again_in_s=0.25), "a died (SIGKILL), started again in 0.2 s"),
        (Happened("a", What.ENDED, code=0), "a ended (exit code 0)"),
        (Happened("a", What.STARTED, pid=7), "a started"),
        (Happened("a", What.ENDED, code=-99), "a ended (signal 99)"),
    ],
)
def test_a_fact_says_what_became_of_a_program(fact: Happened, sentence: str) -> None:
    assert str(fact) == sentence


def test_a_program_that_is_killed_runs_again() -> None:
    facts: list[Happened] = []
    with Supervisor([Program("a", SLEEPER)], facts.append) as supervisor:
        until(lambda: "a" in supervisor.pids)
        first = supervisor.pids["a"]
        os.kill(first, signal.SIGKILL)
        until(lambda: supervisor.pids.get("a", first) != first)
        second = supervisor.pids["a"]
    assert is_gone(second)
    assert [one.what for one in facts] == [What.STARTED, What.DIED, What.STARTED, What.ENDED]
    assert facts[1].code == -signal.SIGKILL


def test_what_cannot_be_started_is_told_and_tried_again() -> None:
    died = threading.Event()
    facts: list[Happened] = []

    def told(fact: Happened) -> None:
        facts.append(fact)
        died.set()

    with Supervisor([Program("a", ("/nowhere/at/all",))], told):
        assert died.wait(10)
    assert (facts[0].what, facts[0].code) == (What.DIED, 127)


def test_waiting_ends_when_every_program_has_ended() -> None:
    with Supervisor([Program("a", (sys.executable, "-c", ""), ends=True)]) as supervisor:
        assert supervisor.wait(10)


def test_one_that_ignores_sigterm_is_killed_with_its_whole_group(tmp_path: Path) -> None:
    log = tmp_path / "log"
    supervisor = Supervisor(
        [Program("a", STUBBORN, log=str(log), stops=((signal.SIGTERM, 0.2), (signal.SIGKILL, 5.0)))]
    )
    supervisor.start()
    until(lambda: log.exists() and log.read_text() == "ready\n")
    pid = supervisor.pids["a"]
    supervisor.stop()
    supervisor.stop()
    assert is_gone(pid)


def test_a_guard_that_is_killed_takes_its_programs_along_and_is_reported() -> None:
    lost = threading.Event()
    with Supervisor([Program("a", SLEEPER)], lambda fact: lost.set() if fact.what is What.LOST else None) as supervisor:
        until(lambda: "a" in supervisor.pids)
        program = psutil.Process(supervisor.pids["a"])
        os.kill(program.ppid(), signal.SIGKILL)
        assert lost.wait(10)
        assert supervisor.wait(10)
        if sys.platform == "linux":
            until(lambda: is_gone(program.pid))


def test_a_file_that_tells_others_is_removed_when_stopping(tmp_path: Path) -> None:
    card = tmp_path / "card"
    card.touch()
    with Supervisor([Program("a", SLEEPER)], forget=card) as supervisor:
        until(lambda: "a" in supervisor.pids)
        assert card.exists()
    assert not card.exists()


PARENT = """
import sys, time
from compose.programs import Program
from compose.supervise import Supervisor
supervisor = Supervisor([Program("a", (sys.executable, "-c", "import time; time.sleep(60)"))])
supervisor.start()
while "a" not in supervisor.pids:
    time.sleep(0.01)
print(supervisor.pids["a"], flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_parent_that_is_killed_leaves_no_program_behind(number: signal.Signals) -> None:
    root = Path(__file__).parents[3]
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, cwd=root) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert not is_gone(pid)
        parent.send_signal(number)
    until(lambda: is_gone(pid))
