"""Ways to spoil a mix, each in two sizes: what a reward must notice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..console.mix import Mix
from ..console.parameters import MASTER, STRIP
from ..console.table import ParameterTable

Spoil = Callable[[Mix, float, np.random.Generator], Mix]

STRONG, MILD = 1.0, 0.5
SIZES = {"strong": STRONG, "mild": MILD}
LEVEL_DB = 6.0
STRIP_EQ_DB, MASTER_EQ_DB = 9.0, 6.0
EQ_GAINS = ("low_shelf_db", "bell_1_db", "bell_2_db", "high_shelf_db")


def levels(mix: Mix, size: float, rng: np.random.Generator) -> Mix:
    """Half of the stems, drawn by chance, up or down by 6 dB."""
    stems = len(mix.stems)
    chosen = rng.permutation(stems)[: max(1, stems // 2)]
    moves = np.zeros(stems)
    moves[chosen] = rng.choice((-1.0, 1.0), len(chosen)) * LEVEL_DB * size
    return _strips(mix, fader_db=mix.strips[:, STRIP.index("fader_db")] + moves)


def strip_eq(mix: Mix, size: float, rng: np.random.Generator) -> Mix:
    """Every band of every stem's equaliser up or down by 9 dB, by chance."""
    gains = rng.choice((-1.0, 1.0), (len(EQ_GAINS), len(mix.stems))) * STRIP_EQ_DB * size
    return _strips(mix, eq_on=1.0, **dict(zip(EQ_GAINS, gains, strict=True)))


def master_eq(mix: Mix, size: float, rng: np.random.Generator) -> Mix:
    """Every band of the master's equaliser up or down by 6 dB, by chance."""
    signs = rng.choice((-1.0, 1.0), len(EQ_GAINS))
    gains = {
        f"master_{name}": sign * MASTER_EQ_DB * size
        for name, sign in zip(EQ_GAINS, signs, strict=True)
    }
    return _master(mix, master_eq_on=1.0, **gains)


def crushed_stems(mix: Mix, size: float, rng: np.random.Generator) -> Mix:
    """Every stem's compressor with a low threshold, a high ratio and a short attack."""
    del rng
    return _strips(
        mix,
        compressor_on=1.0,
        compressor_threshold_db=-20.0 * size,
        compressor_ratio=1.0 + 5.0 * size,
        compressor_attack_ms=1.0,
        compressor_release_ms=50.0,
    )


def crushed_master(mix: Mix, size: float, rng: np.random.Generator) -> Mix:
    """The same of the mix-bus compressor and the three bands."""
    del rng
    bands = {
        f"{band}_{name}": value
        for band in ("low", "mid", "high")
        for name, value in (("threshold_db", -30.0 * size), ("ratio", 1.0 + 3.0 * size))
    }
    return _master(
        mix,
        bus_compressor_on=1.0,
        bus_compressor_threshold_db=-20.0 * size,
        bus_compressor_ratio=1.0 + 3.0 * size,
        bus_compressor_attack_ms=1.0,
        multiband_on=1.0,
        **bands,
    )


def crushed_peaks(mix: Mix, size: float, rng: np.random.Generator) -> Mix:
    """A limiter whose ceiling is 8 dB too low for the loudness."""
    del rng
    ceiling = mix.master[MASTER.index("ceiling_dbtp")]
    return _master(mix, limiter_on=1.0, ceiling_dbtp=ceiling - 8.0 * size)


def narrow(mix: Mix, size: float, rng: np.random.Generator) -> Mix:
    """Every stem, and the master, towards mono."""
    del rng
    keep = 1.0 - size
    pans, widths = (mix.strips[:, STRIP.index(name)] for name in ("pan", "width"))
    return _master(
        _strips(mix, pan=pans * keep, width=widths * keep), image_on=1.0, master_width=keep
    )


def lopsided(mix: Mix, size: float, rng: np.random.Generator) -> Mix:
    """Every stem towards one side, drawn by chance."""
    side = rng.choice((-1.0, 1.0))
    return _strips(mix, pan=mix.strips[:, STRIP.index("pan")] + side * 0.6 * size)


SPOILS: dict[str, Spoil] = {
    spoil.__name__: spoil
    for spoil in (
        levels,
        strip_eq,
        master_eq,
        crushed_stems,
        crushed_master,
        crushed_peaks,
        narrow,
        lopsided,
    )
}


def _strips(mix: Mix, **values: NDArray[np.float64] | float) -> Mix:
    return replace(mix, strips=_with(STRIP, mix.strips, values))


def _master(mix: Mix, **values: float) -> Mix:
    return replace(mix, master=_with(MASTER, mix.master, values))


def _with(
    table: ParameterTable,
    array: NDArray[np.float64],
    values: Mapping[str, NDArray[np.float64] | float],
) -> NDArray[np.float64]:
    """The array with some columns replaced, held within their ranges."""
    result = array.copy()
    for name, value in values.items():
        parameter = table[name]
        result[..., table.index(name)] = np.clip(value, parameter.low, parameter.high)
    return result
