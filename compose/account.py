"""Whom the embedded servers run as: PostgreSQL refuses root, so root lends them an account that exists already."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from storage.domain.errors import ServerNotStarted

PREFERRED: Final = ("postgres", "nobody")
ENVIRONMENT: Final = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the operating system; ``lent`` says that it is not this process's own."""

    uid: int
    gid: int
    name: str
    lent: bool

    @property
    def ids(self) -> tuple[int, int] | None:
        """(uid, gid) to change to, or None where nothing is to change."""
        return (self.uid, self.gid) if self.lent else None

    def give(self, path: Path) -> None:
        """Make a file or folder that we made this account's."""
        if self.lent:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def run(
        self, argv: Sequence[str | Path], *, timeout_s: float, fds: tuple[int, ...] = (), text: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as this account with ``text`` as its input, its output captured.

        Raises:
            OSError, subprocess.SubprocessError: it cannot be started as this account, or does not end in time.
        """
        change: dict[str, Any] = {"user": self.uid, "group": self.gid, "extra_groups": []} if self.lent else {}
        return subprocess.run(
            [str(one) for one in argv],
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            env=ENVIRONMENT,
            cwd="/",
            pass_fds=fds,
            timeout=timeout_s,
            start_new_session=True,
            check=False,
            **change,
        )

    def reaches(self, folder: Path) -> bool:
        """Whether this account can pass through every folder down to this one."""
        try:
            return self.run(["test", "-x", folder], timeout_s=10).returncode == 0
        except (OSError, subprocess.SubprocessError):
            return False


def account_for(cluster: Path) -> Account:
    """This process's own account; as root the owner of the cluster when there is one, else `postgres` or `nobody`.

    Raises:
        ServerNotStarted: the account has no name (PostgreSQL needs one), or root finds no account to lend.
    """
    uid = os.geteuid()
    if uid != 0:
        return Account(uid, os.getegid(), _name(uid), lent=False)
    if cluster.exists() and (owner := cluster.stat().st_uid) != 0:
        return Account(owner, cluster.stat().st_gid, _name(owner), lent=True)
    for name in PREFERRED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, name, lent=True)
    message = (
        f"PostgreSQL does not run as root and there is no account named {' or '.join(PREFERRED)} here; "
        "start Wellstream as an ordinary user, or point WELLSTREAM_DATABASE_URL to a server"
    )
    raise ServerNotStarted(message)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError as error:
        message = (
            f"PostgreSQL does not run as user id {uid}, which has no name on this machine; "
            "add it to /etc/passwd, or point WELLSTREAM_DATABASE_URL to a server"
        )
        raise ServerNotStarted(message) from error
