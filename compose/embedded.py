"""PostgreSQL and Redis for this machine: those whose URLs are given, else servers of our own in a data folder."""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from compose import orphans, postgres, valkey
from compose.account import account_for
from compose.binaries import postgres_binaries, redis_binary
from compose.place import Place, cluster_in, made, rotated, settled, try_lock
from compose.programs import TERMINATE_THEN_KILL, Happened, Program, What
from compose.supervise import Supervisor
from storage.domain.errors import ServerNotStarted

READY_WITHIN_S: Final = 300.0
DEATHS_BORNE: Final = 3
_LOOK_S: Final = 0.01
_LOOK_AT_LOCK_S: Final = 0.05
_CARD: Final = "servers.json"


@dataclass(frozen=True, slots=True)
class Servers:
    """Where both are. ``embedded``: the PostgreSQL is ours; ``owner``: this process stops what is ours."""

    database_url: str
    redis_url: str
    embedded: bool
    owner: bool


@contextmanager
def servers(
    data_dir: Path,
    *,
    database_url: str | None,
    redis_url: str | None,
    postgres_bin: Path | None = None,
    redis_bin: Path | None = None,
    told: Callable[[Happened], None] | None = None,
) -> Iterator[Servers]:
    """Both servers, answering. A URL that is given is used as it is; what is not given runs in the data folder.

    The first process of a data folder owns its servers and stops them at the end, however it ends; those that come
    while it runs attach to them and leave them running, and meet `StorageDown` when the owner stops before them.
    A server that dies is started again; the owner's ``told`` hears of it, on another thread, and of LOST: all are gone.

    Raises:
        ServerNotStarted: one sentence says what is wrong, where and what to do.
    """
    if database_url is not None and redis_url is not None:
        yield Servers(database_url, redis_url, embedded=False, owner=False)
        return
    wanted = _Wanted(database_url, redis_url, postgres_bin, redis_bin, told)
    folder = made(data_dir)
    lock = _lock_or_attach(folder, wanted)
    if isinstance(lock, Servers):
        yield lock
        return
    try:
        with _owned(folder, lock, wanted) as owned:
            yield owned
    finally:
        os.close(lock)


@dataclass(frozen=True, slots=True)
class _Wanted:
    database_url: str | None
    redis_url: str | None
    postgres_bin: Path | None
    redis_bin: Path | None
    told: Callable[[Happened], None] | None

    def found(self, sockets: Path, *, owner: bool) -> Servers:
        return Servers(
            self.database_url or postgres.url(sockets),
            self.redis_url or valkey.url(sockets),
            embedded=self.database_url is None,
            owner=owner,
        )


def _lock_or_attach(folder: Path, wanted: _Wanted) -> int | Servers:
    """The lock, or the servers of who has it; in between an owner is starting or stopping, which is waited for."""
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        lock = try_lock(folder)
        if lock is not None:
            return lock
        attached = _attached(folder, wanted)
        if attached is not None:
            return attached
        time.sleep(_LOOK_AT_LOCK_S)
    message = (
        f"another process holds the data folder {folder} and its servers do not answer; "
        "end it, or choose another folder with --data"
    )
    raise ServerNotStarted(message)


def _attached(folder: Path, wanted: _Wanted) -> Servers | None:
    """The running servers as their owner's card says; None while there is none or they do not answer."""
    try:
        card = json.loads((folder / _CARD).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    sockets = Path(card["sockets"])
    for name, given in ((postgres.NAME, wanted.database_url), (valkey.NAME, wanted.redis_url)):
        if given is None and name not in card["servers"]:
            message = (
                f"what runs in {folder} was given a URL for {name}, it has none of its own; give the same URL here"
            )
            raise ServerNotStarted(message)
    if wanted.database_url is None and not postgres.is_ready(sockets):
        return None
    if wanted.redis_url is None and not valkey.is_ready(sockets):
        return None
    return wanted.found(sockets, owner=False)


@contextmanager
def _owned(folder: Path, lock: int, wanted: _Wanted) -> Iterator[Servers]:
    account = account_for(cluster_in(folder))
    card = folder / _CARD
    card.unlink(missing_ok=True)
    _end_orphans(folder)
    with settled(folder, account) as place:
        watches = _watches(place, lock, wanted)
        deaths = _Deaths(wanted.told)
        supervisor = Supervisor(
            [one.program for one in watches],
            deaths.told,
            kept=(lock,),
            lent=place.lent,
            forget=card,
            log=place.log("guard"),
        )
        with supervisor:
            for one in watches:
                _await(one, deaths)
            _write_card(card, place, watches)
            yield wanted.found(place.sockets, owner=True)


@dataclass(frozen=True, slots=True)
class _Watch:
    """A server to wait for: its log has this start's lines from ``log_from`` on."""

    program: Program
    is_ready: Callable[[], bool]
    log: Path
    log_from: int


class _Deaths:
    """Counts how often each program died, and passes on what happened."""

    def __init__(self, told: Callable[[Happened], None] | None) -> None:
        self._pass_on = told
        self.count: dict[str, int] = {}
        self.guard_lost = False

    def told(self, fact: Happened) -> None:
        if fact.what is What.LOST:
            self.guard_lost = True
        elif fact.what is What.DIED:
            self.count[fact.name] = self.count.get(fact.name, 0) + 1
        if self._pass_on is not None:
            self._pass_on(fact)


def _watches(place: Place, lock: int, wanted: _Wanted) -> list[_Watch]:
    watches = []
    if wanted.database_url is None:
        binaries = postgres_binaries(wanted.postgres_bin, place.account)
        postgres.make_cluster(place, binaries, lock)
        watches.append(_watch(place, postgres.program(place, binaries), postgres.is_ready))
    if wanted.redis_url is None:
        binary = redis_binary(wanted.redis_bin, place.account)
        watches.append(_watch(place, valkey.program(place, binary), valkey.is_ready))
    return watches


def _watch(place: Place, program: Program, is_ready: Callable[[Path], bool]) -> _Watch:
    log = place.log(program.name)
    return _Watch(program, lambda: is_ready(place.sockets), log, rotated(log))


def _await(one: _Watch, deaths: _Deaths) -> None:
    """Return when the server answers.

    Raises:
        ServerNotStarted: it died several times, or does not answer in time; with the last line that it wrote.
    """
    deadline = time.monotonic() + READY_WITHIN_S
    while not one.is_ready():
        if deaths.guard_lost:
            raise _not_started(replace(one, log=one.log.with_name("guard.log"), log_from=0), "lost its guard")
        if deaths.count.get(one.program.name, 0) >= DEATHS_BORNE:
            raise _not_started(one, "does not start")
        if time.monotonic() > deadline:
            raise _not_started(one, f"does not answer within {READY_WITHIN_S:.0f} s")
        time.sleep(_LOOK_S)


def _not_started(one: _Watch, what: str) -> ServerNotStarted:
    said = one.log.read_bytes()[one.log_from :].decode(errors="replace") if one.log.exists() else ""
    why = postgres.last_fault(said)
    return ServerNotStarted(f"the embedded {one.program.name} {what}: {why}; its log is {one.log}")


def _end_orphans(folder: Path) -> None:
    """Nobody else may run servers here: what a lost guard left behind is ended, stale pid files are removed."""
    cluster, run = cluster_in(folder), folder / "run"
    orphans.end(cluster / "postmaster.pid", cluster, postgres.FAST_THEN_IMMEDIATE)
    orphans.end(run / valkey.PID_FILE, run, TERMINATE_THEN_KILL)


def _write_card(card: Path, place: Place, watches: list[_Watch]) -> None:
    """Tell those that come later what runs here; whole or not there."""
    beside = card.with_suffix(".new")
    beside.write_text(json.dumps({"sockets": str(place.sockets), "servers": [one.program.name for one in watches]}))
    beside.replace(card)
