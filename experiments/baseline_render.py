"""`python -m mixgym.experiments.baseline_render STEMS OUT`: a plain script, timed.

What a person writes with pedalboard, pyloudnorm and NumPy in an afternoon: every stem read whole,
brought to one loudness, filtered, compressed and panned, summed, with one reverb, then brought to
-14 LUFS under a brick-wall limiter.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyloudnorm
import soundfile
from pedalboard import (
    BrickwallLimiter,
    Compressor,
    Gain,
    HighpassFilter,
    HighShelfFilter,
    LowShelfFilter,
    Pedalboard,
    Reverb,
)

from .cost import report

STEM_LUFS, MASTER_LUFS, CEILING_DBTP = -24.0, -14.0, -1.0
SEND_DB = -18.0


def mix_folder(stems: Path, output: Path) -> None:
    """Mix a folder of WAV files of one rate and length to a 24-bit WAV."""
    bus = send = None
    rate = 0
    for number, path in enumerate(sorted(stems.glob("*.wav"))):
        audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
        loudness = pyloudnorm.Meter(rate).integrated_loudness(audio)
        board = Pedalboard(
            [
                HighpassFilter(60),
                LowShelfFilter(120, gain_db=-1),
                HighShelfFilter(8000, gain_db=1),
                Compressor(threshold_db=-20, ratio=2.5, attack_ms=10, release_ms=120),
                Gain(STEM_LUFS - loudness if np.isfinite(loudness) else 0),
            ]
        )
        strip = board(audio.T, rate)
        angle = np.pi / 4 * (1 + 0.5 * (0, -1, 1)[number % 3])
        strip *= np.float32(np.sqrt(2)) * np.array(
            [[np.cos(angle)], [np.sin(angle)]], dtype=np.float32
        )
        bus = strip if bus is None else bus + strip
        sent = strip * np.float32(10 ** (SEND_DB / 20))
        send = sent if send is None else send + sent
    if bus is None or send is None:
        raise FileNotFoundError(f"no WAV files in {stems}")
    bus += Pedalboard([Reverb(room_size=0.5, wet_level=1, dry_level=0)])(send, rate)
    loudness = pyloudnorm.Meter(rate).integrated_loudness(bus.T)
    master = Pedalboard(
        [Gain(MASTER_LUFS - loudness), BrickwallLimiter(CEILING_DBTP, true_peak=True)]
    )
    soundfile.write(output, master(bus, rate).T, rate, subtype="PCM_24")


if __name__ == "__main__":
    report(lambda: mix_folder(Path(sys.argv[1]), Path(sys.argv[2])))
