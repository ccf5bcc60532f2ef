"""How much of a stem the others cover."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


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
        spread: what each stem covers others with, same shape; `stem_powers` if None.

    Returns:
        Shape (..., stems), from 0, alone in all its bands, to 1, buried. 0 for silence.
    """
    covering = stem_powers if spread is None else spread
    rest = np.maximum(0, covering.sum(axis=-2, keepdims=True) - covering)
    total = stem_powers + rest
    share = np.divide(rest, total, out=np.zeros_like(total), where=total > 0)
    own = stem_powers.sum(axis=-1)
    covered = (stem_powers * share).sum(axis=-1)
    return np.asarray(np.divide(covered, own, out=np.zeros_like(own), where=own > 0))


def spread_powers(
    powers: NDArray[np.float32], centres_hz: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Powers per third octave as they excite the cochlea: each band reaches into its neighbours.

    The spreading function of Schroeder, Atal and Hall (JASA 66, 1979, eq. 1) between bands on the
    Bark scale (Traunmueller 1990), so scaled that a band's own place keeps its power.

    Args:
        powers: shape (..., bands).
        centres_hz: of the bands, (bands,).
    """
    return np.asarray(powers @ _spreading(tuple(centres_hz.tolist())))


@lru_cache(maxsize=8)
def _spreading(centres_hz: tuple[float, ...]) -> NDArray[np.float32]:
    """Matrix (from, to)."""
    hz = np.array(centres_hz)
    bark = 26.81 * hz / (1960 + hz) - 0.53
    distance = bark[None, :] - bark[:, None] + 0.474
    level_db = 15.81 + 7.5 * distance - 17.5 * np.sqrt(1 + np.square(distance))
    gain = 10 ** (level_db / 10)
    return np.asarray(gain / np.diag(gain)[:, None], dtype=np.float32)
