"""What `simulate` needs to know of a song: band powers over time, read once from the audio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .filter_bank import band_powers
from .levels import stem_levels
from .parameters import NOMINAL_LUFS

if TYPE_CHECKING:
    from ..songs import Song, Stem

FRAMES_PER_S = 10  # fine bands, and the grid of the loudness windows
SLOTS = 16  # in a frame: 6.25 ms each
BANDS_PER_THIRD_OCTAVE = 2
LOWEST_BAND, HIGHEST_BAND = -17, 13  # third octaves from 20 Hz to 20 kHz, re 1 kHz
COARSE_EDGES_HZ = (0.0, 120.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 1e9)
COARSE = len(COARSE_EDGES_HZ) - 1
RAKES = 4  # rounds of proportional fitting


@dataclass(frozen=True, slots=True)
class Analysis:
    """Powers of a song's stems at nominal loudness, mean squares per frame or slot.

    Attributes:
        sample_rate: in Hz. frames: length of the audio in samples.
        fine: (stems, 3, fine bands, frames of 100 ms): <LL>, <RR>, Re<LR>; a mono stem is all left.
            Band 0 is what lies below 18 Hz; from band 1 on, pairs make up third octaves.
        slots: (stems, coarse bands, SLOTS, frames): power of both channels in slots of 6.25 ms.
        slot_peaks: (stems, 2, SLOTS, frames): largest sample magnitude of left and right; those
            of a mono stem are equal.
        band_hz: (fine bands,): centres. edges: (coarse bands + 1,): first fine band of each.
        channels: (stems,). loudness_lufs: (stems,) of the raw stems, -inf where silent.
    """

    sample_rate: int
    frames: int
    fine: NDArray[np.float32]
    slots: NDArray[np.float32]
    slot_peaks: NDArray[np.float32]
    band_hz: NDArray[np.float64]
    edges: NDArray[np.int32]
    channels: NDArray[np.int32]
    loudness_lufs: NDArray[np.float64]


def fine_bands(sample_rate: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centres (bands,) and edges (bands + 1,) of the fine bands.

    One below 18 Hz, then halves of third octaves as far as the sample rate goes.
    """
    thirds = 10 ** (np.arange(LOWEST_BAND, HIGHEST_BAND + 1) / 10) * 1000.0
    count = int((thirds < sample_rate / 2).sum()) * BANDS_PER_THIRD_OCTAVE
    edges = 1000.0 * 10 ** (
        (LOWEST_BAND - 0.5 + np.arange(count + 1) / BANDS_PER_THIRD_OCTAVE) / 10
    )
    edges = np.concatenate(([0.0], np.minimum(edges, sample_rate / 2)))
    centres = np.sqrt(edges[1:] * edges[:-1])
    centres[0] = edges[1] / 1.5
    return centres, edges


def coarse_edges(sample_rate: int) -> NDArray[np.int32]:
    """First fine band of each coarse band, and the number of fine bands, (COARSE + 1,)."""
    centres, _ = fine_bands(sample_rate)
    return np.searchsorted(centres, COARSE_EDGES_HZ).astype(np.int32)


def analyse(song: Song, *, threads: int = 2) -> Analysis:
    """Read a song's band powers.

    Raises:
        MixgymError: a stem cannot be read.
    """
    from concurrent.futures import ThreadPoolExecutor

    rate = song.sample_rate
    levels = stem_levels(song, threads=threads)
    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(lambda stem: _stem_powers(stem, song.frames, rate), song.stems))
    gains = np.array(
        [
            0.0 if level.silent else 10 ** ((NOMINAL_LUFS - level.loudness_lufs) / 10)
            for level in levels
        ],
        dtype=np.float32,
    )[:, None, None, None]
    return Analysis(
        sample_rate=rate,
        frames=song.frames,
        fine=np.stack([part[0] for part in parts]) * gains,
        slots=np.stack([part[1] for part in parts]) * gains,
        slot_peaks=np.ascontiguousarray(np.stack([part[2] for part in parts]) * np.sqrt(gains)),
        band_hz=fine_bands(rate)[0],
        edges=coarse_edges(rate),
        channels=np.array([stem.channels for stem in song.stems], dtype=np.int32),
        loudness_lufs=np.array([level.loudness_lufs for level in levels]),
    )


def _stem_powers(
    stem: Stem, frames: int, rate: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """One stem's `fine`, `slots` and `slot_peaks`."""
    audio = stem.read(0, frames)
    count = -(-frames * FRAMES_PER_S // rate)
    starts = np.round(np.arange(count * SLOTS) * (rate / (FRAMES_PER_S * SLOTS))).astype(np.int64)
    starts = np.minimum(starts, frames - 1)
    peaks = np.maximum.reduceat(np.abs(audio), starts, axis=1)
    energy = np.add.reduceat(np.square(audio).sum(axis=0), starts)
    exact = (energy * np.float32(FRAMES_PER_S * SLOTS / rate)).reshape(count, SLOTS).T
    fine, slots = band_powers(audio, rate, count, fine_bands(rate)[1], np.array(COARSE_EDGES_HZ))
    estimate = slots.sum(axis=0)
    slots *= np.divide(exact, estimate, out=np.zeros_like(exact), where=estimate > 0)
    _rake(fine, slots.mean(axis=1), coarse_edges(rate))
    peaks = np.broadcast_to(peaks, (2, count * SLOTS)).reshape(2, count, SLOTS)
    return fine, slots, peaks.swapaxes(1, 2)


def _rake(
    fine: NDArray[np.float32], frame_power: NDArray[np.float32], edges: NDArray[np.int32]
) -> None:
    """Fit fine powers (3, bands, frames) in place to the power of coarse bands (coarse, frames).

    A narrow band rings, and blurs over time what its coarse band places well. Iterative
    proportional fitting (Deming and Stephan, 1940) gives every frame the power that its slots
    hold, and every fine band its own power over the whole length.
    """
    for c, (first, last) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
        part = fine[:, first:last]
        band_power = part[:2].sum(axis=(0, 2))
        for _ in range(RAKES):
            _scale(part, frame_power[c], part[:2].sum(axis=(0, 1)))
            _scale(part.swapaxes(1, 2), band_power, part[:2].sum(axis=(0, 2)))


def _scale(
    powers: NDArray[np.float32], wanted: NDArray[np.float32], there: NDArray[np.float32]
) -> None:
    powers *= np.divide(wanted, there, out=np.zeros_like(there), where=there > 0)
