"""What a reward may look at besides the readings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..songs.roles import ROLES

if TYPE_CHECKING:
    from ..songs import Song


@dataclass(frozen=True, slots=True)
class Scene:
    """Who plays in each mix of a batch, and how much was done to them.

    Attributes:
        roles: index in `ROLES` of each stem, shape (mixes, stems).
        present: whether there is such a stem and it sounds, (mixes, stems).
        centres_hz: of the third octaves, (bands,).
        effort: from 0, nothing done, to 1, everything at its limit, (mixes,).
    """

    roles: NDArray[np.int64]
    present: NDArray[np.bool_]
    centres_hz: NDArray[np.float64]
    effort: NDArray[np.float64]


def role_indices(song: Song) -> NDArray[np.int64]:
    """Index in `ROLES` of every stem's role, (stems,)."""
    return np.array([ROLES.index(stem.role) for stem in song.stems], dtype=np.int64)
