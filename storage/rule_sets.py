"""Where every document of rules that ever judged is kept, by version and digest."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import insert

from storage import audit
from storage.domain.deed import Action, Deed
from storage.domain.errors import NotFound
from storage.tables import audit as audit_table
from storage.tables import rule_sets

_LOCK: Final = 7_305_003
_AUDIT_WORD: Final = re.compile(r"rules-([A-Za-z0-9._]+)-([0-9a-f]{12})")


@dataclass(frozen=True, slots=True)
class Judge:
    """Which rules: their version and digest."""

    version: str
    digest: str


def judge_of(audit_id: str | None) -> Judge | None:
    """The rules that a record's audit id names; None when it was judged elsewhere."""
    found = [_AUDIT_WORD.fullmatch(word) for word in (audit_id or "").split()]
    named = [match for match in found if match is not None]
    return Judge(named[-1][1], named[-1][2]) if named else None


def use(connection: Connection, judge: Judge, document: Mapping[str, Any], at: datetime) -> bool:
    """Keep the document, if it is new, and note in the audit trail that these rules judge from now on.

    Returns whether other rules (or none) judged before.
    """
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    row = {"digest": judge.digest, "version": judge.version, "document": document, "first_used_at": at}
    connection.execute(insert(rule_sets).values(row).on_conflict_do_nothing())
    before = _in_force(connection)
    if before == judge:
        return False
    detail = {"version": judge.version, "digest": judge.digest, "before": before and plainly(before)}
    audit.note(connection, [Deed(at, Action.RULES_CHANGED, "ingest", detail)])
    return True


def document_of(connection: Connection, judge: Judge) -> dict[str, Any]:
    """The document of rules that judged once.

    Raises:
        NotFound: no such rules ever judged here.
    """
    query = select(rule_sets.c.document, rule_sets.c.first_used_at)
    found = connection.execute(
        query.where(rule_sets.c.digest == judge.digest, rule_sets.c.version == judge.version)
    ).one_or_none()
    if found is None:
        message = f"no rules of version {judge.version!r} with the digest {judge.digest!r} ever judged here"
        raise NotFound(message)
    return {**plainly(judge), "first_used_at": found.first_used_at, "document": found.document}


def plainly(judge: Judge) -> dict[str, str]:
    """The judge for machines."""
    return {"version": judge.version, "digest": judge.digest}


def _in_force(connection: Connection) -> Judge | None:
    """The rules that the newest change in the audit trail names."""
    newest = connection.execute(
        select(audit_table.c.detail)
        .where(audit_table.c.action == str(Action.RULES_CHANGED))
        .order_by(audit_table.c.audit_id.desc())
        .limit(1)
    ).scalar_one_or_none()
    return None if newest is None else Judge(newest["version"], newest["digest"])
