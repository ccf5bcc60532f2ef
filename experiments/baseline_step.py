"""One step of the straightforward pipeline: mix stems and read them, as a person would write it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pyloudnorm
from numpy.typing import NDArray
from pedalboard import (
    Compressor,
    Delay,
    Gain,
    HighpassFilter,
    HighShelfFilter,
    LowShelfFilter,
    PeakFilter,
    Pedalboard,
    Reverb,
)
from scipy.signal import ShortTimeFFT
from scipy.signal.windows import hann

STEM_LUFS = -23.0
FFT_FRAMES, FFT_HOP = 2048, 512  # librosa's defaults


def mix_and_read(
    stems: Sequence[NDArray[np.float32]],
    loudness_lufs: Sequence[float],
    strips: Sequence[Mapping[str, float]],
    buses: Mapping[str, float],
    rate: int,
) -> tuple[float, NDArray[np.float64]]:
    """Every stem through pedalboard plug-ins, summed with sends; its loudness and mean spectrum.

    Args:
        stems: shape (2, frames) each.
        loudness_lufs: of the stems.
        strips: values of the strip's table by name, per stem.
        buses: values of the bus table by name.
        rate: in Hz.

    Returns:
        Integrated loudness, and the mean power spectrum in dB.
    """
    total = np.zeros_like(stems[0])
    reverb, delay = np.zeros_like(total), np.zeros_like(total)
    for audio, lufs, strip in zip(stems, loudness_lufs, strips, strict=True):
        board = Pedalboard(
            [
                HighpassFilter(strip["high_pass_hz"]),
                LowShelfFilter(strip["low_shelf_hz"], strip["low_shelf_db"]),
                PeakFilter(strip["bell_1_hz"], strip["bell_1_db"], strip["bell_1_q"]),
                PeakFilter(strip["bell_2_hz"], strip["bell_2_db"], strip["bell_2_q"]),
                HighShelfFilter(strip["high_shelf_hz"], strip["high_shelf_db"]),
                Compressor(
                    lufs + strip["compressor_threshold_db"],
                    strip["compressor_ratio"],
                    strip["compressor_attack_ms"],
                    strip["compressor_release_ms"],
                ),
                Gain(STEM_LUFS - lufs + strip["fader_db"]),
            ]
        )
        out = board(audio, rate)
        angle = math.pi / 4 * (1 + strip["pan"])
        out *= np.float32(math.sqrt(2)) * np.array(
            [[math.cos(angle)], [math.sin(angle)]], dtype=np.float32
        )
        total += out
        reverb += out * np.float32(10 ** (strip["reverb_send_db"] / 20))
        delay += out * np.float32(10 ** (strip["delay_send_db"] / 20))
    room = Reverb(buses["reverb_size"], buses["reverb_damping"], wet_level=1, dry_level=0)
    echo = Delay(buses["delay_time_ms"] / 1000, buses["delay_feedback"], mix=1)
    total += Pedalboard([room])(reverb, rate) + Pedalboard([echo])(delay, rate)
    loudness = pyloudnorm.Meter(rate).integrated_loudness(total.T)
    return loudness, _spectrum_db(total.mean(axis=0), rate)


def _spectrum_db(audio: NDArray[np.float32], rate: int) -> NDArray[np.float64]:
    """Mean power spectrum by librosa, or by SciPy with the same windows where it is missing."""
    try:
        import librosa
    except ImportError:
        transform = ShortTimeFFT(hann(FFT_FRAMES, sym=False), FFT_HOP, rate)
        power = transform.spectrogram(audio)
    else:
        power = np.abs(librosa.stft(audio, n_fft=FFT_FRAMES, hop_length=FFT_HOP)) ** 2
    return np.asarray(10 * np.log10(power.mean(axis=1) + 1e-12), dtype=np.float64)
