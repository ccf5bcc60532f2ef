"""The environments, many at once: songs are simulated in parallel, rewards computed together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from .episodes import Episodes
from .options import LEVELS, MASTERING, MIXING, RENDER_MODES, EnvOptions, Task
from .single import begin, check_render_mode, checked, render
from .spaces import action_space, observation_space

Observations = dict[str, NDArray[np.float32]]
Flags = NDArray[np.bool_]


class ConsoleVectorEnv(VectorEnv[Observations, NDArray[np.float32], NDArray[Any]]):
    """Episodes side by side; one that ends begins anew in the same step.

    Environment i, reset with the seed s, does to the last bit what a single environment does that
    was reset with s + i.

    Args:
        num_envs: how many.
        render_mode: as of the single environment.
        **options: as of the single environment.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 (Gymnasium's own)
        "render_modes": list(RENDER_MODES),
        "render_fps": 4,
        "autoreset_mode": AutoresetMode.SAME_STEP,
    }
    task: ClassVar[Task]

    def __init__(self, num_envs: int = 1, render_mode: str | None = None, **options: Any) -> None:
        if num_envs < 1:
            raise ValueError(f"num_envs is {num_envs}; give at least 1")
        check_render_mode(render_mode)
        self.num_envs, self.render_mode = num_envs, render_mode
        self.episodes = Episodes(self.task, EnvOptions.of(options), num_envs)
        self.single_action_space = action_space(self.episodes)
        self.single_observation_space = observation_space(self.episodes)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self._rngs: list[np.random.Generator] = []

    @property
    def action_mask(self) -> Flags:
        """Which cells of one action are used, in its shape."""
        return self.episodes.action_mask.copy()

    @property
    def evaluations(self) -> int:
        """Mixes evaluated so far by all, the first mix of each song once."""
        return self.episodes.evaluations

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Observations, dict[str, Any]]:
        """Begin all episodes, or those of `options["reset_mask"]`.

        Args:
            seed: the first environment's, each further one's is one more; or a list of them.
            options: `song` as of the single environment; `reset_mask`, bool, (num_envs,).

        Raises:
            ValueError: a list of another length, a mask of another shape, or no such song.
            MixgymError: a song cannot be read.
        """
        seeds = self._seeds(seed)
        mask = self._reset_mask(options)
        if not self._rngs:
            self._rngs = [seeding.np_random(None)[0] for _ in range(self.num_envs)]
        places = np.flatnonzero(mask)
        for place in places.tolist():
            if seeds[place] is not None:
                self._rngs[place] = seeding.np_random(seeds[place])[0]
        begin(self.episodes, places, [self._rngs[place] for place in places], options)
        return self.episodes.observe(), self._infos(mask)

    def step(
        self, actions: NDArray[np.float32]
    ) -> tuple[Observations, NDArray[Any], NDArray[Any], NDArray[Any], dict[str, Any]]:
        """Move the settings of all.

        Args:
            actions: finite, shape (num_envs, *action); clipped to [-1, 1].

        Raises:
            ValueError: actions of another shape, or with NaN or infinity in them.
            ResetNeeded: no episode is under way.
        """
        if not self._rngs:
            raise ResetNeeded("No episode is under way: call reset() before step().")
        rewards = self.episodes.step(checked(actions, self.action_space.shape or ()))
        over = self.episodes.over
        infos: dict[str, Any] = {}
        if over.any():
            last = self.episodes.observe()
            infos["final_obs"] = np.full(self.num_envs, None, dtype=object)
            for place in np.flatnonzero(over).tolist():
                infos["final_obs"][place] = {name: last[name][place].copy() for name in last}
            infos["_final_obs"] = over.copy()
            infos["final_info"] = self._infos(over)
            infos["_final_info"] = over.copy()
            places = np.flatnonzero(over)
            begin(self.episodes, places, [self._rngs[place] for place in places], None)
        everywhere = np.ones(self.num_envs, dtype=bool)
        infos.update(self._infos(everywhere))
        never = np.zeros(self.num_envs, dtype=bool)
        return self.episodes.observe(), rewards, over, never, infos

    def render(self) -> tuple[Any, ...] | None:
        """What each single environment would give."""
        if not self._rngs:
            raise ResetNeeded("There is no mix yet: call reset() before render().")
        return tuple(
            render(self.episodes, place, self.render_mode) for place in range(self.num_envs)
        )

    def _infos(self, mask: Flags) -> dict[str, Any]:
        """As Gymnasium joins infos: an array of each value, and a mask of where it is."""
        score, terms, gates = self.episodes.scores()
        titles = np.full(self.num_envs, None, dtype=object)
        for place in np.flatnonzero(mask).tolist():
            titles[place] = self.episodes.repertoire.titles[self.episodes.songs[place]]
        return _masked(
            {
                "score": score,
                "terms": _masked(terms, mask),
                "gates": _masked(gates, mask),
                "evaluations": self.episodes.taken.copy(),
                "song": titles,
            },
            mask,
        )

    def _seeds(self, seed: int | Sequence[int | None] | None) -> list[int | None]:
        if seed is None or isinstance(seed, int | np.integer):
            return [None if seed is None else int(seed) + i for i in range(self.num_envs)]
        if len(seed) != self.num_envs:
            raise ValueError(f"seed holds {len(seed)} numbers for {self.num_envs} environments")
        return list(seed)

    def _reset_mask(self, options: dict[str, Any] | None) -> Flags:
        mask = (options or {}).get("reset_mask")
        if mask is None:
            return np.ones(self.num_envs, dtype=bool)
        mask = np.asarray(mask)
        if mask.shape != (self.num_envs,) or mask.dtype != np.bool_ or not mask.any():
            raise ValueError(
                f"reset_mask is {mask!r}; give {self.num_envs} booleans, at least one of them True"
            )
        return mask


def _masked(values: dict[str, Any], mask: Flags) -> dict[str, Any]:
    """Values where the mask is, zero elsewhere, each beside the mask."""
    infos: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, np.ndarray) and value.dtype != object:
            value[~mask] = 0
        infos[name], infos[f"_{name}"] = value, mask.copy()
    return infos


class MixingVectorEnv(ConsoleVectorEnv):
    """Many of `MixingEnv`: see there."""

    task: ClassVar[Task] = MIXING


class MixingLevelsVectorEnv(ConsoleVectorEnv):
    """Many of `MixingLevelsEnv`: see there."""

    task: ClassVar[Task] = LEVELS


class MasteringVectorEnv(ConsoleVectorEnv):
    """Many of `MasteringEnv`: see there."""

    task: ClassVar[Task] = MASTERING
