"""The native vector environments for Stable-Baselines3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from .vector import ConsoleVectorEnv, Observations


class SB3VecEnv(VecEnv):  # type: ignore[misc]
    """A vector environment of ours as Stable-Baselines3 takes it.

    Infos are empty but in an episode's last step: they then hold its scores, the terms and gates
    as a single environment gives them, and `terminal_observation`.

    Args:
        envs: made by `gymnasium.make_vec` or by its class.
    """

    def __init__(self, envs: ConsoleVectorEnv) -> None:
        self.envs = envs
        super().__init__(envs.num_envs, envs.single_observation_space, envs.single_action_space)

    def reset(self) -> Observations:
        """Begin all episodes; `seed` and `set_options` count once."""
        seeds = None if all(seed is None for seed in self._seeds) else self._seeds
        observations, _ = self.envs.reset(seed=seeds, options=self._options[0] or None)
        self._reset_seeds()
        self._reset_options()
        return observations

    def step_async(self, actions: NDArray[np.float32]) -> None:
        """Take note of the actions."""
        self._actions = actions

    def step_wait(self) -> tuple[Observations, NDArray[np.float32], NDArray[np.bool_], list[Any]]:
        """Carry them out."""
        observations, rewards, over, _, infos = self.envs.step(self._actions)
        told: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for place in np.flatnonzero(over).tolist():
            told[place] = {
                **_of(infos["final_info"], place),
                "terminal_observation": infos["final_obs"][place],
                "TimeLimit.truncated": False,
            }
        return observations, rewards.astype(np.float32), over, told

    def close(self) -> None:
        """Close the environments."""
        self.envs.close()

    def get_images(self) -> Sequence[NDArray[np.uint8] | None]:
        """Pictures of all consoles."""
        return list(self.envs.render() or ())

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """An attribute of the environments, which they share."""
        return [getattr(self.envs, attr_name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Set an attribute of all environments at once."""
        setattr(self.envs, attr_name, value)

    def env_method(
        self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any
    ) -> list[Any]:
        """Call a method of all environments at once."""
        result = getattr(self.envs, method_name)(*method_args, **method_kwargs)
        return [result for _ in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: type[Any], indices: Any = None) -> list[bool]:
        """No environment has a wrapper of its own."""
        return [False for _ in self._get_indices(indices)]


def _of(infos: dict[str, Any], place: int) -> dict[str, Any]:
    """One environment's part of joined infos."""
    return {
        name: _of(value, place) if isinstance(value, dict) else value[place]
        for name, value in infos.items()
        if not name.startswith("_")
    }
