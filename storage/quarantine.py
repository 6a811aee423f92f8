"""Where refused rows are kept with their reasons."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

import msgspec
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from storage.domain.refused import Refused
from storage.tables import quarantine


def keep(connection: Connection, refused: Sequence[Refused], received_at: datetime) -> int:
    """Keep refused rows; the same row of the same source with the same reasons is kept once.

    Returns how many were new.
    """
    if not refused:
        return 0
    rows = [_row(one, received_at) for one in refused]
    statement = insert(quarantine).values(rows).on_conflict_do_nothing(index_elements=["digest"])
    return len(connection.execute(statement.returning(quarantine.c.quarantine_id)).all())


def _row(refused: Refused, received_at: datetime) -> dict[str, object]:
    reasons = [asdict(reason) for reason in refused.reasons]
    content = msgspec.json.encode([refused.source, refused.place, refused.raw, reasons], order="deterministic")
    return {
        "field": refused.field,
        "source": refused.source,
        "place": refused.place,
        "raw": msgspec.json.decode(msgspec.json.encode(refused.raw)),
        "reasons": reasons,
        "digest": hashlib.sha256(content).digest(),
        "received_at": received_at,
    }
