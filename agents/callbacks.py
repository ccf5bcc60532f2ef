"""Where Stable-Baselines3 lets a run be noted, judged, saved and ended."""

from __future__ import annotations

from typing import cast

import numpy as np
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback

from .between import Between
from .policy import TrackSetPolicy

NOTED = {
    "kl": "train/approx_kl",
    "clipped": "train/clip_fraction",
    "explained": "train/explained_variance",
    "value_loss": "train/value_loss",
}


class BetweenRollouts(BaseCallback):  # type: ignore[misc]
    """Calls `Between` before each rollout and after the last.

    Args:
        ppo: that learns.
        between: called.
    """

    def __init__(self, ppo: PPO, between: Between) -> None:
        super().__init__()
        self._ppo, self._policy, self._between = ppo, cast(TrackSetPolicy, ppo.policy), between
        self._scores: list[float] = []
        self._gains: list[float] = []

    def _on_rollout_start(self) -> None:
        self._between(self._row())

    def _on_step(self) -> bool:
        for info, reward in zip(self.locals["infos"], self.locals["rewards"], strict=True):
            self._gains.append(float(reward))
            if info:
                self._scores.append(float(info["score"]))
        return not self._between.ended_early

    def _on_training_end(self) -> None:
        if not self._between.ended_early:
            self._between(self._row(), last=True)

    def _row(self) -> dict[str, float] | None:
        """Progress of the rollout that is over, if there was one."""
        if not self._scores:
            return None
        noted = self._ppo.logger.name_to_value
        row = {
            "score": float(np.mean(self._scores)),
            "gain": float(np.sum(self._gains) / len(self._scores)),
            **{name: float(noted.get(key, np.nan)) for name, key in NOTED.items()},
            "strip_std": float(self._policy.strip_log_std.detach().exp().mean()),
            "learning_rate": float(self._policy.optimizer.param_groups[0]["lr"]),
        }
        self._scores.clear()
        self._gains.clear()
        return row
