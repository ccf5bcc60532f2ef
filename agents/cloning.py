"""Learning to do what a search does, song by song."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..errors import MixgymError
from .adam import AdamLearner
from .batches import songs_of
from .encoders import PICTURED
from .environments import make_one_look
from .gaussian import held
from .labels import Labels
from .network import Sizes, look
from .pictures import observe
from .settings import CloningSettings


class Batch(NamedTuple):
    """Songs, and what was found for them.

    Attributes:
        observations: of their neutral mixes, (songs, ...).
        wanted: actions that set what was found, (songs, rows, columns).
        weights: of errors in them, 0 in cells that set nothing, likewise.
        gain: of what was found over the neutral mixes, mean.
        evaluations: spent on songs that are learned from for the first time.
    """

    observations: dict[str, Tensor]
    wanted: Tensor
    weights: Tensor
    gain: float
    evaluations: int


class CloningLearner(AdamLearner[Batch]):
    """A `Learner` that imitates: Adam on the weighted squares of errors in settings.

    Weights say what an error costs in score (`labels.find_label`), so that the loss is what the
    score would lose by it, to second order and setting by setting. Unweighted, most of the loss
    would be of settings that make no difference, which a search leaves anywhere.

    A step is a look at one song. Searches are done when a song is first learned from.

    Args:
        settings: of the run.

    Raises:
        MixgymError: settings that do not fit, or songs that cannot be read.
    """

    def __init__(self, settings: CloningSettings) -> None:
        episodes = make_one_look(settings.environment, settings.cloning.batch_size)
        if not episodes.task.stems:
            raise MixgymError("Cloning learns to mix stems; name another environment.id.")
        super().__init__(settings, settings.cloning, episodes)
        self._sensitive = settings.cloning.sensitive
        self._labels = Labels(episodes, settings.cloning)
        self._spent = 0

    def state(self) -> dict[str, Any]:
        """See `Learner`."""
        return {**super().state(), "evaluations": self._spent}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """See `Learner`."""
        super().restore(saved)
        self._spent = saved["evaluations"]

    def _batch(self, number: int) -> Batch:
        episodes, size = self._episodes, self.stride
        known = len(episodes.repertoire)
        songs = songs_of(number, size, known, self._settings.seed).tolist()
        labels = [self._labels.get(song) for song in songs]
        episodes.begin(np.arange(size), songs, [None] * size)
        shown = observe(episodes, self._sizes.encoder in PICTURED)
        seen = {name: torch.from_numpy(values) for name, values in shown.items()}
        new = max(0, min(size, known - number * size))
        even = [label._replace(weights=np.ones_like(label.weights)) for label in labels]
        counted = labels if self._sensitive else even
        return Batch(
            {name: values.to(self._device) for name, values in seen.items()},
            self._cells([label.genome for label in labels]),
            self._cells([label.weights for label in counted]),
            float(np.mean([label.gain for label in labels])),
            sum(label.evaluations for label in labels[:new]),
        )

    def _cells(self, genomes: list[np.ndarray]) -> Tensor:
        shape = self._episodes.action_mask.shape
        return cells_of(genomes, shape, self._sizes).to(self._device)

    def _descend(self, batch: Batch) -> dict[str, float]:
        seen = look(self._network, batch.observations, absolute=True)
        error = (held(seen.mean) - batch.wanted).square() * batch.weights * seen.cells
        loss = error.sum() / self.stride
        loss.backward()  # type: ignore[no-untyped-call]
        self._spent += batch.evaluations
        return {
            "loss": float(loss.detach()),
            "searched_gain": batch.gain,
            "evaluations": float(self._spent),
        }


def cells_of(genomes: Sequence[np.ndarray], shape: Sequence[int], sizes: Sizes) -> Tensor:
    """Genes of songs of any number of stems as cells of actions, (songs, *shape).

    Args:
        genomes: (genes,) of each song; cells that no gene is for are 0.
        shape: of an action with room for the stems of every song.
        sizes: how many parameters rows have.
    """
    cells = torch.zeros((len(genomes), *shape))
    for row, genome in zip(cells, map(torch.from_numpy, genomes), strict=True):
        if not sizes.strip:
            row[:] = genome
            continue
        stems = (len(genome) - sizes.bus) // sizes.strip
        row[:stems, : sizes.strip] = genome[: stems * sizes.strip].view(stems, sizes.strip)
        row[shape[0] - (sizes.bus > 0) :, : sizes.bus] = genome[stems * sizes.strip :]
    return cells
