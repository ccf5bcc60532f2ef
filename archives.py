"""Archives of arrays (`numpy.savez`), read without trust: no pickle, no more memory than said."""

from __future__ import annotations

import errno
import zipfile
import zlib
from io import BytesIO
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

SUFFIX = ".npy"
HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


class ArchiveError(ValueError):
    """A file that is no archive of arrays of numbers or text, or a damaged one."""


class ArchiveTooLargeError(ArchiveError):
    """An archive that would take more memory than it may."""


def read_arrays(path: Path, most_bytes: int) -> dict[str, NDArray[Any]]:
    """All arrays of an archive, by name.

    Args:
        path: of the file.
        most_bytes: that the arrays may take together.

    Raises:
        ArchiveError: see there.
        OSError: the file cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > most_bytes:
                raise ArchiveTooLargeError(f"{path} is too large")
            arrays = {}
            for entry in entries:
                with archive.open(entry) as file:
                    # a bound by what the directory says; the rest of a longer entry stays unread
                    data = file.read(max(1, entry.file_size))
                arrays[entry.filename.removesuffix(SUFFIX)] = _array(data)
            return arrays
    except OSError as error:
        if error.errno != errno.EINVAL:  # which is a place outside of the file
            raise
        raise ArchiveError(f"{path} is no archive of arrays") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError) as error:
        if isinstance(error, ArchiveError):
            raise
        raise ArchiveError(f"{path} is no archive of arrays") from error


def _array(data: bytes) -> NDArray[Any]:
    stream = BytesIO(data)
    version = npy.read_magic(stream)
    if version not in HEADERS:
        raise ValueError(f"unknown version {version}")
    shape, by_columns, dtype = HEADERS[version](stream)
    start = stream.tell()
    if dtype.hasobject or prod(shape) * dtype.itemsize != len(data) - start:
        raise ValueError("another size than the header says")
    flat = np.frombuffer(data, dtype, offset=start) if len(data) > start else np.empty(0, dtype)
    return flat.reshape(shape, order="F" if by_columns else "C").copy()
