"""What `simulate` needs to know of a song: band powers over time, read once from the audio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .levels import stem_levels
from .parameters import NOMINAL_LUFS

if TYPE_CHECKING:
    from ..songs import Song, Stem

FRAMES_PER_S = 10  # fine bands, and the grid of the loudness windows
SLOTS = 16  # in a frame: 6.25 ms each
BANDS_PER_OCTAVE_THIRD = 2
LOWEST_BAND, HIGHEST_BAND = -17, 13  # third octaves from 20 Hz to 20 kHz, re 1 kHz
COARSE_EDGES_HZ = (0.0, 120.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 1e9)
COARSE = len(COARSE_EDGES_HZ) - 1


@dataclass(frozen=True, slots=True)
class Analysis:
    """Powers of a song's stems at nominal loudness, mean squares per frame or slot.

    Attributes:
        sample_rate: in Hz. frames: length of the audio in samples.
        fine: (stems, 3, fine bands, frames of 100 ms): <LL>, <RR>, Re<LR>; a mono stem is all left.
            Band 0 is what lies below 18 Hz; from band 1 on, pairs make up third octaves.
        slots: (stems, coarse bands, frames, SLOTS): power of both channels in slots of 6.25 ms.
        slot_peaks: (stems, frames, SLOTS): largest sample magnitude.
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
    count = int((thirds < sample_rate / 2).sum()) * BANDS_PER_OCTAVE_THIRD
    edges = 1000.0 * 10 ** (
        (LOWEST_BAND - 0.5 + np.arange(count + 1) / BANDS_PER_OCTAVE_THIRD) / 10
    )
    edges = np.concatenate(([0.0], np.minimum(edges, sample_rate / 2)))
    centres = np.sqrt(edges[1:] * edges[:-1])
    centres[0] = edges[1] / 1.5
    return centres, edges


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
    )
    fine = np.stack([part[0] for part in parts]) * gains[:, None, None, None]
    slots = np.stack([part[1] for part in parts]) * gains[:, None, None, None]
    peaks = np.stack([part[2] for part in parts]) * np.sqrt(gains)[:, None, None]
    centres, _ = fine_bands(rate)
    fine *= _sharpening(fine, slots)[:, None, None, :]
    return Analysis(
        sample_rate=rate,
        frames=song.frames,
        fine=np.ascontiguousarray(fine),
        slots=np.ascontiguousarray(slots),
        slot_peaks=np.ascontiguousarray(peaks),
        band_hz=centres,
        edges=np.searchsorted(centres, COARSE_EDGES_HZ).astype(np.int32),
        channels=np.array([stem.channels for stem in song.stems], dtype=np.int32),
        loudness_lufs=np.array([level.loudness_lufs for level in levels]),
    )


def slot_hop(sample_rate: int) -> int:
    """Samples in a slot; a frame is `SLOTS` of them, 100 ms to 0.2 % at rates in use."""
    return round(sample_rate / FRAMES_PER_S / SLOTS)


def _sharpening(fine: NDArray[np.float32], slots: NDArray[np.float32]) -> NDArray[np.float32]:
    """What gives every frame the power that its slots hold, (stems, frames).

    The long windows of the fine bands smear onsets into the frame before.
    """
    sharp = slots.sum(axis=(1, 3)) / SLOTS
    smeared = fine[:, :2].sum(axis=(1, 2))
    return np.divide(sharp, smeared, out=np.zeros_like(sharp), where=smeared > 0)


def _stem_powers(
    stem: Stem, frames: int, rate: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Fine powers (3, bands, frames), slot powers (coarse, frames, SLOTS), peaks (frames, SLOTS)."""
    audio = stem.read(0, frames)
    hop = slot_hop(rate)
    count = -(-frames // (hop * SLOTS))
    padded = np.zeros((len(audio), count * SLOTS * hop), dtype=np.float32)
    padded[:, :frames] = audio
    peaks = np.abs(padded.reshape(len(audio), count, SLOTS, hop)).max(axis=(0, 3))
    power, _ = _band_powers(padded, hop, np.array(COARSE_EDGES_HZ), rate)
    coarse = power.sum(axis=0).reshape(COARSE, count, SLOTS)
    power, cross = _band_powers(padded, hop * SLOTS, fine_bands(rate)[1], rate)
    fine = np.zeros((3, *power.shape[1:]), dtype=np.float32)
    fine[: len(power)] = power
    fine[2] = cross
    return fine, coarse, peaks


def _band_powers(
    audio: NDArray[np.float32], hop: int, edges_hz: NDArray[np.float64], rate: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean squares per band and hop, (channels, bands, hops), and Re<LR> (bands, hops).

    Windows of two hops around the middle of each.
    """
    from scipy.fft import rfft

    size = 2 * hop
    line = np.pad(audio, ((0, 0), (hop // 2, hop - hop // 2)))
    windows = np.lib.stride_tricks.sliding_window_view(line, size, axis=1)[:, ::hop]
    spectra = rfft(windows * _window(size), axis=-1)
    weight = _band_matrix(edges_hz, size, rate) * np.float32(2.0 / (size * hop))
    energy = np.square(spectra.real) + np.square(spectra.imag)
    power = np.stack([weight @ channel.T for channel in energy])
    if len(audio) == 1:
        return power, np.zeros_like(power[0])
    left, right = spectra
    return power, weight @ (left.real * right.real + left.imag * right.imag).T


def _window(size: int) -> NDArray[np.float32]:
    """The Vorbis power-complementary window: squares of halves that overlap add up to one."""
    phase = np.pi * (np.arange(size) + 0.5) / size
    return np.asarray(np.sin(np.pi / 2 * np.sin(phase) ** 2), dtype=np.float32)


def _band_matrix(edges_hz: NDArray[np.float64], size: int, rate: int) -> NDArray[np.float32]:
    """Share of each bin (bins,) in each band, (bands, bins); a bin is flat over its width."""
    bins = size // 2 + 1
    borders = np.clip(np.arange(bins + 1) - 0.5, 0, bins - 1) * (rate / size)
    width = np.diff(borders)
    low = np.maximum(edges_hz[:-1, None], borders[:-1])
    high = np.minimum(edges_hz[1:, None], borders[1:])
    return np.asarray(np.clip(high - low, 0, None) / width, dtype=np.float32)
