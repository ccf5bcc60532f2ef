"""Excerpts of songs that lie as stems, and what tells two copies of a recording apart."""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..song import Song, Stem
from .excerpts import LEAST_STEMS, Take, Track, audible
from .windows import busiest_windows

_SECONDS_PER_READ = 16
_RANGE_DB = 30.0  # below a stem's own loud level
_FLOOR_DB = -60.0
_LOUD_PERCENTILE = 95.0


class Survey(NamedTuple):
    """A song heard once from end to end.

    Attributes:
        activity: how many stems play in every second, (seconds,).
        fingerprints: of every stem that is not silent; see `fingerprint_and_levels`.
    """

    activity: NDArray[np.float64]
    fingerprints: list[str]


def survey(song: Song) -> Survey:
    """Hear a song once.

    Raises:
        MixgymError: a file cannot be read, or holds NaN or infinite samples.
    """
    seconds = int(np.ceil(song.duration_s))
    activity = np.zeros(seconds)
    fingerprints = []
    for stem in song.stems:
        fingerprint, levels_db = fingerprint_and_levels(stem, seconds)
        heard = levels_db > _FLOOR_DB
        if heard.any():
            fingerprints.append(fingerprint)
            loud_db = np.percentile(levels_db[heard], _LOUD_PERCENTILE)
            activity += heard & (levels_db > loud_db - _RANGE_DB)
    return Survey(activity, fingerprints)


def fingerprint_and_levels(stem: Stem, seconds: int) -> tuple[str, NDArray[np.float64]]:
    """A SHA-256 of a stem's samples at 16 bits, and its level in every second.

    The fingerprint depends on neither the file's format nor its name, nor on whether a mono track
    is stored as stereo.

    Returns:
        The fingerprint in hexadecimal; mean-square levels in dBFS, (seconds,).
    """
    second = stem.sample_rate
    hashes = [hashlib.sha256() for _ in range(stem.channels)]
    power = np.zeros(seconds)
    for first in range(0, seconds, _SECONDS_PER_READ):
        many = min(_SECONDS_PER_READ, seconds - first)
        block = stem.read(first * second, many * second)
        steps = np.clip(np.rint(block * np.float32(32768.0)), -32768, 32767).astype("<i2")
        inside = max(min(stem.frames - first * second, many * second), 0)
        for digest, channel in zip(hashes, steps, strict=True):
            digest.update(channel[:inside].tobytes())
        cut = block.reshape(len(block), many, second)
        power[first : first + many] = np.einsum("cst,cst->s", cut, cut, dtype=np.float64)
    power /= stem.channels * second
    distinct = dict.fromkeys(digest.hexdigest() for digest in hashes)
    whole = hashlib.sha256("".join(distinct).encode()).hexdigest()
    return whole, 10.0 * np.log10(np.maximum(power, 1e-20))


def takes(
    song: Song,
    activity: NDArray[np.float64],
    seconds: float,
    count: int,
    least_stems: int = LEAST_STEMS,
) -> Iterator[Take]:
    """Yield the busiest windows of a song that have at least so many audible stems.

    A song shorter than `seconds` is taken whole if it has at least half of it.
    """
    frames = round(min(seconds, song.duration_s) * song.sample_rate)
    if song.duration_s < seconds / 2:
        return
    for start_s in busiest_windows(activity, seconds, count):
        first = min(start_s * song.sample_rate, song.frames - frames)
        heard = [(stem, stem.read(first, frames)) for stem in song.stems]
        tracks = [Track(stem.name, stem.role, audio) for stem, audio in heard if audible(audio)]
        if len(tracks) >= least_stems:
            yield Take(first / song.sample_rate, song.tempo_bpm, tracks)


def track_takes(
    song: Song, activity: NDArray[np.float64], seconds: float, count: int
) -> Iterator[Take]:
    """Yield the busiest windows of a finished track, which bears no role."""
    for take in takes(song, activity, seconds, count, least_stems=1):
        yield take._replace(tracks=[Track("track", "other", take.tracks[0].audio)])
