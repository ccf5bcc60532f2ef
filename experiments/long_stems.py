"""Long songs on disk, for timing: a short generated song repeated under slowly changing gains."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import MixgymError

SAMPLE_RATE = 48_000
LOOP_S = 12.0
STEMS_PER_LOOP = 8
GAIN_STEP_S = 2.0
GAIN_SPREAD_DB = 3.0
BYTES_PER_FRAME = 6  # stereo at 24 bits


def check_space(folder: Path, stems: int, duration_s: float) -> None:
    """Refuse to start what the disk cannot hold: the stems and three stereo files beside them.

    Raises:
        MixgymError: too little space.
    """
    frames = duration_s * SAMPLE_RATE
    needed = frames * (stems * BYTES_PER_FRAME + 2 * 8 + 2 * BYTES_PER_FRAME)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise MixgymError(
            f"{folder} has {free / 1e9:.1f} GB free and the benchmark needs {needed / 1e9:.1f} GB: "
            "make space, set TMPDIR to another disk, or ask for fewer stems or minutes."
        )


def write_long_stems(folder: Path, stems: int, duration_s: float) -> None:
    """Write stereo 24-bit WAV stems at 48 kHz, every one different.

    Eight stems each come from one generated song of 12 s, repeated; each channel of each stem
    goes through its own gain, drawn anew every 2 s within +-3 dB and joined by straight lines, so
    that nothing repeats. Memory does not grow with the duration.

    Args:
        folder: made here.
        stems: at least 1.
        duration_s: of every stem.

    Raises:
        MixgymError: too little disk space.
    """
    import soundfile

    from ..songs.generate import generate_song

    folder.mkdir(parents=True)
    check_space(folder, stems, duration_s)
    frames = round(duration_s * SAMPLE_RATE)
    for seed, first in enumerate(range(0, stems, STEMS_PER_LOOP)):
        count = min(STEMS_PER_LOOP, stems - first)
        with generate_song(seed, LOOP_S, SAMPLE_RATE, count) as song:
            for number, stem in enumerate(song.stems, start=first + 1):
                loop = stem.read(0, stem.frames)
                rng = np.random.default_rng(number)
                path = folder / f"{number:02d}_{stem.name}.wav"
                with soundfile.SoundFile(path, "w", SAMPLE_RATE, 2, "PCM_24") as file:
                    for start in range(0, frames, loop.shape[1]):
                        block = (
                            loop[:, : frames - start]
                            * _gains(rng, loop.shape[1])[:, : frames - start]
                        )
                        file.write(block.T)


def _gains(rng: np.random.Generator, frames: int) -> NDArray[np.float32]:
    """Shape (2, frames): straight lines, in dB, between random points."""
    points = np.arange(0, frames + GAIN_STEP_S * SAMPLE_RATE, GAIN_STEP_S * SAMPLE_RATE)
    gains_db = rng.uniform(-GAIN_SPREAD_DB, GAIN_SPREAD_DB, (2, len(points)))
    at = np.arange(frames)
    return np.stack([10 ** (np.interp(at, points, line) / 20) for line in gains_db]).astype(
        np.float32
    )
