"""The training runs of an ablation; those that are done are not done again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from ...agents.run_folder import LAST, RunFolder, Validated
from ...agents.settings import Settings, read_settings
from ...agents.train import train
from ...agents.weights import read_weights
from .settings import BASE, Ablation, folder_name


class Run(NamedTuple):
    """A variant, trained from one seed.

    Attributes:
        curve: its validations in order, those of earlier stages among them and their steps added.
        seconds: of all stages.
    """

    curve: list[Validated]
    seconds: float


class Work(NamedTuple):
    """A stage that is to be done.

    Attributes:
        variant: whose.
        seed: from which.
        settings: of the run.
        folder: of the run.
    """

    variant: str
    seed: int
    settings: Settings
    folder: Path


def stages_of(
    ablation: Ablation, variant: str, seed: int, out: Path, songs: Path | None
) -> Iterator[Work]:
    """A variant's stages in order; settings of a stage can be read once the one before is done.

    Args:
        ablation: that the variant is of.
        variant: its name.
        seed: of every stage.
        out: folder of all runs.
        songs: what to learn from, for what the files say.

    Raises:
        MixgymError: settings that cannot be used.
    """
    before: Path | None = None
    for number, stage in enumerate(ablation.variants[variant], 1):
        changed = dict(stage)
        base = Path(changed.pop(BASE, ablation.base))
        settings = read_settings(
            base, songs=songs, seed=seed, start=before, changed=(ablation.common, changed)
        )
        folder = out / folder_name(variant) / f"seed-{seed}" / str(number)
        yield Work(variant, seed, settings, folder)
        before = folder / LAST


def is_done(work: Work) -> bool:
    """Whether a run came to its end.

    Raises:
        MixgymError: its folder holds a run of other settings.
    """
    folder = RunFolder(work.folder)
    if not folder.begun:
        return False
    folder.check(work.settings)
    last = work.folder / LAST  # written when all that was learned was validated
    return last.exists() and read_weights(last)[1].steps >= work.settings.total_steps


def do(work: Work, asked_to_end: Callable[[], bool]) -> bool:
    """Begin a run or go on with it; whether it came to its end.

    Raises:
        MixgymError: songs that cannot be read, or a folder that holds something else.
        OSError: the folder cannot be written.
    """
    work.folder.parent.mkdir(parents=True, exist_ok=True)
    return train(work.settings, work.folder, resume=True, asked_to_end=asked_to_end).finished


def run_of(stages: list[Work]) -> Run:
    """What came of a variant's stages, all of which are done."""
    curve: list[Validated] = []
    steps, seconds = 0, 0.0
    for work in stages:
        judged = RunFolder(work.folder).validations()
        fresh = (
            judged[1:] if curve else judged
        )  # a stage begins with what the one before ended with
        curve += [
            one._replace(steps=steps + one.steps, seconds=seconds + one.seconds) for one in fresh
        ]
        steps, seconds = curve[-1].steps, curve[-1].seconds
    return Run(curve, seconds)
