"""The shared reverb and delay."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .filters import high_pass
from .parameters import BUSES

if TYPE_CHECKING:
    import pedalboard

IMPULSE_RATE = 44_100
IMPULSE_S = (4, 8, 16, 32)  # lengths tried; the tail must end in the first half
IMPULSE = 1000.0  # far above the steps of 1e-8 in which the plug-in rounds
TAIL_DB = -60.0
FILTER_RING_S = 0.1  # until -60 dB of a high-pass at 20 Hz


@lru_cache(maxsize=64)
def reverb_response(size: float, damping: float, width: float) -> tuple[float, float]:
    """Power gain for sound in the centre, and seconds until -60 dB, of pedalboard's reverb.

    Both are read off its impulse response behind the lowest low cut, so that a send's level means
    the same for any room.
    The reverb hears the sum of left and right: sound that has no correlation between them comes
    back 3 dB lower.
    """
    import pedalboard

    for length_s in IMPULSE_S:
        impulse = np.zeros((2, length_s * IMPULSE_RATE), dtype=np.float32)
        impulse[:, 0] = IMPULSE
        low_cut = high_pass(BUSES["reverb_low_cut_hz"].low, IMPULSE_RATE)
        board = pedalboard.Pedalboard([*low_cut, _reverb(size, damping, width)])
        response = board(impulse, IMPULSE_RATE)
        power = np.square(response / IMPULSE, dtype=np.float64).mean(axis=0)
        remaining = np.cumsum(power[::-1])[::-1]
        audible = np.flatnonzero(remaining > remaining[0] * 10 ** (TAIL_DB / 10))
        decay_s = float(audible[-1] + 1) / IMPULSE_RATE
        if decay_s <= length_s / 2:
            break
    return float(remaining[0]), decay_s


def _reverb(size: float, damping: float, width: float) -> pedalboard.Reverb:
    import pedalboard

    # Wet at a third is unity: the plug-in multiplies it by three.
    return pedalboard.Reverb(
        room_size=size, damping=damping, width=width, wet_level=1 / 3, dry_level=0
    )


def _delay(time_ms: float, feedback: float, sample_rate: int) -> pedalboard.Delay:
    """Wet-only delay of the nearest whole number of frames, to which the plug-in truncates."""
    import pedalboard

    frames = round(time_ms / 1000 * sample_rate)
    delay_s = (frames + 0.5) / sample_rate if frames else 0.0
    return pedalboard.Delay(delay_seconds=delay_s, feedback=feedback, mix=1)


class ReverbBus:
    """Pre-delay, high-pass and reverb, wet only; at 0 dB as loud as a centred send."""

    def __init__(self, settings: Mapping[str, float], sample_rate: int) -> None:
        import pedalboard

        size, damping = settings["reverb_size"], settings["reverb_damping"]
        width = settings["reverb_width"]
        power, decay_s = reverb_response(size, damping, width)
        pre_delay_ms = settings["reverb_pre_delay_ms"]
        self.tail_s = pre_delay_ms / 1000 + decay_s
        self._sample_rate = sample_rate
        self._gain = np.float32(10 ** (settings["reverb_return_db"] / 20) / math.sqrt(power))
        self._board = pedalboard.Pedalboard(
            [
                _delay(pre_delay_ms, 0.0, sample_rate),
                *high_pass(settings["reverb_low_cut_hz"], sample_rate),
                _reverb(size, damping, width),
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

        time_ms, feedback = settings["delay_time_ms"], settings["delay_feedback"]
        repeats = 1 + (math.ceil(TAIL_DB / (20 * math.log10(feedback))) if feedback > 0 else 0)
        self.tail_s = time_ms / 1000 * repeats + FILTER_RING_S
        self._sample_rate = sample_rate
        self._gain = np.float32(10 ** (settings["delay_return_db"] / 20))
        highest_hz = 0.45 * sample_rate
        self._board = pedalboard.Pedalboard(
            [
                *high_pass(settings["delay_low_cut_hz"], sample_rate),
                pedalboard.LowpassFilter(min(settings["delay_high_cut_hz"], highest_hz)),
                _delay(time_ms, feedback, sample_rate),
            ]
        )

    def process(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        """The return for one block of the send, both (2, frames)."""
        wet = self._board.process(audio, self._sample_rate, reset=False)
        wet *= self._gain
        return np.asarray(wet)
