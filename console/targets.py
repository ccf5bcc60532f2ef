"""Target spectra: the tonal balance that a master is held against."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SLOPE_DB_PER_OCTAVE = -1.5  # of third-octave levels, in the middle of the spectrum
TREBLE_HZ = 4000.0
TREBLE_SLOPE_DB_PER_OCTAVE = -3.0
BASS_HZ = 60.0
BASS_SLOPE_DB_PER_OCTAVE = 9.0


def target_spectrum_db(
    centres_hz: NDArray[np.float64], tilt_db_per_octave: float = 0.0
) -> NDArray[np.float64]:
    """Third-octave levels of a balanced modern master, in dB re the level at 1 kHz.

    A straight line in the middle, steeper above 4 kHz and falling off below 60 Hz: the long-term
    average of popular recordings (Pestana, Ma, Reiss, Barbosa, Black, "Spectral Characteristics
    of Popular Commercial Recordings 1950-2010", AES 135, 2013) in three segments.

    Args:
        centres_hz: band centres, shape (bands,).
        tilt_db_per_octave: added to the slope everywhere.
    """
    octaves = np.log2(centres_hz / 1000.0)
    treble = np.maximum(0.0, np.log2(centres_hz / TREBLE_HZ))
    bass = np.maximum(0.0, np.log2(BASS_HZ / centres_hz))
    return np.asarray(
        (SLOPE_DB_PER_OCTAVE + tilt_db_per_octave) * octaves
        + (TREBLE_SLOPE_DB_PER_OCTAVE - SLOPE_DB_PER_OCTAVE) * treble
        - (BASS_SLOPE_DB_PER_OCTAVE - SLOPE_DB_PER_OCTAVE) * bass
    )
