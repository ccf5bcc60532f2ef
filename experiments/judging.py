"""A person's mix of a part of a song, for others to be held against."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..console.analysis_cache import cached_analysis
from ..rewards.judges import judge, level_distance
from .people import finished_mix, person_faders_db, read_finished

if TYPE_CHECKING:
    from ..console.mix_readings import MixReadings
    from ..songs import Excerpt


@dataclass(frozen=True, slots=True)
class Person:
    """What a person made of an excerpt.

    Attributes:
        audio: of the finished mix, shape (channels, frames).
        sample_rate: in Hz.
        levels_db: how loud each stem is in it, (stems,), whatever the overall level; -inf where it
            is not heard.
    """

    audio: NDArray[np.float32]
    sample_rate: int
    levels_db: NDArray[np.float64]

    def judges(self, audio: NDArray[np.float32], readings: MixReadings) -> dict[str, float]:
        """How far a mix is from this one: `rewards.judges.judge`, and `levels_db`.

        Args:
            audio: of the mix, shape (2, frames). readings: of it alone.
        """
        levels_db = level_distance(readings.stem_lufs[0].astype(np.float64), self.levels_db)
        return {**judge(audio, self.audio, self.sample_rate), "levels_db": levels_db}


def person_of(folder: Path, excerpt: Excerpt) -> Person | None:
    """The person's mix in a song's folder; None where there is none.

    Raises:
        MixgymError: it cannot be read.
    """
    finished = finished_mix(folder)
    if finished is None:
        return None
    levels_db = person_faders_db(folder, excerpt, cached_analysis(excerpt))
    return Person(
        read_finished(finished, excerpt),
        excerpt.sample_rate,
        np.full(len(excerpt.stems), -np.inf) if levels_db is None else levels_db,
    )
