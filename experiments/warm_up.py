"""The first seconds of two tracks, to run a program on before it is timed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile

OPENING_S = 4.0
NOISE = 1e-2  # so that a quiet opening is not refused as silence


@contextmanager
def openings(track: Path, reference: Path) -> Iterator[tuple[Path, Path]]:
    """Two short WAV files in a temporary folder that goes when the `with` block ends."""
    with tempfile.TemporaryDirectory(prefix="mixgym-bench-") as folder:
        copies = (Path(folder) / "track.wav", Path(folder) / "reference.wav")
        for seed, (source, copy) in enumerate(zip((track, reference), copies, strict=True)):
            rate = soundfile.info(source).samplerate
            frames = round(OPENING_S * rate)
            audio, _ = soundfile.read(source, frames, always_2d=True, fill_value=0.0)
            audio += np.random.default_rng(seed).normal(0.0, NOISE, audio.shape)
            soundfile.write(copy, audio, rate, subtype="FLOAT")
        yield copies
