"""What a policy is shown of a song: features of its stems and of its mix at rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...console.analysis_cache import cached_analysis
from ...console.parameters import MASTER
from ...console.space import Values
from ...errors import MixgymError
from ...rewards import Reward, features
from ...rewards.batch import BatchEvaluator
from ...rewards.listeners import SimulatedSong
from ...rewards.scene import role_indices
from .contract import Described

if TYPE_CHECKING:
    from ...console.analysis import Analysis
    from ...songs import Song

TARGET = MASTER.index("target_lufs")


Settings = tuple[Values, Values, Values]  # strips (stems, len(STRIP)), buses and master


class Look(NamedTuple):
    """A song as a policy sees it.

    Attributes:
        inputs: of the policy, a batch of 1.
        rest: the mix that it is shown.
        score: of that mix.
        scored: scores another, one evaluation.
    """

    inputs: dict[str, NDArray[np.float32]]
    rest: Settings
    score: float
    scored: Callable[[Settings], float]


def look_at(
    song: Song,
    reward: Reward,
    described: Described,
    threads: int,
    analysis: Analysis | None = None,
) -> Look:
    """Look at a song as environments do when an episode begins; it takes one evaluation.

    Args:
        song: an excerpt as a rule; a finished track is its only stem.
        reward: what its mix is held against.
        described: the policy.
        threads: at work.
        analysis: of the song; from the cache, or made and kept there, if None.

    Raises:
        MixgymError: a stem cannot be read, nothing sounds, or stems are given to a policy that
            masters.
    """
    stems, space = len(song.stems), described.space
    if described.task == "mastering" and stems > 1:
        raise MixgymError(
            f"{song.title!r} has {stems} stems, and the policy masters finished tracks: mix them "
            "first."
        )
    if analysis is None:
        analysis = cached_analysis(song, threads=threads)
    listener = SimulatedSong(analysis, role_indices(song))
    if not listener.present.any():
        raise MixgymError(f"{song.title!r} is silent; there is nothing to mix.")
    strips, buses, master = space.decode(space.rest(stems)[None], stems)
    target_lufs = features.target_loudness_lufs(reward)
    if target_lufs is not None and "target_lufs" not in space.master:
        master[:, TARGET] = target_lufs
    evaluator = BatchEvaluator(reward, stems, threads)
    scores, facts = evaluator.evaluate([listener], strips, buses, master)
    mix = features.mix_state(facts, scores, reward)
    inputs: dict[str, NDArray[np.float32]]
    if described.task == "mastering":
        inputs = {"track": features.track_features(listener.analysis), "mix": mix}
    else:
        present = listener.present[None]
        still = features.stem_features(listener.analysis, listener.roles) * present.T
        seen = np.concatenate((still, features.stem_state(facts)[0]), axis=1)
        inputs = {"stems": seen[None], "mask": present.astype(np.float32), "mix": mix}

    def scored(settings: Settings) -> float:
        batch = (part[None] for part in settings)
        return float(evaluator.evaluate([listener], *batch)[0].score[0])

    return Look(inputs, (strips[0], buses[0], master[0]), float(scores.score[0]), scored)
