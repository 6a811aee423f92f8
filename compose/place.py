"""The folder that the embedded servers live in: its parts, its lock, and how their account gets at it."""

import fcntl
import hashlib
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from compose.account import Account
from storage.domain.errors import ServerNotStarted

SOCKET_PATH_BYTES: Final = 107
_LONGEST_SOCKET_NAME: Final = "/.s.PGSQL.5432"
_LOG_BYTES: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class Place:
    """A data folder in use. ``seen`` is the path by which the servers' account sees ``folder``."""

    folder: Path
    seen: Path
    account: Account
    sockets: Path
    sockets_seen: Path
    lent: tuple[int, ...]

    @property
    def run(self) -> Path:
        """What is only true while the servers run: their configuration and pids."""
        return self.folder / "run"

    def log(self, name: str) -> Path:
        """The log of one server; a grown one is put aside as ``.1`` by `rotated`."""
        return self.folder / "log" / f"{name}.log"


def cluster_in(folder: Path) -> Path:
    """Where PostgreSQL's data is in a data folder."""
    return folder / "postgresql"


def made(data_dir: Path) -> Path:
    """The data folder, absolute, made if it is not there.

    Raises:
        ServerNotStarted: it cannot be made or written, or as root: it is somebody else's.
    """
    folder = data_dir.expanduser().absolute()
    try:
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        (folder / "log").mkdir(mode=0o700, exist_ok=True)
        owner = folder.stat().st_uid
    except OSError as error:
        message = f"the data folder {folder} cannot be used: {_reason(error)}; choose another one with --data"
        raise ServerNotStarted(message) from error
    if os.geteuid() == 0 != owner:
        message = (
            f"the data folder {folder} belongs to user id {owner}, not to root; "
            "start as that user, or choose another one with --data"
        )
        raise ServerNotStarted(message)
    return folder


def try_lock(folder: Path) -> int | None:
    """The lock of the one owner, as a file descriptor to close at the end; None while somebody has it.

    Raises:
        ServerNotStarted: the lock file cannot be written.
    """
    try:
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        message = f"the data folder {folder} cannot be used: {_reason(error)}; choose another one with --data"
        raise ServerNotStarted(message) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


@contextmanager
def settled(folder: Path, account: Account) -> Iterator[Place]:
    """The folder's parts made ready for servers of this account; only for who has the lock.

    Raises:
        ServerNotStarted: the account cannot get at it.
    """
    lent = _opened(folder, account)
    try:
        seen = Path(f"/proc/self/fd/{lent[0]}") if lent else folder
        run = folder / "run"
        _cleared(run, account)
        sockets = sockets_of(folder)
        inside = sockets == run
        if not inside:
            _cleared(sockets, account)
        yield Place(folder, seen, account, sockets, seen / "run" if inside else sockets, lent)
    finally:
        for one in lent:
            os.close(one)


def sockets_of(folder: Path) -> Path:
    """The folder of the sockets: inside the data folder; where its path is too long, a temporary one."""
    inside = folder / "run"
    if len(os.fsencode(f"{inside}{_LONGEST_SOCKET_NAME}")) <= SOCKET_PATH_BYTES:
        return inside
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"wellstream-{os.geteuid()}-{name}"


def rotated(log: Path) -> int:
    """Put a log aside that has grown large; the size of what is left, where the next line will be."""
    if not log.exists():
        return 0
    if log.stat().st_size > _LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
        return 0
    return log.stat().st_size


def _opened(folder: Path, account: Account) -> tuple[int, ...]:
    """Nothing where the account reaches the folder, else the folder as an open descriptor.

    Root's own folders are usually closed to others (/root is 0700) and are not opened for them here. On Linux a process
    that holds such a descriptor reaches the folder as /proc/self/fd/N without passing through those above it.
    """
    if account.reaches(folder):
        return ()
    if sys.platform == "linux":
        descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        seen = f"/proc/self/fd/{descriptor}/."
        if account.run(["test", "-d", seen], timeout_s=10, fds=(descriptor,)).returncode == 0:
            return (descriptor,)
        os.close(descriptor)
    message = (
        f"the servers run as {account.name}, who cannot reach the data folder {folder}; "
        "choose one that every user may pass through with --data"
    )
    raise ServerNotStarted(message)


def _cleared(folder: Path, account: Account) -> None:
    """An empty folder that only the account (and root) may enter."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.geteuid(), account.uid):
        message = f"{folder} is in the way: it is not a folder of {account.name}'s; remove it"
        raise ServerNotStarted(message)
    account.give(folder)
    folder.chmod(0o700)
    for one in folder.iterdir():
        one.unlink()


def _reason(error: OSError) -> str:
    return f"{(error.strerror or str(error)).lower()} ({error.filename})"
