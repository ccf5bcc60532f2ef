"""Protocol buffers, field by field.

Reads the wire format (protobuf.dev/programming-guides/encoding) without a schema's library, so
that a file is known before anything else reads it. Stricter than the format: a message holds the
fields that it may and no others, and what is single is there once at most, where the format would
merge several.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Kind = Literal["int", "float", "bytes", "ints", "many"]
Field = tuple[str, Kind]  # its name, and how it is read; "many" are bytes, as often as they come
Schema = Mapping[int, Field]
Values = list[int | memoryview]

VARINT, LENGTH, FIXED32 = 0, 2, 5
MOST_FIELDS = 200_000  # in one file


class WireError(ValueError):
    """Bytes that are no such message."""


class WireReader:
    """Reads messages of one file, no more fields of them all together than a policy can have."""

    def __init__(self) -> None:
        self._left = MOST_FIELDS

    def message(self, data: memoryview, schema: Schema) -> dict[str, Values]:
        """The fields of a message by name, in order; those that are not there are empty.

        Integers are signed. Packed integers stand one by one; floating point is its four bytes.

        Raises:
            WireError: it is cut off, or holds what it should not.
        """
        held: dict[str, Values] = {name: [] for name, _ in schema.values()}
        place = 0
        while place < len(data):
            key, place = _varint(data, place)
            number, wire = key >> 3, key & 7
            if number not in schema:
                raise WireError(f"it holds a field {number} that it should not")
            name, kind = schema[number]
            values = held[name]
            if wire == VARINT and kind in ("int", "ints"):
                value, place = _varint(data, place)
                values.append(_signed(value))
            elif wire == FIXED32 and kind == "float":
                chunk, place = _chunk(data, place, 4)
                values.append(chunk)
            elif wire == LENGTH and kind in ("bytes", "many", "ints"):
                length, place = _varint(data, place)
                chunk, place = _chunk(data, place, length)
                if kind == "ints":
                    values += self._packed(chunk)
                else:
                    values.append(chunk)
            else:
                raise WireError(f"{name} is of the wrong kind")
            self._count()
            if kind in ("int", "float", "bytes") and len(values) > 1:
                raise WireError(f"{name} is there twice")
        return held

    def _packed(self, chunk: memoryview) -> Values:
        values: Values = []
        place = 0
        while place < len(chunk):
            self._count()
            value, place = _varint(chunk, place)
            values.append(_signed(value))
        return values

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise WireError("it has too many fields")


def _varint(data: memoryview, place: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and where it ends."""
    value = 0
    for shift in range(0, 64, 7):
        if place >= len(data):
            raise WireError("it is cut off")
        byte = data[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & (2**64 - 1), place
    raise WireError("a number is too long")


def _chunk(data: memoryview, place: int, length: int) -> tuple[memoryview, int]:
    if length > len(data) - place:
        raise WireError("it is cut off")
    return data[place : place + length], place + length


def _signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value
