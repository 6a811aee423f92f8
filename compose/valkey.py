"""The embedded Valkey (or Redis): doorbell and cache, nothing kept on disk."""

import socket
from pathlib import Path
from typing import Final
from urllib.parse import quote

from compose.account import ENVIRONMENT
from compose.place import Place
from compose.programs import Program

NAME: Final = "redis"
SOCKET: Final = "redis.sock"
PID_FILE: Final = "redis.pid"
_ANSWER_S: Final = 2.0


def program(place: Place, binary: Path) -> Program:
    """How it is run: over a socket that only its account (and root) may open."""
    options = {
        "port": "0",
        "unixsocket": str(place.sockets_seen / SOCKET),
        "unixsocketperm": "700",
        "dir": str(place.seen / "run"),
        "pidfile": str(place.seen / "run" / PID_FILE),
        "save": "",
        "appendonly": "no",
        "daemonize": "no",
        "maxmemory": "256mb",
        "maxmemory-policy": "allkeys-lru",
    }
    return Program(
        NAME,
        (str(binary), *(part for name, value in options.items() for part in (f"--{name}", value))),
        environment=ENVIRONMENT,
        folder="/",
        account=place.account.ids,
        log=str(place.log(NAME)),
    )


def url(sockets: Path) -> str:
    """The URL of its socket."""
    return f"unix://{quote(str(sockets / SOCKET), safe='/')}"


def is_ready(sockets: Path) -> bool:
    """Whether it answers now."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(_ANSWER_S)
        try:
            client.connect(str(sockets / SOCKET))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False
