"""All meters at once."""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ...errors import MixgymError
from ._decibels import power_db
from .levels import LevelMeter
from .loudness import LoudnessMeter
from .readings import Readings
from .spectrum import SpectrumMeter
from .true_peak import TruePeakMeter

_PSR_WINDOW_S = 3
_PSR_STEPS_PER_S = 10
_PSR_GATE_LUFS = -70.0


class Measurement:
    """Every meter of this package over one stream; memory hardly grows with its length.

    sample_rate: Hz, 8000 to 192000. channels: 1 or 2.
    Raises `MixgymError` for a rate or channel count it cannot read.
    """

    def __init__(self, sample_rate: int, channels: int = 2) -> None:
        self.sample_rate = sample_rate
        self.channels = channels
        self._loudness = LoudnessMeter(sample_rate, channels)
        self._peak = TruePeakMeter(sample_rate, channels, hop=round(sample_rate / 100))
        self._spectrum = SpectrumMeter(sample_rate, channels)
        self._levels = LevelMeter(sample_rate, channels)

    def push(self, audio: NDArray[np.float32]) -> None:
        """Measure `audio`, float32 `(channels, frames)`.

        Raises `MixgymError` for another shape, NaN or infinity, and after `finish`.
        """
        self._peak.push(audio)
        self._loudness.push(audio)
        self._spectrum.push(audio)
        self._levels.push(audio)

    def finish(self) -> Readings:
        """Close the stream and read all meters. Repeating it gives the same readings."""
        self._peak.finish()
        loudness, peak, levels = self._loudness, self._peak, self._levels
        integrated_lufs = loudness.integrated_lufs
        short_term_lufs = loudness.short_term_lufs
        return Readings(
            duration_s=levels.frames / self.sample_rate,
            sample_rate=self.sample_rate,
            channels=self.channels,
            integrated_lufs=integrated_lufs,
            loudness_range_lu=loudness.loudness_range_lu,
            max_momentary_lufs=loudness.max_momentary_lufs,
            max_short_term_lufs=loudness.max_short_term_lufs,
            true_peak_dbtp=peak.true_peak_dbtp,
            sample_peak_dbfs=peak.sample_peak_dbfs,
            rms_dbfs=levels.rms_dbfs,
            plr_db=_ratio_db(peak.true_peak_dbtp, integrated_lufs),
            psr_db=self._least_psr_db(short_term_lufs),
            crest_db=_ratio_db(peak.sample_peak_dbfs, levels.rms_dbfs),
            dc_offset=levels.dc_offset,
            correlation=levels.correlation,
            mono_fold_loss_db=loudness.mono_fold_loss_db,
            spectrum_hz=self._spectrum.centres_hz,
            spectrum_db=self._spectrum.levels_db,
            band_correlation=self._spectrum.correlation,
            band_width=self._spectrum.width,
            short_term_lufs=short_term_lufs,
        )

    def _least_psr_db(self, short_term_lufs: NDArray[np.float64]) -> float:
        """The definition is in `Readings`."""
        if self._levels.frames < _PSR_WINDOW_S * self.sample_rate:
            return math.nan
        loud = np.flatnonzero(short_term_lufs > _PSR_GATE_LUFS)
        if not loud.size:
            return math.nan
        # The window's edges fall on hops: within 10 ms at rates that 10 ms does not divide.
        hop = self._peak.hop
        windows = sliding_window_view(self._peak.hop_peaks, _PSR_WINDOW_S * self.sample_rate // hop)
        starts = loud * self.sample_rate // (_PSR_STEPS_PER_S * hop)
        peaks = windows[np.minimum(starts, len(windows) - 1)].max(axis=1)
        return float((power_db(np.square(peaks, dtype=np.float64)) - short_term_lufs[loud]).min())


def _ratio_db(numerator_db: float, denominator_db: float) -> float:
    """A difference of levels; NaN where the lower one is silence."""
    return numerator_db - denominator_db if denominator_db > -math.inf else math.nan


def measure(audio: NDArray[np.float32], sample_rate: int) -> Readings:
    """Read all meters of `audio`, float32 `(channels, frames)`, at `sample_rate` Hz.

    Raises `MixgymError` for another shape, more than two channels, a rate outside 8-192 kHz, NaN
    or infinity.
    """
    if audio.ndim != 2:
        raise MixgymError(
            f"audio of shape {audio.shape} cannot be measured; give (channels, frames)"
        )
    measurement = Measurement(sample_rate, audio.shape[0])
    measurement.push(audio)
    return measurement.finish()
