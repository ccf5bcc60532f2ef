"""Teachers: policies and searches, whose best mix of a song is what a student is to learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..console.analysis_cache import cache_folder
from ..console.mix import Mix
from ..envs.episodes import Episodes
from ..errors import MixgymError
from ..evolution.genome import SongSpace
from ..evolution.mixers import starting_mix
from ..rewards import Evaluator
from ..rewards.batch import BatchEvaluator
from .batches import Batches, Shown, songs_of
from .encoders import PICTURED
from .hyperparameters import Distillation
from .labels import Label, Values, costs, kept_label, seek
from .load import read_network
from .network import Sizes, TrackSetNetwork, act
from .weights import table_digest

VERSION = 1  # of what files of labels hold


class Round(NamedTuple):
    """Policies with whose mixes searches begin.

    Attributes:
        policies: that look once.
        digests: of their weights.
    """

    policies: list[TrackSetNetwork]
    digests: list[bytes]


class Teachers:
    """The best mix of several teachers for each song and style, found when it is first asked for.

    Policies look once. Where a song is searched, a search begins with the best of their mixes, or
    with the best mix by rule if there are no policies. It begins with a student's mix as well, once
    `follow` has told of the student. What was found lies beside the cached analyses, a file for
    each song and style, so that whatever ends a run loses one label at most and other runs of the
    same teachers ask for none again.

    Args:
        styles: episodes of the same songs for each style.
        batches: of these songs.
        given: who teaches.
        sizes: of the student.
        seed: of which songs are probed.
        folder: where the files lie; beside the analyses if None.

    Raises:
        MixgymError: a teacher cannot be read, or is for other parameters or features.
    """

    def __init__(
        self,
        styles: Sequence[Episodes],
        batches: Batches,
        given: Distillation,
        sizes: Sizes,
        seed: int,
        folder: Path | None = None,
    ) -> None:
        self._styles, self._batches, self._given, self._seed = styles, batches, given, seed
        self._sizes, self._songs = sizes, len(styles[0].repertoire)
        policies = [_policy(path, styles[0], sizes) for path in given.teachers]
        digests = [blake2b(path.read_bytes()).digest() for path in given.teachers]
        self._rounds = [Round(policies, digests)]
        self._folder = folder or cache_folder().parent / "labels"
        self._known: dict[tuple[int, int, bool, int], Label] = {}

    def follow(self, student: TrackSetNetwork) -> None:
        """Let searches begin with what a student sets, too, in labels that ask for it.

        Args:
            student: is copied.
        """
        copied = TrackSetNetwork(self._sizes)
        copied.load_state_dict(student.state_dict())
        values = b"".join(value.numpy().tobytes() for value in copied.state_dict().values())
        self._rounds.append(Round([copied.eval()], [blake2b(values).digest()]))

    @property
    def students(self) -> list[TrackSetNetwork]:
        """That were followed, in order."""
        return [policy for found in self._rounds[1:] for policy in found.policies]

    def label(self, shown: Shown, place: int, *, probed: bool = False, students: int = 0) -> Label:
        """Of a song that is shown, while its episodes have not begun anew.

        Args:
            shown: the songs.
            place: which of them.
            probed: whether to find out what errors cost; its weights are all 1 otherwise.
            students: how many of those followed count; the best of all is the label.

        Raises:
            MixgymError: it cannot be read.
        """
        key = (shown.style, int(shown.numbers[place]), probed, students)
        if key in self._known:
            return self._known[key]
        lesson = _Lesson(self, shown, place)
        labels = [lesson.label(found, probed) for found in self._rounds[: students + 1]]
        best = max(labels, key=lambda label: label.gain)
        found = best._replace(evaluations=sum(label.evaluations for label in labels))
        if key[1] < self._songs:  # of the others there are many, met once
            self._known[key] = found
        return found

    def sensitivity(self) -> tuple[Values, Values, int]:
        """What the square of an error in a parameter costs, in score, the mean over a few songs.

        Returns:
            For each parameter of a strip, for each shared one, and evaluations spent; ones, for
            none, if no song is to be probed.
        """
        strip, bus, spent = np.zeros(self._sizes.strip), np.zeros(self._sizes.bus), 0
        count = min(self._given.probed, self._songs)
        if not count:
            return np.ones_like(strip), np.ones_like(bus), 0
        for i, song in enumerate(songs_of(0, count, self._songs, self._seed)):
            shown = self._batches.shown(i % len(self._styles), np.array([song]))
            label = self.label(shown, 0, probed=True)
            shared = len(label.weights) - len(bus)
            if len(strip):
                strip += label.weights[:shared].reshape(-1, len(strip)).mean(axis=0) / count
            bus += label.weights[shared:] / count
            spent += label.evaluations
        return strip, bus, spent


class _Lesson:
    """One song under one style, before those who teach it."""

    def __init__(self, teachers: Teachers, shown: Shown, place: int) -> None:
        self._teachers, self._episodes = teachers, teachers._styles[shown.style]
        self._number, self._neutral_score = int(shown.numbers[place]), float(shown.scores[place])
        self._listener = self._episodes.listener(place)
        self._stems = stems = len(self._listener.roles)
        strips, buses, master = shown.neutral
        self._around = (strips[:stems], buses, master)
        self._seen = _alone(shown.observations, place, stems)
        self._evaluator = BatchEvaluator(self._episodes.reward, stems, threads=1)

    def label(self, begun: Round, probed: bool) -> Label:
        given, space = self._teachers._given, self._episodes.space
        searches = [search for i, search in enumerate(given.searches) if self._is_searched(i)]
        choices = (VERSION, probed, given.search_seed if searches else None, searches)
        path = self._teachers._folder / f"{self._identity(choices, begun)}.npz"
        return kept_label(path, space.genes(self._stems), lambda: self._found(begun, probed))

    def _is_searched(self, search: int) -> bool:
        """Whether a search is done; songs of which stems were silenced are not on disk."""
        given = self._teachers._given
        rng = np.random.default_rng((given.search_seed, self._number, search))
        whole = self._number < self._teachers._songs
        return whole and bool(rng.random() < given.searches[search].share)

    def _identity(self, choices: object, begun: Round) -> str:
        """A digest of all that decides what is found."""
        reward, space = self._episodes.reward, self._episodes.space
        text = repr((choices, self._neutral_score, space, sorted(reward.weights.items())))
        digest = blake2b(text.encode(), digest_size=20)
        for policy in begun.digests:
            digest.update(policy)
        for _, values in sorted(self._seen.items()):
            digest.update(np.ascontiguousarray(values).tobytes())
        return digest.hexdigest()

    def _found(self, begun: Round, probed: bool) -> Label:
        genomes = [self._genome(policy) for policy in begun.policies]
        scores = self._scores(np.array(genomes)).tolist() if genomes else []
        spent = len(genomes)
        for index in range(len(self._teachers._given.searches)):
            if self._is_searched(index):
                start = genomes[int(np.argmax(scores))] if genomes else None
                genome, score, more = self._searched(index, start)
                genomes, scores, spent = [*genomes, genome], [*scores, score], spent + more
        best = int(np.argmax(scores))
        genome, score = genomes[best], float(scores[best])
        weights = np.ones_like(genome)
        if probed:
            rest = self._episodes.space.rest(self._stems)
            weights = costs(genome, score, rest, self._scores)
            spent += len(genome)
        return Label(genome, weights, score - self._neutral_score, spent)

    def _genome(self, policy: TrackSetNetwork) -> Values:
        """What a policy sets, (genes,)."""
        cells = np.asarray(act(policy, self._seen, absolute=True)[0], np.float64)
        sizes = self._teachers._sizes
        if not sizes.strip:
            return cells
        by_stem, shared = cells[: self._stems, : sizes.strip], cells[self._stems :, : sizes.bus]
        return np.concatenate((by_stem.ravel(), shared.ravel()))

    def _scores(self, genomes: Values) -> Values:
        """In `simulate`, (mixes, genes) to (mixes,)."""
        settings = self._episodes.space.decode(genomes, self._stems, self._around)
        scores, _ = self._evaluator.evaluate([self._listener] * len(genomes), *settings)
        return np.asarray(scores.score)

    def _searched(self, index: int, start: Values | None) -> tuple[Values, float, int]:
        """Genome, score and evaluations of a search."""
        given, episodes = self._teachers._given, self._episodes
        search, song = given.searches[index], episodes.repertoire.song(self._number)
        evaluator = Evaluator(song, episodes.reward, threads=1)
        strips, buses, master = self._around
        around = replace(Mix.neutral(song), strips=strips, buses=buses, master=master)
        space = SongSpace(self._stems, episodes.space, around)
        if start is None:
            start = space.encode(starting_mix(evaluator)[0])
        left = max(1, search.evaluations - evaluator.evaluations)
        genome, score = seek(evaluator, space, start, search.by, left, given.search_seed)
        return genome, score, evaluator.evaluations


def _alone(
    observations: dict[str, Tensor], place: int, stems: int
) -> dict[str, NDArray[np.float32]]:
    """What is shown of one song, without room for more stems than it has."""
    seen = {name: values[place : place + 1] for name, values in observations.items()}
    if "stems" in seen:
        room = seen["stems"].shape[1]
        settings = seen["settings"]
        seen["settings"] = torch.cat((settings[:, :stems], settings[:, room:]), dim=1)
        for name in {"stems", "mask", "pictures"} & seen.keys():
            seen[name] = seen[name][:, :stems]
    return {name: values.numpy() for name, values in seen.items()}


def _policy(path: Path, episodes: Episodes, sizes: Sizes) -> TrackSetNetwork:
    network, about = read_network(path)
    shape = (sizes.stem, sizes.mix, sizes.strip, sizes.bus)
    if about.table != table_digest(episodes.space) or shape != (
        about.sizes.stem,
        about.sizes.mix,
        about.sizes.strip,
        about.sizes.bus,
    ):
        raise MixgymError(
            f"The teacher {path} sets other parameters than these settings; name one that was "
            "trained in the same environment."
        )
    if about.control != "absolute" or about.episode_steps != 1 or about.sizes.encoder in PICTURED:
        raise MixgymError(
            f"The teacher {path} looks more than once or at pictures; name one that was trained "
            "with `control: absolute`, `episode_steps: 1` and `encoder: features`."
        )
    return network
