"""The musical key of an excerpt, and how far two keys lie apart."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .excerpts import Track

UNPITCHED = frozenset({"kick", "snare", "hats", "toms", "percussion", "drums", "fx"})
"""Roles that are never moved in pitch, and fit any key."""

_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_FLATS = {"Db": "C#", "Eb": "D#", "Gb": "F#", "Ab": "G#", "Bb": "A#", "Cb": "B", "Fb": "E"}
_SHARPS = {"E#": "F", "B#": "C"}
# Krumhansl and Kessler, "Tracing the dynamic changes in perceived tonal organization in a spatial
# representation of musical keys", Psychological Review 89 (1982): how well each degree fits.
_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
_LOWEST_HZ, _HIGHEST_HZ = 65.0, 2_000.0
_FRAME_S = 0.37
_LEAST_CORRELATION = 0.6


def estimate_key(tracks: Sequence[Track], sample_rate: int) -> str | None:
    """Estimate the key by how the pitch classes of all pitched stems are distributed.

    Krumhansl and Schmuckler's method: the key whose profile correlates best with the energy of the
    twelve pitch classes.

    Returns:
        A name such as "F# minor"; None where no profile correlates by 0.6.
    """
    pitched = [track for track in tracks if track.role not in UNPITCHED]
    if not pitched:
        return None
    chroma = np.sum([_chroma(track.audio, sample_rate) for track in pitched], axis=0)
    if not chroma.any():
        return None
    profiles = [np.roll(profile, tonic) for profile in (_MAJOR, _MINOR) for tonic in range(12)]
    correlations = np.corrcoef(chroma, profiles)[0, 1:]
    best = int(np.argmax(correlations))
    if not correlations[best] >= _LEAST_CORRELATION:
        return None
    return f"{_NAMES[best % 12]} {'major' if best < 12 else 'minor'}"


def semitones_between(key: str, other: str) -> int:
    """How far to move `other` so that it shares the scale of `key`: -6 to +5 semitones.

    A minor key shares the scale of the major key three semitones above it.
    """
    return (_scale(key) - _scale(other) + 6) % 12 - 6


def transposed(key: str, semitones: int) -> str:
    """The key that many semitones above."""
    tonic, mode = key.split()
    return f"{_NAMES[(_pitch_class(tonic) + semitones) % 12]} {mode}"


def _scale(key: str) -> int:
    tonic, mode = key.split()
    return _pitch_class(tonic) + (3 if mode == "minor" else 0)


def _pitch_class(tonic: str) -> int:
    return _NAMES.index(_SHARPS.get(tonic, _FLATS.get(tonic, tonic)))


def _chroma(audio: NDArray[np.float32], sample_rate: int) -> NDArray[np.float64]:
    """Amplitude in each pitch class, (12,), of samples (channels, frames)."""
    mono = audio.mean(axis=0)
    size = 1 << int(np.ceil(np.log2(_FRAME_S * sample_rate)))
    count = max(len(mono) // size, 1)
    blocks = np.zeros(count * size, np.float32)
    blocks[: min(len(mono), len(blocks))] = mono[: len(blocks)]
    spectrum = np.abs(np.fft.rfft(blocks.reshape(count, size) * np.hanning(size), axis=1))
    frequency_hz = np.fft.rfftfreq(size, 1.0 / sample_rate)
    inside = (frequency_hz >= _LOWEST_HZ) & (frequency_hz <= _HIGHEST_HZ)
    pitch = np.rint(69.0 + 12.0 * np.log2(frequency_hz[inside] / 440.0)).astype(int)
    chroma = np.zeros(12)
    np.add.at(chroma, pitch % 12, spectrum[:, inside].sum(axis=0))
    return chroma
