"""How much of a stem the others cover."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..compiled import kernel

RISING_DB_PER_BARK, FALLING_DB_PER_BARK = 10.0, 25.0


def masked_share(
    stem_powers: NDArray[np.float32], spread: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Share of each stem's power that stands below the rest of the mix, band by band.

    In a third octave, close to the ear's equivalent rectangular band above 300 Hz (Glasberg and
    Moore 1990), a stem of power p against a rest of power r counts r / (p + r) as covered; bands
    weigh by the stem's power in them. A plain energy balance, which listeners preferred to
    models of partial masking when setting levels (Wichern et al. 2015).

    Args:
        stem_powers: mean squares, shape (..., stems, bands).
        spread: how much of a band's power reaches its neighbours, (2, bands): see `spreading`. None
            where each band covers only itself.

    Returns:
        Shape (..., stems), from 0, alone in all its bands, to 1, buried. 0 for silence. Silent
        stems change nothing for the others, not even a rounding.
    """
    stems, bands = stem_powers.shape[-2:]
    powers = np.ascontiguousarray(stem_powers, dtype=np.float32).reshape(-1, stems, bands)
    spread = np.zeros((2, bands), dtype=np.float32) if spread is None else spread
    shares = np.empty((len(powers), stems), dtype=np.float32)
    _masked_shares(powers, spread, shares)
    return shares.reshape(stem_powers.shape[:-1])


@lru_cache(maxsize=8)
def spreading(centres_hz: tuple[float, ...]) -> NDArray[np.float32]:
    """How much of the power of each third octave reaches the next ones in the cochlea.

    Excitation falls by 10 dB per Bark towards higher frequencies and by 25 dB per Bark towards
    lower ones, the slopes of Schroeder, Atal and Hall (JASA 66, 1979, eq. 1) away from the peak.
    Bark: Traunmueller, JASA 88 (1990).

    Args:
        centres_hz: of the bands.

    Returns:
        Shape (2, bands): what band b takes over from b - 1, and from b + 1; 0 at the ends.
    """
    hz = np.array(centres_hz)
    steps = np.diff(26.81 * hz / (1960 + hz))
    up = np.concatenate(([0.0], 10 ** (-RISING_DB_PER_BARK * steps / 10)))
    down = np.concatenate((10 ** (-FALLING_DB_PER_BARK * steps / 10), [0.0]))
    return np.array([up, down], dtype=np.float32)


@kernel(error_model="numpy")
def _masked_shares(
    powers: NDArray[np.float32], spread: NDArray[np.float32], shares: NDArray[np.float32]
) -> None:
    """Shares (mixes, stems) of powers (mixes, stems, bands)."""
    mixes, stems, bands = powers.shape
    reach = np.empty((stems, bands), dtype=np.float32)
    total = np.empty(bands, dtype=np.float32)
    for mix in range(mixes):
        total[:] = 0
        for stem in range(stems):
            _spread_out(powers[mix, stem], spread, reach[stem])
            _add(reach[stem], total)
        for stem in range(stems):
            shares[mix, stem] = _covered(powers[mix, stem], total, reach[stem])


@njit(error_model="numpy", forceinline=True)
def _spread_out(
    power: NDArray[np.float32], spread: NDArray[np.float32], reach: NDArray[np.float32]
) -> None:
    bands = len(power)
    carried = np.float32(0)
    for band in range(bands):
        carried = carried * spread[0, band] + power[band]
        reach[band] = carried
    carried = np.float32(0)
    for band in range(bands - 1, -1, -1):
        carried *= spread[1, band]
        reach[band] += carried
        carried += power[band]


@njit(error_model="numpy", forceinline=True)
def _add(values: NDArray[np.float32], total: NDArray[np.float32]) -> None:
    for band in range(len(total)):
        total[band] += values[band]


@njit(error_model="numpy", forceinline=True)
def _covered(
    power: NDArray[np.float32], total: NDArray[np.float32], reach: NDArray[np.float32]
) -> np.float32:
    own, covered, least = np.float32(0), np.float32(0), np.float32(1e-30)
    for band in range(len(power)):
        rest = max(np.float32(0), total[band] - reach[band])
        own += power[band]
        covered += power[band] * (rest / (power[band] + rest + least))
    return covered / own if own > 0 else np.float32(0)
