"""How much a mix does, whatever it sounds like."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ._effort import efforts


def effort(
    strips: NDArray[np.float64],
    master: NDArray[np.float64],
    present: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """What tone, dynamics, space and image were changed by, each over what would be very much.

    Tone: fourth-power mean of the equaliser's gains, and the square of the high-pass's way up in
    octaves. Dynamics: decibels that a compressor takes off what stands 6 dB above its stem's
    loudness. Space: amplitudes of the sends. Image: the change of width. Processors that are off,
    levels, panning and delivery are free. The root mean square of the four, stems (their mean)
    and master adding up.

    Args:
        strips: physical values, shape (mixes, stems, len(STRIP)).
        master: (mixes, len(MASTER)).
        present: stems that sound, (mixes, stems).

    Returns:
        Shape (mixes,), in [0, 1].
    """
    out = np.empty(len(strips))
    efforts(np.ascontiguousarray(strips), np.ascontiguousarray(master), present, out)
    return out
