"""A linear-phase equaliser that gives a track the tonal balance of a reference."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

from .control import QUANTUM
from .meters import SpectrumMeter

TAPS_AT_48_KHZ = 8192
LIMIT_DB = 18.0
QUIET_DB = 70.0  # bands this far below the loudest are left to their neighbours' gain
ROUNDS = 8


def matching_gain_db(
    track: SpectrumMeter, reference_hz: NDArray[np.float64], reference_db: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Gain at the track's bins that moves its third-octave levels onto the reference's shape.

    Args:
        track: the finished meter of the track.
        reference_hz, reference_db: third-octave levels of the reference, shape (bands,).

    Returns:
        Gain in dB, shape (bins,), within `LIMIT_DB` of its mean; levels are not compared.
    """
    shared = min(len(track.centres_hz), len(reference_hz))
    centres = track.centres_hz[:shared]
    octaves = np.log2(np.maximum(track.bins_hz, 1.0))
    here, there = track.levels_db[:shared], reference_db[:shared]
    heard = (here > here.max() - QUIET_DB) & (there > there.max() - QUIET_DB)
    gain = np.zeros(int(heard.sum()))
    curve = np.zeros(len(octaves))
    for _ in range(ROUNDS):
        error = (there - track.levels_db_through(curve)[:shared])[heard]
        gain += error - error.mean()
        gain = np.clip(gain - gain.mean(), -LIMIT_DB, LIMIT_DB)
        curve = np.interp(octaves, np.log2(centres[heard]), gain)
    return curve


def linear_phase_taps(
    bins_hz: NDArray[np.float64], gain_db: NDArray[np.float64], sample_rate: int
) -> NDArray[np.float32]:
    """Taps of a linear-phase filter with the given magnitude, by frequency sampling.

    Args:
        bins_hz, gain_db: the magnitude, shape (bins,) each.
        sample_rate: in Hz.

    Returns:
        An odd number of symmetric taps.
    """
    half = round(TAPS_AT_48_KHZ * sample_rate / 48_000 / 2)
    grid_hz = np.arange(2 * half + 1) * (sample_rate / (4 * half))
    magnitude = 10 ** (np.interp(grid_hz, bins_hz, gain_db) / 20)
    impulse = np.roll(irfft(magnitude, 4 * half), half)[: 2 * half + 1]
    return np.asarray(impulse * np.hanning(2 * half + 3)[1:-1], dtype=np.float32)


class LinearPhase:
    """Filters a stereo stream with symmetric taps by overlap-save, a quantum at a time."""

    def __init__(self, taps: NDArray[np.float32]) -> None:
        self.latency = len(taps) // 2
        self._history = np.zeros((2, len(taps) - 1), dtype=np.float32)
        self._size = 1 << int(np.ceil(np.log2(QUANTUM + len(taps) - 1)))
        self._response = rfft(taps, self._size)

    def process(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        """One block of whole quanta, shape (2, frames), late by `latency` frames."""
        out = np.empty_like(audio)
        kept = self._history.shape[1]
        for start in range(0, audio.shape[1], QUANTUM):
            line = np.concatenate([self._history, audio[:, start : start + QUANTUM]], axis=1)
            self._history = line[:, QUANTUM:]
            spectrum = rfft(line, self._size)
            spectrum *= self._response
            out[:, start : start + QUANTUM] = irfft(spectrum, self._size)[:, kept : kept + QUANTUM]
        return out
