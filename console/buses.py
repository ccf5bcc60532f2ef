"""The shared reverb and delay."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .filters import high_pass

IMPULSE_RATE = 44_100
LONGEST_TAIL_S = 8.0
TAIL_DB = -60.0


@lru_cache(maxsize=64)
def reverb_response(size: float, damping: float, width: float) -> tuple[float, float]:
    """Power gain for uncorrelated sound, and seconds until -60 dB, of pedalboard's reverb.

    Both are read off its impulse response, so that a send's level means the same for any room.
    """
    import pedalboard

    reverb = pedalboard.Reverb(
        room_size=size, damping=damping, width=width, wet_level=1 / 3, dry_level=0
    )
    frames = int(LONGEST_TAIL_S * IMPULSE_RATE)
    impulse = np.zeros((2, frames), dtype=np.float32)
    impulse[:, 0] = 1.0
    power = np.square(reverb(impulse, IMPULSE_RATE), dtype=np.float64).mean(axis=0)
    remaining = np.cumsum(power[::-1])[::-1]
    audible = np.flatnonzero(remaining > remaining[0] * 10 ** (TAIL_DB / 10))
    return float(remaining[0]), float(audible[-1] + 1) / IMPULSE_RATE


class ReverbBus:
    """Pre-delay, high-pass and reverb, wet only; at 0 dB as loud as what is sent to it."""

    def __init__(self, settings: Mapping[str, float], sample_rate: int) -> None:
        import pedalboard

        size, damping = settings["reverb_size"], settings["reverb_damping"]
        width = settings["reverb_width"]
        power, decay_s = reverb_response(size, damping, width)
        pre_delay_s = settings["reverb_pre_delay_ms"] / 1000
        self.tail_s = pre_delay_s + decay_s
        self._sample_rate = sample_rate
        self._gain = np.float32(10 ** (settings["reverb_return_db"] / 20) / math.sqrt(power))
        reverb = pedalboard.Reverb(
            room_size=size, damping=damping, width=width, wet_level=1 / 3, dry_level=0
        )
        self._board = pedalboard.Pedalboard(
            [
                pedalboard.Delay(delay_seconds=pre_delay_s, feedback=0, mix=1),
                *high_pass(settings["reverb_low_cut_hz"], sample_rate),
                reverb,
            ]
        )

    def process(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        """The return for one block of the send, both (2, frames)."""
        wet = self._board.process(audio, self._sample_rate, reset=False)
        wet *= self._gain
        return np.asarray(wet)


class DelayBus:
    """Filtered echoes, wet only."""

    def __init__(self, settings: Mapping[str, float], sample_rate: int) -> None:
        import pedalboard

        time_s, feedback = settings["delay_time_ms"] / 1000, settings["delay_feedback"]
        repeats = 1 + (math.ceil(TAIL_DB / (20 * math.log10(feedback))) if feedback > 0 else 0)
        self.tail_s = min(time_s * repeats, LONGEST_TAIL_S)
        self._sample_rate = sample_rate
        self._gain = np.float32(10 ** (settings["delay_return_db"] / 20))
        highest_hz = 0.45 * sample_rate
        self._board = pedalboard.Pedalboard(
            [
                *high_pass(settings["delay_low_cut_hz"], sample_rate),
                pedalboard.LowpassFilter(min(settings["delay_high_cut_hz"], highest_hz)),
                pedalboard.Delay(delay_seconds=time_s, feedback=feedback, mix=1),
            ]
        )

    def process(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        """The return for one block of the send, both (2, frames)."""
        wet = self._board.process(audio, self._sample_rate, reset=False)
        wet *= self._gain
        return np.asarray(wet)
