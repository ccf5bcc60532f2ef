"""A singing voice: a band-limited glottal wave and breath through the formants of a vocal tract."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import signal

from ._score import Note
from ._synth import FLOOR, Samples, band_sos, filtered
from ._synth_kernels import formants, lowpass, sawtooth

# First three formants of vowels in Hz, men's means: Peterson and Barney, "Control Methods Used in
# a Study of the Vowels", J. Acoust. Soc. Am. 24(2), 1952, table II.
_VOWELS_HZ = np.array(
    [
        [730.0, 1090.0, 2440.0],  # ah
        [660.0, 1720.0, 2410.0],  # a in "at"
        [530.0, 1840.0, 2480.0],  # e
        [270.0, 2290.0, 3010.0],  # ee
        [570.0, 840.0, 2410.0],  # aw
        [300.0, 870.0, 2240.0],  # oo
    ]
)
_HIGHER_FORMANTS_HZ = (3300.0, 4200.0)
_BANDWIDTHS_HZ = np.array([80.0, 100.0, 130.0, 220.0, 300.0])
_CONTROL_S = 0.0015  # how often formants, pitch and level are set


@dataclass(frozen=True, slots=True)
class Singer:
    """What stays the same about one voice."""

    tract: float  # formants relative to the table: about 1.0 men, 1.17 women
    vibrato_hz: float
    vibrato_semitones: float
    glide_s: float
    breath: float
    tilt_hz: float
    sibilance: float

    @classmethod
    def draw(cls, rng: np.random.Generator, notes: Sequence[Note]) -> "Singer":
        """A voice for a line; a higher line gets a smaller vocal tract."""
        pitch = float(np.mean([note.pitch for note in notes])) if notes else 60.0
        return cls(
            tract=float(np.clip(1.0 + 0.017 * (pitch - 55.0), 0.97, 1.2) * rng.uniform(0.97, 1.03)),
            vibrato_hz=rng.uniform(4.8, 6.2),
            vibrato_semitones=rng.uniform(0.12, 0.4),
            glide_s=rng.uniform(0.015, 0.045),
            breath=rng.uniform(0.02, 0.12),
            tilt_hz=rng.uniform(2000.0, 6000.0),
            sibilance=rng.uniform(0.05, 0.25),
        )


def sing(
    notes: Sequence[Note], singer: Singer, rng: np.random.Generator, frames: int, sample_rate: int
) -> Samples:
    """One line, one note at a time, as `(frames,)`: a syllable a note, gliding between pitches."""
    hop = max(1, round(_CONTROL_S * sample_rate))
    hops = -(-frames // hop)
    hop_s = hop / sample_rate
    t = np.arange(hops) * hop_s

    pitch = np.full(hops, notes[0].pitch if notes else 60.0)
    vibrato = np.zeros(hops)
    level = np.full(hops, FLOOR)
    tract_hz = np.tile(_tract(int(rng.integers(len(_VOWELS_HZ))), singer), (hops, 1))
    hiss = np.full(hops, FLOOR)
    last_end_s = -1.0
    for note in notes:
        on = round(note.start_s / hop_s)
        off = min(hops, round((note.start_s + note.duration_s) / hop_s))
        if on >= hops:
            continue
        since_s = t[on:off] - note.start_s
        rested = note.start_s - last_end_s > 0.15
        scoop = -1.2 * np.exp(-since_s / 0.05) if rested else 0.0
        pitch[on:] = note.pitch
        pitch[on:off] += scoop
        swell = np.clip((since_s - 0.12) / 0.3, 0.0, 1.0)
        vibrato[on:off] = swell
        closing = 1.0 - 0.6 * np.exp(-since_s / 0.03)
        level[on:off] = note.velocity * closing * (0.85 + 0.15 * swell)
        tract_hz[on:] = _tract(int(rng.integers(len(_VOWELS_HZ))), singer)
        if rng.random() < 0.3:
            before = max(0, on - round(0.06 / hop_s))
            hiss[before : on + round(0.02 / hop_s)] = note.velocity
        last_end_s = note.start_s + note.duration_s

    pitch = _smoothed(pitch, singer.glide_s, hop_s)
    drift = 0.06 * _smoothed(rng.standard_normal(hops), 0.08, hop_s) * np.sqrt(0.16 / hop_s)
    phase = 2.0 * np.pi * singer.vibrato_hz * t
    pitch += singer.vibrato_semitones * vibrato * np.sin(phase) + drift
    fundamental_hz = 440.0 * 2.0 ** ((pitch - 69.0) / 12.0)
    tract_hz = _smoothed(tract_hz, 0.02, hop_s)
    # A trained singer opens the jaw so that the first formant stays above the note: Sundberg, "The
    # Science of the Singing Voice", 1987, chapter 5.
    tract_hz[:, 0] = np.maximum(tract_hz[:, 0], 1.05 * fundamental_hz)

    at = np.arange(frames) / hop
    knots = np.arange(hops)
    cycles = np.interp(at, knots, fundamental_hz) / sample_rate
    gain = np.interp(at, knots, _smoothed(_smoothed(level, 0.02, hop_s), 0.02, hop_s))
    glottis = lowpass(sawtooth(cycles, 0.0), np.full(frames, singer.tilt_hz), 0.5, sample_rate)
    breath = singer.breath * rng.standard_normal(frames)
    vowels = formants(gain * (glottis + breath), tract_hz, _BANDWIDTHS_HZ, hop, sample_rate)
    hissing = np.interp(at, knots, _smoothed(hiss, 0.012, hop_s))
    consonants = filtered(band_sos(4500.0, 9500.0, sample_rate), rng.standard_normal(frames))
    line: Samples = vowels + singer.sibilance * hissing * consonants
    return line


def _tract(vowel: int, singer: Singer) -> Samples:
    """Formant frequencies `(5,)` of a vowel in one singer's mouth, in Hz."""
    return singer.tract * np.array([*_VOWELS_HZ[vowel], *_HIGHER_FORMANTS_HZ])


def _smoothed(x: Samples, time_s: float, hop_s: float) -> Samples:
    """One-pole low-pass over the first axis, started at rest at `x[0]`."""
    pole = np.exp(-hop_s / time_s)
    start = pole * x[:1]
    return np.asarray(signal.lfilter([1.0 - pole], [1.0, -pole], x, axis=0, zi=start)[0])
