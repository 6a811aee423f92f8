"""The position: where in a field's log one stands."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=False)
class Position:
    """A place in one field's log.

    ``epoch`` names the database's life (a restored copy starts a new one); ``offset`` counts the field's log rows
    from 1, without holes; 0 is before the first. Offsets of different epochs cannot be compared.
    """

    epoch: str
    offset: int
