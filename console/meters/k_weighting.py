"""K-weighting at any sample rate: the two filters of ITU-R BS.1770-5 annex 1."""

import math

import numpy as np
from numpy.typing import NDArray

# The standard tabulates both filters at 48 kHz only. These are the analogue prototypes whose
# bilinear transforms at 48 kHz give that table back (B. De Man, "Evaluation of implementations of
# the EBU R128 loudness measurement", AES 145, 2018).
_SHELF_HZ = 1681.974450955533
_SHELF_GAIN_DB = 3.999843853973347
_SHELF_Q = 0.7071752369554196
_SHELF_BAND_EXPONENT = 0.4996667741545416
_HIGHPASS_HZ = 38.13547087602444
_HIGHPASS_Q = 0.5003270373238773
_TABLE_RATE_HZ = 48_000


def _highpass_denominator(sample_rate: int) -> tuple[float, float, float]:
    k = math.tan(math.pi * _HIGHPASS_HZ / sample_rate)
    return 1.0 + k / _HIGHPASS_Q + k * k, 2.0 * (k * k - 1.0), 1.0 - k / _HIGHPASS_Q + k * k


def k_weighting(sample_rate: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The high shelf and the high-pass, each as float64 `(5,)`: b0 b1 b2 a1 a2, a0 = 1.

    sample_rate: Hz.

    The table's high-pass has the numerator 1 -2 1, a pass-band gain of +0.043 dB at 48 kHz that
    the constant -0.691 of the loudness formula counts on. That gain is kept at every rate, so a
    programme reads the same at any rate. The bilinear transform squeezes the shelf at low rates:
    within 0.01 dB of 48 kHz below 3 kHz from 44.1 kHz up, 0.03 dB at 22.05 kHz, 0.2 dB at 8 kHz.
    """
    k = math.tan(math.pi * _SHELF_HZ / sample_rate)
    high = 10.0 ** (_SHELF_GAIN_DB / 20.0)
    band = high**_SHELF_BAND_EXPONENT
    a0 = 1.0 + k / _SHELF_Q + k * k
    shelf = [
        (high + band * k / _SHELF_Q + k * k) / a0,
        2.0 * (k * k - high) / a0,
        (high - band * k / _SHELF_Q + k * k) / a0,
        2.0 * (k * k - 1.0) / a0,
        (1.0 - k / _SHELF_Q + k * k) / a0,
    ]
    a0, a1, a2 = _highpass_denominator(sample_rate)
    gain = _highpass_denominator(_TABLE_RATE_HZ)[0] / a0
    return np.array(shelf), np.array([gain, -2.0 * gain, gain, a1 / a0, a2 / a0])


def k_response(band_hz: NDArray[np.float64], sample_rate: int) -> NDArray[np.float32]:
    """The weighting as squared magnitude at some frequencies, (bands,)."""
    z = np.exp(-2j * np.pi * band_hz / sample_rate)
    gain = np.ones(len(band_hz))
    for b0, b1, b2, a1, a2 in k_weighting(sample_rate):
        gain *= np.abs((b0 + b1 * z + b2 * z * z) / (1 + a1 * z + a2 * z * z)) ** 2
    return gain.astype(np.float32)
