"""What a training run's YAML file may say."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from ..errors import MixgymError
from ..settings_file import checked, full_paths, merged, read_mapping
from .hyperparameters import Cloning, Count, Distillation, Gradient, Group, Ppo, Sac


class Environment(Group):
    """What is played.

    Attributes:
        id: of the environment.
        arguments: keyword arguments of the environment, see docs/environments.md.
    """

    id: Literal["mixgym/Mixing-v0", "mixgym/MixingLevels-v0", "mixgym/Mastering-v0"] = (
        "mixgym/Mixing-v0"
    )
    arguments: dict[str, Any] = Field(default_factory=dict)


class ParallelEnvironment(Environment):
    """What is played, by many at once.

    Attributes:
        count: episodes side by side.
        tries: of which so many neighbours play the same songs; divides `count`.
        shaped: whether a step's reward is what the mix gained by it; else an episode's last step
            has the mix's score for a reward, and the others none.
    """

    count: int = Field(default=256, ge=1, le=100_000)
    tries: int = Field(default=8, ge=1, le=10_000)
    shaped: bool = True


class Network(Group):
    """The track-set network, see `network.Sizes`."""

    encoder: Literal["features", "spectrogram", "recurrent"] = "features"
    width: int = Field(default=96, ge=4, le=2048)
    blocks: int = Field(default=2, ge=0, le=32)
    heads: int = Field(default=4, ge=1, le=64)


class Policy(Network):
    """The network, and how its actions vary.

    Attributes:
        encoder: of what environments show; they show no pictures.
        kind: Stable-Baselines3's own policy instead, "stock", of two layers so wide.
        initial_std: of actions before training; parameters range from -1 to 1.
        antithetic: whether every second try is the one before it mirrored about the mean.
    """

    encoder: Literal["features"] = "features"
    kind: Literal["set", "stock"] = "set"
    initial_std: float = Field(default=0.26, gt=0, le=2)
    antithetic: bool = False


class Validation(Group):
    """How a policy is judged while it learns.

    Attributes:
        songs: songs that are not learned from; the environment's own if None.
        split: of a training set.
        excerpts: at most.
        every: steps between two validations.
        rendered: how many of the excerpts are heard on `render` too.
        render_every: in every so manieth validation.
    """

    songs: Any = None
    split: Literal["train", "validation", "test"] = "validation"
    excerpts: int = Field(default=64, ge=1, le=100_000)
    every: Count = 50_000
    rendered: int = Field(default=4, ge=0, le=1000)
    render_every: Count = 5


class OftenValidation(Validation):
    """The same, for a learner that needs few steps."""

    every: Count = 2_000


class Settings(Group):
    """A training run, whatever learns.

    Attributes:
        total_steps: rounded up to whole updates.
        checkpoint_every: steps after which a run that is cut off goes on from.
        start: weights that a run begins with, a file of `mixgym train`.
        seed: of everything that is drawn.
        device: "auto" takes CUDA where there is any.
    """

    algorithm: Literal["ppo", "gradient", "cloning", "distillation", "sac"]
    environment: Environment
    policy: Network
    validation: Validation
    total_steps: Count
    checkpoint_every: Count
    start: Path | None = None
    seed: int = Field(default=0, ge=0, lt=2**31)
    device: Literal["cpu", "cuda", "auto"] = "cpu"

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> Self:
        if self.policy.width % self.policy.heads:
            raise ValueError(f"policy.width {self.policy.width} is no multiple of policy.heads")
        return self


class PpoSettings(Settings):
    """A run of PPO; its steps are those of all environments together.

    Attributes:
        mixed_precision: compute the network in bfloat16, on CUDA alone.
    """

    algorithm: Literal["ppo"] = "ppo"
    environment: ParallelEnvironment = ParallelEnvironment()
    ppo: Ppo = Ppo()
    policy: Policy = Policy()
    validation: Validation = Validation()
    total_steps: Count = 1_000_000
    checkpoint_every: Count = 50_000
    mixed_precision: bool = False

    @model_validator(mode="after")
    def _fits(self) -> Self:
        tries, count, batch = self.environment.tries, self.environment.count, self.ppo.batch_size
        if count % tries:
            raise ValueError(f"environment.count {count} is no multiple of tries {tries}")
        if self.policy.kind == "stock" and (self.start or self.policy.antithetic):
            raise ValueError("policy.kind stock takes no start and no antithetic tries")
        if self.policy.antithetic and tries % 2:
            raise ValueError(f"policy.antithetic needs an even number of tries, not {tries}")
        if count * self.ppo.n_steps % batch or batch % tries or batch < 2:
            raise ValueError(
                f"ppo.batch_size {batch} has to be a multiple of environment.tries {tries}, above "
                f"1, and divide environment.count times n_steps, {count * self.ppo.n_steps}"
            )
        return self


class StyledSettings(Settings):
    """A run that follows gradients of one style's reward or of several; a step is one mix.

    Attributes:
        styles: rewards that are learned at once, drawn as often as each is named; the environment's
            alone if empty. Where there are several, that is none of the environment's arguments.
    """

    environment: Environment = Environment()
    styles: Annotated[tuple[str, ...], Field(max_length=1000)] = ()
    gradient: Gradient = Gradient()
    policy: Network = Network()
    validation: OftenValidation = OftenValidation()
    total_steps: Count = 20_000
    checkpoint_every: Count = 2_000

    @model_validator(mode="after")
    def _one_say(self) -> Self:
        if self.styles and "reward" in self.environment.arguments:
            raise ValueError("styles and environment.arguments.reward exclude each other")
        return self


class GradientSettings(StyledSettings):
    """A run of gradient ascent."""

    algorithm: Literal["gradient"] = "gradient"


class DistillationSettings(StyledSettings):
    """A run that clones teachers' mixes first, and then goes on by gradient ascent."""

    algorithm: Literal["distillation"] = "distillation"
    distillation: Distillation
    total_steps: Count = 60_000

    @model_validator(mode="after")
    def _someone_teaches_every_song(self) -> Self:
        if not self.distillation.teachers and self.gradient.not_whole > 0.0:
            raise ValueError(
                "gradient.thinned, bursts, nameless and mono need distillation.teachers: only "
                "whole songs are searched"
            )
        return self


class CloningSettings(Settings):
    """A run of the cloning of mixes that were searched for; a step is a look at one song."""

    algorithm: Literal["cloning"] = "cloning"
    environment: Environment = Environment()
    cloning: Cloning = Cloning()
    policy: Network = Network()
    validation: OftenValidation = OftenValidation()
    total_steps: Count = 20_000
    checkpoint_every: Count = 2_000


class SacSettings(Settings):
    """A run of SAC; its steps are those of all environments together."""

    algorithm: Literal["sac"] = "sac"
    environment: ParallelEnvironment = ParallelEnvironment(count=64, tries=1)
    sac: Sac = Sac()
    policy: Policy = Policy()
    validation: Validation = Validation()
    total_steps: Count = 200_000
    checkpoint_every: Count = 50_000


ALGORITHMS: dict[str, type[Settings]] = {
    "ppo": PpoSettings,
    "gradient": GradientSettings,
    "cloning": CloningSettings,
    "distillation": DistillationSettings,
    "sac": SacSettings,
}


def read_settings(
    path: Path,
    *,
    songs: Path | None = None,
    seed: int | None = None,
    start: Path | None = None,
    changed: Sequence[Mapping[str, Any]] = (),
) -> Settings:
    """Settings of a YAML file.

    Paths in it are relative to its folder, and may begin with an environment variable.

    Args:
        path: the file.
        songs: what to learn from, before what the file says.
        seed: before the file's.
        start: weights to begin with, before the file's.
        changed: what is laid over the file, in this order; its paths are relative to the file's
            folder too.

    Raises:
        MixgymError: no such file, an unknown key, one that the algorithm has no use for, or a
            value out of range.
    """
    values = read_mapping(path, "total_steps: 100000")
    for changes in changed:
        values = merged(values, changes)
    environment = values.setdefault("environment", {})
    if isinstance(environment, dict):
        arguments = environment.setdefault("arguments", {})
        if isinstance(arguments, dict):
            if songs is not None:
                arguments["songs"] = str(songs.resolve())
            full_paths(path, arguments)
    full_paths(path, values)
    if isinstance(values.get("validation"), dict):
        full_paths(path, values["validation"])
    teachers = values.get("distillation")
    if isinstance(teachers, dict) and isinstance(teachers.get("teachers"), list):
        teachers["teachers"] = [_beside(path, teacher) for teacher in teachers["teachers"]]
    if start is not None:
        values["start"] = str(start.resolve())
    elif isinstance(values.get("start"), str):
        values["start"] = _beside(path, values["start"])
    if seed is not None:
        values["seed"] = seed
    algorithm = values.get("algorithm", "ppo")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise MixgymError(
            f"{path}: algorithm is {str(algorithm)[:200]!r}; choose from {', '.join(ALGORITHMS)}."
        )
    return checked(ALGORITHMS[algorithm], values, path)


def _beside(path: Path, name: Any) -> Any:
    """The full path of a file that the settings at `path` name; it may begin with a variable."""
    if not isinstance(name, str):
        return name
    return str((path.parent / os.path.expandvars(name)).resolve())
