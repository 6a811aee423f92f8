"""The embedded PostgreSQL: its data made beside and renamed, its configuration, its end, and when it is ready."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg

from compose.account import ENVIRONMENT, Account
from compose.binaries import PostgresBinaries
from compose.place import Place, cluster_in
from compose.programs import Program
from storage.domain.errors import ServerNotStarted

NAME: Final = "postgresql"
PORT: Final = 5432
DATABASE: Final = "wellstream"
FAST_THEN_IMMEDIATE: Final = ((int(signal.SIGINT), 20.0), (int(signal.SIGQUIT), 5.0), (int(signal.SIGKILL), 5.0))
MAKING_S: Final = 180
OLDEST_WITH_BUILTIN_LOCALE: Final = 17

SETTINGS: Final = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "fsync": "on",
    "synchronous_commit": "on",
    "max_connections": "200",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "4GB",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "jit": "off",
    "log_checkpoints": "off",
    "logging_collector": "off",
    "cluster_name": DATABASE,
}


def shared_buffers_mb(memory_bytes: int) -> int:
    """PostgreSQL's own cache: a sixteenth of the machine's memory, between 128 MB and 1 GB."""
    return max(128, min(1024, memory_bytes // 16 // 2**20))


def make_cluster(place: Place, binaries: PostgresBinaries, lock: int) -> None:
    """Make the data with the database in it if there is none: beside, then renamed, so that it is whole or not there.

    Raises:
        ServerNotStarted: the data is of another major version or not PostgreSQL's, or cannot be made.
    """
    cluster = cluster_in(place.folder)
    if cluster.exists():
        _require_major(cluster, binaries)
        return
    for left in place.folder.glob("postgresql.new-*"):
        shutil.rmtree(left)
    beside = Path(tempfile.mkdtemp(prefix="postgresql.new-", dir=place.folder))
    try:
        place.account.give(beside)
        seen = place.seen / beside.name
        fds = (lock, *place.lent)
        initdb: list[str | Path] = [binaries.initdb, "-D", seen, *_locale(binaries), *_INITDB]
        _made(place.account, initdb, fds)
        single: list[str | Path] = [binaries.postgres, "--single", "-j", "-D", seen, "template1"]
        _made(place.account, single, fds, f"CREATE DATABASE {DATABASE};\n")
        beside.rename(cluster)
        _synced(place.folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def program(place: Place, binaries: PostgresBinaries) -> Program:
    """How it is run. Its account, this process's user and root may connect, over the socket; the kernel proves who."""
    access, users = place.run / "pg_hba.conf", place.run / "pg_ident.conf"
    access.write_text("local all all peer map=wellstream\n")
    names = {place.account.name, pwd.getpwuid(os.geteuid()).pw_name, pwd.getpwuid(0).pw_name}
    users.write_text("".join(f'wellstream "{name}" {DATABASE}\n' for name in sorted(names)))
    for file in (access, users):
        file.chmod(0o644)
    settings = {
        **SETTINGS,
        "shared_buffers": f"{shared_buffers_mb(os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE'))}MB",
        "unix_socket_directories": f'"{place.sockets_seen}"',
        "hba_file": str(place.seen / "run" / access.name),
        "ident_file": str(place.seen / "run" / users.name),
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return Program(
        NAME,
        (str(binaries.postgres), "-D", str(cluster_in(place.seen)), *options),
        environment=ENVIRONMENT,
        folder="/",
        account=place.account.ids,
        log=str(place.log(NAME)),
        stops=FAST_THEN_IMMEDIATE,
    )


def url(sockets: Path) -> str:
    """The SQLAlchemy URL of the database."""
    return f"postgresql+psycopg://{DATABASE}@/{DATABASE}?host={quote(str(sockets), safe='/')}&port={PORT}"


def is_ready(sockets: Path) -> bool:
    """Whether it answers now."""
    if not (sockets / f".s.PGSQL.{PORT}").exists():
        return False
    try:
        psycopg.connect(host=str(sockets), port=PORT, user=DATABASE, dbname=DATABASE, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


_INITDB: Final = ("-U", DATABASE, "-E", "UTF8", "--auth=peer", "--no-instructions")


def _locale(binaries: PostgresBinaries) -> tuple[str, ...]:
    provider = "builtin" if binaries.major >= OLDEST_WITH_BUILTIN_LOCALE else "libc"
    return (f"--locale-provider={provider}", "--locale=C.UTF-8")


def _require_major(cluster: Path, binaries: PostgresBinaries) -> None:
    try:
        found = (cluster / "PG_VERSION").read_text().strip()
    except OSError as error:
        message = (
            f"{cluster} cannot be read as PostgreSQL's data ({error.strerror}); "
            "start as the user who made it, or choose another folder with --data"
        )
        raise ServerNotStarted(message) from error
    if found != str(binaries.major):
        message = (
            f"the data in {cluster} was written by PostgreSQL {found}, but {binaries.postgres} is {binaries.major}; "
            f"point WELLSTREAM_POSTGRES_BIN to the binaries of PostgreSQL {found}, "
            "or start empty with another --data and bring the data over with pg_dump"
        )
        raise ServerNotStarted(message)


def _made(account: Account, argv: list[str | Path], fds: tuple[int, ...], text: str = "") -> None:
    try:
        answer = account.run(argv, timeout_s=MAKING_S, fds=fds, text=text)
    except (OSError, subprocess.SubprocessError) as error:
        message = f"PostgreSQL's data cannot be made: {error}"
        raise ServerNotStarted(message) from error
    if answer.returncode != 0 or "ERROR:" in answer.stdout or "FATAL:" in answer.stdout:
        message = f"PostgreSQL's data cannot be made: {last_fault(answer.stdout)}"
        raise ServerNotStarted(message)


def last_fault(log: str) -> str:
    """The last line of a log that names a fault, else the last one that says anything."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    faults = [line for line in lines if any(word in line for word in ("FATAL", "PANIC", "ERROR", "error:"))]
    return (faults or lines or ["it said nothing"])[-1]


def _synced(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
