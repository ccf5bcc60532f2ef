"""Mixes of several songs as one batch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..console.mix_readings import MixReadings
from .effort import effort
from .facts import Facts
from .listeners import Listener
from .reward import Reward, Scores
from .scene import Scene

Values = NDArray[np.float64]
Part = tuple[NDArray[np.int64], MixReadings]
PER_STEM = {"stem_lufs": -np.inf, "stem_powers": 0.0}  # and what reads of a stem that is not there


class BatchEvaluator:
    """Scores mixes of several songs of one length and rate, each mix one evaluation.

    Every mix has room for the same number of stems; what a song lacks of them is not there for
    any term. Songs are shared out among threads, terms are computed once for the whole batch.
    Neither the batch nor the number of threads changes a bit of a mix's scores.

    Args:
        reward: what mixes are worth.
        stems: how many a mix has room for.
        threads: None takes all processors.

    Attributes:
        evaluations: how many mixes were scored so far.
    """

    def __init__(self, reward: Reward, stems: int, threads: int | None = None) -> None:
        self.reward, self.stems = reward, stems
        self.threads = threads or os.cpu_count() or 1
        self.evaluations = 0
        self._pool: ThreadPoolExecutor | None = None

    def evaluate(
        self,
        songs: Sequence[Listener],
        strips: Values,
        buses: Values,
        master: Values,
        inserts: Values | None = None,
    ) -> tuple[Scores, Facts]:
        """Score a batch.

        Args:
            songs: the song of each mix.
            strips: physical values, shape (mixes, stems, len(STRIP)); rows beyond a song's stems
                are ignored.
            buses, master: (mixes, len(BUSES)), (mixes, len(MASTER)).
            inserts: values of the parameters of each stem's insert, (mixes, stems, parameters).

        Returns:
            Scores, and the facts that they rest on.
        """
        self.evaluations += len(songs)
        readings = self.read(songs, strips, buses, master, inserts)
        roles = np.zeros((len(songs), self.stems), dtype=np.int64)
        present = np.zeros((len(songs), self.stems), dtype=bool)
        for i, song in enumerate(songs):
            roles[i, : len(song.roles)] = song.roles
            present[i, : len(song.roles)] = song.present
        scene = Scene(roles, present, songs[0].centres_hz, effort(strips, master, present))
        facts = Facts(readings, scene)
        return self.reward.score(facts), facts

    def read(
        self,
        songs: Sequence[Listener],
        strips: Values,
        buses: Values,
        master: Values,
        inserts: Values | None = None,
    ) -> MixReadings:
        """What the mixes read, neither scored nor counted; arguments as `evaluate`."""

        def listen(run: list[tuple[Listener, NDArray[np.int64]]]) -> list[Part]:
            return [
                (
                    mixes,
                    song.read(
                        strips[mixes, : len(song.roles)],
                        buses[mixes],
                        master[mixes],
                        None if inserts is None else inserts[mixes, : len(song.roles)],
                    ),
                )
                for song, mixes in run
            ]

        first, *others = _shares(songs, self.threads)
        if others and self._pool is None:
            self._pool = ThreadPoolExecutor(self.threads)
        waiting = [self._pool.submit(listen, run) for run in others] if self._pool else []
        parts = listen(first)  # this thread works too
        for future in waiting:
            parts += future.result()
        return _joined(parts, len(songs), self.stems)

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the threads."""
        return {**self.__dict__, "_pool": None}


def _shares(
    songs: Sequence[Listener], threads: int
) -> list[list[tuple[Listener, NDArray[np.int64]]]]:
    """Mixes by song, cut into as many runs of about the same work as there are threads."""
    first = {id(song): i for i, song in reversed(list(enumerate(songs)))}
    order = sorted(range(len(songs)), key=lambda i: first[id(songs[i])])
    done = np.cumsum([1 + len(songs[i].roles) for i in order])
    run_of = ((done - 1) * threads // done[-1]).tolist()
    runs: dict[int, list[tuple[Listener, NDArray[np.int64]]]] = {}
    for (run, _), members in groupby(
        zip(run_of, order, strict=True), key=lambda pair: (pair[0], first[id(songs[pair[1]])])
    ):
        mixes = np.array([i for _, i in members])
        runs.setdefault(run, []).append((songs[mixes[0]], mixes))
    return list(runs.values())


def _joined(parts: list[Part], mixes: int, stems: int) -> MixReadings:
    """The parts at their places, with room for the same number of stems."""
    joined: dict[str, Any] = {}
    for field in fields(MixReadings):
        name = field.name
        arrays = [getattr(readings, name) for _, readings in parts]
        if name == "seconds":
            joined[name] = arrays[0]
        elif name in PER_STEM:
            whole = np.full((mixes, stems, *arrays[0].shape[2:]), PER_STEM[name], dtype=np.float32)
            for (places, _), array in zip(parts, arrays, strict=True):
                whole[places, : array.shape[1]] = array
            joined[name] = whole
        else:
            whole = np.empty((mixes, *arrays[0].shape[1:]), dtype=arrays[0].dtype)
            for (places, _), array in zip(parts, arrays, strict=True):
                whole[places] = array
            joined[name] = whole
    return MixReadings(**joined)
