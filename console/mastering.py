"""The mastering chain ahead of the limiter: compressor, EQ, three bands, saturation, image."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from ._kernels import mid_side
from .compressor import Compressor, make_up_db
from .crossover import Crossover
from .filters import equaliser, high_pass
from .parameters import MASTER, NOMINAL_LUFS
from .saturation import Saturation
from .strip import compressor_settings

BANDS = ("low", "mid", "high")
# What each band of a balanced programme carries relative to its loudness, for the make-up gains.
BAND_LEVELS_DB = {"low": -4.0, "mid": -5.0, "high": -13.0}


class MasteringChain:
    """Processes the mix bus, brought to the nominal loudness, as a stream.

    Args:
        settings: values of the master table by name.
        input_gain_db: brings the mix bus to the nominal loudness.
        sample_rate: in Hz.
        pool: where the three bands are compressed at once; None does one after the other.
        matching_taps: a linear-phase filter at the head of the chain, an odd number of taps.
    """

    def __init__(
        self,
        settings: Mapping[str, float],
        input_gain_db: float,
        sample_rate: int,
        pool: ThreadPoolExecutor | None = None,
        matching_taps: NDArray[np.float32] | None = None,
    ) -> None:
        self._gain = np.float32(10 ** (input_gain_db / 20))
        self._stages: list[Callable[[NDArray[np.float32]], NDArray[np.float32]]] = []
        self.latency = 0
        if matching_taps is not None:
            from .matching import LinearPhase

            matching = LinearPhase(matching_taps)
            self._stages.append(matching.process)
            self.latency += matching.latency
        if settings["bus_compressor_on"] and settings["bus_compressor_ratio"] > 1:
            dynamics = compressor_settings(settings, "bus_compressor_", NOMINAL_LUFS)
            glue = Compressor(dynamics, sample_rate, make_up_db(NOMINAL_LUFS, dynamics))
            self._stages.append(_in_place(glue.process))
        if settings["master_eq_on"]:
            self._add_filters(equaliser(settings, sample_rate, "master_"), sample_rate)
        if settings["multiband_on"]:
            self._stages.append(_Multiband(settings, sample_rate, pool).process)
        if settings["saturation_on"] and settings["saturation_mix"] > 0:
            saturation = Saturation(settings["saturation_drive_db"], settings["saturation_mix"])
            self._stages.append(saturation.process)
            self.latency += saturation.latency
        if settings["image_on"]:
            self._stages.append(_Image(settings, sample_rate).process)

    def _add_filters(self, filters: list, sample_rate: int) -> None:  # type: ignore[type-arg]
        if filters:
            import pedalboard

            board = pedalboard.Pedalboard(filters)
            self._stages.append(lambda audio: board.process(audio, sample_rate, reset=False))

    def process(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        """One block, shape (2, frames), late by `latency` frames.

        Frames must be a multiple of the control hop; the input may be overwritten.
        """
        audio *= self._gain
        for stage in self._stages:
            audio = stage(audio)
        return audio


def _in_place(
    process: Callable[[NDArray[np.float32]], None],
) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    def stage(audio: NDArray[np.float32]) -> NDArray[np.float32]:
        process(audio)
        return audio

    return stage


class _Multiband:
    def __init__(
        self, settings: Mapping[str, float], sample_rate: int, pool: ThreadPoolExecutor | None
    ) -> None:
        self._map = pool.map if pool else map
        self._crossover = Crossover(
            settings["crossover_low_hz"], settings["crossover_high_hz"], sample_rate
        )
        self._compressors = []
        for band in BANDS:
            dynamics = compressor_settings(settings, f"{band}_", NOMINAL_LUFS)
            make_up = make_up_db(NOMINAL_LUFS + BAND_LEVELS_DB[band], dynamics)
            self._compressors.append(Compressor(dynamics, sample_rate, make_up))

    def process(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        bands = self._crossover.split(audio)
        list(self._map(lambda c, band: c.process(band), self._compressors, bands))
        total = bands[0]
        total += bands[1]
        total += bands[2]
        return total


class _Image:
    def __init__(self, settings: Mapping[str, float], sample_rate: int) -> None:
        import pedalboard

        self._sample_rate = sample_rate
        self._width = np.float32(settings["master_width"])
        cut_hz = settings["mono_below_hz"]
        self._side_filter = (
            pedalboard.Pedalboard(high_pass(cut_hz, sample_rate))
            if cut_hz > MASTER["mono_below_hz"].low
            else None
        )

    def process(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        mid_side(audio)
        if self._side_filter is not None:
            audio[1:] = self._side_filter.process(audio[1:], self._sample_rate, reset=False)
        audio[1] *= self._width
        mid_side(audio)
        return audio
