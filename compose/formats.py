"""The kinds of source file that the command line knows by name."""

from enum import StrEnum


class Format(StrEnum):
    """A kind of source file."""

    VOLVE = "volve"
