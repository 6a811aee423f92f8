"""The worker: a thread that keeps the database fit while the service runs."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import structlog
from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy import Engine

from storage import upkeep
from storage.domain.errors import StorageDown

ROUND_S: Final = 1.0
"""Rollups follow the log at most this often."""

SHARE: Final = 0.25
"""Most of the time that following may take; under a heavy load it rests longer between rounds instead."""

PARTITIONS_S: Final = 600.0
AGAIN_S: Final = 60.0
"""When partitions are looked after again that could not be: each attempt to drop keeps writers waiting for a moment."""

_log = structlog.get_logger(__name__)
_rolled = Histogram("wellstream_rollup_round_seconds", "Time that a round of rollups took, if anything lagged")
_lagged = Gauge("wellstream_rollup_lagging_fields", "Fields whose rollups lagged at the last round")
_failed = Counter("wellstream_upkeep_failures_total", "Rounds that ended because PostgreSQL was away")


class Worker:
    """Rolls up every second and looks after partitions every ten minutes, until it is stopped.

    Any number of workers may run: they take turns by field. ``on_failure`` is called when the thread ends by itself,
    for a reason that is not PostgreSQL's absence.
    """

    def __init__(self, engine: Engine, keep_log_days: int, on_failure: Callable[[], None]) -> None:
        self._engine = engine
        self._on_failure = on_failure
        self._keep_log_days = keep_log_days
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """End after the round under way."""
        self._stop.set()
        self._thread.join(timeout_s)

    def faults(self) -> list[str]:
        """Why the worker does not work; nothing while it does."""
        return [] if self._thread.is_alive() else ["the worker has ended"]

    def _run(self) -> None:
        try:
            self._rounds()
        finally:
            if not self._stop.is_set():
                self._on_failure()

    def _rounds(self) -> None:
        partitions_at = time.monotonic()
        while not self._stop.is_set():
            if time.monotonic() >= partitions_at:
                kept = self._tried(self._keep_partitions)
                partitions_at = time.monotonic() + (PARTITIONS_S if kept else AGAIN_S)
            began = time.monotonic()
            self._tried(self._roll_up)
            spent = time.monotonic() - began
            self._stop.wait(max(ROUND_S - spent, spent * (1 / SHARE - 1)))

    @staticmethod
    def _tried(duty: Callable[[], None]) -> bool:
        """Whether it was done; what one duty waits for does not keep the worker from the others."""
        try:
            duty()
        except StorageDown as error:
            _failed.inc()
            _log.warning("upkeep waits", error=str(error))
            return False
        return True

    def _roll_up(self) -> None:
        began = time.monotonic()
        lagging = upkeep.roll_up(self._engine)
        _lagged.set(len(lagging))
        if lagging:
            _rolled.observe(time.monotonic() - began)

    def _keep_partitions(self) -> None:
        kept = upkeep.keep_partitions(self._engine, datetime.now(UTC), self._keep_log_days)
        if kept.made or kept.dropped:
            _log.info("partitions", made=kept.made, dropped=kept.dropped)
