"""Learning by gradients of the score itself, which flow back through the twin of `simulate`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.utils import get_device
from torch import Tensor

from ..envs.episodes import Episodes
from .batches import PER_PASS, Batches, Part
from .between import Between
from .environments import make_one_look, network_sizes
from .gaussian import held
from .load import NETWORK
from .network import TrackSetNetwork, act, look
from .settings import GradientSettings
from .twin.genomes import decode
from .twin.reward import Twin

STEEPEST = 0.1  # score by gene; a closed send of a dry mix has a slope of thousands and more
NOISE = 1  # sets what noise is drawn from apart from what orders songs


class GradientLearner:
    """A `Learner` that climbs: Adam (Kingma and Ba, 2015) on the mean score of a batch's mixes.

    What is drawn for a batch depends on the seed and on its number alone, so that the network,
    Adam's moments and the steps taken are all that decides how a run goes on.

    Args:
        settings: of the run.

    Raises:
        MixgymError: settings that do not fit, songs that cannot be read, or a term of the reward
            that cannot be differentiated.
    """

    def __init__(self, settings: GradientSettings) -> None:
        self._settings, self._given = settings, settings.gradient
        rewards = [{"reward": style} for style in settings.styles] or [{}]
        styles = [make_one_look(settings.environment, PER_PASS, **reward) for reward in rewards]
        self._episodes = styles[0]
        self._device = get_device(settings.device)
        self._twins = [Twin(episodes.reward) for episodes in styles]
        self._batches = Batches(styles, self._given.batch_size, settings.seed, self._device)
        self._sizes = network_sizes(self._episodes, settings.policy)
        torch.manual_seed(settings.seed)
        self._network = TrackSetNetwork(self._sizes).to(self._device)
        self._adam = torch.optim.Adam(self._network.parameters())
        self._steps = 0

    @property
    def episodes(self) -> Episodes:
        """See `Learner`."""
        return self._episodes

    @property
    def network(self) -> TrackSetNetwork:
        """See `Learner`."""
        return self._network

    @property
    def steps(self) -> int:
        """See `Learner`; one mix of one song, there and back."""
        return self._steps

    @property
    def stride(self) -> int:
        """See `Learner`."""
        return self._given.batch_size

    def act(self, observations: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """See `Learner`."""
        return act(self._network, observations, absolute=True)

    def weights(self) -> Mapping[str, Tensor]:
        """See `Learner`."""
        return {f"{NETWORK}{name}": value for name, value in self._network.state_dict().items()}

    def state(self) -> dict[str, Any]:
        """See `Learner`."""
        return {
            "steps": self._steps,
            "network": self._network.state_dict(),
            "adam": self._adam.state_dict(),
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """See `Learner`."""
        self._steps = saved["steps"]
        self._network.load_state_dict(saved["network"])
        self._adam.load_state_dict(saved["adam"])

    def learn(self, between: Between) -> None:
        """See `Learner`; the next batch is made ready while one is learned from."""
        row = None
        with ThreadPoolExecutor(1) as ahead:
            coming = ahead.submit(self._batches.get, self._number)
            while self._steps < self._settings.total_steps:
                between(row)
                if between.ended_early:
                    return
                batch = coming.result()
                coming = ahead.submit(self._batches.get, self._number + 1)
                row = self._update(batch)
        between(row, last=True)

    @property
    def _number(self) -> int:
        """Of the batch to be learned from next."""
        return self._steps // self.stride

    def _update(self, batch: list[Part]) -> dict[str, float]:
        """One step of Adam; its row of progress."""
        rate = self._rate()
        self._adam.param_groups[0]["lr"] = rate
        self._adam.zero_grad()
        rng = np.random.default_rng((self._settings.seed, self._number, NOISE))
        scores = []
        for part in batch:
            score = self._scores(part, rng)
            (-score.sum() / self.stride).backward()  # type: ignore[no-untyped-call]
            scores.append(score.detach().cpu().numpy())
        norm = torch.nn.utils.clip_grad_norm_(self._network.parameters(), self._given.max_grad_norm)
        self._adam.step()
        self._steps += self.stride
        reached, neutral = np.concatenate(scores), np.concatenate([part.scores for part in batch])
        return {
            "score": float(reached.mean()),
            "gain": float((reached - neutral).mean()),
            "gradient_norm": float(norm),
            "learning_rate": rate,
        }

    def _scores(self, part: Part, rng: np.random.Generator) -> Tensor:
        """Of one mix of each song, (songs,)."""
        stems, strip, bus = part.songs.stems, self._sizes.strip, self._sizes.bus
        mean = look(self._network, part.observations, absolute=True).mean
        if self._given.noise:
            drawn = rng.standard_normal(tuple(mean.shape), dtype=np.float32)
            mean = mean + self._given.noise * torch.from_numpy(drawn).to(self._device)
        cells = held(mean)
        genomes = torch.cat(
            (cells[:, :stems, :strip].flatten(1), cells[:, stems:, :bus].flatten(1)), dim=1
        )
        genomes.register_hook(self._bounded)  # type: ignore[no-untyped-call]
        settings = decode(self._episodes.space, genomes[:, None], stems, part.neutral)
        return self._twins[part.style](part.songs, *settings).score[:, 0]

    def _bounded(self, slopes: Tensor) -> Tensor:
        """Slopes of a batch's mean score, none of one mix's above `STEEPEST`."""
        most = STEEPEST / self.stride
        return slopes.nan_to_num(0.0).clamp(-most, most)

    def _rate(self) -> float:
        """Adam's, for the step that is to be taken."""
        given, done = self._given, self._steps / self._settings.total_steps
        cosine = 0.5 * (1.0 + math.cos(math.pi * done))
        warm = min(1.0, (self._steps + self.stride) / max(given.warm_up_steps, 1))
        return given.learning_rate * warm * (given.final_share + (1.0 - given.final_share) * cosine)
