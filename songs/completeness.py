"""Whether a file holds all that its header promises.

libsndfile quietly shortens a WAV or AIFF whose data chunk runs past the end of the file, and plays
an Ogg stream up to where it was cut; a half-copied stem would go unnoticed. Chunk layouts: RIFF
(Microsoft/IBM 1991), RF64 (EBU Tech 3306), Wave64 (Sony Pictures Digital 2006), AIFF (Apple 1989),
CAF (Apple 2005); Ogg pages: RFC 3533.
"""

import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple

_UNKNOWN_SIZE = 0x7FFFF000
"""Sizes from here on in 32-bit headers mean "not known": what encoders write into a pipe."""


class _Chunks(NamedTuple):
    """How a chunked container is laid out."""

    first: int  # offset of the first chunk
    id_bytes: int
    size_format: str
    size_counts_header: bool
    alignment: int
    data_id: bytes


_LAYOUTS: tuple[tuple[bytes, _Chunks], ...] = (
    (b"RIFF", _Chunks(12, 4, "<I", False, 2, b"data")),
    (b"RIFX", _Chunks(12, 4, ">I", False, 2, b"data")),
    (b"RF64", _Chunks(12, 4, "<I", False, 2, b"data")),
    (b"FORM", _Chunks(12, 4, ">I", False, 2, b"SSND")),
    (b"riff\x2e\x91\xcf\x11", _Chunks(40, 16, "<q", True, 8, b"data\xf3\xac\xd3\x11")),
    (b"caff", _Chunks(8, 4, ">q", False, 1, b"data")),
)


def missing_bytes(path: Path) -> int:
    """Return how many bytes of audio data the header promises beyond the end of the file.

    0 for complete files, for formats that do not say, and for sizes marked as unknown; for Ogg, 1
    if the last page is cut or is not marked as the last.

    Raises:
        OSError: the file cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if head.startswith(b"OggS"):
            return int(_ogg_is_cut(file, size))
        for magic, layout in _LAYOUTS:
            if head.startswith(magic):
                return _missing_in_chunks(file, size, layout)
    return 0


def _missing_in_chunks(file: BinaryIO, file_size: int, layout: _Chunks) -> int:
    size_bytes = struct.calcsize(layout.size_format)
    header_bytes = layout.id_bytes + size_bytes
    long_data_size = 0
    position = layout.first
    while position + header_bytes <= file_size:
        file.seek(position)
        name = file.read(layout.id_bytes)
        (size,) = struct.unpack(layout.size_format, file.read(size_bytes))
        if layout.size_counts_header:
            size -= header_bytes
        body = position + header_bytes
        if name == b"ds64":
            long_data_size = int.from_bytes(file.read(16)[8:], "little")
        if name.startswith(layout.data_id):
            if size_bytes == 4 and size >= _UNKNOWN_SIZE:
                size = long_data_size
            return int(max(body + size - file_size, 0))
        if size < 0:
            return 0
        position = body + size + -size % layout.alignment
    return 0


def _ogg_is_cut(file: BinaryIO, file_size: int) -> bool:
    longest_page = 27 + 255 + 255 * 255
    start = max(file_size - 2 * longest_page, 0)
    file.seek(start)
    tail = file.read()
    page = tail.rfind(b"OggS")
    if page < 0 or page + 27 > len(tail):
        return True
    is_last = bool(tail[page + 5] & 0x04)
    segments = tail[page + 26]
    table = tail[page + 27 : page + 27 + segments]
    page_bytes = 27 + segments + sum(table)
    return not is_last or len(table) < segments or page + page_bytes > len(tail)
