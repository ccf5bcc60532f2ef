"""Mappers: one function over many chunks of work, here, in processes or on a cluster.

A chunk holds indices, paths, seeds and arrays of parameters, never audio: whoever works on it reads
the songs itself. What comes out is the same whoever worked on it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, Self, TypeVar

from ..errors import MixgymError

Chunk = TypeVar("Chunk")
Result = TypeVar("Result")

ATTEMPTS = 3  # at a chunk whose workers get lost
MOST_PROCESSES = 1024
KINDS = "inline, processes, processes:N, ray or ray:ADDRESS"


class Mapper(Protocol):
    """Applies a function to chunks. A context manager that lets its workers go.

    Attributes:
        workers: chunks at work at the same time.
    """

    workers: int

    def map(
        self, function: Callable[[Chunk], Result], chunks: Sequence[Chunk]
    ) -> Iterator[tuple[int, Result]]:
        """Yield each chunk's index with its result as it gets done.

        A chunk whose worker was lost is done again by another.

        Args:
            function: of a module, so that other processes find it.
            chunks: can be pickled.

        Raises:
            MixgymError: a chunk lost its workers `ATTEMPTS` times.
            Exception: what the function raised; the other chunks are given up.
        """
        ...

    def __enter__(self) -> Self:
        """Itself."""
        ...

    def __exit__(self, *exception: object) -> None:
        """Let the workers go."""
        ...


class InlineMapper:
    """Works through the chunks in this process, in their order."""

    workers = 1

    def map(
        self, function: Callable[[Chunk], Result], chunks: Sequence[Chunk]
    ) -> Iterator[tuple[int, Result]]:
        """As `Mapper.map`."""
        for index, chunk in enumerate(chunks):
            yield index, function(chunk)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Nothing to let go."""


def make_mapper(name: str) -> Mapper:
    """The mapper of a name: `inline`, `processes[:N]` (all processors) or `ray[:ADDRESS]`.

    Raises:
        MixgymError: there is none of that name, or it needs a library that is not installed.
    """
    kind, _, rest = name.partition(":")
    if kind == "inline" and not rest:
        return InlineMapper()
    if kind == "processes" and re.fullmatch(r"[1-9]\d{0,3}|", rest):
        from .mapper_processes import ProcessMapper

        return ProcessMapper(min(int(rest or os.cpu_count() or 1), MOST_PROCESSES))
    if kind == "ray":
        from .mapper_ray import RayMapper

        return RayMapper(rest or None)
    raise MixgymError(f"There is no mapper {name!r}; choose {KINDS}.")


def lost_too_often() -> MixgymError:
    """What to raise when a chunk lost its workers `ATTEMPTS` times."""
    return MixgymError(
        f"The workers of one chunk were lost {ATTEMPTS} times, most likely for want of memory: "
        "run the same command again with fewer at work."
    )
