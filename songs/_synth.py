"""Plumbing of the synthesiser: envelopes, equalisers, and notes laid out in time and in stereo."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from ._score import Note

# Added to what would be digital silence: filters decay to it, not into subnormal numbers, on which
# processors are many times slower.
FLOOR = 1e-12

Samples = NDArray[np.float64]
Voice = Callable[[Note], Samples]  # one note in, `(frames,)` or `(2, frames)` out, peak near 1


def midi_hz(pitch: float) -> float:
    """Frequency of a MIDI note number, A4 = 69 = 440 Hz."""
    return float(440.0 * 2.0 ** ((pitch - 69.0) / 12.0))


def clock(duration_s: float, sample_rate: int) -> Samples:
    """Time of every frame, in seconds from 0."""
    return np.arange(max(2, round(duration_s * sample_rate))) / sample_rate


def gate(duration_s: float, attack_s: float, release_s: float, sample_rate: int) -> Samples:
    """Envelope 0..1 that rises for `attack_s` and falls for `release_s` after `duration_s`."""
    envelope = np.ones_like(clock(duration_s + release_s, sample_rate))
    rise = np.sin(0.5 * np.pi * clock(attack_s, sample_rate) / attack_s) ** 2
    fall = np.cos(0.5 * np.pi * clock(release_s, sample_rate) / release_s) ** 2
    rise, fall = rise[: envelope.size], fall[-envelope.size :]
    envelope[: rise.size] *= rise
    envelope[-fall.size :] *= fall
    return envelope


def band_sos(low_hz: float, high_hz: float, sample_rate: int) -> Samples:
    """Second-order Butterworth band-pass; its edges are kept below 0.45 of the sample rate."""
    high = min(high_hz, 0.45 * sample_rate)
    low = min(low_hz, 0.6 * high)
    return np.asarray(signal.butter(2, [low, high], "bandpass", fs=sample_rate, output="sos"))


def high_pass_sos(cutoff_hz: float, sample_rate: int) -> Samples:
    """Second-order Butterworth high-pass, `(1, 6)`."""
    return np.asarray(signal.butter(2, cutoff_hz, "highpass", fs=sample_rate, output="sos"))


def bell_sos(centre_hz: float, gain_db: float, q: float, sample_rate: int) -> Samples:
    """Peaking equaliser, `(1, 6)`: Bristow-Johnson, "Audio EQ Cookbook", 1998."""
    omega = 2.0 * np.pi * min(centre_hz / sample_rate, 0.4)
    a = 10.0 ** (gain_db / 40.0)
    alpha = np.sin(omega) / (2.0 * q)
    b = np.array([1.0 + alpha * a, -2.0 * np.cos(omega), 1.0 - alpha * a])
    c = np.array([1.0 + alpha / a, -2.0 * np.cos(omega), 1.0 - alpha / a])
    return np.asarray(np.concatenate([b, c])[np.newaxis] / c[0])


def filtered(sos: Samples, x: Samples) -> Samples:
    """Second-order sections run over the last axis."""
    return np.asarray(signal.sosfilt(sos, x))


def pan_gains(position: float) -> Samples:
    """Constant-power gains `(2,)` of a position from -1 (left) to 1 (right)."""
    angle = 0.25 * np.pi * (position + 1.0)
    return np.array([np.cos(angle), np.sin(angle)])


def perform(
    notes: Sequence[Note],
    voice: Voice,
    pans: Sequence[float] | None,
    frames: int,
    sample_rate: int,
) -> Samples:
    """Every note through its voice, as loud as its velocity; what rings past the end is cut.

    Gives `(1, frames)`, or `(2, frames)` where `pans` has a position for each note. A voice of two
    channels keeps its own image; without `pans` its left channel alone is heard.
    """
    out = np.zeros((1 if pans is None else 2, frames))
    for i, note in enumerate(notes):
        start = round(note.start_s * sample_rate)
        if start >= frames:
            continue
        sound = note.velocity * voice(note)[..., : frames - start]
        window = out[:, start : start + sound.shape[-1]]
        if sound.ndim == 2:
            window += sound[: len(out)]
        elif pans is None:
            window += sound
        else:
            window += pan_gains(pans[i])[:, np.newaxis] * sound
    return out
