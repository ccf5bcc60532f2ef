"""What a training run lets one set, and how well it does with that."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import numpy as np

from ...agents.between import Progress
from ...agents.environments import make_validation
from ...agents.run_folder import RunFolder, Validated
from ...agents.settings import Settings, read_settings
from ...agents.train import train
from ...envs.episodes import Episodes
from ...errors import MixgymError
from ..mapper import Mapper
from ..statistics import Scores
from .dimensions import Range, Value
from .settings import TrainTuning
from .tunable import Options, Report, Tell

MOST_CHECKED = 10_000  # combinations of extreme values
_ELSEWHERE = {"seed", "start", "device", "total_steps", "checkpoint_every"}


@dataclass(frozen=True)
class TunedTraining:
    """A `Tunable`: `mixgym train`, judged by the gain on its validation songs.

    Attributes:
        tuning: the study.
    """

    tuning: TrainTuning

    @property
    def about(self) -> str:
        """See `Tunable`."""
        given = self.tuning
        return f"Hyperparameters of `{given.train.name}`, {given.steps:,} steps."

    @property
    def measure(self) -> str:
        """See `Tunable`."""
        return (
            "Gain: how much the policy's mixes of validation songs score above all stems equally "
            "loud after the last step, in `simulate`, mean over songs; interquartile mean over "
            "seeds."
        )

    @property
    def songs(self) -> list[str]:
        """See `Tunable`."""
        return [f"{len(self._held_out)} excerpts that are not learned from"]

    @property
    def per_seed(self) -> int:
        """See `Tunable`."""
        return self.tuning.validations

    def defaults(self) -> dict[str, Value]:
        """See `Tunable`; every combination of extreme values is seen to be possible."""
        known = self._settings(0, {}).model_dump(mode="json")
        defaults = {name: _at(known, name, self.tuning.train) for name in self.tuning.space}
        for name, dimension in self.tuning.space.items():
            default = defaults[name]
            whole = isinstance(default, int) and not isinstance(default, bool)
            if whole and isinstance(dimension, Range) and not dimension.whole:
                raise MixgymError(f"{name} is a whole number; add `int: true`.")
            if not dimension.holds(default):
                raise MixgymError(
                    f"{name} is {default} in {self.tuning.train.name}, which lies outside of "
                    f"{dimension}; widen that, so that the study shows whether tuning helps."
                )
        ends = (dimension.ends for dimension in self.tuning.space.values())
        for values in islice(product(*ends), MOST_CHECKED):
            self._settings(0, dict(zip(self.tuning.space, values, strict=True)))
        return defaults

    def identity(self) -> dict[str, Any]:
        """See `Tunable`."""
        values = self._settings(0, {}).model_dump(mode="json", exclude=_ELSEWHERE)
        values["environment"]["arguments"].pop("songs", None)
        for key in ("songs", "every"):
            values["validation"].pop(key)
        return {
            "steps": self.tuning.steps,
            "every": self.tuning.every,
            **self.tuning.common_identity(),
            "songs": _digest(self._held_out),
            "train": _digest(values),
        }

    def judge(self, seed: int, options: Options, threads: int | None, report: Report) -> None:
        """See `Tunable`: once for each validation."""
        told = 0

        def note(judged: Validated) -> None:
            nonlocal told
            for _ in range(told, min(judged.steps // self.tuning.every, self.per_seed)):
                told += 1
                report(float(np.mean(list(judged.gains.values()))))

        self._train(seed, options, threads, note)

    def gains(self, reports: Sequence[float]) -> Scores:
        """See `Tunable`: of each seed's last validation."""
        return np.array(reports).reshape(-1, self.per_seed)[:, -1:]

    def confirm(self, seed: int, options: Options, threads: int | None) -> list[float]:
        """See `Tunable`: on each song."""
        judged = self._train(seed, options, threads, lambda judged: None)
        return list(judged.gains.values())

    def elsewhere(self, mapper: Mapper, tell: Tell) -> Self:
        """See `Tunable`: itself, since validation songs are learned from by no one."""
        return self

    def _train(
        self,
        seed: int,
        options: Options,
        threads: int | None,
        note: Callable[[Validated], None],
    ) -> Validated:
        """Train in a folder that is gone afterwards.

        Args:
            seed, options, threads: of the run.
            note: told of every validation once it is made.

        Returns:
            The last validation.
        """
        settings = self._settings(seed, options, threads)
        with TemporaryDirectory(prefix="mixgym-tune-") as folder:
            run, told = RunFolder(Path(folder) / "run"), 0

            def tell(progress: Progress) -> None:
                nonlocal told
                validations = run.validations()
                for judged in validations[told:]:
                    told += 1
                    note(judged)

            train(settings, run.path, tell=tell)
            return run.validations()[-1]

    def _settings(self, seed: int, options: Options, threads: int | None = None) -> Settings:
        given = self.tuning
        changed: dict[str, Any] = {
            "total_steps": given.steps,
            "checkpoint_every": given.steps,
            "validation": {"every": given.every, "rendered": 0},
        }
        if threads is not None:
            changed["environment"] = {"arguments": {"threads": threads}}
        nested = [_nested(name, value) for name, value in options.items()]
        return read_settings(
            given.train,
            songs=given.songs,
            seed=seed,
            changed=(given.changed, changed, *nested),
        )

    @cached_property
    def _held_out(self) -> list[str]:
        settings = self._settings(0, {})
        episodes: Episodes = make_validation(settings.environment, settings.validation)
        return episodes.repertoire.titles[: episodes.count]


def _at(values: Mapping[str, Any], name: str, path: Path) -> Value:
    """The value at a dotted name."""
    found: Any = values
    for part in name.split("."):
        if not isinstance(found, Mapping) or part not in found:
            raise MixgymError(f"{path} has no setting {name!r}; correct the study's space.")
        found = found[part]
    if not isinstance(found, (bool, int, float, str, type(None))):
        raise MixgymError(f"{name!r} of {path} is no single value; name one inside of it.")
    return found


def _nested(name: str, value: Value) -> dict[str, Any]:
    """A dotted name's value as settings."""
    *outer, inner = name.split(".")
    nested: dict[str, Any] = {inner: value}
    for part in reversed(outer):
        nested = {part: nested}
    return nested


def _digest(values: Any) -> str:
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
