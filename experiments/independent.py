"""Loudness and true peak read without our meters, to check them by."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

OVERSAMPLING = 8
BLOCK_FRAMES = 1 << 18
OVERLAP_FRAMES = 64  # the interpolation filter spans 10 frames on either side


def true_peak_dbtp(path: Path) -> float:
    """True peak of an audio file, 8 times oversampled with SciPy's polyphase filter."""
    import soundfile

    peak = 0.0
    for audio in soundfile.blocks(path, BLOCK_FRAMES, OVERLAP_FRAMES, always_2d=True):
        peak = max(peak, float(np.abs(resample_poly(audio, OVERSAMPLING, 1)).max()))
    return 20 * float(np.log10(max(peak, 1e-12)))


def integrated_lufs(path: Path) -> float:
    """Integrated loudness of an audio file, by pyloudnorm."""
    import pyloudnorm
    import soundfile

    audio, rate = soundfile.read(path, always_2d=True)
    return float(pyloudnorm.Meter(rate).integrated_loudness(audio))
