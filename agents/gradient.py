"""Learning by gradients of the score itself, which flow back through the twin of `simulate`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..envs.episodes import Episodes
from .adam import AdamLearner
from .batches import PER_PASS, Batches, Part
from .costs import Costs
from .encoders import PICTURED
from .environments import make_one_look
from .gaussian import held
from .network import Sizes, TrackSetNetwork, look
from .settings import GradientSettings, StyledSettings
from .thinned import Shares
from .twin.genomes import decode
from .twin.reward import Twin

STEEPEST = 0.1  # score by gene; a closed send of a dry mix has a slope of thousands and more
NOISE = 1  # sets what noise is drawn from apart from what orders songs


class GradientLearner(AdamLearner[list[Part]]):
    """A `Learner` that climbs: Adam on the mean score of a batch's mixes.

    A step is one mix of one song, there and back.

    Args:
        settings: of the run.

    Raises:
        MixgymError: settings that do not fit, songs that cannot be read, or a term of the reward
            that cannot be differentiated.
    """

    def __init__(self, settings: GradientSettings) -> None:
        styles = styled_episodes(settings)
        super().__init__(settings, settings.gradient, styles[0])
        self._climb = Climb(settings, styles, self._sizes, self._device)

    def _batch(self, number: int) -> list[Part]:
        return self._climb.batches.get(number)

    def _descend(self, batch: list[Part]) -> dict[str, float]:
        return self._climb.descend(self._network, batch, self._number)


def styled_episodes(settings: StyledSettings) -> list[Episodes]:
    """Episodes in which one action sets everything, `PER_PASS` of them for each style.

    A style that is named several times has the same ones each time.

    Raises:
        MixgymError: arguments that cannot be used, or songs that cannot be read.
    """
    if not settings.styles:
        return [make_one_look(settings.environment, PER_PASS)]
    made = {
        style: make_one_look(settings.environment, PER_PASS, reward=style)
        for style in dict.fromkeys(settings.styles)
    }
    return [made[style] for style in settings.styles]


class Climb:
    """The way up: gradients of the mean score of a batch's mixes, back into a network.

    Args:
        settings: of the run.
        styles: episodes of the same songs for each style.
        sizes: of the network.
        device: of tensors.

    Attributes:
        batches: of songs.

    Raises:
        MixgymError: a term of the reward cannot be differentiated, or a setting has a cost that
            is none of a stem's free ones.
    """

    def __init__(
        self,
        settings: StyledSettings,
        styles: Sequence[Episodes],
        sizes: Sizes,
        device: torch.device,
    ) -> None:
        given = settings.gradient
        self._seed, self._size, self._noise = settings.seed, given.batch_size, given.noise
        self._space, self._sizes, self._device = styles[0].space, sizes, device
        self._twins = [Twin(episodes.reward) for episodes in styles]
        self._costs = Costs(given.costs, self._space.strip)
        self.batches = Batches(
            styles,
            given.batch_size,
            settings.seed,
            device,
            pictured=sizes.encoder in PICTURED,
            shares=Shares(given.thinned, given.bursts, given.nameless, given.mono),
        )

    def descend(self, network: TrackSetNetwork, batch: list[Part], number: int) -> dict[str, float]:
        """Add up the gradients of the mean score, turned round; the row of progress.

        Args:
            network: that mixes.
            batch: which songs.
            number: of the batch.
        """
        rng = np.random.default_rng((self._seed, number, NOISE))
        scores = []
        for part in batch:
            wanted = look(network, part.observations, absolute=True)
            score = self._scores(wanted.mean, part, rng)
            climbed = score - self._costs.paid(wanted.mean, part.observations)
            (-climbed.sum() / self._size).backward()  # type: ignore[no-untyped-call]
            scores.append(score.detach().cpu().numpy())
        reached, neutral = np.concatenate(scores), np.concatenate([part.scores for part in batch])
        return {"score": float(reached.mean()), "gain": float((reached - neutral).mean())}

    def _scores(self, mean: Tensor, part: Part, rng: np.random.Generator) -> Tensor:
        """Of one mix of each song, (songs,)."""
        stems, strip, bus = part.songs.stems, self._sizes.strip, self._sizes.bus
        if self._noise:
            drawn = rng.standard_normal(tuple(mean.shape), dtype=np.float32)
            mean = mean + self._noise * torch.from_numpy(drawn).to(self._device)
        cells = held(mean)
        genomes = cells  # of a track: the master's settings
        if strip:
            by_stem, shared = cells[:, :stems, :strip], cells[:, stems:, :bus]
            genomes = torch.cat((by_stem.flatten(1), shared.flatten(1)), dim=1)
        genomes.register_hook(self._bounded)  # type: ignore[no-untyped-call]
        settings = decode(self._space, genomes[:, None], stems, part.neutral)
        return self._twins[part.style](part.songs, *settings).score[:, 0]

    def _bounded(self, slopes: Tensor) -> Tensor:
        """Slopes of a batch's mean score, none of one mix's above `STEEPEST`."""
        most = STEEPEST / self._size
        return slopes.nan_to_num(0.0).clamp(-most, most)
