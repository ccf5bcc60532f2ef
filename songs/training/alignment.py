"""Beats onto beats: how late one recording must start to fall in with another."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_STEP_S = 0.01


def beat_delay_s(
    of: Sequence[NDArray[np.float32]],
    to: Sequence[NDArray[np.float32]],
    sample_rate: int,
    beat_s: float,
) -> float:
    """Find the delay within one beat at which the onsets of two sets of stems agree best.

    Args:
        of: stems to be delayed, (channels, frames) each.
        to: stems that stay.
        sample_rate: in Hz.
        beat_s: of both.

    Returns:
        0 to `beat_s`; the maximum of the cross-correlation of rising energy in steps of 10 ms.
    """
    moving, staying = _onsets(of, sample_rate), _onsets(to, sample_rate)
    frames = min(len(moving), len(staying))
    delays = range(min(max(int(beat_s / _STEP_S), 1), frames))
    agreement = [float(np.dot(moving[: frames - delay], staying[delay:frames])) for delay in delays]
    return float(np.argmax(agreement)) * _STEP_S


def delayed(audio: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """The same length, later; what went before is silence."""
    out = np.zeros_like(audio)
    out[:, frames:] = audio[:, : audio.shape[1] - frames]
    return out


def _onsets(stems: Sequence[NDArray[np.float32]], sample_rate: int) -> NDArray[np.float64]:
    """Rising energy in every step of 10 ms, summed over stems, (steps,)."""
    step = round(_STEP_S * sample_rate)
    total = np.zeros(min(stem.shape[1] for stem in stems) // step)
    for stem in stems:
        mono = stem.mean(axis=0)[: len(total) * step].reshape(-1, step)
        level = np.log1p(1e4 * np.mean(np.square(mono), axis=1, dtype=np.float64))
        total += np.maximum(np.diff(level, prepend=level[:1]), 0.0)
    return total
