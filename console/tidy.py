"""Tidy: a mix without what nobody hears, and with faders where a person would leave them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .mix import Mix
from .parameters import BUSES, MASTER, SEND_OFF_DB, STRIP

GAIN_DB = 0.1  # an equaliser band that does less is flat
RATIO = 1.02  # a compressor of less does nothing
CLOSED_DB = -42.0  # a send of which less returns is closed
PAN = 0.02
WIDTH = 0.02

BANDS = ("low_shelf_db", "bell_1_db", "bell_2_db", "high_shelf_db")
SENDS = {"reverb_send_db": "reverb_return_db", "delay_send_db": "delay_return_db"}
FADER = STRIP.index("fader_db")


def tidied(mix: Mix, sounding: Sequence[bool] | NDArray[np.bool_] | None = None) -> Mix:
    """The same mix to the ear.

    Bands, ratios, sends, pans and widths that do less than can be heard go to rest, and processors
    that do nothing are switched off, but for high-passes: even one at 20 Hz turns the phase of a
    bass. All faders move together until their mean is 0 dB, as far as their range allows: the mix
    bus is brought to a nominal loudness, so what leaves it stays the same.

    Args:
        mix: of a song.
        sounding: which stems count for the mean of faders, (stems,); all if None.
    """
    strips = mix.strips.copy()
    for name in BANDS:
        _rest(strips, name, np.abs(strips[:, STRIP.index(name)]) < GAIN_DB, 0.0)
    for name, back in SENDS.items():
        returned = strips[:, STRIP.index(name)] + mix.buses[BUSES.index(back)]
        _rest(strips, name, returned < CLOSED_DB, SEND_OFF_DB)
    _rest(strips, "pan", np.abs(strips[:, STRIP.index("pan")]) < PAN, 0.0)
    _rest(strips, "width", np.abs(strips[:, STRIP.index("width")] - 1.0) < WIDTH, 1.0)
    flat = (strips[:, [STRIP.index(name) for name in BANDS]] == 0.0).all(axis=1)
    _rest(strips, "eq_on", flat, 0.0)
    _rest(strips, "compressor_on", strips[:, STRIP.index("compressor_ratio")] < RATIO, 0.0)
    counted = np.ones(len(strips), dtype=bool) if sounding is None else np.asarray(sounding)
    if counted.any():
        faders = strips[:, FADER]
        low, high = STRIP["fader_db"].low, STRIP["fader_db"].high
        least, most = low - faders[counted].min(), high - faders[counted].max()
        strips[:, FADER] = np.clip(
            faders + np.clip(-faders[counted].mean(), min(least, 0.0), max(most, 0.0)), low, high
        )
    master = mix.master.copy()
    if master[MASTER.index("bus_compressor_ratio")] < RATIO:
        master[MASTER.index("bus_compressor_on")] = 0.0
    return replace(mix, strips=strips, master=master)


def _rest(strips: NDArray[np.float64], name: str, where: NDArray[np.bool_], value: float) -> None:
    strips[where, STRIP.index(name)] = value
