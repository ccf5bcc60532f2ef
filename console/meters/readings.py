"""What all meters read of one piece of audio."""

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Readings:
    """Every meter's reading; levels of silence are -inf, ratios of silence NaN.

    Attributes, scalars first:

        duration_s, sample_rate, channels: of the audio measured.
        integrated_lufs, loudness_range_lu: see `LoudnessMeter`.
        max_momentary_lufs, max_short_term_lufs: the loudest 400 ms and 3 s.
        true_peak_dbtp, sample_peak_dbfs: see `TruePeakMeter`.
        rms_dbfs: over all frames and channels; a sine of full scale reads -3.01.
        plr_db: peak to loudness ratio, true peak minus integrated loudness.
        psr_db: peak to short-term ratio, the least of (true peak of a window minus its short-term
            loudness) over the 3 s windows, every 100 ms, that are louder than -70 LUFS: how
            dense the densest passage is. NaN for audio shorter than 3 s. (E. Skovenborg,
            "Measures of microdynamics", AES 137, 2014.)
        crest_db: sample peak over RMS; a sine reads 3.01.
        dc_offset: mean of the channel with the larger one, linear.
        correlation: of left and right over the whole band, -1 to 1; 1 for mono.
        mono_fold_loss_db: loudness lost when (L + R) / 2 feeds both channels; 0 for equal
            channels, infinity in anti-phase.
        spectrum_hz, spectrum_db, band_correlation, band_width: float64 `(bands,)`, third-octave
            centres and readings, see `SpectrumMeter`.
        short_term_lufs: float64 `(windows,)`, window k ends at 3 s + k 100 ms.
    """

    duration_s: float
    sample_rate: int
    channels: int
    integrated_lufs: float
    loudness_range_lu: float
    max_momentary_lufs: float
    max_short_term_lufs: float
    true_peak_dbtp: float
    sample_peak_dbfs: float
    rms_dbfs: float
    plr_db: float
    psr_db: float
    crest_db: float
    dc_offset: float
    correlation: float
    mono_fold_loss_db: float
    spectrum_hz: NDArray[np.float64]
    spectrum_db: NDArray[np.float64]
    band_correlation: NDArray[np.float64]
    band_width: NDArray[np.float64]
    short_term_lufs: NDArray[np.float64]

    def to_json(self) -> dict[str, Any]:
        """The readings as numbers and lists that JSON can hold; None where not finite."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return [_plain(item) for item in value.tolist()]
    return value if math.isfinite(value) else None
