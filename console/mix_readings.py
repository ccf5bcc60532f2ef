"""What the mixes of a song read: the one form in which `simulate` and `hear` give it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class MixReadings:
    """Readings of a batch of mixes; of the mix bus where nothing was mastered.

    Attributes:
        integrated_lufs, loudness_range_lu, true_peak_dbtp, mono_fold_loss_db: shape (mixes,).
        bus_lufs, bus_peak_dbtp: loudness and peak of the mix bus, before mastering, (mixes,).
        drive_db, mean_reduction_db: gain ahead of the limiter, what it takes off, (mixes,).
        short_term_lufs: (mixes, windows), window k ends at 3 s + k 100 ms; one window if shorter.
        stem_lufs: each stem's loudness in the mix, (mixes, stems).
        stem_powers: mean square of each stem in the mix, per third octave, both channels,
            (mixes, stems, bands).
        powers: mean square over time, averaged over channels, (mixes, seconds, bands).
        width, correlation: per third octave, (mixes, bands); 0.5 and 0 where nothing sounds.
        balance: of the sides per third octave, (right - left) / (right + left) in power,
            (mixes, bands).
        seconds: how many frames of 100 ms each of `powers` holds, (seconds,).
    """

    integrated_lufs: NDArray[np.float32]
    bus_lufs: NDArray[np.float32]
    bus_peak_dbtp: NDArray[np.float32]
    loudness_range_lu: NDArray[np.float32]
    true_peak_dbtp: NDArray[np.float32]
    mono_fold_loss_db: NDArray[np.float32]
    drive_db: NDArray[np.float32]
    mean_reduction_db: NDArray[np.float32]
    short_term_lufs: NDArray[np.float32]
    stem_lufs: NDArray[np.float32]
    stem_powers: NDArray[np.float32]
    powers: NDArray[np.float32]
    width: NDArray[np.float32]
    correlation: NDArray[np.float32]
    balance: NDArray[np.float32]
    seconds: NDArray[np.float32]

    @property
    def plr_db(self) -> NDArray[np.float32]:
        """Peak to loudness ratio, (mixes,)."""
        return self.true_peak_dbtp - self.integrated_lufs

    @property
    def bus_plr_db(self) -> NDArray[np.float32]:
        """Peak to loudness ratio of the mix bus, before mastering, (mixes,)."""
        return self.bus_peak_dbtp - self.bus_lufs

    @property
    def max_short_term_lufs(self) -> NDArray[np.float32]:
        """The loudest 3 s, (mixes,)."""
        return np.asarray(self.short_term_lufs.max(axis=1))

    @property
    def spectrum(self) -> NDArray[np.float32]:
        """Mean square per third octave over the whole length, (mixes, bands)."""
        shares = self.seconds / self.seconds.sum()
        return np.asarray(np.einsum("s,msb->mb", shares, self.powers))

    @property
    def spectrum_db(self) -> NDArray[np.float32]:
        """Level per third octave over the whole length, (mixes, bands)."""
        return np.asarray(10 * np.log10(self.spectrum + np.float32(1e-15)), dtype=np.float32)

    @property
    def masked(self) -> NDArray[np.float32]:
        """How much of each stem the others cover, (mixes, stems): see `masking.masked_share`."""
        from .masking import masked_share

        return masked_share(self.stem_powers)


def join_readings(parts: Sequence[MixReadings], stems: int | None = None) -> MixReadings:
    """One batch of several, in their order.

    Args:
        parts: at least one; of songs of one length and rate.
        stems: how many stems each mix shall have: those that a song lacks are silent. None where
            all have the same number.
    """
    joined = {}
    for field in fields(MixReadings):
        arrays = [getattr(part, field.name) for part in parts]
        if field.name == "seconds":
            joined[field.name] = arrays[0]
            continue
        if stems is not None and field.name in ("stem_lufs", "stem_powers"):
            nothing = -np.inf if field.name == "stem_lufs" else 0.0
            arrays = [_padded(array, stems, nothing) for array in arrays]
        joined[field.name] = np.concatenate(arrays)
    return MixReadings(**joined)


def _padded(array: NDArray[np.float32], stems: int, nothing: float) -> NDArray[np.float32]:
    widths = [(0, 0)] * array.ndim
    widths[1] = (0, stems - array.shape[1])
    return np.pad(array, widths, constant_values=nothing)
