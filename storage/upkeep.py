"""What keeps a running database fit: rollups at the head of the log, partitions made ahead, old log rows dropped."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Engine

from storage import partitions, rollups
from storage.database import reading, writing
from storage.domain.errors import StorageDown

LOG_DAYS_AHEAD: Final = 3


@dataclass(frozen=True, slots=True)
class Kept:
    """What one round of upkeep did: names of new and dropped partitions."""

    made: tuple[str, ...]
    dropped: tuple[str, ...]


def roll_up(engine: Engine) -> list[str]:
    """Bring the rollups of every field that lags to the head of its log; the fields that lagged.

    One that cannot be does not keep the others from it.

    Raises:
        StorageDown: at the end, what kept the first of those that could not be.
    """
    with reading(engine) as connection:
        lagging = rollups.lagging(connection)
    failures = []
    for field_id in lagging:
        try:
            rollups.catch_up(engine, field_id)
        except StorageDown as error:
            failures.append(error)
    if failures:
        raise failures[0]
    return lagging


def keep_partitions(engine: Engine, now: datetime, keep_log_days: int) -> Kept:
    """Make the partitions of records for this year and the next and of the log for the days ahead; drop the log's days
    that ended more than ``keep_log_days`` ago.

    Raises:
        StorageDown: nothing was changed, or only the new ones were made.
    """
    today = now.astimezone(UTC).date()
    wanted = [partitions.year_of_records(today.year + ahead) for ahead in range(2)]
    wanted += [partitions.day_of_log(today + timedelta(days=ahead)) for ahead in range(LOG_DAYS_AHEAD + 1)]
    with writing(engine) as connection:
        made = partitions.ensure(connection, wanted)
    with writing(engine) as connection:
        dropped = partitions.drop_log_before(connection, today - timedelta(days=keep_log_days))
    return Kept(tuple(made), tuple(dropped))
