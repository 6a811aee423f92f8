"""Ports to listen on: a free one, or a clear refusal."""

import socket

from storage.domain.errors import ServerNotStarted


def free_port(host: str) -> int:
    """A port of the host that nothing listens on now."""
    with socket.socket(_family(host)) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def require_free_port(host: str, port: int) -> None:
    """Refuse a port that cannot be listened on.

    Raises:
        ServerNotStarted: says which, why and what to do.
    """
    with socket.socket(_family(host)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            message = f"cannot listen on {host}:{port}: {error.strerror}; choose another port with --port"
            raise ServerNotStarted(message) from error


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
