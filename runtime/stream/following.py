"""Levels that follow what a stream has heard so far, where nothing was measured beforehand."""

from __future__ import annotations

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray

from ...console.meters import LoudnessMeter
from ...console.mix import Mix
from ...console.parameters import MASTER, NOMINAL_LUFS
from .engine import Stream
from .levels import Levels, expected_levels, nominal_drive_db

STEP_S = 0.5  # pushed at once; history is copied in pieces of this length
CHAIN_UPDATES = 100  # over which the mastering chain's own gain is averaged
MOST_CHAIN_DB = 12.0  # that it is believed to add or to take


class Following:
    """Integrated loudness of stems and mix bus, running, and what the mastering chain adds.

    The bus decides the nominal gain. The drive is what is missing from the nominal loudness to the
    target, less what the chain adds, read over the last `CHAIN_UPDATES` updates; what the limiter
    takes is not made up for. Reads the stream's history, from one thread that is not the audio's;
    what the history no longer holds because nobody asked in time is skipped.

    Args:
        stream: what is listened to.
        levels: what the stream began with.
        stem_lufs: of the raw stems where they are known; followed if None, and until a stem has
            sounded for 400 ms it counts as being at the nominal loudness.
    """

    def __init__(
        self, stream: Stream, levels: Levels, stem_lufs: tuple[float, ...] | None = None
    ) -> None:
        rate = stream.sample_rate
        self._stream, self._levels, self._known = stream, levels, stem_lufs
        self._stems = [LoudnessMeter(rate, channels) for channels in stream.channels]
        self._bus, self._master = LoudnessMeter(rate), LoudnessMeter(rate)
        self._next = self._counted = 0
        self._step = round(STEP_S * rate)
        self._chain: deque[tuple[float, float]] = deque(maxlen=CHAIN_UPDATES)

    def update(self, mix: Mix) -> Levels:
        """Levels for a mix, after hearing what is new."""
        while (frames := min(self._step, self._stream.heard - self._next)) > 0:
            audio = self._stream.recall(self._next, frames)
            if audio is not None:
                self._push(audio)
            self._next += frames
        stem_lufs = self._stem_lufs()
        gain_db = expected_levels(mix, stem_lufs).input_gain_db
        bus_lufs = self._bus.integrated_lufs
        if math.isfinite(bus_lufs):
            gain_db = NOMINAL_LUFS - bus_lufs
        drive_db = nominal_drive_db(mix)
        if MASTER.settings(mix.master)["loudness_on"]:
            drive_db -= self._chain_db()
        self._levels = Levels(stem_lufs, gain_db, drive_db)
        return self._levels

    def _push(self, audio: NDArray[np.float32]) -> None:
        if self._known is None:
            for i, meter in enumerate(self._stems):
                meter.push(audio[2 * i : 2 * i + meter.channels])
        self._bus.push(audio[-4:-2])
        self._master.push(audio[-2:])

    def _chain_db(self) -> float:
        """What the chain adds to the bus at nominal loudness."""
        bus, master = self._bus.powers[self._counted :], self._master.powers[self._counted :]
        self._counted += len(bus)
        into = float(bus.sum()) * 10 ** (self._levels.input_gain_db / 10)
        self._chain.append((into, float(master.sum())))
        into, out = (sum(column) for column in zip(*self._chain, strict=True))
        if into <= 0.0 or out <= 0.0:
            return 0.0
        return min(max(10 * math.log10(out / into), -MOST_CHAIN_DB), MOST_CHAIN_DB)

    def _stem_lufs(self) -> tuple[float, ...]:
        if self._known is not None:
            return self._known
        heard = [meter.integrated_lufs for meter in self._stems]
        return tuple(lufs if math.isfinite(lufs) else NOMINAL_LUFS for lufs in heard)
