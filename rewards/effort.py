"""How much a mix does, whatever it sounds like."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..console.parameters import MASTER, SEND_OFF_DB, STRIP
from ..console.table import ParameterTable

Values = NDArray[np.float64]
Get = Callable[[str], Values]

EQ_LIMIT_DB = 6.0
COMPRESSION_LIMIT_DB = 20.0
HIGH_PASS_OCTAVES = np.log2(400 / 20)
EQ_GAINS = ("low_shelf_db", "bell_1_db", "bell_2_db", "high_shelf_db")
BANDS = ("low", "mid", "high")


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
    sounding = np.where(present[:, :, None], strips, STRIP.defaults)
    per_stem = _strip_costs(sounding)
    stems = np.maximum(1, present.sum(axis=1))
    costs = np.cumsum(per_stem, axis=1)[:, -1] / stems[:, None] + _master_costs(master)
    return np.asarray(np.minimum(1.0, np.sqrt(np.square(costs).mean(axis=1))))


def _strip_costs(strips: NDArray[np.float64]) -> NDArray[np.float64]:
    """Costs of tone, dynamics, space and image, (mixes, stems, 4)."""
    get = _columns(STRIP, strips)
    octaves = np.log2(get("high_pass_hz") / 20) / HIGH_PASS_OCTAVES
    high_pass = get("high_pass_on") * np.square(octaves)
    gains = _overall_db([get(name) for name in EQ_GAINS]) / EQ_LIMIT_DB
    tone = high_pass + get("eq_on") * gains
    dynamics = _compression(get, "compressor") * get("compressor_on")
    space = _amplitude(get("reverb_send_db")) + _amplitude(get("delay_send_db"))
    return np.stack([tone, dynamics, space, np.abs(get("width") - 1)], axis=-1)


def _master_costs(master: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same of the master, (mixes, 4)."""
    get = _columns(MASTER, master)
    gains = _overall_db([get(f"master_{name}") for name in EQ_GAINS]) / EQ_LIMIT_DB
    bands = sum(_compression(get, band) for band in BANDS) / len(BANDS)
    dynamics = (
        _compression(get, "bus_compressor") * get("bus_compressor_on")
        + bands * get("multiband_on")
        + get("saturation_on") * get("saturation_mix") * get("saturation_drive_db") / 4
    )
    image = get("image_on") * np.abs(get("master_width") - 1)
    tone = get("master_eq_on") * gains
    return np.stack([tone, dynamics, np.zeros_like(tone), image], axis=-1)


def _columns(table: ParameterTable, values: NDArray[np.float64]) -> Get:
    return lambda name: values[..., table.index(name)]


def _compression(get: Get, name: str) -> Values:
    above_db = 6.0 - get(f"{name}_threshold_db")
    return np.asarray(above_db * (1 - 1 / get(f"{name}_ratio")) / COMPRESSION_LIMIT_DB)


def _overall_db(gains: list[Values]) -> Values:
    """Fourth-power mean: one band far up counts nearly as much as all of them."""
    return np.asarray((sum(np.square(np.square(gain)) for gain in gains) / len(gains)) ** 0.25)


def _amplitude(send_db: Values) -> Values:
    return np.where(send_db <= SEND_OFF_DB, 0.0, 10 ** (send_db / 20))
