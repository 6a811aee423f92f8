"""The session's table of states, and when it must end."""

import itertools

import pytest

from stream.close_codes import ADVICE, Close
from stream.session import PAUSED_MAX_S, SILENT_S, TRANSITIONS, Event, Session, State
from stream.topics import topic


def session_in(state: State) -> Session:
    session = Session(now=0.0)
    session.state = state
    return session


@pytest.mark.parametrize(("state", "event"), list(itertools.product(State, Event)))
def test_every_state_and_event_moves_as_the_table_says_or_not_at_all(state: State, event: Event) -> None:
    session = session_in(state)
    session.on(event, now=1.0)
    assert session.state is TRANSITIONS[state].get(event, state)


def test_a_client_that_says_nothing_is_closed_and_one_that_answers_is_not() -> None:
    session = Session(now=0.0)
    assert session.verdict(SILENT_S) is None
    assert session.verdict(SILENT_S + 1) is Close.SILENT
    session.heard(SILENT_S)
    assert session.verdict(SILENT_S + 1) is None


def test_a_client_that_does_not_read_is_closed_and_told_to_resume() -> None:
    session = Session(now=0.0)
    session.on(Event.OUTBOX_FULL, now=5.0)
    assert session.verdict(5.0 + PAUSED_MAX_S) is None
    assert session.verdict(5.1 + PAUSED_MAX_S) is Close.TOO_SLOW
    assert ADVICE[Close.TOO_SLOW].come_back


def test_a_paused_session_catches_nothing_up() -> None:
    session = Session(now=0.0)
    session.subscribe(topic("field/demo"), 4)
    assert session.cold() == topic("field/demo")
    session.on(Event.OUTBOX_FULL, now=1.0)
    assert session.cold() is None


def test_every_close_code_has_its_advice() -> None:
    assert set(ADVICE) == set(Close)
    assert all(len(advice.reason.encode()) <= 123 for advice in ADVICE.values())
