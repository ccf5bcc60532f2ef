"""Compiled kernels: never another's result, whatever is kept and whatever was compiled before."""

import importlib
import os
import pkgutil
import subprocess
import sys
from types import ModuleType

import pytest
from numba.core.dispatcher import Dispatcher

import mixgym

PACKAGES = ("agents", "console", "evolution", "rewards", "runtime", "songs")
OUTER = """
from mixgym.compiled import kernel
import inner

@kernel(error_model="numpy")
def outer(x):
    return inner.part(x) + 1.0
"""
INNER = """
from numba import njit

SCALE = {scale}

@njit(forceinline=True{more})
def part(x):
    return x {sign} SCALE
"""


def dispatchers(holder: object) -> dict[str, Dispatcher]:
    return {name: it for name, it in vars(holder).items() if isinstance(it, Dispatcher)}


def kernels() -> dict[str, Dispatcher]:
    """Every compiled function of the package by its full name."""
    found = {}
    for package in PACKAGES:
        path = f"{mixgym.__path__[0]}/{package}"
        for module in pkgutil.walk_packages([path], f"mixgym.{package}."):
            for it in dispatchers(importlib.import_module(module.name)).values():
                found[f"{it.py_func.__module__}.{it.py_func.__name__}"] = it
    return found


def called(kernel: Dispatcher) -> list[Dispatcher]:
    """The compiled functions that a kernel calls, by name or as a module's attribute."""
    names, there = kernel.py_func.__code__.co_names, kernel.py_func.__globals__
    holders = [there, *(vars(there[n]) for n in names if isinstance(there.get(n), ModuleType))]
    return [h[n] for h in holders for n in names if isinstance(h.get(n), Dispatcher)]


KERNELS = kernels()


def test_there_are_kernels_that_call_others() -> None:
    assert sum(bool(called(kernel)) for kernel in KERNELS.values()) > 10


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_what_a_kernel_calls_is_part_of_it(name: str) -> None:
    """A part that stays a function of its own is compiled once for itself and once in each caller.

    Which copy runs depends on which was loaded first, so the last bits of a result would hang on
    whether Numba's cache was warm.
    """
    for part in called(KERNELS[name]):
        options = part.targetoptions
        assert options.get("forceinline") or options.get("inline") == "always", part.py_func


def outer(folder, **part) -> tuple[float, int]:
    """What `outer(3.0)` is in a new process, and how many compiled forms are kept."""
    (folder / "outer.py").write_text(OUTER)
    (folder / "inner.py").write_text(INNER.format(**{"scale": 2.0, "sign": "*", "more": ""} | part))
    ran = subprocess.run(
        [sys.executable, "-B", "-c", "import outer; print(outer.outer(3.0))"],
        cwd=folder, env={**os.environ, "NUMBA_CACHE_DIR": str(folder / "kept")},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return float(ran.stdout), len(list((folder / "kept").rglob("*.nbc")))


def test_a_changed_part_is_compiled_anew_and_an_unchanged_one_is_not(tmp_path) -> None:
    assert outer(tmp_path) == (7.0, 1)
    assert outer(tmp_path) == (7.0, 1)
    assert outer(tmp_path, scale=4.0) == (13.0, 2), "a constant of another file"
    assert outer(tmp_path, sign="+") == (6.0, 3), "code of another file"
    assert outer(tmp_path, more=", fastmath={'contract', 'reassoc'}") == (7.0, 4), "an option"
    assert outer(tmp_path, more=", fastmath={'contract', 'reassoc'}") == (7.0, 4)
