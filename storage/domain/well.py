"""Fields and wells: what they are called and which clock a field lives by."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from storage.domain.errors import InputRefused

_NOT_SLUG: Final = re.compile(r"[^a-z0-9]+")
_FIELD_ID: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_WELL_ID: Final = re.compile(rf"{_FIELD_ID.pattern}\.{_FIELD_ID.pattern}")


def slug(name: str) -> str:
    """A name as it stands in ids and links: lower case ASCII letters, digits and single hyphens.

    Raises:
        InputRefused: nothing of the name is left.
    """
    ascii_name = unicodedata.normalize("NFKD", name.replace("Æ", "AE").replace("æ", "ae").replace("Ø", "O"))
    text = _NOT_SLUG.sub("-", ascii_name.encode("ascii", "ignore").decode().lower()).strip("-")
    if not text:
        message = f"the name {name!r} has no letter or digit that an id could be made of"
        raise InputRefused(message)
    return text


@dataclass(frozen=True, slots=True)
class Field:
    """A field: the unit of ordering, access and distribution.

    ``id`` is public and stable ("volve"). ``time_zone`` is an IANA name; the production day starts ``day_start_s``
    seconds after local midnight.
    """

    id: str
    name: str
    time_zone: str
    day_start_s: int = 0

    @property
    def zone(self) -> ZoneInfo:
        """The field's time zone."""
        return ZoneInfo(self.time_zone)


@dataclass(frozen=True, slots=True)
class Well:
    """A well or wellbore. ``id`` is public and stable and begins with its field's id ("volve.15-9-f-12")."""

    id: str
    name: str
    purpose: str = "producer"

    @property
    def field_id(self) -> str:
        """The id of the field that the well belongs to."""
        return field_of(self.id)


def well_id(field_id: str, name: str) -> str:
    """The public id of a well: its field's id, a dot, the slug of its name."""
    return f"{field_id}.{slug(name)}"


def field_of(well: str) -> str:
    """The field id inside a well id."""
    return well.partition(".")[0]


def is_field_id(text: str) -> bool:
    """Whether the text has the form of a field id."""
    return _FIELD_ID.fullmatch(text) is not None


def is_well_id(text: str) -> bool:
    """Whether the text has the form of a well id."""
    return _WELL_ID.fullmatch(text) is not None
