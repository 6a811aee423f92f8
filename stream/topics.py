"""Topics: what a client subscribes to, and the Redis channel that a field's log rows are told on."""

from dataclasses import dataclass
from enum import StrEnum

from storage.domain.errors import InputRefused
from storage.domain.well import field_of, is_field_id, is_well_id


class Subject(StrEnum):
    """What a topic is about."""

    FIELD = "field"
    WELL = "well"


@dataclass(frozen=True, slots=True)
class Topic:
    """``field/<field id>`` or ``well/<well id>``. Positions of a well topic are those of its field's log."""

    subject: Subject
    id: str

    @property
    def field(self) -> str:
        """The id of the field whose log feeds this topic."""
        return self.id if self.subject is Subject.FIELD else field_of(self.id)

    def __str__(self) -> str:
        return f"{self.subject}/{self.id}"


def topic(text: str) -> Topic:
    """The topic that a text names.

    Raises:
        InputRefused: it names none.
    """
    subject, _, identity = text.partition("/")
    if subject == Subject.FIELD and is_field_id(identity):
        return Topic(Subject.FIELD, identity)
    if subject == Subject.WELL and is_well_id(identity):
        return Topic(Subject.WELL, identity)
    message = f"no topic {text[:80]!r}: a topic is field/<field id> or well/<well id>"
    raise InputRefused(message)


def channel(epoch: str, field_id: str) -> str:
    """The Redis channel of a field's log; another epoch's publisher cannot be heard on it."""
    return f"wellstream:{epoch}:{field_id}"
