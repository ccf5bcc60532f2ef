"""The evaluator: many mixes of one song in, scores out, every evaluation counted."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ..console.analysis_cache import cached_analysis
from ..console.hear import hear
from ..console.levels import stem_levels
from ..console.mix import Mix
from ..console.mix_readings import MixReadings, join_readings
from ..console.simulate import Simulator
from .effort import effort
from .reward import Reward, Scores, load_reward
from .scene import Scene, role_indices

if TYPE_CHECKING:
    from ..console.analysis import Analysis
    from ..songs import Song

Fidelity = Literal["simulate", "render"]
FIDELITIES: tuple[Fidelity, ...] = ("simulate", "render")


class Evaluator:
    """Scores mixes of one song.

    What it counts is the budget of everything that searches or learns: one evaluation is one mix
    that was simulated or rendered. Safe to call from several threads.

    Args:
        song: an excerpt as a rule.
        reward: `load_reward()` if None.
        fidelity: "simulate" predicts the readings, "render" takes them from audio.
        threads: at work on one batch; None takes all processors.

    Attributes:
        evaluations: how many mixes were scored so far.

    Raises:
        MixgymError: a stem cannot be read.
    """

    def __init__(
        self,
        song: Song,
        reward: Reward | None = None,
        *,
        fidelity: Fidelity = "simulate",
        threads: int | None = None,
    ) -> None:
        if fidelity not in FIDELITIES:
            raise ValueError(f"fidelity is {fidelity!r}; choose from {', '.join(FIDELITIES)}")
        self.song, self.fidelity = song, fidelity
        self.reward = reward or load_reward()
        self.threads = threads or os.cpu_count() or 1
        self.roles = role_indices(song)
        self.evaluations = 0
        self._lock = Lock()

    @cached_property
    def analysis(self) -> Analysis:
        """Of the song, from the cache where it was made before."""
        return cached_analysis(self.song, threads=self.threads)

    @cached_property
    def _simulator(self) -> Simulator:
        return Simulator(self.analysis, threads=self.threads)

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """Which stems sound, (stems,)."""
        return np.array([not level.silent for level in stem_levels(self.song)])

    def evaluate(
        self,
        strips: NDArray[np.float64],
        buses: NDArray[np.float64],
        master: NDArray[np.float64],
        side_chains: NDArray[np.int64] | None = None,
    ) -> Scores:
        """Score a batch of mixes given as arrays.

        Args:
            strips: physical values, shape (mixes, stems, len(STRIP)).
            buses, master: (mixes, len(BUSES)), (mixes, len(MASTER)).
            side_chains: index of the stem that drives each compressor, (stems,); itself if None.

        Raises:
            ValueError: a shape does not fit.
            MixgymError: a stem cannot be read.
        """
        readings = self.read(strips, buses, master, side_chains)
        return self.reward(readings, self.scene(strips, master))

    def evaluate_mixes(self, mixes: Sequence[Mix]) -> Scores:
        """Score mixes of this song that share their side chains."""
        names = tuple(stem.name for stem in self.song.stems)
        chains = mixes[0].side_chains
        keys = np.array([i if c is None else names.index(c) for i, c in enumerate(chains)])
        return self.evaluate(
            np.stack([mix.strips for mix in mixes]),
            np.stack([mix.buses for mix in mixes]),
            np.stack([mix.master for mix in mixes]),
            keys,
        )

    def read(
        self,
        strips: NDArray[np.float64],
        buses: NDArray[np.float64],
        master: NDArray[np.float64],
        side_chains: NDArray[np.int64] | None = None,
    ) -> MixReadings:
        """What the mixes read, unscored; counted as evaluations. Arguments as `evaluate`."""
        with self._lock:
            self.evaluations += len(strips)
        if self.fidelity == "simulate":
            return self._simulator(strips, buses, master, side_chains)
        names = [stem.name for stem in self.song.stems]
        chains = (None,) * len(names) if side_chains is None else _names(names, side_chains)
        neutral = replace(Mix.neutral(self.song), side_chains=chains)

        def heard(i: int) -> MixReadings:
            mix = replace(neutral, strips=strips[i], buses=buses[i], master=master[i])
            return hear(self.song, mix, threads=1)[0]

        with ThreadPoolExecutor(self.threads) as pool:
            return join_readings(list(pool.map(heard, range(len(strips)))))

    def scene(self, strips: NDArray[np.float64], master: NDArray[np.float64]) -> Scene:
        """Who plays in a batch of mixes; arguments as `evaluate`."""
        mixes = len(strips)
        present = np.tile(self.present, (mixes, 1))
        return Scene(
            np.tile(self.roles, (mixes, 1)),
            present,
            self.centres_hz,
            effort(strips, master, present),
        )

    @cached_property
    def centres_hz(self) -> NDArray[np.float64]:
        """Of the third octaves that readings hold, (bands,)."""
        from ..console.meters.spectrum import third_octave_centres

        return third_octave_centres(self.song.sample_rate)


def _names(names: list[str], side_chains: NDArray[np.int64]) -> tuple[str | None, ...]:
    return tuple(None if key == i else names[key] for i, key in enumerate(side_chains.tolist()))
