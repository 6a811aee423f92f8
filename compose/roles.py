"""What a service process can do."""

from enum import StrEnum


class Role(StrEnum):
    """A part of the product that serves; several can share one process and port."""

    INGEST = "ingest"
    GATEWAY = "gateway"
    DASHBOARD = "dashboard"
    WORKER = "worker"
