"""Hear: render one mix of a song and read of the audio what `simulate` predicts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .analysis import FRAMES_PER_S
from .insert import MakeInsert
from .meters import LoudnessMeter, SpectrumMeter, TruePeakMeter
from .mix_readings import MixReadings
from .mixbus import BusBlock
from .render import Rendering, render

if TYPE_CHECKING:
    from ..songs import Song
    from .mix import Mix

SILENT_DBTP = -200.0  # what `simulate` reads of silence


def hear(
    song: Song, mix: Mix, *, threads: int = 2, insert: MakeInsert | None = None
) -> tuple[MixReadings, NDArray[np.float32]]:
    """Render a mix and read it.

    Reverb and delay are cut off with the song, which is an excerpt as a rule.

    Args:
        song: the stems.
        mix: settings for exactly these stems.
        threads: how many strips are processed at once.
        insert: makes a plug-in for each strip.

    Returns:
        A batch of one; the audio, shape (2, frames).

    Raises:
        MixgymError: as `render`.
    """
    bus = BusReader(song)
    with render(
        song, mix, tail=False, threads=threads, on_bus=bus.push, insert=insert
    ) as rendering:
        audio = rendering.array()
        return read_rendering(bus, rendering, audio), audio


class BusReader:
    """Meters of the mix bus and of every stem in it, to be told of every block."""

    def __init__(self, song: Song) -> None:
        rate, stems = song.sample_rate, len(song.stems)
        self.peaks = TruePeakMeter(rate, 2)
        self.loudness = [LoudnessMeter(rate, 2) for _ in range(stems)]
        self.spectra = [SpectrumMeter(rate, 2) for _ in range(stems)]

    def push(self, block: BusBlock) -> None:
        """Measure a block."""
        self.peaks.push(block.total)
        for audio, loudness, spectrum in zip(
            block.strips, self.loudness, self.spectra, strict=True
        ):
            if audio is not None:
                audio = np.ascontiguousarray(audio)
                loudness.push(audio)
                spectrum.push(audio)


def read_rendering(bus: BusReader, rendering: Rendering, audio: NDArray[np.float32]) -> MixReadings:
    """What a rendering reads.

    Args:
        bus: has heard its mix bus.
        rendering: what was delivered.
        audio: of it, or of the part that the bus was heard for, shape (2, frames).
    """
    rate, delivered = rendering.sample_rate, rendering.delivered
    loudness = LoudnessMeter(rate, 2)
    loudness.push(audio)
    whole = SpectrumMeter(rate, 2)
    whole.push(audio)
    bus.peaks.finish()
    short_term = loudness.short_term_lufs if audio.shape[1] >= 3 * rate else _whole(loudness)
    silent = delivered.loudness_lufs == -math.inf
    return MixReadings(
        integrated_lufs=_row(delivered.loudness_lufs),
        bus_lufs=_row(rendering.bus_lufs),
        bus_peak_dbtp=_row(max(SILENT_DBTP, bus.peaks.true_peak_dbtp)),
        loudness_range_lu=_row(loudness.loudness_range_lu),
        true_peak_dbtp=_row(SILENT_DBTP if silent else delivered.true_peak_dbtp),
        mono_fold_loss_db=_row(loudness.mono_fold_loss_db),
        drive_db=_row(delivered.drive_db),
        mean_reduction_db=_row(delivered.mean_reduction_db),
        short_term_lufs=_row(short_term),
        stem_lufs=_row([meter.integrated_lufs for meter in bus.loudness]),
        stem_powers=_row([2 * 10 ** (meter.levels_db / 10) for meter in bus.spectra]),
        powers=_row(_powers_by_second(audio, rate)),
        width=_row(np.nan_to_num(whole.width, nan=0.5)),
        correlation=_row(np.nan_to_num(whole.correlation, nan=0.0)),
        balance=_row(whole.balance),
        seconds=_frames_by_second(audio.shape[1], rate),
    )


def _row(value: object) -> NDArray[np.float32]:
    return np.asarray(value, dtype=np.float32)[None]


def _whole(loudness: LoudnessMeter) -> NDArray[np.float64]:
    return np.array([loudness.integrated_lufs])


def _powers_by_second(audio: NDArray[np.float32], rate: int) -> list[NDArray[np.float64]]:
    rows = []
    for start in range(0, audio.shape[1], rate):
        meter = SpectrumMeter(rate, 2)
        meter.push(np.ascontiguousarray(audio[:, start : start + rate]))
        rows.append(10 ** (meter.levels_db / 10))
    return rows


def _frames_by_second(frames: int, rate: int) -> NDArray[np.float32]:
    hundreds = -(-frames * FRAMES_PER_S // rate)
    borders = np.minimum(np.arange(0, hundreds + FRAMES_PER_S, FRAMES_PER_S), hundreds)
    return np.diff(borders).astype(np.float32)
