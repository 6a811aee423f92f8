"""Every document of rules that judged is kept, and every change of rules noted."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text

from storage import rule_sets
from storage.database import reading, writing
from storage.domain.errors import NotFound
from storage.rule_sets import Judge, judge_of

NOW = datetime(2026, 1, 2, tzinfo=UTC)
FIRST, SECOND = Judge("1", "0" * 12), Judge("2", "1" * 12)


def use(engine: Engine, judge: Judge) -> bool:
    with writing(engine) as connection:
        return rule_sets.use(connection, judge, {"version": judge.version, "rules": []}, NOW)


def test_a_change_of_rules_is_noted_and_going_on_is_not(engine: Engine) -> None:
    assert [use(engine, judge) for judge in (FIRST, FIRST, SECOND, FIRST)] == [True, False, True, True]
    with reading(engine) as connection:
        query = "SELECT action, detail->>'version', detail->'before' FROM audit ORDER BY audit_id"
        rows = connection.execute(text(query)).all()
        told = [(action, version, before and before["version"]) for action, version, before in rows]
    assert told == [("rules-changed", "1", None), ("rules-changed", "2", "1"), ("rules-changed", "1", "2")]


def test_a_document_is_kept_once_and_found_by_version_and_digest(engine: Engine) -> None:
    use(engine, FIRST)
    use(engine, SECOND)
    use(engine, FIRST)
    with reading(engine) as connection:
        found = rule_sets.document_of(connection, FIRST)
        assert connection.execute(text("SELECT count(*) FROM rule_sets")).scalar_one() == 2
    assert (found["version"], found["first_used_at"], found["document"]) == ("1", NOW, {"version": "1", "rules": []})


def test_rules_that_never_judged_are_told(engine: Engine) -> None:
    with pytest.raises(NotFound, match="ever judged here"), reading(engine) as connection:
        rule_sets.document_of(connection, FIRST)


@pytest.mark.parametrize(
    ("audit_id", "judge"),
    [
        ("rules-2-0123456789ab", Judge("2", "0123456789ab")),
        ("run-7 rules-site.1-0123456789ab", Judge("site.1", "0123456789ab")),
        ("rules-1", None),
        ("run-7", None),
        (None, None),
    ],
)
def test_an_audit_id_names_its_judge(audit_id: str | None, judge: Judge | None) -> None:
    assert judge_of(audit_id) == judge
