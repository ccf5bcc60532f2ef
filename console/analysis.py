"""What `simulate` needs to know of a song: band powers over time, read once from the audio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .control import control_hop
from .levels import stem_levels
from .parameters import NOMINAL_LUFS

if TYPE_CHECKING:
    from ..songs import Song, Stem

FRAMES_PER_S = 10  # fine bands, and the grid of the loudness windows
SLOT_HOPS = 4  # control hops of the compressors in one slot: 5.3 ms at 48 kHz
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
        slots: (slots, coarse bands, stems): power of both channels in slots of about 5 ms.
        slot_peaks: (slots, stems): largest sample magnitude.
        slot_frame: (slots,): the frame that a slot lies in.
        band_hz: (fine bands,): centres. edges: (coarse bands + 1,): first fine band of each.
        channels: (stems,). loudness_lufs: (stems,) of the raw stems, -inf where silent.
    """

    sample_rate: int
    frames: int
    fine: NDArray[np.float32]
    slots: NDArray[np.float32]
    slot_peaks: NDArray[np.float32]
    slot_frame: NDArray[np.int32]
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
    slots = np.stack([part[1] for part in parts], axis=-1) * gains
    peaks = np.stack([part[2] for part in parts], axis=-1) * np.sqrt(gains)
    hop = control_hop(rate) * SLOT_HOPS
    centres, _ = fine_bands(rate)
    middle = (np.arange(slots.shape[1]) + 0.5) * hop
    slot_frame = np.minimum(middle * FRAMES_PER_S / rate, fine.shape[2] - 1).astype(np.int32)
    fine *= _sharpening(fine, slots, slot_frame, hop * FRAMES_PER_S / rate)[:, None, :, None]
    return Analysis(
        sample_rate=rate,
        frames=song.frames,
        fine=np.ascontiguousarray(fine.transpose(0, 1, 3, 2), dtype=np.float32),
        slots=np.ascontiguousarray(slots.transpose(1, 0, 2), dtype=np.float32),
        slot_peaks=np.ascontiguousarray(peaks, dtype=np.float32),
        slot_frame=slot_frame,
        band_hz=centres,
        edges=np.searchsorted(centres, COARSE_EDGES_HZ).astype(np.int32),
        channels=np.array([stem.channels for stem in song.stems], dtype=np.int32),
        loudness_lufs=np.array([level.loudness_lufs for level in levels]),
    )


def _sharpening(
    fine: NDArray[np.float32],
    slots: NDArray[np.float32],
    slot_frame: NDArray[np.int32],
    slot_share: float,
) -> NDArray[np.float32]:
    """What gives every frame the power that its slots hold, (stems, frames).

    The long windows of the fine bands smear onsets into the frame before.
    """
    sharp = np.zeros((slots.shape[2], fine.shape[2]))
    np.add.at(sharp.T, slot_frame, slots.sum(axis=0) * slot_share)
    smeared = fine[:, :2].sum(axis=(1, 3))
    return np.divide(sharp, smeared, out=np.zeros_like(sharp), where=smeared > 0).astype(np.float32)


def _stem_powers(
    stem: Stem, frames: int, rate: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Fine powers (3, frames, bands), slot powers (coarse, slots) and peaks (slots,)."""
    audio = stem.read(0, frames)
    hop = control_hop(rate) * SLOT_HOPS
    slots = -(-frames // hop)
    count = -(-frames * FRAMES_PER_S // rate)
    coarse = _slot_powers(audio, hop, slots, rate)
    fine = _fine_powers(audio, count, rate)
    padded = np.zeros((len(audio), slots * hop), dtype=np.float32)
    padded[:, :frames] = audio
    peaks = np.abs(padded.reshape(len(audio), slots, hop)).max(axis=(0, 2))
    return fine, coarse, peaks


def _slot_powers(
    audio: NDArray[np.float32], hop: int, slots: int, rate: int
) -> NDArray[np.float32]:
    """Power per slot in coarse bands, (coarse, slots): short transforms, windows of two slots."""
    from scipy.fft import rfft

    size = 2 * hop
    line = np.zeros((len(audio), (slots + 1) * hop), dtype=np.float32)
    line[:, hop // 2 : hop // 2 + audio.shape[1]] = audio
    windows = np.lib.stride_tricks.sliding_window_view(line, size, axis=1)[:, ::hop][:, :slots]
    spectra = rfft(windows * _window(size), axis=-1)
    energy = np.square(spectra.real) + np.square(spectra.imag)
    weight = _band_matrix(np.array(COARSE_EDGES_HZ), size, rate) * (2.0 / (size * hop))
    return np.asarray((energy.sum(axis=0) @ weight.T).T, dtype=np.float32)


def _fine_powers(audio: NDArray[np.float32], count: int, rate: int) -> NDArray[np.float32]:
    """<LL>, <RR>, Re<LR> per frame and fine band, (3, frames, bands)."""
    from scipy.fft import rfft

    hop = rate // FRAMES_PER_S
    size = 2 * hop
    line = np.zeros((len(audio), (count + 1) * hop), dtype=np.float32)
    line[:, hop // 2 : hop // 2 + audio.shape[1]] = audio[:, : line.shape[1] - hop // 2]
    windows = np.lib.stride_tricks.sliding_window_view(line, size, axis=1)[:, ::hop][:, :count]
    spectra = rfft(windows * _window(size), axis=-1)
    left = spectra[0]
    energies = [np.square(left.real) + np.square(left.imag)]
    if len(audio) == 2:
        right = spectra[1]
        energies.append(np.square(right.real) + np.square(right.imag))
        energies.append(left.real * right.real + left.imag * right.imag)
    weight = _band_matrix(fine_bands(rate)[1], size, rate) * (2.0 / (size * hop))
    powers = [energy @ weight.T for energy in energies]
    if len(audio) == 1:
        powers += [np.zeros_like(powers[0])] * 2
    return np.asarray(np.stack(powers), dtype=np.float32)


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
