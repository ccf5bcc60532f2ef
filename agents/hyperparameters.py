"""Hyperparameters of what learns, as a training run's YAML file names them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Count = Annotated[int, Field(ge=1, le=10**10)]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, le=1e6)]


class Group(BaseModel):
    """Settings that belong together; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Ppo(Group):
    """Hyperparameters by the names of Stable-Baselines3, as `experiments/tune/ppo.yaml` found them.

    Attributes:
        learning_rate: at the start; falls to 0 in a straight line where `decay` says so.
    """

    n_steps: Count = 16
    batch_size: Count = 512
    n_epochs: Count = 8
    learning_rate: Positive = 3e-4
    decay: bool = True
    clip_range: Positive = 0.87
    target_kl: Positive | None = 1.0
    gamma: Share = 1.0
    gae_lambda: Share = 0.95
    ent_coef: float = Field(default=0.0, ge=0, le=1)
    vf_coef: float = Field(default=0.5, ge=0, le=100)
    max_grad_norm: Positive = 0.5


class Sac(Group):
    """Hyperparameters, by the names of Stable-Baselines3 but for the last two.

    Attributes:
        train_freq: steps of every environment between two updates.
        gradient_steps: minibatches of an update.
        entropy_weight: of the actions' entropy per cell, at the start; it is learned.
        target_std: standard deviation of actions whose entropy is aimed at.
    """

    learning_rate: Positive = 3e-4
    buffer_size: int = Field(default=20_000, ge=100, le=10**7)
    batch_size: int = Field(default=256, ge=2, le=10**6)
    train_freq: int = Field(default=4, ge=1, le=10_000)
    gradient_steps: int = Field(default=4, ge=1, le=10_000)
    tau: Share = 0.005
    gamma: Share = 1.0
    entropy_weight: Positive = 0.001
    target_std: float = Field(default=0.05, gt=0, le=2)


class Schedule(Group):
    """How fast Adam steps.

    Attributes:
        learning_rate: once warm; falls to `final_share` of it by half a cosine.
        warm_up_steps: during which the rate rises in a straight line.
    """

    learning_rate: Positive = 0.002
    warm_up_steps: int = Field(default=320, ge=0, le=10**10)
    final_share: Share = 0.02


class Adam(Schedule):
    """How Adam steps.

    Attributes:
        batch_size: songs of a step of Adam, each mixed once.
        max_grad_norm: longer gradients are shortened to it.
    """

    batch_size: int = Field(default=16, ge=1, le=10_000)
    max_grad_norm: Positive = 1.0


class Gradient(Adam):
    """Hyperparameters of gradient ascent through the twin.

    Attributes:
        noise: standard deviation of what is added to settings while learning; they range from
            -1 to 1.
        thinned: share of songs of which one to four stems alone play.
        bursts: share of songs of which every stem plays in short bursts alone.
        nameless: share of songs of which the roles of all stems, or of half, are unknown.
        mono: share of songs of which all stems, or half, are folded to one channel.
        costs: by name, of score, what a stem's setting costs that is 1 from neutral; in proportion
            to the distance, and as a mean over stems. What brings less is left alone.
    """

    noise: Share = 0.0
    thinned: Share = 0.0
    bursts: Share = 0.0
    nameless: Share = 0.0
    mono: Share = 0.0
    costs: dict[str, Share] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _at_most_all(self) -> Self:
        if self.not_whole > 1.0:
            raise ValueError("thinned, bursts, nameless and mono are shares: at most 1 together")
        return self

    @property
    def not_whole(self) -> float:
        """Share of songs of which something is missing."""
        return self.thinned + self.bursts + self.nameless + self.mono


Seeking = Literal["gradient", "ga", "cma_es", "sep_cma", "random"]


class Cloning(Adam):
    """Hyperparameters of the cloning of mixes that were searched for.

    Attributes:
        by: what searches: a searcher, or "gradient" for ascent through the twin.
        evaluations: in `simulate`, of the search of each song.
        search_seed: of the searches, apart from the run's so that runs share what was found.
        sensitive: whether a setting counts by how much the score depends on it; else all alike.
    """

    by: Seeking = "ga"
    evaluations: int = Field(default=1000, ge=40, le=1_000_000)
    search_seed: int = Field(default=0, ge=0, lt=2**31)
    sensitive: bool = True


class Search(Group):
    """A search as a teacher; it begins with the best mix of the policies.

    Attributes:
        by: what searches: a searcher, or "gradient" for ascent through the twin.
        evaluations: in `simulate`, for each mix.
        share: of songs that are searched, the same ones under every style.
    """

    by: Seeking = "gradient"
    evaluations: int = Field(default=60, ge=2, le=1_000_000)
    share: Share = 1.0


class Distillation(Schedule):
    """Hyperparameters of learning from teachers; the rates are those of cloning.

    Attributes:
        teachers: policies, files of `mixgym train`.
        searches: what seeks further from the best of their mixes.
        search_seed: of the searches, apart from the run's so that runs share what was found.
        steps: of cloning, rounded up to whole updates.
        rounds: of cloning after that, for which searches begin with the student's own mixes too, as
            they are when a round begins; all further steps follow gradients.
        round_steps: of each, rounded up to whole updates.
        probed: songs on which it is found out what errors in each parameter cost; all count alike
            if 0.
    """

    teachers: Annotated[tuple[Path, ...], Field(max_length=100)] = ()
    searches: Annotated[tuple[Search, ...], Field(max_length=10)] = ()
    search_seed: int = Field(default=0, ge=0, lt=2**31)
    steps: Count = 40_000
    rounds: int = Field(default=0, ge=0, le=20)
    round_steps: Count = 4_000
    probed: int = Field(default=32, ge=0, le=100_000)

    @model_validator(mode="after")
    def _taught(self) -> Self:
        if not self.teachers and not any(search.share == 1.0 for search in self.searches):
            raise ValueError("name teachers, or a search of all songs (share: 1)")
        if self.rounds and not self.searches:
            raise ValueError("rounds need searches, which go on from the student's mixes")
        return self
