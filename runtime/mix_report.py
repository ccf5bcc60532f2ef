"""The report of a mix: what it is compared with, and the clip that is played."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..console.describe import changes
from ..console.levels import stem_levels
from ..console.meters import LoudnessMeter, Measurement
from ..console.parameters import MASTER
from ..console.styles import Style
from ..console.targets import target_spectrum_db
from .measuring import BLOCK_FRAMES
from .report import Clip, ReportData, StemRow, write_report

if TYPE_CHECKING:
    from ..console.meters import Readings
    from ..console.mix import Mix
    from ..console.render import Rendering
    from ..songs import Song
    from .mix_score import MixScore

CLIP_S = 20.0
CLIP_PEAK = 0.9


def write_mix_report(
    path: Path,
    song: Song,
    mix: Mix,
    rendering: Rendering,
    lean: Style | None,
    score: MixScore,
    baselines: Mapping[str, MixScore],
    notes: tuple[str, ...],
) -> None:
    """Write the report of a finished mix.

    Raises:
        MixgymError: the stems cannot be read or the page cannot be written.
    """
    after = read_all(rendering.blocks(), song.sample_rate)
    levels = [level.loudness_lufs for level in stem_levels(song)]
    write_report(
        ReportData(
            title=song.title,
            kind="mix",
            settings=changes(mix),
            reasons=mix.reasons,
            stems=tuple(
                StemRow(stem.name, stem.role, lufs if math.isfinite(lufs) else None)
                for stem, lufs in zip(song.stems, levels, strict=True)
            ),
            before=read_all(_plain_sum(song), song.sample_rate),
            after=after,
            before_label="plain sum of the stems",
            after_label="mix",
            delivered=rendering.delivered,
            target_hz=after.spectrum_hz,
            target_db=target_of(after, lean),
            clip=clip_of(lambda: _plain_sum(song), rendering, after),
            notes=notes,
            ceiling_dbtp=ceiling_of(mix),
            score=score,
            baselines=baselines,
        ),
        path,
    )


def target_of(readings: Readings, lean: Style | None) -> NDArray[np.float64]:
    """The style's target spectrum at a reading's bands, shape (bands,)."""
    return target_spectrum_db(readings.spectrum_hz, lean.tilt_db_per_octave if lean else 0.0)


def ceiling_of(mix: Mix) -> float | None:
    """The true-peak ceiling of a mix, None without a limiter."""
    master = MASTER.settings(mix.master)
    return master["ceiling_dbtp"] if master["limiter_on"] else None


def loudest_start_s(readings: Readings, clip_s: float) -> float:
    """Where the loudest part of this length starts, on whole seconds."""
    series = readings.short_term_lufs  # window k spans 3 s from k * 100 ms
    length = max(1, round((clip_s - 3.0) * 10))
    if len(series) <= length:
        return 0.0
    power = np.where(np.isfinite(series), 10 ** (series / 10), 0.0)
    return math.floor(int(np.convolve(power, np.ones(length), "valid").argmax()) / 10)


def clip_of(
    before: Callable[[], Iterator[NDArray[np.float32]]], rendering: Rendering, after: Readings
) -> Clip:
    """The loudest part of a rendering, and the same part of what it was made from."""
    rate, start_s = rendering.sample_rate, loudest_start_s(after, CLIP_S)
    return matched_clip(
        _cut(before(), start_s, rate), _cut(rendering.blocks(), start_s, rate), rate, start_s
    )


def matched_clip(
    before: NDArray[np.float32], after: NDArray[np.float32], sample_rate: int, start_s: float
) -> Clip:
    """Both sides at one loudness, the louder turned down, neither above full scale."""
    frames = min(before.shape[1], after.shape[1])
    sides = [before[:, :frames], after[:, :frames]]
    levels = []
    for side in sides:
        meter = LoudnessMeter(sample_rate, 2)
        meter.push(np.ascontiguousarray(side))
        levels.append(meter.integrated_lufs)
    if all(math.isfinite(level) for level in levels):
        floor = min(levels)
        sides = [
            side * np.float32(10 ** ((floor - level) / 20))
            for side, level in zip(sides, levels, strict=True)
        ]
    peak = max(float(np.abs(side).max(initial=0.0)) for side in sides)
    gain = np.float32(min(1.0, CLIP_PEAK / peak) if peak > 0 else 1.0)
    return Clip(sides[0] * gain, sides[1] * gain, sample_rate, start_s)


def _plain_sum(song: Song) -> Iterator[NDArray[np.float32]]:
    """The stems as they came, added up: blocks of shape (2, frames)."""
    for start in range(0, song.frames, BLOCK_FRAMES):
        total = np.zeros((2, min(BLOCK_FRAMES, song.frames - start)), dtype=np.float32)
        for stem in song.stems:
            total += stem.read(start, total.shape[1])
        yield total


def read_all(blocks: Iterator[NDArray[np.float32]], sample_rate: int) -> Readings:
    """All meters over a stereo stream."""
    meters = Measurement(sample_rate, 2)
    for block in blocks:
        meters.push(block)
    return meters.finish()


def _cut(
    blocks: Iterator[NDArray[np.float32]], start_s: float, sample_rate: int
) -> NDArray[np.float32]:
    """The clip's part of a stream, shape (2, frames)."""
    first, last = round(start_s * sample_rate), round((start_s + CLIP_S) * sample_rate)
    parts, position = [], 0
    for block in blocks:
        end = position + block.shape[1]
        if end > first:
            parts.append(block[:, max(0, first - position) : last - position])
        position = end
        if position >= last:
            break
    return np.concatenate(parts, axis=1)
