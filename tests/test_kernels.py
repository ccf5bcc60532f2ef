"""Compiled kernels: what they compute must not hang on what was compiled before them."""

import importlib
import pkgutil
from types import ModuleType

import pytest
from numba.core.dispatcher import Dispatcher

import mixgym

PACKAGES = ("console", "evolution", "rewards", "runtime", "songs")


def dispatchers(holder: object) -> dict[str, Dispatcher]:
    return {name: it for name, it in vars(holder).items() if isinstance(it, Dispatcher)}


def kernels() -> dict[str, Dispatcher]:
    """Every compiled function of the package by its full name."""
    found = {}
    for package in PACKAGES:
        for module in pkgutil.walk_packages(
            [f"{mixgym.__path__[0]}/{package}"], f"mixgym.{package}."
        ):
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
