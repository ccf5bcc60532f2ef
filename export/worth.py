"""What a policy's file is worth on songs, beside the network that it was made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..envs.options import MASTERING, MIXING, EnvOptions
from ..rewards import load_reward
from ..rewards.reward import styles
from ..runtime.policy.backends import Backend
from ..runtime.policy.contract import Described
from ..runtime.policy.look import Look, look_at
from ..runtime.policy.mixer import settled
from .parity import Reference

MOST_SONGS = 24
SPLIT = "validation"  # of a training set
Tell = Callable[[str, float], None]


class Worth(NamedTuple):
    """Mean scores on songs, in `simulate`.

    Attributes:
        looks: how many songs, each under every style.
        rest: of the mixes that the policy is shown.
        network: of what its network makes of them.
        file: of what its file does.
    """

    looks: int
    rest: float
    network: float
    file: float

    @property
    def lost(self) -> float:
        """Reward that is lost because the file's numbers are less exact."""
        return self.network - self.file


def looks_at(songs: Path | None, described: Described, tell: Tell) -> list[Look]:
    """Look at songs under every style that a policy learned and mixgym knows.

    Args:
        songs: a song, a folder of songs or a training set; three generated songs if None.
        described: the policy.
        tell: told the share that is done.

    Raises:
        MixgymError: no such songs, or one that cannot be read.
    """
    task = MASTERING if described.task == "mastering" else MIXING
    repertoire = EnvOptions(songs=songs, split=SPLIT).repertoire(task)
    known = [style for style in dict.fromkeys(described.styles) if style in styles()]
    rewards = [load_reward(style) for style in known or ("balanced",)]
    count = min(len(repertoire), MOST_SONGS)
    looks = []
    for number in range(count):
        tell("Looking at songs", number / count)
        song = repertoire.song(number)
        looks += [look_at(song, reward, described, 1) for reward in rewards]
    return looks


def worth(path: Path, backend: Backend, reference: Reference, looks: Sequence[Look]) -> Worth:
    """Score a file and its network on songs.

    Args:
        path: of the file, for messages.
        backend: what runs it.
        reference: what should come out of it.
        looks: at the songs.

    Raises:
        MixgymError: the file gives what cannot be set.
    """
    scores = []
    for look in looks:
        network, file = (
            look.scored(settled(path, backend.described, given(look.inputs), look))
            for given in (reference, backend.run)
        )
        scores.append((look.score, network, file))
    rest, network, file = np.mean(scores, axis=0).tolist()
    return Worth(len(looks), rest, network, file)
