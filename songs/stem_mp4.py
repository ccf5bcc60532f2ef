"""Native Instruments Stem files: one MP4 with the mixdown and four stems as five audio streams.

The names of the stems are JSON in the box `moov/udta/stem` (NI Stem file specification); boxes are
those of ISO/IEC 14496-12.
"""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_MAX_METADATA_BYTES = 1 << 20


def stem_names(path: Path) -> tuple[str, ...]:
    """Return the stems' names in stream order; empty where the file does not give any.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        start, end = 0, path.stat().st_size
        for kind in (b"moov", b"udta", b"stem"):
            inside = (body for name, body in _boxes(file, start, end) if name == kind)
            start, end = next(inside, (end, end))
        file.seek(start)
        return _names(file.read(min(end - start, _MAX_METADATA_BYTES)))


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """Yield the type and the body's span of every box between two offsets."""
    while start + 8 <= end:
        file.seek(start)
        size, kind = struct.unpack(">I4s", file.read(8))
        header = 8
        if size == 1:
            size, header = int.from_bytes(file.read(8), "big"), 16
        elif size == 0:
            size = end - start
        if size < header:
            return
        yield kind, (start + header, min(start + size, end))
        start += size


def _names(payload: bytes) -> tuple[str, ...]:
    try:
        stems = json.loads(payload.decode("utf-8"))["stems"]
        return tuple(str(stem["name"]) for stem in stems)
    except (ValueError, KeyError, TypeError):
        return ()
