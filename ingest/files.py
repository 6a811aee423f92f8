"""Files from outside: opened with bounds, decoded, and refused in one sentence when they cannot be."""

import codecs
import os
import zipfile
import zlib
from pathlib import Path
from typing import Final

from storage.domain.errors import InputRefused

FILE_LIMIT_BYTES: Final = 512 * 1024 * 1024
"""A file is read whole, at two to four times its size in memory; larger ones should come in parts."""

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ZIP_SIGNATURE: Final = b"PK\x03\x04"


def content(path: Path) -> bytes:
    """The bytes of a file, or of the one file inside it when it is a zip archive.

    Raises:
        InputRefused: there is no such file, it cannot be read, is empty, too large, damaged, or holds several files.
    """
    found = bytes_of(path)
    return _unzipped(path, found) if found.startswith(_ZIP_SIGNATURE) else found


def require_file(path: Path, limit: int = FILE_LIMIT_BYTES) -> None:
    """Refuse what is no file, cannot be read, is empty or longer than the limit.

    Raises:
        InputRefused: says which.
    """
    try:
        if not path.exists():
            message = f"there is no file '{path}'"
        elif not path.is_file():
            message = f"'{path}' is not a file"
        elif not os.access(path, os.R_OK):
            message = f"'{path}' may not be read by this user"
        elif (size := path.stat().st_size) == 0:
            message = f"'{path}' is empty"
        elif size > limit:
            message = f"'{path}' has {size:,} bytes, and at most {limit:,} are read at once; split it"
        else:
            return
    except OSError as error:
        message = f"'{path}' cannot be read: {error.strerror}"
    raise InputRefused(message)


def bytes_of(path: Path) -> bytes:
    """The bytes of a file as they are. Raises as `content`."""
    require_file(path)
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"'{path}' cannot be read: {error.strerror}"
        raise InputRefused(message) from error


def member(path: Path, name: str) -> bytes | None:
    """The file of that name (whatever folder it is in) inside a zip archive; None when it has none.

    Raises:
        InputRefused: as for `content`.
    """
    require_file(path)
    try:
        with zipfile.ZipFile(path) as archive:
            found = [part for part in archive.infolist() if Path(part.filename).name == name]
            return _part(path, archive, found[0]) if found else None
    except _DAMAGE as error:
        raise _damaged(path, error) from error


def _unzipped(path: Path, packed: bytes) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            parts = [part for part in archive.infolist() if not part.is_dir()]
            if len(parts) != 1:
                message = f"'{path}' is a zip archive of {len(parts)} files, but one is read; unpack it"
                raise InputRefused(message)
            return _part(path, archive, parts[0])
    except _DAMAGE as error:
        raise _damaged(path, error) from error


def _part(path: Path, archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bytes:
    """One file of an archive, read no further than the limit whatever the archive's directory claims."""
    with archive.open(part) as opened:
        found = opened.read(FILE_LIMIT_BYTES + 1)
    if len(found) > FILE_LIMIT_BYTES:
        message = f"'{path}' unpacks to more than the {FILE_LIMIT_BYTES:,} bytes that are read at once; split it"
        raise InputRefused(message)
    if not found:
        message = f"the file '{part.filename}' in '{path}' is empty"
        raise InputRefused(message)
    return found


_DAMAGE: Final = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)


def _damaged(path: Path, error: Exception) -> InputRefused:
    lines = str(error).strip().splitlines()
    return InputRefused(f"'{path}' is damaged or cut short: {lines[0] if lines else type(error).__name__}")


def byte_order_mark(found: bytes) -> str | None:
    """The encoding that the file's first bytes say, if they say one."""
    return next((encoding for mark, encoding in _BOMS if found.startswith(mark)), None)


def decoded(found: bytes, encoding: str, path: Path) -> str:
    """The text of a file; bytes that are not of the encoding become U+FFFD, so that only their rows are lost.

    Raises:
        InputRefused: the file begins as one of another encoding.
    """
    mark = byte_order_mark(found)
    if mark is not None and mark != encoding:
        message = f"'{path}' begins as {mark}, but the encoding given is {encoding}"
        raise InputRefused(message)
    return found.decode(encoding, errors="replace").removeprefix("\ufeff")
