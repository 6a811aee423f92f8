"""How much a name is like what somebody typed: exact, beginning, inside, or sharing most of its triples of letters."""

from functools import lru_cache
from typing import Final

from storage.domain.errors import InputRefused
from storage.domain.well import slug

EXACT: Final = 1.0
BEGINS: Final = 0.9
INSIDE: Final = 0.8
ALIKE_MOST: Final = 0.7
ALIKE_LEAST: Final = 0.3
"""Below it a name is not a match."""


def likeness(typed: str, name: str) -> float:
    """Between 0 and 1; case, accents and punctuation do not count. Symmetric only among names that are merely alike."""
    wanted, found = _plain(typed), _plain(name)
    if not wanted or not found:
        return 0.0
    if wanted == found:
        return EXACT
    if found.startswith(wanted):
        return BEGINS
    if wanted in found:
        return INSIDE
    shared, every = _triples(wanted) & _triples(found), _triples(wanted) | _triples(found)
    return ALIKE_MOST * len(shared) / len(every)


@lru_cache(maxsize=65_536)
def _plain(text: str) -> str:
    try:
        return slug(text.upper()).replace("-", "")
    except InputRefused:
        return ""


@lru_cache(maxsize=65_536)
def _triples(text: str) -> frozenset[str]:
    """As pg_trgm counts them: two blanks before, one behind."""
    padded = f"  {text} "
    return frozenset(padded[at : at + 3] for at in range(len(padded) - 2))
