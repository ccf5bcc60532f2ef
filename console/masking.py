"""How much of a stem the others cover."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def masked_share(stem_powers: NDArray[np.float32]) -> NDArray[np.float32]:
    """Share of each stem's power that stands below the rest of the mix, band by band.

    In a third octave, close to the ear's equivalent rectangular band above 300 Hz (Glasberg and
    Moore 1990), a stem of power p against a rest of power r counts r / (p + r) as covered; bands
    weigh by the stem's power in them. A plain energy balance, which listeners preferred to
    models of partial masking when setting levels (Wichern et al. 2015).

    Args:
        stem_powers: mean squares, shape (..., stems, bands).

    Returns:
        Shape (..., stems), from 0, alone in all its bands, to 1, buried. 0 for silence.
    """
    total = stem_powers.sum(axis=-2, keepdims=True)
    rest = np.divide(
        total - stem_powers, total, out=np.zeros_like(stem_powers), where=total > 0
    ).clip(0.0, 1.0)
    own = stem_powers.sum(axis=-1)
    covered = (stem_powers * rest).sum(axis=-1)
    return np.asarray(np.divide(covered, own, out=np.zeros_like(own), where=own > 0))
