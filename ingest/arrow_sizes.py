"""How large an Arrow IPC stream or a Parquet file becomes, read from its headers before anything is unpacked. Pure.

A body of a few kilobytes can claim gigabytes: compressed buffers, pages and repeated values say their length in their
headers, and readers allocate what these say. So they are added up first.
"""

import struct
from dataclasses import dataclass
from typing import Any, Final

from storage.domain.errors import InputRefused

_CONTINUATION: Final = 0xFFFFFFFF
_DICTIONARY, _RECORDS = 2, 3
_ARROW_MAGIC: Final = b"ARROW1\x00\x00"
_PARQUET_MAGIC: Final = b"PAR1"
_BLOCKS_LIMIT: Final = 10_000
_FOOTER_LIMIT_BYTES: Final = 4 << 20
_DEPTH_LIMIT: Final = 16
_PREFIX_CODED: Final = 7
"""Parquet's DELTA_BYTE_ARRAY: every value may repeat all of the one before, whatever its page's size says."""


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes of all buffers or pages unpacked, and rows."""

    unpacked: int
    rows: int


def is_arrow_file(body: bytes) -> bool:
    """Whether the body is an IPC file, with its blocks told by a footer, and not a stream."""
    return body.startswith(_ARROW_MAGIC)


def of_arrow(body: bytes) -> Size:
    """The size of an IPC stream or file.

    Raises:
        InputRefused: its headers are not those of Arrow IPC, or lead out of it.
    """
    try:
        return _of_file(body) if is_arrow_file(body) else _of_stream(body)
    except (struct.error, LookupError, ArithmeticError, ValueError) as error:
        message = "the body is not Arrow IPC: its headers lead out of it"
        raise InputRefused(message) from error


def _of_stream(body: bytes) -> Size:
    at = unpacked = rows = 0
    while at + 8 <= len(body) and body[at + 4 : at + 8] != bytes(4):
        size, at = _message(body, at)
        unpacked, rows = unpacked + size.unpacked, rows + size.rows
    if at == 0:
        message = "the body is not Arrow IPC: it has no schema"
        raise InputRefused(message)
    return Size(unpacked, rows)


def _of_file(body: bytes) -> Size:
    """Of the blocks that the footer names: readers go by it."""
    footer = int(struct.unpack_from("<i", body, len(body) - 10)[0])
    at = len(body) - 10 - footer
    if footer <= 0 or at < len(_ARROW_MAGIC):
        raise IndexError(at)
    table = _Table.root(body, at)
    blocks = [*table.blocks(2), *table.blocks(3)]
    if len(blocks) > _BLOCKS_LIMIT:
        message = f"the body has {len(blocks):,} Arrow IPC blocks, and at most {_BLOCKS_LIMIT:,} are read"
        raise InputRefused(message)
    sizes = [_message(body, offset)[0] for offset in blocks]
    return Size(sum(size.unpacked for size in sizes), sum(size.rows for size in sizes))


def _message(body: bytes, at: int) -> tuple[Size, int]:
    """The size of one message, and the offset after it."""
    mark, length = struct.unpack_from("<Ii", body, at)
    if at < 0 or mark != _CONTINUATION or length <= 0:
        message = "the body is not Arrow IPC: a message does not begin as one"
        raise InputRefused(message)
    table = _Table.root(body, at + 8)
    kind, header, body_length = table.byte(1), table.table(2), table.long(3)
    body_at = at + 8 + length
    if body_length < 0 or body_at + body_length > len(body):
        message = "the body is not Arrow IPC: it is cut short"
        raise InputRefused(message)
    records = header.table(1) if header is not None and kind == _DICTIONARY else header
    if records is None or kind not in (_RECORDS, _DICTIONARY):
        return Size(0, 0), body_at + body_length
    rows = records.long(0) if kind == _RECORDS else 0
    if rows < 0:
        raise IndexError(rows)
    return Size(_buffers(body, records, body_at, body_length), rows), body_at + body_length


def _buffers(stream: bytes, records: "_Table", body_at: int, body_length: int) -> int:
    compressed = records.table(3) is not None
    total = 0
    for offset, length in records.pairs(2):
        if offset < 0 or length < 0 or offset + length > body_length:
            message = "the body is not Arrow IPC: a buffer lies outside of its message"
            raise InputRefused(message)
        claimed = struct.unpack_from("<q", stream, body_at + offset)[0] if compressed and length >= 8 else length
        total += length if claimed == -1 else claimed
        if claimed < -1:
            message = "the body is not Arrow IPC: a buffer has a length below 0"
            raise InputRefused(message)
    return total


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of a flatbuffer: fields by number, through its vtable."""

    data: bytes
    at: int

    @classmethod
    def root(cls, data: bytes, at: int) -> "_Table":
        return cls(data, at + int(struct.unpack_from("<I", data, at)[0]))

    def _field(self, number: int) -> int | None:
        vtable = self.at - int(struct.unpack_from("<i", self.data, self.at)[0])
        if vtable < 0:
            raise IndexError(vtable)
        size = int(struct.unpack_from("<H", self.data, vtable)[0])
        slot = 4 + 2 * number
        offset = int(struct.unpack_from("<H", self.data, vtable + slot)[0]) if slot + 2 <= size else 0
        return self.at + offset if offset else None

    def byte(self, number: int) -> int:
        at = self._field(number)
        return 0 if at is None else self.data[at]

    def long(self, number: int) -> int:
        at = self._field(number)
        return 0 if at is None else int(struct.unpack_from("<q", self.data, at)[0])

    def table(self, number: int) -> "_Table | None":
        at = self._field(number)
        return None if at is None else _Table.root(self.data, at)

    def blocks(self, number: int) -> list[int]:
        """The offsets in a vector of blocks (structs of three longs: offset, length of the header, of the body)."""
        at = self._field(number)
        if at is None:
            return []
        start = at + int(struct.unpack_from("<I", self.data, at)[0])
        count = int(struct.unpack_from("<I", self.data, start)[0])
        flat = struct.unpack_from(f"<{3 * count}q", self.data, start + 4)
        return list(flat[::3])

    def pairs(self, number: int) -> list[tuple[int, int]]:
        """A vector of structs of two longs."""
        at = self._field(number)
        if at is None:
            return []
        start = at + int(struct.unpack_from("<I", self.data, at)[0])
        count = int(struct.unpack_from("<I", self.data, start)[0])
        flat = struct.unpack_from(f"<{2 * count}q", self.data, start + 4)
        return list(zip(flat[::2], flat[1::2], strict=True))


def of_parquet(body: bytes) -> Size:
    """The size of a Parquet file, by the headers of its pages and not by its footer alone.

    Raises:
        InputRefused: its headers are not those of Parquet, lead out of it, or use a coding that says no size.
    """
    try:
        return _of_parquet(body)
    except (struct.error, LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        message = "the body is not Parquet: its headers lead out of it"
        raise InputRefused(message) from error


def _of_parquet(body: bytes) -> Size:
    if len(body) < 12 or body[:4] != _PARQUET_MAGIC or body[-4:] != _PARQUET_MAGIC:
        message = "the body is not Parquet: it does not begin and end as one"
        raise InputRefused(message)
    footer = int(struct.unpack_from("<I", body, len(body) - 8)[0])
    if footer > min(_FOOTER_LIMIT_BYTES, len(body) - 12):
        message = f"the body is not Parquet: its footer claims {footer:,} bytes"
        raise InputRefused(message)
    meta, _ = _Thrift(body, len(body) - 8).struct(len(body) - 8 - footer)
    unpacked, rows = 0, int(meta[3])
    for group in meta.get(4, []):
        for chunk in group[1]:
            column = chunk[3]
            values, size = _pages(body, column)
            unpacked += size
            rows = max(rows, values, int(column[5]))
    return Size(unpacked, rows)


def _pages(body: bytes, column: dict[int, Any]) -> tuple[int, int]:
    """Values and unpacked bytes that the page headers of a column chunk claim."""
    data_at, dictionary_at = int(column[9]), int(column.get(11) or 0)
    at = dictionary_at if 0 < dictionary_at < data_at else data_at
    end = at + int(column[7])
    if not 4 <= at <= end <= len(body):
        raise IndexError(at)
    thrift = _Thrift(body, end)
    values = size = 0
    while at < end:
        header, after = thrift.struct(at)
        size += max(int(header[2]), int(header[3]))
        data = header.get(5) or header.get(8) or {}
        if data.get(2 if 5 in header else 4) == _PREFIX_CODED:
            message = "the body has a Parquet column coded by prefixes, whose size nobody can tell; write it plain"
            raise InputRefused(message)
        values += int(data.get(1, 0))
        at = after + int(header[3])
        if int(header[3]) < 0 or int(header[2]) < 0:
            raise IndexError(at)
    return values, size


class _Thrift:
    """Reads structs of thrift's compact protocol: field numbers to values."""

    def __init__(self, data: bytes, end: int) -> None:
        self._data = data
        self._end = end

    def struct(self, at: int, depth: int = 0) -> tuple[dict[int, Any], int]:
        """The struct that begins at an offset, and the offset after it."""
        if depth > _DEPTH_LIMIT:
            raise RecursionError
        found: dict[int, Any] = {}
        number = 0
        while True:
            head = self._byte(at)
            at += 1
            if head == 0:
                return found, at
            if head >> 4:
                number += head >> 4
            else:
                number, at = self._zigzag(at)
            found[number], at = self._value(head & 15, at, depth)

    def _value(self, kind: int, at: int, depth: int) -> tuple[Any, int]:
        if kind in (1, 2):
            return kind == 1, at
        if kind == 3:
            return self._byte(at), at + 1
        if kind in (4, 5, 6):
            return self._zigzag(at)
        if kind == 7:
            return None, at + 8
        if kind == 8:
            length, at = self._varint(at)
            if at + length > self._end:
                raise IndexError(at)
            return self._data[at : at + length], at + length
        if kind in (9, 10):
            return self._list(at, depth)
        if kind == 12:
            return self.struct(at, depth + 1)
        raise IndexError(at)

    def _list(self, at: int, depth: int) -> tuple[list[Any], int]:
        head = self._byte(at)
        at += 1
        length, kind = head >> 4, head & 15
        if length == 15:
            length, at = self._varint(at)
        if length > self._end - at:
            raise IndexError(at)
        found = []
        for _ in range(length):
            value, at = (self._byte(at) == 1, at + 1) if kind in (1, 2) else self._value(kind, at, depth + 1)
            found.append(value)
        return found, at

    def _byte(self, at: int) -> int:
        if not 0 <= at < self._end:
            raise IndexError(at)
        return self._data[at]

    def _varint(self, at: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            byte = self._byte(at)
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value, at
            shift += 7
            if shift > 63:
                raise IndexError(at)

    def _zigzag(self, at: int) -> tuple[int, int]:
        value, at = self._varint(at)
        return (value >> 1) ^ -(value & 1), at
