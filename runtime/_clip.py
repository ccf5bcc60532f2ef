"""Before and after as sound inside a page: two short MP3s and the outline of their waveforms."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

MP3_RATES_HZ = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
PEAK_LIMIT = 0.97  # decoders clip at 1, and MP3 moves peaks a little

_VBR_QUALITY = 0.2  # 0 best, 1 smallest: about 190 kbit/s of music
_OUTLINE_BINS = 400


@dataclass(frozen=True, slots=True)
class Clip:
    """The same part of a song before and after, already equally loud.

    Attributes:
        before, after: shape (2, frames), the same frames.
        sample_rate: in Hz.
        start_s: where the part starts in the song.
    """

    before: NDArray[np.float32]
    after: NDArray[np.float32]
    sample_rate: int
    start_s: float

    @property
    def span_s(self) -> tuple[float, float]:
        """Where it starts and ends in the song."""
        return self.start_s, self.start_s + self.after.shape[1] / self.sample_rate

    @property
    def headroom_gain(self) -> float:
        """What both are turned down by so that neither clips when it is played; at most 1."""
        peak = max(float(np.abs(audio).max(initial=0.0)) for audio in (self.before, self.after))
        return min(1.0, PEAK_LIMIT / peak) if peak > 0 else 1.0


def mp3_data_uri(audio: NDArray[np.float32], sample_rate: int) -> str:
    """Audio, shape (channels, frames), as an MP3 in a `data:` address.

    Rates that MP3 lacks are brought to the next one it has, at most 48 kHz.
    """
    import soundfile

    rate = next((rate for rate in MP3_RATES_HZ if rate >= sample_rate), MP3_RATES_HZ[-1])
    frames = audio.T
    if rate != sample_rate:
        import soxr

        frames = soxr.resample(frames, sample_rate, rate)
    out = io.BytesIO()
    soundfile.write(
        out, frames, rate, format="MP3", bitrate_mode="VARIABLE", compression_level=_VBR_QUALITY
    )
    return "data:audio/mpeg;base64," + base64.b64encode(out.getvalue()).decode("ascii")


def outline_path(audio: NDArray[np.float32], gain: float = 1.0) -> str:
    """The waveform's outline as an SVG path, 0..400 wide, -100..100 high.

    Args:
        audio: shape (channels, frames).
        gain: linear, applied first.
    """
    edges = np.linspace(0, audio.shape[1], _OUTLINE_BINS + 1).astype(int)
    heights = [
        round(100 * gain * float(np.abs(audio[:, start:end]).max(initial=0.0)), 1)
        for start, end in pairwise(edges)
    ]
    upper = [f"{x} {-height:g}" for x, height in enumerate(heights)]
    lower = [f"{x} {height:g}" for x, height in reversed(list(enumerate(heights)))]
    return "M" + "L".join(upper + lower) + "z"
