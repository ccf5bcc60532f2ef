"""The busiest seconds of a song, before and after, equally loud."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...console.carry import carry
from ...console.render import render
from ...songs import most_active_excerpt
from ..mix_report import matched_clip
from ..results import delivery_notes

if TYPE_CHECKING:
    from ...console.mix import Mix
    from ...console.render import Progress
    from ...songs import Song, Stem

PREVIEW_S = 12.0
OUTLINE_BINS = 240
BLOCK_FRAMES = 1 << 18


@dataclass(frozen=True, slots=True)
class Preview:
    """What is heard of a mix.

    Attributes:
        revision: of the settings.
        sounds: "before" and "after" as WAV files, as loud as each other.
        start_s, duration_s: which part of the song.
        loudness_lufs, true_peak_dbtp, mean_reduction_db: of this part as it would be delivered.
        notes: about loudness and peaks, in sentences.
    """

    revision: int
    sounds: dict[str, bytes]
    start_s: float
    duration_s: float
    loudness_lufs: float
    true_peak_dbtp: float
    mean_reduction_db: float
    notes: tuple[str, ...]


class Previewer:
    """Renders previews of one song.

    Args:
        song: open for as long as this is used.

    Raises:
        MixgymError: a stem cannot be read.
    """

    def __init__(self, song: Song) -> None:
        self._song = song
        self._excerpt = most_active_excerpt(song, PREVIEW_S)
        self._before = np.zeros((2, self._excerpt.frames), dtype=np.float32)
        for stem in self._excerpt.stems:
            self._before += stem.read(0, self._excerpt.frames)

    def render(
        self, mix: Mix, revision: int, *, threads: int, progress: Progress | None = None
    ) -> Preview:
        """Hear a mix of the song.

        Faders and thresholds mean what they mean for the whole song; loudness and limiter are
        brought to their targets over the part that is heard.

        Raises:
            MixgymError: a stem cannot be read, or there is nothing to be heard.
        """
        here = carry(mix, self._song, self._excerpt, otherwise=mix)
        with render(
            self._excerpt, here, tail=False, threads=threads, progress=progress
        ) as rendering:
            after = rendering.array()
            delivered, notes = rendering.delivered, delivery_notes(rendering)
        rate = self._song.sample_rate
        clip = matched_clip(self._before, after, rate, self._excerpt.start_s)
        sides = {"before": clip.before, "after": clip.after}
        return Preview(
            revision,
            {side: _wav(audio, rate) for side, audio in sides.items()},
            clip.start_s,
            after.shape[1] / rate,
            delivered.loudness_lufs,
            delivered.true_peak_dbtp,
            delivered.mean_reduction_db,
            tuple(notes),
        )


def stem_outline(stem: Stem, frames: int) -> list[int]:
    """Peaks of a stem over the song's length, in percent of full scale, `OUTLINE_BINS` of them.

    Raises:
        MixgymError: the stem cannot be read.
    """
    edges = np.linspace(0, frames, OUTLINE_BINS + 1).astype(int)
    heights = np.zeros(OUTLINE_BINS)
    for index in range(OUTLINE_BINS):
        for start in range(edges[index], edges[index + 1], BLOCK_FRAMES):
            audio = stem.read(start, min(BLOCK_FRAMES, edges[index + 1] - start))
            heights[index] = max(heights[index], float(np.abs(audio).max(initial=0.0)))
    return [min(100, round(100 * height)) for height in heights]


def _wav(audio: NDArray[np.float32], sample_rate: int) -> bytes:
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, audio.T, sample_rate, format="WAV", subtype="PCM_16")
    return file.getvalue()
