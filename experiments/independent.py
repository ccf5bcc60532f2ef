"""Loudness and true peak read without our meters, to check them by."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

OVERSAMPLING = 8
BLOCK_FRAMES = 1 << 18
MARGIN_FRAMES = 64  # around a block; the interpolation filter spans 10 frames on either side


def true_peak_dbtp(path: Path) -> float:
    """True peak of an audio file, 8 times oversampled with SciPy's polyphase filter."""
    import soundfile

    peak = 0.0
    with soundfile.SoundFile(path) as file:
        for start in range(0, file.frames, BLOCK_FRAMES):
            first = max(0, start - MARGIN_FRAMES)
            file.seek(first)
            audio = file.read(start + BLOCK_FRAMES + MARGIN_FRAMES - first, always_2d=True)
            dense = np.abs(resample_poly(audio, OVERSAMPLING, 1))
            inner = dense[(start - first) * OVERSAMPLING :][: BLOCK_FRAMES * OVERSAMPLING]
            peak = max(peak, float(inner.max()))
    return 20 * float(np.log10(max(peak, 1e-12)))


def integrated_lufs(path: Path) -> float:
    """Integrated loudness of an audio file, by pyloudnorm."""
    import pyloudnorm
    import soundfile

    audio, rate = soundfile.read(path, always_2d=True)
    return float(pyloudnorm.Meter(rate).integrated_loudness(audio))
