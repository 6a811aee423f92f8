"""Makes the virtual environment that `compose/up` and `compose/test` run in, and prints where it is.

Run by any Python from 3.11 on, before anything is installed: standard library only, and no import of the product.
Safe under two at once (a lock) and after an interruption (the stamp is written last, and taken away first).
"""

import argparse
import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NoReturn

ROOT: Final = Path(__file__).resolve().parents[1]
LEVELS: Final = {"run": "requirements.txt", "test": "requirements-test.txt"}
_STAMP: Final = ".wellstream-installed"
_LOCK: Final = ".wellstream-lock"
_BEGUN: Final = ".wellstream-begun"


def main() -> None:
    """Print the folder of an environment that has what the level asks for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("level", choices=LEVELS)
    parser.add_argument("--venv", type=Path, help="where to make it")
    asked = parser.parse_args()
    chosen = asked.venv.expanduser().absolute() if asked.venv else place(ROOT, asked.level)
    try:
        if not is_installed(chosen, asked.level):
            with _locked(chosen):
                if not is_installed(chosen, asked.level):
                    _install(chosen, asked.level)
    except OSError as error:
        _fail(f"{error.filename or chosen} cannot be used ({error.strerror}); name another folder with WELLSTREAM_VENV")
    sys.stdout.write(f"{chosen}\n")


def place(root: Path, level: str) -> Path:
    """`.venv` in the clone where it is complete already or ours to write, else a folder among this user's caches.

    So two users of one clone never write into each other's environment.
    """
    inside = root / ".venv"
    if is_installed(inside, level) or (_is_mine(root) and (not inside.exists() or _is_mine(inside))):
        return inside
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return caches / "wellstream" / hashlib.sha256(os.fsencode(root)).hexdigest()[:12] / "venv"


def is_installed(venv: Path, level: str) -> bool:
    """Whether its stamp says so, for this Python and these requirements; an environment for tests can also run."""
    try:
        stamp = json.loads((venv / _STAMP).read_text())
    except (OSError, ValueError):
        return False
    return stamp["state"] == _state() and level in stamp["levels"] and os.access(venv / "bin" / "python", os.X_OK)


def _state() -> str:
    """A digest of everything that the environment is made from."""
    files = [ROOT / "compose" / name for name in LEVELS.values()] + [ROOT / "pyproject.toml", Path(__file__)]
    digest = hashlib.sha256(f"{sys.version} {sysconfig.get_platform()} {ROOT}".encode())
    for file in files:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _install(venv: Path, level: str) -> None:
    (venv / _STAMP).unlink(missing_ok=True)
    python = venv / "bin" / "python"
    begun = venv / _BEGUN
    if begun.exists() or not _works(python):  # what was begun and not finished may hold half a package
        _say(f"making a virtual environment in {venv}")
        _make(venv)
    begun.touch()
    _say(f"installing {LEVELS[level]} into {venv} (a minute or two when it is the first time)")
    requirements = ROOT / "compose" / LEVELS[level]
    quiet = ["-qq", "--disable-pip-version-check", "--no-input", "--root-user-action=ignore"]
    _run([python, "-m", "pip", "install", *quiet, "--require-hashes", "-r", requirements])
    _link(venv, Path(_run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]).strip()))
    levels = list(LEVELS) if level == "test" else [level]
    beside = venv / f"{_STAMP}.new"
    beside.write_text(json.dumps({"state": _state(), "levels": levels}))
    beside.replace(venv / _STAMP)
    begun.unlink()


def _works(python: Path) -> bool:
    """Whether it is this Python, with pip."""
    ask = "import sys, pip; print(sys.version)"
    try:
        answer = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return answer.returncode == 0 and answer.stdout.strip() == sys.version


def _make(venv: Path) -> None:
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        _fail(
            f"{sys.executable} lacks the modules venv and ensurepip; install them (Debian: apt-get install "
            f"python{version}-venv), or use another Python"
        )
    for one in venv.iterdir():
        if one.is_dir() and not one.is_symlink():
            shutil.rmtree(one)
        elif one.name != _LOCK:
            one.unlink()
    _run([sys.executable, "-m", "venv", venv])


def _link(venv: Path, packages: Path) -> None:
    """Make the clone importable and `wellstream` a command, as an editable install does, without a build backend."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (packages / "wellstream.pth").write_text(f"{ROOT}\n")
    info = packages / f"{project['name']}-{project['version']}.dist-info"
    info.mkdir(exist_ok=True)
    script = venv / "bin" / "wellstream"
    metadata = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    scripts = "".join(f"{name} = {target}\n" for name, target in project["scripts"].items())
    (info / "METADATA").write_text(metadata)
    (info / "entry_points.txt").write_text(f"[console_scripts]\n{scripts}")
    (info / "INSTALLER").write_text("compose/install.py\n")
    (info / "direct_url.json").write_text(json.dumps({"url": ROOT.as_uri(), "dir_info": {"editable": True}}))
    owned = [packages / "wellstream.pth", script, *info.iterdir(), info / "RECORD"]
    (info / "RECORD").write_text("".join(f"{one},,\n" for one in sorted(set(owned))))
    # A shebang may hold neither spaces nor more than 127 bytes: sh starts Python, to whom these lines are a string.
    start = f"#!/bin/sh\n'''exec' \"{venv / 'bin' / 'python'}\" \"$0\" \"$@\"\n' '''\n"
    beside = script.with_suffix(".new")
    beside.write_text(f"{start}from compose.cli import main\n\nmain()\n")
    beside.chmod(0o755)
    beside.replace(script)


@contextmanager
def _locked(venv: Path) -> Iterator[None]:
    venv.mkdir(parents=True, exist_ok=True)
    with (venv / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say(f"waiting for another installation into {venv}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(argv: list[str | Path]) -> str:
    """The command's standard output; its errors are shown."""
    answer = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=False)
    if answer.returncode != 0:
        _fail(f"{' '.join(map(str, argv[:4]))} failed; what it said stands above")
    return answer.stdout


def _is_mine(folder: Path) -> bool:
    return folder.stat().st_uid == os.geteuid() and os.access(folder, os.W_OK)


def _say(what: str) -> None:
    sys.stderr.write(f"wellstream: {what}\n")


def _fail(why: str) -> NoReturn:
    _say(why)
    sys.exit(1)


if __name__ == "__main__":
    main()
