"""What `simulate` needs to know of a song: band powers over time, read once from the audio."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._analysis import accumulate_stem, peak_instants
from .filter_bank import band_powers
from .levels import stem_levels
from .parameters import NOMINAL_LUFS

if TYPE_CHECKING:
    from ..songs import Song, Stem

FRAMES_PER_S = 10  # fine bands, and the grid of the loudness windows
SLOTS = 16  # in a frame: 6.25 ms each
BANDS_PER_THIRD_OCTAVE = 2
LOWEST_BAND, HIGHEST_BAND = -17, 13  # third octaves from 20 Hz to 20 kHz, re 1 kHz
COARSE_EDGES_HZ = (0.0, 120.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)
RAKES = 4  # rounds of proportional fitting
PAIRS_PER_STEM = 2  # of stems, those that interfere most
FRAMES_AT_ONCE = 10  # whose interference is worked out


@dataclass(frozen=True, slots=True)
class Analysis:
    """Powers of a song's stems at nominal loudness, mean squares per frame or slot.

    Attributes:
        sample_rate: in Hz. frames: length of the audio in samples.
        fine: (stems, 3, fine bands, frames of 100 ms): <LL>, <RR>, Re<LR>; a mono stem is all left.
            Band 0 is what lies below 18 Hz; from band 1 on, pairs make up third octaves.
        slots: (stems, coarse bands, SLOTS, frames): power of both channels in slots of 6.25 ms.
        samples: (stems, 2 sides, 2 channels, SLOTS, frames): each slot has an instant for the left
            and one for the right side, at which the equal-loudness sum of all stems peaks there;
            these are the stems' samples at them. The second channel of a mono stem is zero.
        pairs: (pairs, 2): stems that interfere, first below second. crosses: (pairs, 2 sides,
            coarse bands, frames): Re<x y> of the two on either side.
        band_hz: (fine bands,): centres. edges: (coarse bands + 1,): first fine band of each.
        channels: (stems,). loudness_lufs: (stems,) of the raw stems, -inf where silent.
    """

    sample_rate: int
    frames: int
    fine: NDArray[np.float32]
    slots: NDArray[np.float32]
    samples: NDArray[np.float32]
    pairs: NDArray[np.int32]
    crosses: NDArray[np.float32]
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


def coarse_bands(sample_rate: int) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Edges (coarse bands + 1,) in Hz of the octaves that drive compressors, and in fine bands."""
    centres, _ = fine_bands(sample_rate)
    hz = np.array([edge for edge in COARSE_EDGES_HZ if edge < centres[-1]])
    first = np.searchsorted(centres, hz)
    return np.append(hz, sample_rate / 2), np.append(first, len(centres)).astype(np.int32)


def analyse(song: Song, *, threads: int = 2) -> Analysis:
    """Read a song's band powers.

    Raises:
        MixgymError: a stem cannot be read.
    """
    loudness_lufs = np.array([level.loudness_lufs for level in stem_levels(song, threads=threads)])
    powers = read_powers(song, nominal_gains(loudness_lufs), threads=threads)
    pairs, crosses = strongest_pairs(powers.crosses, int(np.isfinite(loudness_lufs).sum()))
    return Analysis(
        sample_rate=song.sample_rate,
        frames=song.frames,
        fine=powers.fine,
        slots=powers.slots,
        samples=powers.samples,
        pairs=pairs,
        crosses=crosses,
        band_hz=fine_bands(song.sample_rate)[0],
        edges=coarse_bands(song.sample_rate)[1],
        channels=np.array([stem.channels for stem in song.stems], dtype=np.int32),
        loudness_lufs=loudness_lufs,
    )


class Powers(NamedTuple):
    """What is read of stems: `fine`, `slots` and `samples` as in `Analysis`.

    `crosses` is of all pairs, in the order of `numpy.triu_indices(stems, 1)`: (pairs, 2 sides,
    coarse bands, frames).
    """

    fine: NDArray[np.float32]
    slots: NDArray[np.float32]
    samples: NDArray[np.float32]
    crosses: NDArray[np.float32]


def nominal_gains(loudness_lufs: NDArray[np.float64]) -> NDArray[np.float64]:
    """What brings stems, (stems,), to the nominal loudness, linear; 0 for silence."""
    return np.asarray(
        np.where(np.isfinite(loudness_lufs), 10 ** ((NOMINAL_LUFS - loudness_lufs) / 20), 0.0)
    )


def read_powers(song: Song, gains: NDArray[np.float64], *, threads: int = 2) -> Powers:
    """Read a song's stems at some gains, linear, (stems,).

    Raises:
        MixgymError: a stem cannot be read.
    """
    from concurrent.futures import ThreadPoolExecutor

    rate = song.sample_rate
    starts = _slot_starts(song.frames, rate)
    instants = _instants(song, gains, starts)

    def read(stem: Stem, gain: float) -> _StemPowers:
        return _stem_powers(stem, gain, song.frames, rate, starts, instants)

    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(read, song.stems, gains.tolist()))
    fine, slots, samples, envelopes = zip(*parts, strict=True)
    return Powers(np.stack(fine), np.stack(slots), np.stack(samples), _crosses(envelopes))


def _slot_starts(frames: int, rate: int) -> NDArray[np.int64]:
    """First sample of each slot of the frames that hold the audio, (frames * SLOTS,)."""
    count = -(-frames * FRAMES_PER_S // rate)
    starts = np.round(np.arange(count * SLOTS) * (rate / (FRAMES_PER_S * SLOTS)))
    return np.minimum(starts, frames - 1).astype(np.int64)


def _instants(
    song: Song, gains: NDArray[np.float64], starts: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Where in each slot the equal-loudness sum peaks on either side, (2, slots)."""
    total = np.zeros((2, song.frames), dtype=np.float32)
    for stem, gain in zip(song.stems, gains.tolist(), strict=True):
        accumulate_stem(total, stem.read(0, song.frames), np.float32(gain))
    instants = np.empty((2, len(starts)), dtype=np.int64)
    peak_instants(total, starts, instants)
    return instants


_StemPowers = tuple[
    NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], list[NDArray[np.complex64]]
]


def _stem_powers(
    stem: Stem,
    gain: float,
    frames: int,
    rate: int,
    starts: NDArray[np.int64],
    instants: NDArray[np.int64],
) -> _StemPowers:
    """One stem's `fine`, `slots` and `samples`, at nominal loudness; envelopes by band."""
    audio = stem.read(0, frames) * np.float32(gain)
    count = len(starts) // SLOTS
    energy = np.add.reduceat(np.square(audio).sum(axis=0), starts)
    exact = (energy * np.float32(FRAMES_PER_S * SLOTS / rate)).reshape(count, SLOTS).T
    coarse_hz, edges = coarse_bands(rate)
    fine, slots, envelopes = band_powers(audio, rate, count, fine_bands(rate)[1], coarse_hz)
    estimate = slots.sum(axis=0)
    slots *= np.divide(exact, estimate, out=np.zeros_like(exact), where=estimate > 0)
    _rake(fine, slots.mean(axis=1), edges)
    samples = np.zeros((2, 2, SLOTS, count), dtype=np.float32)
    for channel, row in enumerate(audio):
        samples[:, channel] = row[instants].reshape(2, count, SLOTS).swapaxes(1, 2)
    return fine, slots, samples, envelopes


def _crosses(envelopes: Sequence[Sequence[NDArray[np.complex64]]]) -> NDArray[np.float32]:
    """Of all pairs, from envelopes of every stem and band, (channels, frames, any) each."""
    stems, bands = len(envelopes), len(envelopes[0])
    frames = envelopes[0][0].shape[1]
    first, second = np.triu_indices(stems, 1)
    crosses = np.empty((len(first), 2, bands, frames), dtype=np.float32)
    for band, side in np.ndindex(bands, 2):
        sides = [stem[band][min(side, len(stem[band]) - 1)] for stem in envelopes]
        for begin in range(0, frames, FRAMES_AT_ONCE):  # copies of all would take much memory
            part = slice(begin, begin + FRAMES_AT_ONCE)
            lines = np.stack([envelope[part] for envelope in sides], axis=1)
            products = np.matmul(lines, lines.conj().swapaxes(1, 2)).real / lines.shape[2]
            crosses[:, side, band, part] = products[:, first, second].T
    return crosses


def strongest_pairs(
    crosses: NDArray[np.float32], heard: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The pairs that an analysis keeps of `Powers.crosses`, and what interferes there.

    Args:
        crosses: of all pairs.
        heard: how many stems sound.
    """
    stems = round((1 + math.sqrt(1 + 8 * len(crosses))) / 2)
    first, second = np.triu_indices(stems, 1)
    strength = np.abs(crosses).sum(axis=(1, 2, 3))
    most = min(PAIRS_PER_STEM * heard, int(np.count_nonzero(strength)))
    kept = np.sort(np.argsort(-strength, kind="stable")[:most])
    pairs = np.stack([first, second], axis=1)[kept].astype(np.int32)
    return pairs, np.ascontiguousarray(crosses[kept])


def _rake(
    fine: NDArray[np.float32], frame_power: NDArray[np.float32], edges: NDArray[np.int32]
) -> None:
    """Fit fine powers (3, bands, frames) in place to the power of coarse bands (coarse, frames).

    A narrow band rings, and blurs over time what its coarse band places well. Iterative
    proportional fitting (Deming and Stephan, 1940) gives every frame the power that its slots
    hold, and every fine band its own power over the whole length.
    """
    for c, (first, last) in enumerate(pairwise(edges)):
        part = fine[:, first:last]
        band_power = part[:2].sum(axis=(0, 2))
        for _ in range(RAKES):
            _scale(part, frame_power[c], part[:2].sum(axis=(0, 1)))
            _scale(part.swapaxes(1, 2), band_power, part[:2].sum(axis=(0, 2)))


def _scale(
    powers: NDArray[np.float32], wanted: NDArray[np.float32], there: NDArray[np.float32]
) -> None:
    powers *= np.divide(wanted, there, out=np.zeros_like(there), where=there > 0)
