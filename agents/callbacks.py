"""What happens between two rollouts: notes, validation, checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple, cast

import numpy as np
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback

from ..envs.episodes import Episodes
from . import checkpoint
from .policy import TrackSetPolicy
from .run_folder import BEST, LAST, STEPS, RunFolder
from .settings import Settings
from .validation import validate
from .weights import About, save_weights

NOTED = {
    "kl": "train/approx_kl",
    "clipped": "train/clip_fraction",
    "explained": "train/explained_variance",
    "value_loss": "train/value_loss",
}


class Progress(NamedTuple):
    """How far a run is: steps taken in all and in this process, and the last validation's gain."""

    steps: int
    taken: int
    gain: float


Tell = Callable[[Progress], None]


class Between(BaseCallback):  # type: ignore[misc]
    """Between rollouts nothing is half done: here a run is noted, judged, saved and ended.

    Args:
        ppo: that learns.
        settings: of the run.
        folder: of the run.
        about: the weights.
        held_out: validation songs; a few of them rendered, or None.
        tell: told after every rollout.
        asked_to_end: whether the run should end early.
        resumed: what a checkpoint held, or None.

    Attributes:
        best: highest mean gain of a validation so far.
        ended_early: whether the run was asked to end, and did.
    """

    def __init__(
        self,
        ppo: PPO,
        settings: Settings,
        folder: RunFolder,
        about: About,
        held_out: tuple[Episodes, Episodes | None],
        tell: Tell,
        asked_to_end: Callable[[], bool],
        resumed: checkpoint.State | None,
    ) -> None:
        super().__init__()
        self._ppo, self._policy = ppo, cast(TrackSetPolicy, ppo.policy)
        self._settings, self._folder, self._about = settings, folder, about
        self._held_out, self._tell, self._asked_to_end = held_out, tell, asked_to_end
        self.best = resumed["best"] if resumed else -np.inf
        self.gain = resumed["gain"] if resumed else 0.0
        self._seconds_before = resumed["seconds"] if resumed else 0.0
        self._begun_s = time.monotonic()
        self._first_steps = resumed["steps"] if resumed else 0
        self._done_before = self._first_steps if resumed else -1
        self._scores: list[float] = []
        self._gains: list[float] = []
        self.ended_early = False

    @property
    def _seconds(self) -> float:
        return self._seconds_before + time.monotonic() - self._begun_s

    def _on_rollout_start(self) -> None:
        self._between()

    def _on_step(self) -> bool:
        for info, reward in zip(self.locals["infos"], self.locals["rewards"], strict=True):
            self._gains.append(float(reward))
            if info:
                self._scores.append(float(info["score"]))
        return not self.ended_early

    def _on_training_end(self) -> None:
        if not self.ended_early:
            self._between(last=True)

    def _between(self, last: bool = False) -> None:
        steps = self._ppo.num_timesteps
        if steps == self._done_before:  # a checkpoint was written here, after all the rest
            return
        self._done_before = steps
        self._note(steps)
        ending = self._asked_to_end() and not last
        if last or self._due(steps, self._settings.validation.every):
            self._validate(steps, last)
        if last or ending or (steps and self._due(steps, self._settings.checkpoint_every)):
            self._save(LAST)
            self._folder.save_checkpoint(
                checkpoint.state(self._ppo, best=self.best, gain=self.gain, seconds=self._seconds)
            )
        self._tell(Progress(steps, steps - self._first_steps, self.gain))
        self.ended_early = ending

    def _due(self, steps: int, every: int) -> bool:
        """Whether a multiple of `every` was passed in the last rollout."""
        rollout = self._ppo.n_steps * self._ppo.n_envs
        return steps // every > (steps - rollout) // every

    def _note(self, steps: int) -> None:
        """A line of progress, of the rollout that is over."""
        if not self._scores:
            return
        noted = self._ppo.logger.name_to_value
        row = {
            STEPS: float(steps),
            "seconds": self._seconds,
            "score": float(np.mean(self._scores)),
            "gain": float(np.sum(self._gains) / len(self._scores)),
            **{name: float(noted.get(key, np.nan)) for name, key in NOTED.items()},
            "strip_std": float(self._policy.strip_log_std.detach().exp().mean()),
            "learning_rate": float(self._policy.optimizer.param_groups[0]["lr"]),
        }
        self._folder.add_progress(row)
        for name in ("score", "gain", "strip_std"):
            self._ppo.logger.record(f"rollout/{name}", row[name])
        self._ppo.logger.dump(steps)
        self._scores.clear()
        self._gains.clear()

    def _validate(self, steps: int, last: bool) -> None:
        simulated, rendered = self._held_out
        number = steps // self._settings.validation.every
        self.gain = self._judge(steps, simulated)
        if rendered and (last or number % self._settings.validation.render_every == 0):
            self._judge(steps, rendered)
        self._save(LAST)
        if self.gain > self.best:
            self.best = self.gain
            self._save(BEST)

    def _judge(self, steps: int, episodes: Episodes) -> float:
        """Write down the mean gain over equal loudness, and return it."""
        found = validate(episodes, self._policy.act)
        scores, gains = np.array(list(found.values())).T
        self._folder.add_evaluation(
            {
                STEPS: steps,
                "seconds": round(self._seconds, 1),
                "fidelity": episodes.options.fidelity,
                "score": float(scores.mean()),
                "gain": float(gains.mean()),
                "gains": {title: round(gain, 6) for title, (_, gain) in found.items()},
            }
        )
        return float(gains.mean())

    def _save(self, name: str) -> None:
        about = self._about.model_copy(update={"steps": self._ppo.num_timesteps})
        arrays = {key: value.cpu().numpy() for key, value in self._policy.state_dict().items()}
        save_weights(self._folder.path / name, arrays, about)
