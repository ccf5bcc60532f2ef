"""A stereo-linked feed-forward compressor whose detector runs at the control rate.

The detector reads mean-square power, summed over channels as BS.1770 does, so that one level
drives all channels and the same recursion can later be run on predicted powers. The static
curve and the smoothing are those of Giannoulis, Massberg and Reiss, "Digital Dynamic Range
Compressor Design: A Tutorial and Analysis", JAES 60(6), 2012.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ._kernels import apply_gain, follow_gain, slot_powers
from .control import control_hop, smoothing

DETECTOR_MS = 5.0  # averaging of the mean square
# A 1 kHz sine reads alike here and on a loudness meter, whose -0.691 dB undo its filter's gain.
LOUDNESS_OFFSET_DB = 0.0


@dataclass(frozen=True, slots=True)
class CompressorSettings:
    """What a compressor is set to.

    `threshold_db` is on the loudness scale: LOUDNESS_OFFSET_DB plus the summed mean squares in dB.
    """

    threshold_db: float
    ratio: float
    knee_db: float = 6.0
    attack_ms: float = 15.0
    release_ms: float = 150.0


def static_gain_db(
    level_db: NDArray[np.float64] | float, settings: CompressorSettings
) -> NDArray[np.float64]:
    """Gain in dB (at most 0) for a constant level on the threshold's scale, any shape.

    Source: Giannoulis et al. 2012, eq. (4), less the input level.
    """
    over = np.asarray(level_db, dtype=np.float64) - settings.threshold_db
    slope = 1.0 / settings.ratio - 1.0
    knee = max(settings.knee_db, 1e-9)
    inside = slope * (over + knee / 2) ** 2 / (2 * knee)
    curved = np.where(2 * np.abs(over) <= knee, inside, slope * over)
    return np.asarray(np.where(2 * over < -knee, 0.0, curved))


def make_up_db(loudness_db: float, settings: CompressorSettings) -> float:
    """Automatic make-up: what the static curve takes from a signal at its own loudness."""
    return float(-static_gain_db(loudness_db, settings))


class Compressor:
    """Compresses a stream in place.

    Args:
        settings: threshold, ratio, knee, attack and release.
        sample_rate: in Hz.
        make_up_db: constant gain behind the compression.
    """

    def __init__(
        self, settings: CompressorSettings, sample_rate: int, make_up_db: float = 0.0
    ) -> None:
        self.hop = control_hop(sample_rate)
        points_per_s = sample_rate / self.hop
        self._make_up_db = make_up_db
        self._curve = (
            settings.threshold_db,
            1.0 / settings.ratio - 1.0,
            max(settings.knee_db, 1e-9),
        )
        self._detector = smoothing(DETECTOR_MS, points_per_s)
        self._attack = smoothing(settings.attack_ms, points_per_s)
        self._release = smoothing(settings.release_ms, points_per_s)
        self._state = np.zeros(2)  # detector power, gain in dB without make-up
        self._gains = np.empty(1, dtype=np.float32)

    def process(
        self, audio: NDArray[np.float32], side_chain: NDArray[np.float32] | None = None
    ) -> None:
        """Compress one block in place.

        Args:
            audio: shape (channels, frames), frames a multiple of the control hop.
            side_chain: what the detector hears instead, same number of frames.
        """
        slots = audio.shape[1] // self.hop
        if len(self._gains) != slots + 1:
            self._gains = np.empty(slots + 1, dtype=np.float32)
        powers = slot_powers(audio if side_chain is None else side_chain, self.hop)
        self.follow(powers, self._gains)
        apply_gain(audio, self._gains, self.hop)

    def follow(self, powers: NDArray[np.float32], gains: NDArray[np.float32]) -> None:
        """Gains at the control points around each slot of detector power.

        Args:
            powers: mean-square power per slot, summed over channels, shape (slots,).
            gains: written; linear gains, shape (slots + 1,), make-up included.
        """
        follow_gain(
            powers,
            gains,
            self._state,
            self._detector,
            self._attack,
            self._release,
            self._curve[0] - LOUDNESS_OFFSET_DB,
            self._curve[1],
            self._curve[2],
            self._make_up_db,
        )
