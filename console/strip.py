"""One stem's strip: high-pass, equaliser, compressor, insert, fader, width and pan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._kernels import spread
from .compressor import Compressor, CompressorSettings, make_up_db
from .filters import equaliser, high_pass
from .pan import pan_matrix
from .parameters import NOMINAL_LUFS, STRIP


def compressor_settings(
    settings: Mapping[str, float], prefix: str, reference_lufs: float
) -> CompressorSettings:
    """Settings of one compressor from the table's values; its threshold from a loudness."""
    return CompressorSettings(
        threshold_db=reference_lufs + settings[f"{prefix}threshold_db"],
        ratio=settings[f"{prefix}ratio"],
        knee_db=settings.get(f"{prefix}knee_db", 6.0),
        attack_ms=settings[f"{prefix}attack_ms"],
        release_ms=settings[f"{prefix}release_ms"],
    )


class Strip:
    """Processes one stem's stream to its place in the mix.

    Args:
        settings: values of the strip's table by name.
        loudness_lufs: the raw stem's integrated loudness; finite.
        channels: of the stem.
        sample_rate: in Hz.
        insert: a plug-in of pedalboard's behind the compressor, if any.
    """

    def __init__(
        self,
        settings: Mapping[str, float],
        loudness_lufs: float,
        channels: int,
        sample_rate: int,
        insert: Any = None,
    ) -> None:
        import pedalboard

        self._sample_rate, self._insert = sample_rate, insert
        filters = []
        if settings["high_pass_on"] and settings["high_pass_hz"] > STRIP["high_pass_hz"].low:
            filters += high_pass(settings["high_pass_hz"], sample_rate)
        if settings["eq_on"]:
            filters += equaliser(settings, sample_rate)
        self._filters = pedalboard.Pedalboard(filters) if filters else None
        self._compressor: Compressor | None = None
        self._detector_filter: pedalboard.Pedalboard | None = None
        if settings["compressor_on"] and settings["compressor_ratio"] > 1:
            dynamics = compressor_settings(settings, "compressor_", loudness_lufs)
            make_up = make_up_db(loudness_lufs, dynamics)
            self._compressor = Compressor(dynamics, sample_rate, make_up)
            if settings["side_chain_high_pass_hz"] > STRIP["side_chain_high_pass_hz"].low:
                low_cut = high_pass(settings["side_chain_high_pass_hz"], sample_rate)
                self._detector_filter = pedalboard.Pedalboard(low_cut)
        gain_db = NOMINAL_LUFS - loudness_lufs + settings["fader_db"]
        gain = 10 ** (gain_db / 20)
        self._matrix = pan_matrix(settings["pan"], settings["width"], channels, gain)

    def process(
        self, audio: NDArray[np.float32], side_chain: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """One block through the strip.

        Args:
            audio: shape (channels, frames), frames a multiple of the control hop; may be
                overwritten.
            side_chain: what drives the compressor instead of the stem itself, at the stem's own
                loudness, shape (any, frames).

        Returns:
            Stereo, shape (2, frames).
        """
        if self._filters is not None:
            audio = self._filters.process(audio, self._sample_rate, reset=False)
        if self._compressor is not None:
            if side_chain is None and self._detector_filter is not None:
                side_chain = audio
            if side_chain is not None and self._detector_filter is not None:
                side_chain = self._detector_filter.process(
                    side_chain, self._sample_rate, reset=False
                )
            self._compressor.process(audio, side_chain)
        if self._insert is not None:
            audio = self._inserted(audio)
        out = np.empty((2, audio.shape[1]), dtype=np.float32)
        spread(audio, self._matrix, out)
        return out

    def _inserted(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        """Through the insert; one that looks ahead holds samples back, and so delays its stem."""
        heard = self._insert.process(audio, self._sample_rate, reset=False)
        out = np.zeros_like(audio)
        out[:, audio.shape[1] - heard.shape[1] :] = heard
        return out
