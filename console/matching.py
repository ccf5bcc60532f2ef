"""A linear-phase equaliser that gives a track the tonal balance of a reference."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

from .control import QUANTUM
from .meters import SpectrumMeter

TAPS_AT_48_KHZ = 8192
MOST_BOOST_DB = 18.0  # more would bring up noise
MOST_CUT_DB = 30.0
QUIET_DB = 70.0  # bands this far below the loudest are left to their neighbours' gain
HALF_BAND = 10**0.05  # from the middle of a third octave to its upper edge
ROUNDS = 16
LEAST_MAGNITUDE = 1e-6


def matching_gain_db(
    track: SpectrumMeter,
    track_lufs: float,
    reference: SpectrumMeter,
    reference_lufs: float,
) -> NDArray[np.float64]:
    """Gain that moves a track's third-octave levels onto a reference's, at equal loudness.

    Straight lines over the logarithm of frequency join one gain per band. A band also hears its
    neighbours' gains and what the filter's length blurs, so the gains are corrected by what
    remains behind the very filter that `linear_phase_taps` makes of them, round by round.

    Args:
        track, reference: meters that have heard all of it, at any two sample rates.
        track_lufs, reference_lufs: integrated loudness; both spectra are taken relative to it.

    Returns:
        Gain in dB at the track's bins, shape (bins,), from -`MOST_CUT_DB` to `MOST_BOOST_DB`; zero
        where the two are the same, and where no band sounds in both.
    """
    shared = min(len(track.centres_hz), len(reference.centres_hz))
    here, wanted = track.levels_db[:shared], reference.levels_db[:shared]
    nyquist_hz = min(track.sample_rate, reference.sample_rate) / 2
    complete = track.centres_hz[:shared] * HALF_BAND < nyquist_hz
    heard = complete & (here > here.max() - QUIET_DB) & (wanted > wanted.max() - QUIET_DB)
    gain_db = np.zeros(int(heard.sum()))
    curve_db = np.zeros(len(track.bins_hz))
    if not heard.any():
        return curve_db
    bins, bands = np.log2(np.maximum(track.bins_hz, 1.0)), np.log2(track.centres_hz[:shared][heard])
    aim_db = wanted[heard] - reference_lufs + track_lufs
    for _ in range(ROUNDS):
        reached_db = track.levels_db_through(_response_db(curve_db, track))[:shared][heard]
        gain_db = np.clip(gain_db + aim_db - reached_db, -MOST_CUT_DB, MOST_BOOST_DB)
        curve_db = np.interp(bins, bands, gain_db)
    return curve_db


def _response_db(curve_db: NDArray[np.float64], track: SpectrumMeter) -> NDArray[np.float64]:
    """What the filter made of a curve does at the track's bins, shape (bins,)."""
    taps = linear_phase_taps(track.bins_hz, curve_db, track.sample_rate)
    magnitude = np.abs(rfft(taps, 2 * (len(curve_db) - 1)))
    return np.asarray(20 * np.log10(np.maximum(magnitude, LEAST_MAGNITUDE)), dtype=np.float64)


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
