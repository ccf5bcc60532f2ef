"""Memory that was freed and is kept for later, given back to the system."""

from __future__ import annotations

import contextlib
import ctypes


def give_back() -> None:
    """Give back what is free, so that it does not add to what is asked for next.

    The GNU C library keeps freed memory unless it is told (malloc_trim(3)); with others nothing
    happens. It takes some milliseconds.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
