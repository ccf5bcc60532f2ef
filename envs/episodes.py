"""Episodes: what environments do, many at once and without Gymnasium."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..console.parameters import MASTER
from ..rewards import features
from ..rewards.batch import BatchEvaluator
from ..rewards.listeners import Listener
from ..rewards.reward import Scores
from .options import EnvOptions, Task

Values = NDArray[np.float64]
Floats = NDArray[np.float32]
Places = NDArray[np.int64]
TARGET = MASTER.index("target_lufs")


@dataclass(frozen=True)
class Physical:
    """Settings in physical units, as `BatchEvaluator.evaluate` takes them."""

    strips: Values
    buses: Values
    master: Values
    inserts: Values | None


@dataclass(frozen=True)
class Start:
    """What is known of a song's first mix.

    Attributes:
        facts: what every stem is like, (stems, features).
        state, mix: features of the mix, (stems, features), (features,).
        present: which stems sound, (stems,).
        values: score, terms and gates.
    """

    facts: Floats
    state: Floats
    mix: Floats
    present: NDArray[np.bool_]
    values: Values


class Episodes:
    """Several episodes side by side; a song each, and settings that actions move.

    What happens in one depends neither on the others nor on how many there are, to the last bit.

    Args:
        task: what is set.
        options: what was chosen.
        count: how many episodes.

    Attributes:
        stems: rows for stems.
        action_mask: which cells of an action are used, in the action's shape.
        values: names of what is scored: "score", then terms, then gates.
        songs: number of each episode's song, (count,).
        taken: steps taken in each episode, (count,).

    Raises:
        ValueError, MixgymError: options that cannot be used.
    """

    def __init__(self, task: Task, options: EnvOptions, count: int) -> None:
        self.task, self.options, self.count = task, options, count
        self.space = options.space(task)
        self.repertoire = options.repertoire(task)
        self.stems = 1
        if task.stems:
            self.stems = options.max_stems or self.repertoire.most_stems()
        self.reward = options.loaded_reward
        self.evaluator = BatchEvaluator(self.reward, self.stems, options.threads)
        self.terms, self.gates = tuple(self.reward.weights), self.reward.gates
        self.songs = np.zeros(count, dtype=np.int64)
        self.taken = np.zeros(count, dtype=np.int64)
        self._order = np.tile(np.arange(self.stems), (count, 1))
        self._settings = np.tile(self._rest, (count, 1))
        self._starts: dict[int, Start] = {}
        self._listeners: list[Listener | None] = [None] * count
        self._facts = np.zeros((count, self.stems, features.size(self._kind)), np.float32)
        self._state = np.zeros((count, self.stems, features.size(features.STEM_IN_MIX)), np.float32)
        self._mix = np.zeros((count, features.size(features.MIX)), np.float32)
        self._present = np.zeros((count, self.stems), dtype=bool)
        self._values = np.zeros((count, 1 + len(self.terms) + len(self.gates)))

    # What an action is.

    @cached_property
    def _widths(self) -> tuple[int, int, int]:
        """Parameters of a strip, of its insert, of the buses and the master together."""
        insert = self.options.insert
        own = len(insert.parameters) if insert else 0
        return len(self.space.strip), own, len(self.space.buses) + len(self.space.master)

    @cached_property
    def action_mask(self) -> NDArray[np.bool_]:
        """Which cells of an action are used; its shape is the action's."""
        strip, own, bus = self._widths
        if not self.task.stems:
            return np.ones(bus, dtype=bool)
        mask = np.zeros((self.stems + (bus > 0), max(strip + own, bus)), dtype=bool)
        mask[: self.stems, : strip + own] = True
        mask[self.stems :, :bus] = True
        return mask

    @cached_property
    def parameter_names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What the columns of a stem's row and of the bus row set."""
        insert = self.options.insert
        own = tuple(insert.parameters) if insert else ()
        return (*self.space.strip, *own), (*self.space.buses, *self.space.master)

    @cached_property
    def _cells(self) -> NDArray[np.int64]:
        return np.flatnonzero(self.action_mask)

    @cached_property
    def _rest(self) -> Values:
        """Settings to begin with: stem by stem, then buses and master, (settings,)."""
        strip, _, _ = self._widths
        genome = self.space.rest(self.stems)
        rows = genome[: self.stems * strip].reshape(self.stems, strip)
        if self.options.insert is not None:
            own = np.tile(self.options.insert.rest, (self.stems, 1))
            rows = np.concatenate([rows, own], axis=1)
        return np.concatenate([rows.ravel(), genome[self.stems * strip :]])

    # What happens.

    def begin(self, places: Places, songs: Sequence[int], order: Sequence[Any]) -> None:
        """Begin these episodes anew.

        Args:
            places: which.
            songs: the number of the song of each.
            order: generators that shuffle stems, or None, for each.

        Raises:
            MixgymError: a song cannot be read.
        """
        listeners = self.repertoire.listeners(list(dict.fromkeys(songs)))
        new = {song: found for song, found in listeners.items() if song not in self._starts}
        if new:
            self._prepare(new)
        for place, song, rng in zip(places.tolist(), songs, order, strict=True):
            start = self._starts[song]
            self.songs[place], self.taken[place] = song, 0
            self._listeners[place] = listeners[song]
            self._facts[place], self._state[place] = start.facts, start.state
            self._mix[place], self._values[place] = start.mix, start.values
            self._present[place] = start.present
            self._settings[place] = self._rest
            if rng is not None:
                stems = len(listeners[song].roles)
                self._order[place, :stems] = rng.permutation(stems)
                self._order[place, stems:] = np.arange(stems, self.stems)

    def forget(self, songs: Sequence[int]) -> None:
        """Drop what is kept of songs for when they are played again."""
        for song in songs:
            self._starts.pop(song, None)

    def step(self, actions: NDArray[np.floating]) -> Values:
        """One step of all episodes.

        Args:
            actions: finite, shape (count, *action); clipped to [-1, 1].

        Returns:
            How much better each mix is than before, (count,).
        """
        moves = np.clip(self._by_stem(actions, inverse=True), -1.0, 1.0)
        if self.options.control == "delta":
            moves = np.clip(self._settings + self.options.step_size * moves, -1.0, 1.0)
        self._settings = moves
        before = self._values[:, 0]
        listeners = [self.listener(place) for place in range(self.count)]
        scores, state, mix = self._evaluate(listeners, self._settings)
        self._values, self._state, self._mix = self._table(scores), state, mix
        self.taken += 1
        return self._values[:, 0] - before

    @property
    def over(self) -> NDArray[np.bool_]:
        """Which episodes have taken all their steps, (count,)."""
        return self.taken >= self.options.episode_steps

    @property
    def evaluations(self) -> int:
        """Mixes that were evaluated so far, each song's first mix once."""
        return self.evaluator.evaluations

    # What is seen.

    def observe(self) -> dict[str, NDArray[np.float32]]:
        """New arrays of all episodes, the first axis theirs."""
        left = (1.0 - 2.0 * self.taken / self.options.episode_steps).astype(np.float32)
        mix = np.concatenate([self._mix, left[:, None]], axis=1)
        if not self.task.stems:
            settings = self._settings.astype(np.float32)
            return {"track": self._facts[:, 0].copy(), "mix": mix, "settings": settings}
        stems = np.concatenate([self._facts, self._state], axis=2)
        present = self._present
        if self.options.shuffle_stems:
            stems = np.take_along_axis(stems, self._order[:, :, None], axis=1)
            present = np.take_along_axis(present, self._order, axis=1)
        settings = np.zeros((self.count, *self.action_mask.shape), np.float32)
        settings.reshape(self.count, -1)[:, self._cells] = self._by_stem(self._settings)
        settings[:, : self.stems] *= present[:, :, None]
        return {
            "stems": stems,
            "mask": present.astype(np.float32),
            "mix": mix,
            "settings": settings,
        }

    def scores(self) -> tuple[Values, dict[str, Values], dict[str, Values]]:
        """Score, terms and gates of all episodes, new arrays (count,)."""
        columns = self._values.T.copy()
        split = 1 + len(self.terms)
        terms = dict(zip(self.terms, columns[1:split], strict=True))
        return columns[0], terms, dict(zip(self.gates, columns[split:], strict=True))

    def physical(self, place: int) -> Physical:
        """One episode's settings, a batch of one."""
        return self._physical(self._settings[place : place + 1])

    def listener(self, place: int) -> Listener:
        """What reads one episode's mixes."""
        found = self._listeners[place]
        if found is None:
            found = self.repertoire.listener(int(self.songs[place]))
            self._listeners[place] = found
        return found

    # How.

    def _by_stem(self, values: NDArray[np.floating], inverse: bool = False) -> Values:
        """From the song's order of stems to the episode's, or back from an action's cells."""
        if inverse:
            values = values.reshape(self.count, -1)[:, self._cells].astype(np.float64)
        if not self.options.shuffle_stems:
            return np.asarray(values)
        rows = self.stems * (self._widths[0] + self._widths[1])
        by_stem = values[:, :rows].reshape(self.count, self.stems, -1)
        order = np.argsort(self._order, axis=1) if inverse else self._order
        moved = np.take_along_axis(by_stem, order[:, :, None], axis=1)
        return np.concatenate([moved.reshape(self.count, -1), values[:, rows:]], axis=1)

    def _physical(self, settings: Values) -> Physical:
        strip, own, _ = self._widths
        rows = self.stems * (strip + own)
        by_stem = settings[:, :rows].reshape(len(settings), self.stems, strip + own)
        genomes = settings
        if own:
            strips = by_stem[..., :strip].reshape(len(settings), -1)
            genomes = np.concatenate([strips, settings[:, rows:]], axis=1)
        strips, buses, master = self.space.decode(genomes, self.stems)
        target_lufs = features.target_loudness_lufs(self.reward)
        if target_lufs is not None and "target_lufs" not in self.space.master:
            master[:, TARGET] = target_lufs
        insert = self.options.insert
        inserts = insert.decode(by_stem[..., strip:]) if insert else None
        return Physical(strips, buses, master, inserts)

    def _evaluate(
        self, listeners: Sequence[Listener], settings: Values
    ) -> tuple[Scores, Floats, Floats]:
        """Scores, and features of stems and mixes."""
        to = self._physical(settings)
        scores, facts = self.evaluator.evaluate(
            listeners, to.strips, to.buses, to.master, to.inserts
        )
        state = features.stem_state(facts)
        return scores, state, features.mix_state(facts, scores, self.reward)

    def _table(self, scores: Scores) -> Values:
        columns = [scores.score, *scores.terms.values(), *scores.gates.values()]
        return np.stack(columns, axis=1)

    @property
    def _kind(self) -> tuple[features.Feature, ...]:
        return features.STEM if self.task.stems else features.TRACK

    def _prepare(self, songs: Mapping[int, Listener]) -> None:
        """Evaluate the first mix of songs that were not played before."""
        for song, listener in songs.items():
            if len(listener.roles) > self.stems:
                raise ValueError(
                    f"{self.repertoire.titles[song]!r} has {len(listener.roles)} stems, more than "
                    f"max_stems={self.stems}: raise it, or leave the song out"
                )
        settings = np.tile(self._rest, (len(songs), 1))
        scores, state, mix = self._evaluate(list(songs.values()), settings)
        values = self._table(scores)
        for i, (song, listener) in enumerate(songs.items()):
            stems = len(listener.roles)
            facts = np.zeros(self._facts.shape[1:], np.float32)
            facts[:stems] = self._song_features(listener)
            present = np.zeros(self.stems, dtype=bool)
            present[:stems] = listener.present
            facts *= present[:, None]
            self._starts[song] = Start(facts, state[i], mix[i], present, values[i])

    def _song_features(self, listener: Listener) -> Floats:
        analysis = self.repertoire.analysis(listener)
        if self.task.stems:
            return features.stem_features(analysis, listener.roles)
        return features.track_features(analysis)

    def __getstate__(self) -> dict[str, Any]:
        """Everything but open songs."""
        return {**self.__dict__, "_listeners": [None] * self.count}
