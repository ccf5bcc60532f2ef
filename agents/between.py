"""What happens between two updates: notes, validation, checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from stable_baselines3.common.logger import Logger

from ..envs.episodes import Episodes
from .costs import Costs
from .encoders import PICTURED
from .learner import Learner
from .run_folder import BEST, LAST, STEPS, RunFolder
from .settings import Settings, StyledSettings
from .validation import validate
from .weights import About, save_weights


class HeldOut(NamedTuple):
    """Validation songs.

    Attributes:
        simulated: by style.
        rendered: a few of them, in the first style; None if none.
    """

    simulated: Mapping[str, Episodes]
    rendered: Episodes | None


class Progress(NamedTuple):
    """How far a run is: steps taken in all and in this process, and the last validation's gain."""

    steps: int
    taken: int
    gain: float


Tell = Callable[[Progress], None]


class Between:
    """Between updates nothing is half done: here a run is noted, judged, saved and ended.

    Args:
        learner: that learns.
        settings: of the run.
        folder: of the run.
        about: the weights.
        held_out: what is validated on.
        logger: for TensorBoard.
        tell: told after every update.
        asked_to_end: whether the run should end early.
        resumed: what a checkpoint held, or None.

    Attributes:
        best: highest mean gain of a validation so far, less what the mixes cost.
        ended_early: whether the run was asked to end, and did.
        logger: as given.
    """

    def __init__(
        self,
        learner: Learner,
        settings: Settings,
        folder: RunFolder,
        about: About,
        held_out: HeldOut,
        logger: Logger,
        tell: Tell,
        asked_to_end: Callable[[], bool],
        resumed: Mapping[str, Any] | None,
    ) -> None:
        self._learner, self._settings = learner, settings
        self._folder, self._about = folder, about
        self._held_out, self._tell, self._asked_to_end = held_out, tell, asked_to_end
        self.logger = logger
        self.best: float = resumed["best"] if resumed else -np.inf
        costs = settings.gradient.costs if isinstance(settings, StyledSettings) else {}
        self._costs = Costs(costs, learner.episodes.space.strip)
        self._gains: dict[str, float] = resumed["gains"] if resumed else {}
        self._seconds_before: float = resumed["seconds"] if resumed else 0.0
        self._begun_s = time.monotonic()
        self._first_steps = learner.steps
        self._done_before = self._first_steps if resumed else -1
        self.ended_early = False

    def __call__(self, row: Mapping[str, float] | None, *, last: bool = False) -> None:
        """Do what is due.

        Args:
            row: of progress, of the update that is over; None where there was none.
            last: whether all steps are taken.
        """
        steps = self._learner.steps
        if steps == self._done_before:  # a checkpoint was written here, after all the rest
            return
        self._done_before = steps
        if row is not None:
            self._note(steps, row)
        ending = self._asked_to_end() and not last
        if last or self._due(steps, self._settings.validation.every):
            self._validate(steps, last)
        if last or ending or (steps and self._due(steps, self._settings.checkpoint_every)):
            self._save(LAST)
            kept = {"best": self.best, "gains": self._gains, "seconds": self._seconds}
            self._folder.save_checkpoint({**self._learner.state(), **kept})
        self._tell(Progress(steps, steps - self._first_steps, self._gain))
        self.ended_early = ending

    @property
    def _gain(self) -> float:
        """Of the last validation, the mean over styles."""
        return float(np.mean(list(self._gains.values()))) if self._gains else 0.0

    @property
    def _seconds(self) -> float:
        return self._seconds_before + time.monotonic() - self._begun_s

    def _due(self, steps: int, every: int) -> bool:
        """Whether a multiple of `every` was passed in the last update."""
        return steps // every > (steps - self._learner.stride) // every

    def _note(self, steps: int, row: Mapping[str, float]) -> None:
        self._folder.add_progress({STEPS: float(steps), "seconds": self._seconds, **row})
        for name, value in row.items():
            self.logger.record(f"rollout/{name}", value)
        self.logger.dump(steps)

    def _validate(self, steps: int, last: bool) -> None:
        simulated, rendered = self._held_out
        number = steps // self._settings.validation.every
        judged = {
            style: self._judge(steps, style, episodes) for style, episodes in simulated.items()
        }
        self._gains = {style: gain for style, (gain, _) in judged.items()}
        if rendered and (last or number % self._settings.validation.render_every == 0):
            self._judge(steps, next(iter(simulated)), rendered)
        self._save(LAST)
        worth = self._gain - float(np.mean([paid for _, paid in judged.values()]))
        if worth > self.best:
            self.best = worth
            self._save(BEST)

    def _judge(self, steps: int, style: str, episodes: Episodes) -> tuple[float, float]:
        """Write down the mean gain over equal loudness; return it, and the mean of what it cost."""
        pictured = self._learner.sizes.encoder in PICTURED
        found = validate(episodes, self._learner.act, self._costs, pictured=pictured)
        score, gain, paid = np.mean(list(found.values()), axis=0).tolist()
        self._folder.add_evaluation(
            {
                STEPS: steps,
                "seconds": round(self._seconds, 1),
                "style": style,
                "fidelity": episodes.options.fidelity,
                "score": score,
                "gain": gain,
                "paid": paid,
                "gains": {title: round(song.gain, 6) for title, song in found.items()},
            }
        )
        return gain, paid

    def _save(self, name: str) -> None:
        gains = {style: round(gain, 6) for style, gain in self._gains.items()}
        about = self._about.model_copy(update={"steps": self._learner.steps, "gains": gains})
        arrays = {key: value.cpu().numpy() for key, value in self._learner.weights().items()}
        save_weights(self._folder.path / name, arrays, about)
