"""Libraries that only benchmarks need."""

from __future__ import annotations

import importlib.util

from ..errors import MixgymError


def need(*libraries: str) -> None:
    """Refuse to start without them.

    Raises:
        MixgymError: one is not installed.
    """
    for library in libraries:
        if importlib.util.find_spec(library) is None:
            raise MixgymError(
                f"This benchmark needs {library}: install mixgym's extra with "
                "pip install 'mixgym[bench]'."
            )
