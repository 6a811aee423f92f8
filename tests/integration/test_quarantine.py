"""The quarantine: what it keeps, how it is listed, and how an entry is closed."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from storage import quarantine
from storage.database import reading, writing
from storage.domain.deed import Action, RecordKey, State
from storage.domain.errors import Conflict, NotFound
from storage.domain.refused import Reason, Refused
from storage.quarantine import Closing, Entry, Filter

NOW = datetime(2026, 1, 2, tzinfo=UTC)
EVERY = Filter()
KEY = RecordKey("demo.a", NOW, 60, "live")


def refused(index: int, rule: str = "below_low", field: str | None = "demo", source: str = "test") -> Refused:
    reason = Reason(rule, "oil_sm3", -1.0 - index, f"oil_sm3 is {-1.0 - index} (rule {rule})")
    read = {"well": "demo.a", "start": "2026-01-02T01:00:00+01:00", "seconds": 60, "resolution": "live"}
    return Refused(index, field, source, f"index {index}", {"oil_sm3": -1}, (reason,), read, whole=True)


def keep(engine: Engine, *rows: Refused, at: datetime = NOW) -> int:
    with writing(engine) as connection:
        return quarantine.keep(connection, rows, at)


def listed(engine: Engine, which: Filter = EVERY, before: int | None = None, most: int = 100) -> list[Entry]:
    with reading(engine) as connection:
        return quarantine.listed(connection, which, before, most)


def close(engine: Engine, entry: Entry, action: Action) -> None:
    with writing(engine) as connection:
        quarantine.close(connection, entry, action, Closing(NOW, "kari", "because"), KEY)


def test_an_entry_is_read_back_as_it_was_kept(engine: Engine) -> None:
    assert keep(engine, refused(0)) == 1
    (entry,) = listed(engine)
    assert (entry.state, entry.field, entry.source, entry.place) == (State.OPEN, "demo", "test", "index 0")
    assert (entry.record, entry.whole, entry.closing) == (KEY, True, None)
    assert entry.reasons == refused(0).reasons
    assert entry.raw == {"oil_sm3": -1}


def test_the_same_row_is_kept_once(engine: Engine) -> None:
    assert keep(engine, refused(0), refused(1)) == 2
    assert keep(engine, refused(0), refused(2)) == 1


def test_the_newest_come_first_page_by_page(engine: Engine) -> None:
    keep(engine, *(refused(n) for n in range(5)))
    first = listed(engine, most=2)
    second = listed(engine, before=first[-1].id, most=2)
    assert [entry.place for entry in first + second] == ["index 4", "index 3", "index 2", "index 1"]


@pytest.mark.parametrize(
    ("which", "places"),
    [
        (Filter(field="demo"), {0, 1}),
        (Filter(source="other"), {1}),
        (Filter(rule="above_high"), {1}),
        (Filter(rule="nothing"), set()),
        (Filter(since=NOW + timedelta(hours=1)), {2}),
        (Filter(until=NOW + timedelta(hours=1)), {0, 1}),
        (Filter(state=State.OPEN), {0, 2}),
        (Filter(state=State.REJECTED), {1}),
        (Filter(field="demo", rule="below_low", state=State.OPEN), {0}),
    ],
)
def test_entries_can_be_filtered(engine: Engine, which: Filter, places: set[int]) -> None:
    keep(engine, refused(0), refused(1, "above_high", source="other"))
    keep(engine, refused(2, field=None), at=NOW + timedelta(hours=1))
    close(engine, listed(engine, Filter(source="other"))[0], Action.REJECTED)
    assert {int(entry.place.removeprefix("index ")) for entry in listed(engine, which)} == places


def test_an_entry_is_closed_once_and_says_by_whom(engine: Engine) -> None:
    keep(engine, refused(0))
    (entry,) = listed(engine)
    close(engine, entry, Action.RELEASED)
    (closed,) = listed(engine)
    assert (closed.state, closed.closing) == (State.RELEASED, Closing(NOW, "kari", "because"))
    with pytest.raises(Conflict, match="was released by kari at 2026-01-02T00:00:00Z: because"):
        close(engine, closed, Action.REJECTED)
    with pytest.raises(Conflict, match="closed by somebody else meanwhile"):
        close(engine, entry, Action.REJECTED)


def test_closing_stands_in_the_audit_trail(engine: Engine) -> None:
    keep(engine, refused(0))
    close(engine, listed(engine)[0], Action.REJECTED)
    with reading(engine) as connection:
        rows = connection.execute(text("SELECT action, by, reason, well, quarantine_id IS NOT NULL FROM audit")).all()
    assert [tuple(row) for row in rows] == [("rejected", "kari", "because", "demo.a", True)]


def test_an_entry_that_is_not_there_is_told(engine: Engine) -> None:
    with pytest.raises(NotFound, match="there is no quarantined row 5"), reading(engine) as connection:
        quarantine.entry(connection, 5)


def test_a_row_that_says_nothing_is_kept_too(engine: Engine) -> None:
    reason = Reason("not_json", "row", "{", "row is '{', which is not JSON (rule not_json)")
    keep(engine, Refused(0, None, "test", "line 1", {"text": "{"}, (reason,)))
    (entry,) = listed(engine)
    assert (entry.record, entry.read, entry.whole) == (RecordKey(None, None, None, None), None, False)
