"""What the environments have in common."""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from .episodes import Episodes
from .options import RENDER_MODES, EnvOptions, Task
from .spaces import action_space, observation_space

Observation = dict[str, NDArray[np.float32]]
Action = NDArray[np.float32]


class ConsoleEnv(gym.Env[Observation, Action]):
    """One song, and settings that actions move."""

    metadata = {"render_modes": list(RENDER_MODES), "render_fps": 4}  # noqa: RUF012
    task: ClassVar[Task]

    def __init__(self, render_mode: str | None = None, **options: Any) -> None:
        check_render_mode(render_mode)
        self.render_mode = render_mode
        self.episodes = Episodes(self.task, EnvOptions.of(options), 1)
        self.action_space = action_space(self.episodes)
        self.observation_space = observation_space(self.episodes)
        self._begun = False

    @property
    def action_mask(self) -> NDArray[np.bool_]:
        """Which cells of an action are used, in its shape."""
        return self.episodes.action_mask.copy()

    @property
    def parameter_names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What the columns of a stem's row set, and those of the last row."""
        return self.episodes.parameter_names

    @property
    def evaluations(self) -> int:
        """Mixes evaluated so far, the first mix of each song once."""
        return self.episodes.evaluations

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin with a song drawn at random.

        Args:
            seed: of what is drawn.
            options: `song`, the number or title of the one to play.

        Raises:
            ValueError: there is no such song, or it has too many stems.
            MixgymError: it cannot be read.
        """
        super().reset(seed=seed)
        begin(self.episodes, np.array([0]), [self.np_random], options)
        self._begun = True
        return self._observation(), self._info()

    def step(self, action: Action) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Move the settings.

        Args:
            action: finite; clipped to [-1, 1].

        Raises:
            ValueError: an action of another shape, or with NaN or infinity in it.
            ResetNeeded: no episode is under way.
        """
        if not self._begun or self.episodes.over[0]:
            raise ResetNeeded("No episode is under way: call reset() before step().")
        moves = checked(action, self.episodes.action_mask.shape)
        reward = float(self.episodes.step(moves[None])[0])
        over = bool(self.episodes.over[0])
        return self._observation(), reward, over, False, self._info()

    def render(self) -> Any:
        """The console as text or picture, or the excerpt as it sounds, as `render_mode` says.

        Returns:
            "ansi": str. "rgb_array": uint8, shape (height, width, 3). "audio": float32, shape
            (2, frames), at the environment's sample rate. None without a mode.

        Raises:
            ResetNeeded: there is no mix yet.
        """
        if not self._begun:
            raise ResetNeeded("There is no mix yet: call reset() before render().")
        return render(self.episodes, 0, self.render_mode)

    def _observation(self) -> Observation:
        return {name: array[0] for name, array in self.episodes.observe().items()}

    def _info(self) -> dict[str, Any]:
        score, terms, gates = self.episodes.scores()
        return {
            "score": float(score[0]),
            "terms": {name: float(value[0]) for name, value in terms.items()},
            "gates": {name: float(value[0]) for name, value in gates.items()},
            "evaluations": int(self.episodes.taken[0]),
            "song": self.episodes.repertoire.titles[self.episodes.songs[0]],
        }


def check_render_mode(mode: str | None) -> None:
    """Refuse a mode that there is not."""
    if mode is not None and mode not in RENDER_MODES:
        raise ValueError(f"render_mode is {mode!r}; choose from {', '.join(RENDER_MODES)}")


def checked(action: Any, shape: tuple[int, ...]) -> NDArray[np.floating]:
    """An action as an array, or what is wrong with it."""
    array = np.asarray(action, dtype=np.float32)
    if array.shape != shape:
        raise ValueError(f"the action has the shape {array.shape}, not {shape}")
    if not np.isfinite(array).all():
        place = tuple(np.argwhere(~np.isfinite(array))[0].tolist())
        raise ValueError(
            f"the action holds {array[place]} at {place}: give finite numbers from -1 to 1"
        )
    return array


def begin(
    episodes: Episodes,
    places: NDArray[np.int64],
    rngs: list[np.random.Generator],
    options: dict[str, Any] | None,
) -> None:
    """Begin episodes with songs drawn at random, unless `options` name one."""
    wanted = (options or {}).get("song")
    titles = episodes.repertoire.titles
    if isinstance(wanted, str):
        if wanted not in titles:
            shown = ", ".join(titles[:10]) + (", ..." if len(titles) > 10 else "")
            raise ValueError(f"there is no song {wanted!r}; choose from {shown}")
        wanted = titles.index(wanted)
    elif wanted is not None and not 0 <= wanted < len(titles):
        raise ValueError(f"there is no song {wanted}; choose from 0 to {len(titles) - 1}")
    songs = [int(rng.integers(len(titles))) if wanted is None else int(wanted) for rng in rngs]
    shuffled = episodes.options.shuffle_stems
    episodes.begin(places, songs, [rng if shuffled else None for rng in rngs])


def render(episodes: Episodes, place: int, mode: str | None) -> Any:
    """One episode as `mode` shows it."""
    if mode is None:
        gym.logger.warn("render() was called, but the environment was made without a render_mode.")
        return None
    if mode == "audio":
        from .views import sound

        return sound(episodes, place)
    from .views import Desk

    desk = Desk.of(episodes, place)
    if mode == "ansi":
        return desk.text()
    from .picture import draw

    return draw(desk)
