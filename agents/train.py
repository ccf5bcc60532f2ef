"""A training run: from settings to weights."""

from __future__ import annotations

import importlib.util
import platform
import sys
from collections.abc import Callable
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import torch
from stable_baselines3.common.logger import Logger, configure

from .. import __version__
from ..envs.episodes import Episodes
from ..envs.options import EnvOptions
from ..envs.sources import Songs
from ..envs.spaces import action_space, observation_space
from ..errors import MixgymError
from ..songs.training.manifest import MANIFEST
from .between import Between, HeldOut, Tell
from .cloning import CloningLearner
from .distillation import DistillationLearner
from .environments import make_validation, refuse_shared_songs
from .gradient import GradientLearner
from .learner import Learner
from .ppo import PpoLearner
from .run_folder import BEST, RunFolder
from .sac import SacLearner
from .settings import (
    CloningSettings,
    DistillationSettings,
    GradientSettings,
    PpoSettings,
    SacSettings,
    Settings,
    StyledSettings,
)
from .start import start_from
from .stock_policy import STOCK
from .weights import About, table_digest

PACKAGES = ("torch", "stable-baselines3", "gymnasium", "numpy", "numba")


class Trained(NamedTuple):
    """How a run ended.

    Attributes:
        weights: the best policy.
        steps: taken.
        gain: highest mean gain over equal loudness on validation songs, in `simulate`, less what
            their mixes cost.
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
    """Train a policy.

    Whenever the process ends, however it ends, the same call with `resume` goes on from the last
    checkpoint and comes to the same weights, bit for bit, on the same machine.

    Args:
        settings: of the run.
        folder: of the run, see `run_folder`.
        resume: go on with a run; begins one where there is none.
        threads: of PyTorch; environments take all unless `environment.arguments.threads` says less.
        tell: told after every update.
        asked_to_end: asked between updates.

    Raises:
        MixgymError: settings that do not fit, songs that cannot be read, a device that is not
            there, or a folder that holds something else; a run that came to no checkpoint is
            removed then.
        OSError: the folder cannot be written.
    """
    run = RunFolder(folder)
    if run.begun and not resume:
        raise MixgymError(f"{folder} holds a run; go on with it by --resume, or name another.")
    if run.begun:
        run.check(settings)
    else:
        run.check_place()
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise MixgymError("device is 'cuda', and PyTorch finds none here; say cpu or auto.")
    torch.set_num_threads(threads)
    learner = _learner(settings)
    held_out = _held_out(settings, learner.episodes)
    if learner.sizes.encoder == STOCK:
        learner.act(next(iter(held_out.simulated.values())).observe())  # refuses more stems
    about = _about(learner, held_out)
    saved = run.load_checkpoint() if run.begun else None
    if saved is None and settings.start is not None:
        start_from(settings.start, learner.network, about)
    new = not run.begun
    if new:
        run.begin(settings, _described(learner.episodes, held_out))
    run.rewind(saved["steps"] if saved else -1)
    if saved:
        learner.restore(saved)
    between = Between(
        learner, settings, run, about, held_out, _logger(folder), tell, asked_to_end, saved
    )
    try:
        learner.learn(between)
    except MixgymError:
        if new:
            run.forget()
        raise
    return Trained(folder / BEST, learner.steps, between.best, not between.ended_early)


def _learner(settings: Settings) -> Learner:
    if isinstance(settings, GradientSettings):
        return GradientLearner(settings)
    if isinstance(settings, DistillationSettings):
        return DistillationLearner(settings)
    if isinstance(settings, CloningSettings):
        return CloningLearner(settings)
    if isinstance(settings, SacSettings):
        return SacLearner(settings)
    assert isinstance(settings, PpoSettings)
    return PpoLearner(settings)


def _held_out(settings: Settings, learned: Episodes) -> HeldOut:
    validation = settings.validation
    usual = settings.environment.arguments.get("reward", EnvOptions.reward)
    styles = (settings.styles if isinstance(settings, StyledSettings) else ()) or (usual,)
    simulated = {
        Path(str(style)).name: make_validation(settings.environment, validation, reward=style)
        for style in styles
    }
    refuse_shared_songs(learned, next(iter(simulated.values())))
    rendered = None
    if validation.rendered:
        few = min(validation.rendered, validation.excerpts)
        rendered = make_validation(
            settings.environment,
            validation.model_copy(update={"excerpts": few}),
            reward=styles[0],
            fidelity="render",
        )
    return HeldOut(simulated, rendered)


def _about(learner: Learner, held_out: HeldOut) -> About:
    episodes = learner.episodes
    space, options = episodes.space, episodes.options
    return About(
        strip=space.strip,
        buses=space.buses,
        master=space.master,
        table=table_digest(space),
        sizes=learner.sizes,
        control=options.control,
        step_size=options.step_size,
        episode_steps=options.episode_steps,
        styles=tuple(held_out.simulated),
        songs=_digest(options.songs),
        steps=0,
    )


def _digest(songs: Songs) -> str | None:
    """Of a training set's manifest."""
    if not isinstance(songs, str | Path):
        return None
    path = Path(songs)
    manifest = path if path.name == MANIFEST else path / MANIFEST
    if not manifest.is_file():
        return None
    return blake2b(manifest.read_bytes(), digest_size=16).hexdigest()


def _described(learned: Episodes, held_out: HeldOut) -> dict[str, Any]:
    """What a run was, for its folder."""
    judged = next(iter(held_out.simulated.values()))
    return {
        "command": sys.argv,
        "versions": {
            "mixgym": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in PACKAGES},
        },
        "environment": {
            "observation_space": str(observation_space(learned)),
            "action_space": str(action_space(learned)),
            "strip_parameters": learned.parameter_names[0],
            "shared_parameters": learned.parameter_names[1],
        },
        "songs": {
            "learned_from": len(learned.repertoire),
            "validated_on": judged.repertoire.titles[: judged.count],
        },
    }


def _logger(folder: Path) -> Logger:
    there = importlib.util.find_spec("tensorboard") is not None
    return configure(str(folder / "tensorboard") if there else None, ["tensorboard"] * there)
