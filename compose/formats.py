"""The kinds of source file that the command line knows by name, and how each is read."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Final

from ingest.parse import Source
from storage.domain.errors import InputRefused


class Format(StrEnum):
    """A kind of source file."""

    VOLVE = "volve"
    OGOR_A = "ogor-a"
    THREE_W = "three-w"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Options:
    """What may be said to a reader beside the file; a format takes those that `Reader.takes` names.

    ``reference`` is a folder of BSEE's reference files, ``mapping`` a YAML file that says what columns are.
    """

    reference: Path | None = None
    mapping: Path | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """How a format is read: ``read`` gives the source of a file; ``takes`` and ``needs`` name options."""

    read: Callable[[Path, Options], Source]
    takes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


NO_OPTIONS: Final = Options()


def read(form: Format, file: Path, options: Options = NO_OPTIONS) -> Source:
    """The source of a file.

    Raises:
        InputRefused: the file or an option's file cannot be read as what it claims to be, or as for `check`.
    """
    check(form, options)
    return READERS[form].read(file, options)


def check(form: Format, options: Options) -> None:
    """Refuse options that a format does not take, lack of one that it needs, and a mapping with faults.

    Raises:
        InputRefused: says which.
    """
    reader = READERS[form]
    given = [field.name for field in fields(options) if getattr(options, field.name) is not None]
    for name in given:
        if name not in reader.takes:
            takes = ", ".join(f"--{one}" for one in reader.takes) or "none"
            message = f"the format {form} takes no option --{name}; it takes {takes}"
            raise InputRefused(message)
    for name in reader.needs:
        if name not in given:
            message = f"the format {form} needs the option --{name}"
            raise InputRefused(message)
    if options.mapping is not None:
        from ingest.sources import mapping

        mapping.read(options.mapping)


def _volve(file: Path, _options: Options) -> Source:
    from ingest.sources import volve

    return volve.read(file)


def _ogor_a(file: Path, options: Options) -> Source:
    from ingest.sources import ogor_a

    return ogor_a.read(file, options.reference)


def _three_w(file: Path, _options: Options) -> Source:
    from ingest.sources import three_w

    return three_w.read(file)


def _csv(file: Path, options: Options) -> Source:
    from ingest.sources import csv_mapping, mapping

    assert options.mapping is not None, "the reader needs it"  # noqa: S101
    return csv_mapping.read(file, mapping.read(options.mapping))


READERS: Final = {
    Format.VOLVE: Reader(_volve),
    Format.OGOR_A: Reader(_ogor_a, takes=("reference",)),
    Format.THREE_W: Reader(_three_w),
    Format.CSV: Reader(_csv, takes=("mapping",), needs=("mapping",)),
}
