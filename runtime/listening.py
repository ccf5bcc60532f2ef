"""Two mixes at the same loudness, again and again, until a person has the mix that they like."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ..console.hear import hear
from ..console.levels import stem_levels
from ..evolution.preference import PairwiseSearch, axes_of, moved

if TYPE_CHECKING:
    from ..console.mix import Mix
    from ..songs import Song

Side = Literal["a", "b"]
Answer = Literal["a", "b", "same"]


@dataclass(frozen=True, slots=True)
class Pair:
    """What is heard in one round.

    Attributes:
        number: of the round, from 1.
        asks: in which respect the two differ.
        sounds: a WAV file of either side, as loud as each other.
        settled: whether there is little left to be heard.
    """

    number: int
    asks: str
    sounds: dict[Side, bytes]
    settled: bool


@dataclass(frozen=True, slots=True)
class _Heard:
    audio: NDArray[np.float32]  # (2, frames)
    loudness_lufs: float


class Listening:
    """A person's search, a pair of mixes at a time. Safe to call from several threads.

    Args:
        excerpt: what is heard.
        mix: to begin with.
        seed: of what is drawn: which axis comes next, and on which side the best is.

    Raises:
        MixgymError: a stem cannot be read.
    """

    def __init__(self, excerpt: Song, mix: Mix, seed: int = 0) -> None:
        present = [not level.silent for level in stem_levels(excerpt)]
        self._excerpt, self._start = excerpt, mix
        self._axes = axes_of(mix, present)
        self._search = PairwiseSearch(self._axes, seed)
        self._rng = np.random.default_rng(seed)
        self._lock = Lock()
        self._best = self._hear(mix)
        self._challenger = self._best
        self._best_side: Side = "a"
        self._pair = self._next()

    @property
    def pair(self) -> Pair:
        """What is to be heard now."""
        return self._pair

    @property
    def mix(self) -> Mix:
        """The best so far, of the excerpt."""
        found = moved(self._start, self._axes, self._search.best)
        return replace(found, made_by=f"{self._start.made_by} and a listener")

    @property
    def answers(self) -> int:
        """How many were given."""
        return self._search.answers

    def answer(self, number: int, answer: Answer) -> bool:
        """Which side of a round is better.

        Returns:
            Whether it counted; not where that round is over, as when a button is pressed twice.

        Raises:
            MixgymError: a stem cannot be read.
        """
        with self._lock:
            if number != self._pair.number:
                return False
            better = answer != "same" and answer != self._best_side
            if better:
                self._best = self._challenger
            self._search.tell(better)
            self._pair = self._next()
            return True

    def _next(self) -> Pair:
        self._challenger = self._hear(moved(self._start, self._axes, self._search.challenger))
        self._best_side = "a" if self._rng.random() < 0.5 else "b"
        level = min(self._best.loudness_lufs, self._challenger.loudness_lufs)
        best, challenger = (
            self._wav(heard.audio * np.float32(10 ** ((level - heard.loudness_lufs) / 20)))
            for heard in (self._best, self._challenger)
        )
        sounds: dict[Side, bytes] = (
            {"a": best, "b": challenger} if self._best_side == "a" else {"a": challenger, "b": best}
        )
        number = self._search.answers + 1
        return Pair(number, self._search.axis.name, sounds, self._search.settled)

    def _hear(self, mix: Mix) -> _Heard:
        readings, audio = hear(self._excerpt, mix)
        return _Heard(audio, float(readings.integrated_lufs[0]))

    def _wav(self, audio: NDArray[np.float32]) -> bytes:
        import soundfile

        file = io.BytesIO()
        soundfile.write(file, audio.T, self._excerpt.sample_rate, format="WAV", subtype="PCM_16")
        return file.getvalue()
