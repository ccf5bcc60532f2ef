"""Where Stable-Baselines3 lets a run be noted, judged, saved and ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback

from .between import Between

NEVER = 2**62  # rollouts between two logs of Stable-Baselines3; `Between` writes its own


class BetweenRollouts(BaseCallback):  # type: ignore[misc]
    """Calls `Between` before each rollout and after the last.

    Args:
        algorithm: that learns.
        between: called.
        noted: columns of progress by what the algorithm logs.
        std: the mean deviation of a stem's actions.
    """

    def __init__(
        self,
        algorithm: BaseAlgorithm,
        between: Between,
        noted: Mapping[str, str],
        std: Callable[[], float],
    ) -> None:
        super().__init__()
        self._algorithm, self._between, self._noted, self._std = algorithm, between, noted, std
        self._scores: list[float] = []
        self._gains: list[float] = []

    def _on_rollout_start(self) -> None:
        self._between(self._row())

    def _on_step(self) -> bool:
        for info in self.locals["infos"]:
            if "score" in info:
                self._scores.append(float(info["score"]))
                self._gains.append(info["gain"])
        return not self._between.ended_early

    def _on_training_end(self) -> None:
        if not self._between.ended_early:
            self._between(self._row(), last=True)

    def _row(self) -> dict[str, float] | None:
        """Progress of the rollout that is over, if there was one."""
        if not self._scores:
            return None
        logged = self._algorithm.logger.name_to_value
        row = {
            "score": float(np.mean(self._scores)),
            "gain": float(np.mean(self._gains)),
            **{name: float(logged.get(key, np.nan)) for name, key in self._noted.items()},
            "strip_std": self._std(),
            "learning_rate": float(logged.get("train/learning_rate", np.nan)),
        }
        self._scores.clear()
        self._gains.clear()
        return row
