"""Checkpoints: what a search was told, in a file from which it goes on bit for bit.

Searchers are led through what they were told again (see `Searcher`), so that a file holds scores
and nothing of any searcher's insides: arrays of numbers in NumPy's archive, no pickle.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

import numpy as np

from ..archives import ArchiveError, ArchiveTooLargeError, read_arrays
from ..errors import MixgymError
from ..rewards import Evaluator
from .genome import SongSpace
from .search import OnBatch, Progress
from .searcher import Genomes, Outcome

FORMAT = "mixgym-search-1"
MOST_BYTES = 500_000_000  # some four million evaluations
INTERVAL_S = 2.0
ARRAYS = ("score", "objectives", "measures")


class Checkpoint:
    """Keeps what a searcher is told on disk while it is told.

    Args:
        path: of the file; `resume` if None.
        identity: of the search.
        resume: a checkpoint to go on from.

    Attributes:
        told: what the searcher was told before.

    Raises:
        MixgymError: `resume` cannot be used, or the file cannot be written.
    """

    def __init__(self, path: Path | None, identity: str, resume: Path | None = None) -> None:
        self._path, self._identity = path or resume, identity
        self.told = load_checkpoint(resume, identity) if resume else None
        self._saved_s = time.monotonic()

    def watching(self, on_batch: OnBatch | None) -> OnBatch:
        """A listener that saves every few seconds, and tells another."""

        def watch(progress: Progress) -> None:
            if time.monotonic() - self._saved_s >= INTERVAL_S:
                self.save(progress.outcomes)
            if on_batch:
                on_batch(progress)

        return watch

    def save(self, outcomes: Sequence[Outcome]) -> None:
        """Write the file, unless it would hold less than was told before."""
        if self._path is None or not outcomes or len(outcomes) < len(self.told or ()):
            return
        try:
            save_checkpoint(self._path, self._identity, outcomes)
        except OSError as error:
            raise MixgymError(
                f"The checkpoint {self._path} cannot be written ({error.strerror}); "
                "choose another place for it."
            ) from error
        self._saved_s = time.monotonic()


def search_identity(evaluator: Evaluator, space: SongSpace, start: Genomes, choices: object) -> str:
    """A digest of all that decides what a searcher asks for and is told.

    Args:
        evaluator: of the song; what it reads and scores of the start stands for song and reward.
        space: what is searched.
        start: genome that the search begins with, (genes,).
        choices: name, seed and options, told apart by their `repr`.
    """
    scores = space.scores(evaluator, start[None])
    parts = [scores.score, *scores.terms.values(), scores.readings.powers, start]
    text = repr((choices, space.stems, space.space, sorted(evaluator.reward.weights.items())))
    digest = blake2b(text.encode(), digest_size=20)
    for part in parts:
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


def save_checkpoint(path: Path, identity: str, outcomes: Sequence[Outcome]) -> None:
    """Write a checkpoint; the file is whole at any time, the old one or the new.

    Args:
        path: replaced.
        identity: of the search: of everything that decides what its searcher asks for.
        outcomes: everything that the searcher was told.

    Raises:
        OSError: it cannot be written.
    """
    batches = np.array([len(outcome.score) for outcome in outcomes], dtype=np.int64)
    arrays = {
        name: np.concatenate([getattr(outcome, name) for outcome in outcomes]) for name in ARRAYS
    }
    partial = path.with_name(f".mixgym-{os.getpid()}-{path.name}")
    try:
        with partial.open("wb") as file:
            np.savez(file, format=FORMAT, identity=identity, batches=batches, **arrays)  # type: ignore[arg-type]
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def load_checkpoint(path: Path, identity: str) -> list[Outcome]:
    """What the searcher was told.

    Args:
        path: of a checkpoint.
        identity: that it must have.

    Raises:
        MixgymError: it cannot be read, is none, or belongs to another search.
    """
    try:
        held = read_arrays(path, MOST_BYTES)
        if str(held["format"]) != FORMAT:
            raise MixgymError(f"{path} is no checkpoint of this version; search anew.")
        theirs, batches = str(held["identity"]), held["batches"]
        arrays = [held[name] for name in ARRAYS]
    except OSError as error:
        raise MixgymError(f"The checkpoint {path} cannot be read ({error.strerror}).") from error
    except ArchiveTooLargeError as error:
        raise MixgymError(f"{path} is larger than a checkpoint can be; check the name.") from error
    except (ArchiveError, KeyError) as error:
        raise MixgymError(
            f"{path} is no checkpoint of a search; name a file that --checkpoint wrote."
        ) from error
    if theirs != identity:
        raise MixgymError(
            f"{path} belongs to another search; give the stems, the reward and the options that "
            "it was begun with, or search anew."
        )
    _check(path, batches, arrays)
    borders = np.cumsum(batches)[:-1]
    return [
        Outcome(score, objectives, measures)
        for score, objectives, measures in zip(
            *(np.split(array, borders) for array in arrays), strict=True
        )
    ]


def _check(path: Path, batches: np.ndarray, arrays: list[np.ndarray]) -> None:
    score, objectives, measures = arrays
    good = (
        batches.dtype == np.int64
        and batches.ndim == 1
        and len(batches) > 0
        and batches.min() > 0
        and all(array.dtype == np.float64 for array in arrays)
        and (score.ndim, objectives.ndim, measures.ndim) == (1, 2, 2)
        and {len(array) for array in arrays} == {int(batches.sum())}
        and all(np.isfinite(array).all() for array in arrays)
    )
    if not good:
        raise MixgymError(f"{path} is damaged; search anew, or take an older checkpoint.")
