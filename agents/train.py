"""A training run: from settings to weights."""

from __future__ import annotations

import importlib.util
import platform
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from stable_baselines3 import PPO
from stable_baselines3.common.logger import Logger, configure

from .. import __version__
from ..envs.episodes import Episodes
from ..envs.vector import ConsoleVectorEnv
from ..errors import MixgymError
from . import checkpoint
from .callbacks import Between, Tell
from .environments import (
    make_environment,
    make_validation,
    network_sizes,
    refuse_shared_songs,
)
from .network import Sizes
from .policy import TrackSetPolicy
from .rollouts import TriedRolloutBuffer, TriedVecEnv
from .run_folder import BEST, RunFolder
from .settings import Settings
from .weights import About, table_digest

NEVER = 2**62  # rollouts between two logs of Stable-Baselines3; `Between` writes its own
PACKAGES = ("torch", "stable-baselines3", "gymnasium", "numpy", "numba")


class Trained(NamedTuple):
    """How a run ended.

    Attributes:
        weights: the best policy.
        steps: taken.
        gain: highest mean gain over equal loudness on validation songs, in `simulate`.
        finished: false where it was asked to end before.
    """

    weights: Path
    steps: int
    gain: float
    finished: bool


def train(
    settings: Settings,
    folder: Path,
    *,
    resume: bool = False,
    threads: int = 1,
    tell: Tell = lambda progress: None,
    asked_to_end: Callable[[], bool] = lambda: False,
) -> Trained:
    """Train a policy by PPO.

    Whenever the process ends, however it ends, the same call with `resume` goes on from the last
    checkpoint and comes to the same weights, bit for bit, on the same machine.

    Args:
        settings: of the run.
        folder: of the run, see `run_folder`.
        resume: go on with a run; begins one where there is none.
        threads: of PyTorch; environments take all unless `environment.arguments.threads` says less.
        tell: told after every rollout.
        asked_to_end: asked between rollouts.

    Raises:
        MixgymError: settings that do not fit, songs that cannot be read, or a folder that holds
            another run.
        OSError: the folder cannot be written.
    """
    run = RunFolder(folder)
    if run.begun and not resume:
        raise MixgymError(f"{folder} holds a run; go on with it by --resume, or name another.")
    if run.begun:
        run.check(settings)
    torch.set_num_threads(threads)
    envs = make_environment(settings.environment)
    held_out = _held_out(settings, envs)
    sizes = network_sizes(envs.episodes, settings.policy)
    if not run.begun:
        run.begin(settings, _described(envs, held_out[0]))
    saved = cast(checkpoint.State | None, run.load_checkpoint())
    run.rewind(saved["steps"] if saved else -1)
    model = _model(settings, envs, sizes)
    model.set_logger(_logger(folder))
    if saved:
        checkpoint.restore(model, saved)
    between = Between(
        model,
        settings,
        run,
        _about(envs.episodes, sizes),
        held_out,
        tell,
        asked_to_end,
        saved,
    )
    left = settings.total_steps - model.num_timesteps
    if left > 0:
        model.learn(left, between, NEVER, reset_num_timesteps=saved is None)
    return Trained(folder / BEST, model.num_timesteps, between.best, not between.ended_early)


def _model(settings: Settings, envs: ConsoleVectorEnv, sizes: Sizes) -> PPO:
    ppo, tries = settings.ppo, settings.environment.tries
    one_look = envs.episodes.options.episode_steps == 1
    rate = ppo.learning_rate
    return PPO(
        TrackSetPolicy,
        TriedVecEnv(envs, tries),
        learning_rate=(lambda left: rate * max(left, 0.0)) if ppo.decay else rate,
        rollout_buffer_class=TriedRolloutBuffer,
        rollout_buffer_kwargs={"tries": tries},
        policy_kwargs={
            "sizes": sizes,
            "absolute": envs.episodes.options.control == "absolute",
            "initial_std": settings.policy.initial_std,
            "tries": tries if one_look else 1,
            "mixed_precision": settings.mixed_precision,
        },
        seed=settings.seed,
        device=settings.device,
        **ppo.model_dump(exclude={"learning_rate", "decay"}),
    )


def _held_out(settings: Settings, envs: ConsoleVectorEnv) -> tuple[Episodes, Episodes | None]:
    """Validation songs, and those that are rendered too."""
    validation = settings.validation
    simulated = make_validation(settings.environment, validation)
    refuse_shared_songs(envs, simulated)
    if not validation.rendered:
        return simulated, None
    few = validation.model_copy(update={"excerpts": min(validation.rendered, validation.excerpts)})
    return simulated, make_validation(settings.environment, few, fidelity="render")


def _about(episodes: Episodes, sizes: Sizes) -> About:
    space, options = episodes.space, episodes.options
    return About(
        strip=space.strip,
        buses=space.buses,
        master=space.master,
        table=table_digest(space),
        sizes=sizes,
        control=options.control,
        step_size=options.step_size,
        episode_steps=options.episode_steps,
        reward=Path(str(options.reward)).name,
        steps=0,
    )


def _described(envs: ConsoleVectorEnv, held_out: Episodes) -> dict[str, Any]:
    """What a run was, for its folder."""
    return {
        "command": sys.argv,
        "versions": {
            "mixgym": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in PACKAGES},
        },
        "environment": {
            "observation_space": str(envs.single_observation_space),
            "action_space": str(envs.single_action_space),
            "strip_parameters": envs.episodes.parameter_names[0],
            "shared_parameters": envs.episodes.parameter_names[1],
        },
        "songs": {
            "learned_from": len(envs.episodes.repertoire),
            "validated_on": held_out.repertoire.titles[: held_out.count],
        },
    }


def _logger(folder: Path) -> Logger:
    there = importlib.util.find_spec("tensorboard") is not None
    return configure(str(folder / "tensorboard") if there else None, ["tensorboard"] * there)
