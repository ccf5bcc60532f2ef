"""Power in bands over time, by a filter bank in the frequency domain.

One transform of the whole excerpt is cut in bands, each of which is transformed back at a rate
that just holds it: P. Balazs et al., "Theory, implementation and applications of nonstationary
Gabor frames", J. Comput. Appl. Math. 236, 2011. Every band then has all the resolution in time
that its width allows, and the powers of all bands add up to that of the signal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

SLOTS = 16
CROSSFADE = 0.15  # of the narrower band at an edge, to either side
REST_FRAMES = 5  # of silence behind the signal, so that its end does not ring into its start


@dataclass(frozen=True, slots=True)
class _Band:
    """Bins from `first` on, times `taps`, are the spectrum of a band's envelope.

    The envelope has `per_frame` samples in a frame, each in the middle of its part.
    """

    first: int
    taps: NDArray[np.complex64]
    per_frame: int


def band_powers(
    audio: NDArray[np.float32],
    rate: int,
    frames: int,
    fine_hz: NDArray[np.float64],
    coarse_hz: NDArray[np.float64],
) -> tuple[NDArray[np.float32], NDArray[np.float32], list[NDArray[np.complex64]]]:
    """Mean squares in bands.

    Args:
        audio: shape (1 or 2, samples).
        rate: in Hz.
        frames: frames of 100 ms to give.
        fine_hz: edges (bands + 1,) of the fine bands.
        coarse_hz: edges of the coarse bands.

    Returns:
        <LL>, <RR> and Re<LR> in fine bands, (3, bands, frames), <RR> and <LR> zero for one
        channel; the power of all channels in coarse bands and slots, (coarse, SLOTS, frames);
        the envelopes of the coarse bands, (channels, frames, any) each.
    """
    from scipy.fft import rfft

    padded = 10 * math.ceil((frames + REST_FRAMES) / 10)  # whole seconds: whole samples
    spectrum = rfft(audio, n=padded // 10 * rate, axis=1)
    fine = np.zeros((3, len(fine_hz) - 1, frames), dtype=np.float32)
    for b, band in enumerate(_bank(tuple(fine_hz), rate, padded, 1)):
        envelope = _envelope(spectrum, band, padded)[:, :frames]
        power = np.square(envelope.real) + np.square(envelope.imag)
        fine[: len(audio), b] = power.mean(axis=2)
        if len(audio) == 2:
            left, right = envelope
            cross = left.real * right.real + left.imag * right.imag
            fine[2, b] = cross.mean(axis=1)
    slots = np.empty((len(coarse_hz) - 1, SLOTS, frames), dtype=np.float32)
    envelopes = []
    for c, band in enumerate(_bank(tuple(coarse_hz), rate, padded, SLOTS)):
        envelope = _envelope(spectrum, band, padded)[:, :frames]
        envelopes.append(envelope)
        power = (np.square(envelope.real) + np.square(envelope.imag)).sum(axis=0)
        slots[c] = power.reshape(frames, SLOTS, -1).mean(axis=2).T
    return fine, slots, envelopes


def _envelope(spectrum: NDArray[np.complex64], band: _Band, frames: int) -> NDArray[np.complex64]:
    """A band's envelope, (channels, frames, band.per_frame); its square is the power."""
    from scipy.fft import ifft

    part = spectrum[:, band.first : band.first + len(band.taps)] * band.taps
    envelope = ifft(part, n=frames * band.per_frame, axis=1, overwrite_x=True)
    return np.asarray(envelope).reshape(len(spectrum), frames, band.per_frame)


@lru_cache(maxsize=8)
def _bank(edges_hz: tuple[float, ...], rate: int, frames: int, slots: int) -> tuple[_Band, ...]:
    """Bands between edges, for signals of this many frames."""
    edges = np.minimum(np.array(edges_hz), rate / 2)
    half = np.minimum(np.diff(edges)[:-1], np.diff(edges)[1:]) * CROSSFADE
    half = np.concatenate(([0.0], half, [0.0]))
    bin_hz = 10 / frames
    bands = []
    for i in range(len(edges) - 1):
        first = math.ceil((edges[i] - half[i]) / bin_hz)
        last = min(math.floor((edges[i + 1] + half[i + 1]) / bin_hz), frames * rate // 20)
        hz = np.arange(first, max(last, first) + 1) * bin_hz
        gain = _rise(hz, edges[i], half[i]) * _rise(-hz, -edges[i + 1], half[i + 1])
        per_frame = _next_length(math.ceil(len(hz) / (frames * slots))) * slots
        samples = frames * per_frame
        gain *= math.sqrt(2.0) * samples / (frames * rate / 10)
        middle = np.exp(1j * np.pi * np.arange(len(hz)) / samples)
        bands.append(_Band(first, (gain * middle).astype(np.complex64), per_frame))
    return tuple(bands)


def _rise(hz: NDArray[np.float64], edge_hz: float, half_hz: float) -> NDArray[np.float64]:
    """Amplitude of a crossfade from 0 to 1 at an edge; the squares of both sides add up to 1."""
    if half_hz == 0.0:
        return np.where(hz >= edge_hz, 1.0, 0.0)
    position = np.clip((hz - edge_hz) / half_hz, -1.0, 1.0)
    return np.sin(np.pi / 4 * (1 + np.sin(np.pi / 2 * position)))


def _next_length(least: int) -> int:
    from scipy.fft import next_fast_len

    return int(next_fast_len(least))
