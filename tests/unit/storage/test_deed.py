"""What may be done to a quarantined row: the whole table."""

import pytest

from storage.domain.deed import AFTER, Action, State

ALLOWED = {
    (State.OPEN, Action.RELEASED): State.RELEASED,
    (State.OPEN, Action.REJECTED): State.REJECTED,
    (State.REJECTED, Action.RELEASED): State.RELEASED,
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("action", Action)
def test_what_the_table_does_not_list_cannot_be_done(state: State, action: Action) -> None:
    assert AFTER[state].get(action) == ALLOWED.get((state, action))
