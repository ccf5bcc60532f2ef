"""Where each value stands in the vector of targets that the audio path glides towards.

One float64 vector holds a strip's values stem after stem, then those of the buses and of the
master. What cannot glide stands at its end: the number of the stem that drives each strip's
compressor (-1 for its own), then the two delays in frames.
"""

from __future__ import annotations

BAND = 5  # g, k, m0, m1, m2 of a state-variable filter
BANDS = 4
DYNAMICS = 6  # threshold in dB, slope, knee in dB, attack and release per hop, make-up in dB
CUT = 2  # g of a pair of one-pole filters, and the share of it that is taken off

# Of a strip.
HIGH_PASS = 0
EQ = HIGH_PASS + CUT
COMPRESSOR = EQ + BANDS * BAND
DETECTOR_CUT = COMPRESSOR + DYNAMICS
KEY_GAIN = DETECTOR_CUT + CUT
MATRIX = KEY_GAIN + 1  # left and right of what comes from left, then from right
SENDS = MATRIX + 4  # reverb, delay
STRIP_VALUES = SENDS + 2

# Of the buses.
REVERB_CUT = 0
ROOM = REVERB_CUT + CUT  # feedback and damping of the combs
WET = ROOM + 2  # of the reverb's own side and of the other one, return included
DELAY_CUT = WET + 2
DELAY_LOW_PASS = DELAY_CUT + CUT  # g
DELAY_FEEDBACK = DELAY_LOW_PASS + 1
DELAY_RETURN = DELAY_FEEDBACK + 1
BUS_VALUES = DELAY_RETURN + 1

# Of the master.
INPUT_GAIN = 0
BUS_COMPRESSOR = INPUT_GAIN + 1
MASTER_EQ = BUS_COMPRESSOR + DYNAMICS
MULTIBAND = MASTER_EQ + BANDS * BAND  # share; a1 and a2 of the lower and of the upper crossover
MULTIBAND_COMPRESSORS = MULTIBAND + 5
SATURATION = MULTIBAND_COMPRESSORS + 3 * DYNAMICS  # gain into the curve, share
SIDE_CUT = SATURATION + 2
WIDTH = SIDE_CUT + CUT
DRIVE = WIDTH + 1
LIMITER = DRIVE + 1  # ceiling in dBTP, release per slot
MASTER_VALUES = LIMITER + 2


def gliding_values(stems: int) -> int:
    """How many values glide, at the head of the vector."""
    return stems * STRIP_VALUES + BUS_VALUES + MASTER_VALUES


def vector_length(stems: int) -> int:
    """Length of the vector for so many stems."""
    return gliding_values(stems) + stems + 2
