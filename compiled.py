"""Kernels: functions compiled by Numba and kept on disk from run to run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np


def kernel(**options: Any) -> Callable[[Any], Any]:
    """`numba.njit` for what Python calls: no lock held, the compiled form kept.

    Numba keeps it under the text of the one file that holds the function. What that calls from
    other files, and their constants, would stay as they were when that file last changed; so the
    name under which a kernel is kept tells all that is compiled into it.

    Args:
        options: of `njit`.
    """
    from numba import njit

    def compiled(function: Any) -> Any:
        digest = hashlib.sha256("\n".join(sorted(_parts(function, set()))).encode()).hexdigest()
        function.__qualname__ += f"_{digest[:16]}"
        return njit(cache=True, nogil=True, **options)(function)

    return compiled


def _parts(function: FunctionType, seen: set[FunctionType]) -> set[str]:
    """Code of a function and of all it calls, with the values that they name."""
    from numba.core.dispatcher import Dispatcher

    seen.add(function)
    names, there = function.__code__.co_names, function.__globals__
    held = {name: there[name] for name in names if name in there}
    for module in [value for value in held.values() if isinstance(value, ModuleType)]:
        held |= {name: vars(module)[name] for name in names if name in vars(module)}
    found = {_text(function.__code__)}
    for name, value in held.items():
        if isinstance(value, Dispatcher):
            found.add(f"{name}: {_text(sorted(value.targetoptions.items()))}")
            if value.py_func not in seen:
                found |= _parts(value.py_func, seen)
        elif not callable(value) and not isinstance(value, ModuleType):
            found.add(f"{name}: {_text(value)}")
    return found


def _text(value: Any) -> str:
    """The same in every process for the same value."""
    if isinstance(value, CodeType):
        return _text((value.co_code.hex(), value.co_names, value.co_varnames, value.co_consts))
    if isinstance(value, set | frozenset):
        return _text(sorted(value, key=repr))
    if isinstance(value, tuple | list):
        return f"({', '.join(map(_text, value))})"
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape} {value.tobytes().hex()}"
    return repr(value)
