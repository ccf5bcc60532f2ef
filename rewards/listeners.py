"""Listeners: what mixes of one song read, simulated or rendered and measured."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from ..console.hear import hear
from ..console.levels import stem_levels
from ..console.meters.spectrum import third_octave_centres
from ..console.mix import Mix
from ..console.mix_readings import MixReadings, join_readings
from ..console.simulate import Simulator

if TYPE_CHECKING:
    from ..console.analysis import Analysis
    from ..console.insert import Insert
    from ..songs import Song

Values = NDArray[np.float64]


class Listener(Protocol):
    """Reads mixes of one song. Safe to call from several threads.

    Attributes:
        roles: index in `ROLES` of each stem, shape (stems,).
        centres_hz: of the third octaves that readings hold, (bands,).
    """

    roles: NDArray[np.int64]
    centres_hz: Values

    @property
    def present(self) -> NDArray[np.bool_]:
        """Which stems sound, (stems,)."""
        ...

    def read(
        self, strips: Values, buses: Values, master: Values, inserts: Values | None = None
    ) -> MixReadings:
        """What a batch of mixes reads; what it is does not depend on the batch.

        Args:
            strips: physical values, shape (mixes, stems, len(STRIP)).
            buses, master: (mixes, len(BUSES)), (mixes, len(MASTER)).
            inserts: values of the parameters of each stem's insert, (mixes, stems, parameters).
        """
        ...


class SimulatedSong:
    """Reads mixes off a song's analysis; takes no inserts."""

    def __init__(self, analysis: Analysis, roles: NDArray[np.int64]) -> None:
        self.roles = roles
        self.present = np.isfinite(analysis.loudness_lufs)
        self.centres_hz = third_octave_centres(analysis.sample_rate)
        self._simulator = Simulator(analysis, threads=1)
        self.analysis = self._simulator.analysis

    def read(
        self, strips: Values, buses: Values, master: Values, inserts: Values | None = None
    ) -> MixReadings:
        """See `Listener.read`."""
        if inserts is not None:
            raise ValueError("inserts cannot be simulated: use fidelity='render'")
        return self._simulator(strips, buses, master)


class RenderedSong:
    """Renders every mix and measures it.

    Args:
        song: an excerpt as a rule.
        roles: of its stems, (stems,).
        insert: a processor in every strip, if any.
    """

    def __init__(self, song: Song, roles: NDArray[np.int64], insert: Insert | None = None) -> None:
        self.song, self.roles, self.insert = song, roles, insert
        self.centres_hz = third_octave_centres(song.sample_rate)

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """Which stems sound."""
        return np.array([not level.silent for level in stem_levels(self.song)])

    def read(
        self, strips: Values, buses: Values, master: Values, inserts: Values | None = None
    ) -> MixReadings:
        """See `Listener.read`."""
        neutral = Mix.neutral(self.song)
        parts = []
        for i in range(len(strips)):
            mix = replace(neutral, strips=strips[i], buses=buses[i], master=master[i])
            values = None if inserts is None else inserts[i]
            insert = None if self.insert is None else self.insert.bound(values)
            parts.append(hear(self.song, mix, threads=1, insert=insert)[0])
        return join_readings(parts)
