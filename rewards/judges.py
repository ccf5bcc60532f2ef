"""Judges: how far a mix is from a person's. No mixer may optimise them, and no reward uses them.

Each compares audio after both sides were brought to the same loudness, so that none of them can be
pleased by turning up. Audio is planar float32, shape (2, frames), both sides at one sample rate and
cut to the same length. Reconstruction of one person's mix is evidence rather than truth: read the
judges together, and as differences between mixers on the same songs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft, rfftfreq
from scipy.signal.windows import hann

Audio = NDArray[np.float32]
Values = NDArray[np.float64]

MATCHED_LUFS = -23.0
STFT_SIZES = (512, 2048, 8192)
FEATURE_SIZE = 2048
BLOCK = 256  # windows that are transformed at a time
EMBEDDED_BANDS = 20
LEAST = 1e-8
FLOOR = 1e-2
SHRINKAGE = 1e-3
# Edges of the critical bands in Hz (Zwicker, JASA 33, 1961).
BARK_EDGES_HZ = (
    0, 100, 200, 300, 400, 510, 630, 770, 920, 1080, 1270, 1480, 1720, 2000, 2320, 2700, 3150,
    3700, 4400, 5300, 6400, 7700, 9500, 12000, 15500,
)  # fmt: skip


def matched(audio: Audio, sample_rate: int) -> Audio:
    """The audio at -23 LUFS by BS.1770; silence stays as it is."""
    from ..console.meters import LoudnessMeter

    meter = LoudnessMeter(sample_rate, 2)
    meter.push(np.ascontiguousarray(audio, dtype=np.float32))
    if not math.isfinite(meter.integrated_lufs):
        return np.asarray(audio, dtype=np.float32)
    gain = 10 ** ((MATCHED_LUFS - meter.integrated_lufs) / 20)
    return np.asarray(audio * np.float32(gain), dtype=np.float32)


def spectrogram_distance(mix: Audio, human: Audio, sample_rate: int) -> float:
    """Multi-resolution spectrogram distance of mid and side, 0 for the same audio.

    Spectral convergence plus mean difference of log magnitudes, over a floor 40 dB below the mean
    of the person's mid; the mean over three window lengths
    (Yamamoto, Song, Kim, "Parallel WaveGAN", ICASSP 2020, eq. 4-6), on sum and difference of the
    channels so that swapping sides costs nothing (Steinmetz, Pons, Pascual, Serra, "Automatic
    Multitrack Mixing with a Differentiable Mixing Console", ICASSP 2021).
    """
    total = 0.0
    ours, theirs = _mid_side(mix, human, sample_rate)
    for size in STFT_SIZES:
        a, b = (
            np.stack([_magnitudes(x, size, size // 4) for x in both]) for both in (ours, theirs)
        )
        convergence = float(np.linalg.norm(a - b)) / (float(np.linalg.norm(b)) + LEAST)
        floor = LEAST + FLOOR * float(b[0].mean())
        logs = np.abs(np.log(a + floor) - np.log(b + floor)).mean()
        total += min(convergence, 10.0) + float(logs)
    return total / len(STFT_SIZES)


def feature_distance(mix: Audio, human: Audio, sample_rate: int) -> dict[str, float]:
    """Differences of a few plain features.

    The family that Vanka, Steinmetz, Rolland, Reiss, Fazekas, "Diff-MST" (ISMIR 2024) trains on:
    level and crest factor of the channels in dB, width (side over mid) and imbalance of the
    channels as shares of power, and the mean difference over the Bark bands of mid and side in dB.

    Returns:
        Keys `rms_db`, `crest_db`, `width`, `imbalance`, `bark_db`; all at least 0.
    """
    ours, theirs = (_features(matched(a, sample_rate), sample_rate) for a in _cut(mix, human))
    return {key: float(np.abs(ours[key] - theirs[key]).mean()) for key in ours}


def frechet_distance(mixes: Iterable[Values], humans: Iterable[Values]) -> float:
    """Distance of two sets of embedded audio, each taken as one Gaussian.

    Dowson and Landau's formula (Journal of Multivariate Analysis 12, 1982), as Kilgour, Zuluaga,
    Roblek, Sharifi, "Frechet Audio Distance" (Interspeech 2019) use it, over `embed` rather than a
    network: it sees long-term tone and movement, and no more. Covariances are shrunk a little
    towards their mean variance, since sets are small.

    Args:
        mixes, humans: embeddings, shape (seconds, features) each.
    """
    ours, theirs = np.concatenate(list(mixes)), np.concatenate(list(humans))
    (mean_a, cov_a), (mean_b, cov_b) = _gaussian(ours), _gaussian(theirs)
    root = _root(cov_a)
    cross = _root(root @ cov_b @ root)
    distance = np.square(mean_a - mean_b).sum() + np.trace(cov_a + cov_b - 2 * cross)
    return max(0.0, float(distance))


def embed(audio: Audio, sample_rate: int) -> Values:
    """One vector per second: mean and standard deviation of log power in 20 Bark bands of the mid.

    Returns:
        Shape (seconds, 40), after loudness matching; whole seconds only, at least one.
    """
    mid = matched(audio, sample_rate).mean(axis=0)
    logs = np.log(_bark_powers(mid, sample_rate)[:EMBEDDED_BANDS] + LEAST)
    per_second = max(1, sample_rate // (FEATURE_SIZE // 2))
    seconds = max(1, logs.shape[1] // per_second)
    frames = min(logs.shape[1], seconds * per_second)
    parts = np.array_split(logs[:, :frames], seconds, axis=1)
    return np.array([np.concatenate([p.mean(axis=1), p.std(axis=1)]) for p in parts])


def level_distance(faders_db: Values, human_db: Values) -> float:
    """Mean difference per stem of two balances in dB, whatever the overall level.

    Args:
        faders_db, human_db: loudness of each stem in either mix, (stems,); stems that are not
            finite on either side are left out.
    """
    both = np.isfinite(faders_db) & np.isfinite(human_db)
    if not both.any():
        return 0.0
    difference = faders_db[both] - human_db[both]
    return float(np.abs(difference - np.median(difference)).mean())


def judge(mix: Audio, human: Audio, sample_rate: int) -> dict[str, float]:
    """Every judge of one mix's audio: `spectrogram` and those of `feature_distance`."""
    return {
        "spectrogram": spectrogram_distance(mix, human, sample_rate),
        **feature_distance(mix, human, sample_rate),
    }


def _cut(*sides: Audio) -> list[Audio]:
    """Stereo, at the length of the shortest."""
    frames = min(side.shape[1] for side in sides)
    return [np.ascontiguousarray(np.broadcast_to(s[:, :frames], (2, frames))) for s in sides]


def _mid_side(mix: Audio, human: Audio, sample_rate: int) -> list[tuple[Values, Values]]:
    sides = [matched(audio, sample_rate).astype(np.float64) for audio in _cut(mix, human)]
    return [(a[0] + a[1], a[0] - a[1]) for a in sides]


def _magnitudes(audio: Values, size: int, hop: int) -> Values:
    """Of every Hann window that holds a sample, silence beyond the ends, shape (bins, frames)."""
    audio = np.pad(audio, (0, max(0, size - len(audio))))
    early = size // (2 * hop) - 1  # windows centred before the first sample
    count = early + -(-(len(audio) + size // 2) // hop)
    padded = np.zeros((count - 1) * hop + size)
    start = size // 2 + early * hop
    padded[start : start + len(audio)] = audio[: len(padded) - start]
    windows = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    window = hann(size, sym=False)
    found = np.empty((size // 2 + 1, count))
    for first in range(0, count, BLOCK):
        block = slice(first, first + BLOCK)
        found[:, block] = np.abs(rfft(windows[block] * window, axis=1)).T
    return found


def _features(audio: Audio, sample_rate: int) -> dict[str, Values]:
    power = np.square(audio, dtype=np.float64).mean(axis=1) + LEAST
    peak = np.square(np.abs(audio).max(axis=1).astype(np.float64)) + LEAST
    mid, side = (audio[0] + audio[1]) / 2, (audio[0] - audio[1]) / 2
    middle, sides = (np.square(x, dtype=np.float64).mean() for x in (mid, side))
    barks = [_bark_powers(x, sample_rate).mean(axis=1) for x in (mid, side)]
    return {
        "rms_db": 10 * np.log10(power),
        "crest_db": 10 * np.log10(peak / power),
        "width": np.array([sides / (middle + sides + LEAST)]),
        "imbalance": np.array([(power[1] - power[0]) / power.sum()]),
        "bark_db": 10 * np.log10(np.maximum(np.array(barks), LEAST)),
    }


def _bark_powers(audio: NDArray[np.floating], sample_rate: int) -> Values:
    """Mean square in each critical band, shape (bands, frames)."""
    magnitudes = _magnitudes(audio.astype(np.float64), FEATURE_SIZE, FEATURE_SIZE // 2)
    power = np.square(magnitudes) / FEATURE_SIZE**2
    edges = np.searchsorted(rfftfreq(FEATURE_SIZE, 1 / sample_rate), BARK_EDGES_HZ)
    below = np.concatenate([np.zeros((1, power.shape[1])), np.cumsum(power, axis=0)])
    return np.asarray(np.diff(below[np.minimum(edges, len(power))], axis=0))


def _gaussian(rows: Values) -> tuple[Values, Values]:
    mean = rows.mean(axis=0)
    centred = rows - mean
    covariance = centred.T @ centred / max(1, len(rows) - 1)
    variance = float(np.trace(covariance)) / len(mean)
    return mean, covariance + (SHRINKAGE * variance + LEAST) * np.eye(len(mean))


def _root(matrix: Values) -> Values:
    """Square root of a symmetric matrix without negative eigenvalues."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)
