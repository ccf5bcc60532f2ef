"""Learning from teachers: first what they do, then what the score says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from .adam import AdamLearner, scheduled
from .batches import Part, Shown
from .between import Between
from .cloning import cells_of
from .gaussian import held
from .gradient import Climb, styled_episodes
from .network import TrackSetNetwork, look
from .settings import DistillationSettings
from .teachers import Teachers

NONE = float("nan")  # in the columns of progress that a step has nothing for


class Lesson(NamedTuple):
    """Songs under one style, and the best mixes of their teachers.

    Attributes:
        observations: of their neutral mixes, (songs, ...).
        wanted: actions that set what the teachers do, (songs, rows, columns).
        weights: what the square of an error costs, in score, (rows, columns).
        gains: of the teachers' mixes over the neutral ones, in score, one a song.
        cost: evaluations by number of style and of song.
    """

    observations: dict[str, Tensor]
    wanted: Tensor
    weights: Tensor
    gains: list[float]
    cost: dict[tuple[int, int], int]


class DistillationLearner(AdamLearner[list[Part] | list[Lesson]]):
    """A `Learner` that imitates the best mixes of its teachers, and then climbs.

    Cloning is Adam on the squares of errors in settings, weighted by what they cost
    (`Teachers.sensitivity`); climbing is that of `GradientLearner`. Between them may be rounds in
    the manner of DAgger (Ross et al. 2011), which has teachers label what the student meets. A
    policy of one look is never shown what it did; what it meets are the mixes that it sets, so
    these are what searches are asked to go on from, and the best of all rounds is the label.

    A step is a look at one song, or one mix of it there and back.

    Args:
        settings: of the run.

    Raises:
        MixgymError: settings or teachers that do not fit, songs that cannot be read, or a term of
            the reward that cannot be differentiated.
    """

    def __init__(self, settings: DistillationSettings) -> None:
        styles = styled_episodes(settings)
        super().__init__(settings, settings.gradient, styles[0])
        self._cloning, self._total = settings.distillation, settings.total_steps
        self._climb = Climb(settings, styles, self._sizes, self._device)
        self._teachers = Teachers(
            styles, self._climb.batches, self._cloning, self._sizes, settings.seed
        )
        self._sensitivity: tuple[Tensor, Tensor] | None = None
        self._spent = 0
        self._met: dict[tuple[int, int], int] = {}
        first, each = (
            -(-steps // self.stride) for steps in (self._cloning.steps, self._cloning.round_steps)
        )
        self._rounds = [first + i * each for i in range(self._cloning.rounds)]
        self._clones = (first + self._cloning.rounds * each) * self.stride

    def state(self) -> dict[str, Any]:
        """See `Learner`."""
        students = [student.state_dict() for student in self._teachers.students]
        more = {"evaluations": self._spent, "met": self._met, "students": students}
        return {**super().state(), **more}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """See `Learner`."""
        super().restore(saved)
        self._spent, self._met = saved["evaluations"], dict(saved["met"])
        student = TrackSetNetwork(self._sizes)
        for weights in saved["students"][len(self._teachers.students) :]:
            student.load_state_dict(weights)
            self._teachers.follow(student)

    def learn(self, between: Between) -> None:
        """See `Learner`."""
        if not self._teachers.students:
            self._follow()
        super().learn(between)

    def _update(self, batch: list[Part] | list[Lesson]) -> dict[str, float]:
        row = super()._update(batch)
        self._follow()
        return row

    def _follow(self) -> None:
        """Keep the student for the round whose first batch is to be made ready next."""
        if self._number + 1 in self._rounds:
            self._teachers.follow(self._network)

    def _rate(self) -> float:
        clones, done = self._clones, self._steps
        if done < clones:
            return scheduled(self._cloning, done, self.stride, min(clones, self._total))
        return scheduled(self._given, done - clones, self.stride, self._total - clones)

    def _batch(self, number: int) -> list[Part] | list[Lesson]:
        batches = self._climb.batches
        if number * self.stride >= self._clones:
            return batches.get(number)
        if self._sensitivity is None:
            strip, bus, spent = self._teachers.sensitivity()
            self._sensitivity = (torch.from_numpy(strip), torch.from_numpy(bus))
            self._spent += spent if number == 0 else 0
        students = sum(number >= first for first in self._rounds)
        return [self._lesson(batches.shown(*drawn), students) for drawn in batches.drawn(number)]

    def _lesson(self, shown: Shown, students: int) -> Lesson:
        numbers = shown.numbers.tolist()
        labels = [
            self._teachers.label(shown, place, students=students) for place in range(len(numbers))
        ]
        shape = shown.observations["settings"].shape[1:]
        wanted = cells_of([label.genome for label in labels], shape, self._sizes)
        return Lesson(
            {name: values.to(self._device) for name, values in shown.observations.items()},
            wanted.to(self._device),
            self._weights(shape).to(self._device),
            [label.gain for label in labels],
            {
                (shown.style, song): label.evaluations
                for song, label in zip(numbers, labels, strict=True)
            },
        )

    def _weights(self, shape: torch.Size) -> Tensor:
        """What errors cost, as cells of an action."""
        assert self._sensitivity is not None
        strip, bus = self._sensitivity
        weights = torch.zeros(shape)
        if len(shape) == 1:
            return weights + bus
        stems = shape[0] - (len(bus) > 0)
        weights[:stems, : len(strip)] = strip
        weights[stems:, : len(bus)] = bus
        return weights

    def _descend(self, batch: list[Part] | list[Lesson]) -> dict[str, float]:
        lessons = [part for part in batch if isinstance(part, Lesson)]
        if lessons:
            return self._imitate(lessons)
        parts = [part for part in batch if isinstance(part, Part)]
        row = self._climb.descend(self._network, parts, self._number)
        self._spent += 2 * self.stride
        return self._row(NONE, NONE, row["score"], row["gain"])

    def _imitate(self, lessons: list[Lesson]) -> dict[str, float]:
        lost = 0.0
        for lesson in lessons:
            seen = look(self._network, lesson.observations, absolute=True)
            error = (held(seen.mean) - lesson.wanted).square() * lesson.weights * seen.cells
            loss = error.sum() / self.stride
            loss.backward()  # type: ignore[no-untyped-call]
            lost += float(loss.detach())
            self._spent += sum(n - self._met.get(key, 0) for key, n in lesson.cost.items())
            self._met |= lesson.cost
        gains = [gain for lesson in lessons for gain in lesson.gains]
        return self._row(lost, float(np.mean(gains)), NONE, NONE)

    def _row(self, loss: float, taught: float, score: float, gain: float) -> dict[str, float]:
        return {
            "loss": loss,
            "taught_gain": taught,
            "score": score,
            "gain": gain,
            "evaluations": float(self._spent),
        }
