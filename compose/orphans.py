"""Servers that outlived their guard, and pid files that name a process which is none of ours."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import psutil  # type: ignore[import-untyped]

_LOOK_S: Final = 0.02


def end(pid_file: Path, folder: Path, stops: Sequence[tuple[int, float]]) -> None:
    """End the server that a pid file names if it truly works in ``folder``, and remove the file in any case.

    Only for who has the folder's lock: nobody else may run a server there. ``stops`` are signals, each with the seconds
    it is given.
    """
    process = _server(pid_file, folder)
    if process is not None:
        for number, patience_s in stops:
            if _ended(process, number, patience_s):
                break
    pid_file.unlink(missing_ok=True)


def _server(pid_file: Path, folder: Path) -> psutil.Process | None:
    try:
        process = psutil.Process(int(pid_file.read_text().split()[0]))
        return process if Path(process.cwd()).samefile(folder) else None
    except (FileNotFoundError, ValueError, IndexError, psutil.Error):
        return None


def _ended(process: psutil.Process, number: int, patience_s: float) -> bool:
    """Whether the signal ended it in time; one that is dead and not collected (in a container nobody may) has ended."""
    deadline = time.monotonic() + patience_s
    try:
        process.send_signal(number)
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > deadline:
                return False
            time.sleep(_LOOK_S)
    except psutil.NoSuchProcess:
        return True
    return True
