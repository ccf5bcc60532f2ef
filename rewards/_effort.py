"""Costs of settings, in Numba; what they mean is in `effort`."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import math

import numpy as np
from numba import njit

from ..compiled import kernel
from ..console.parameters import MASTER, SEND_OFF_DB, STRIP

EQ_LIMIT_DB = 6.0
COMPRESSION_LIMIT_DB = 20.0
ABOVE_DB = 6.0  # a stem's or mix's loudness, where compression is read
HIGH_PASS_HZ = (STRIP["high_pass_hz"].low, STRIP["high_pass_hz"].high)
SATURATION_LIMIT_DB = MASTER["saturation_drive_db"].high


def _places(table, *names):
    return np.array([table.index(name) for name in names])


def _compressor(table, name):
    return _places(table, f"{name}_threshold_db", f"{name}_ratio")


GAINS = ("low_shelf_db", "bell_1_db", "bell_2_db", "high_shelf_db")
S_GAINS = _places(STRIP, *GAINS)
S_COMPRESSOR = _compressor(STRIP, "compressor")
S_SENDS = _places(STRIP, "reverb_send_db", "delay_send_db")
S_HP_ON, S_HP_HZ, S_EQ_ON, S_COMPRESSOR_ON, S_WIDTH = _places(
    STRIP, "high_pass_on", "high_pass_hz", "eq_on", "compressor_on", "width"
).tolist()
M_GAINS = _places(MASTER, *(f"master_{name}" for name in GAINS))
M_COMPRESSOR = _compressor(MASTER, "bus_compressor")
M_BANDS = np.stack([_compressor(MASTER, name) for name in ("low", "mid", "high")])
M_COMPRESSOR_ON, M_EQ_ON, M_BANDS_ON, M_SATURATION_ON, M_DRIVE, M_MIX, M_IMAGE_ON, M_WIDTH = (
    _places(
        MASTER, "bus_compressor_on", "master_eq_on", "multiband_on", "saturation_on",
        "saturation_drive_db", "saturation_mix", "image_on", "master_width",
    ).tolist()
)  # fmt: skip


@kernel(error_model="numpy")
def efforts(strips, master, present, out):
    """Fill out (mixes,) from strips (mixes, stems, any), master (mixes, any), present."""
    costs = np.empty(4)
    for i in range(out.size):
        costs[:] = 0.0
        stems = 0
        for s in range(present.shape[1]):
            if present[i, s]:
                stems += 1
                _add_strip(strips[i, s], costs)
        for k in range(4):
            costs[k] /= max(1, stems)
        _add_master(master[i], costs)
        total = 0.0
        for k in range(4):
            total += costs[k] * costs[k]
        out[i] = min(1.0, math.sqrt(total / 4.0))


@njit(error_model="numpy", forceinline=True)
def _add_strip(values, costs):
    """Tone, dynamics, space and image of one strip."""
    if values[S_HP_ON] > 0.5:
        octaves = math.log(values[S_HP_HZ] / HIGH_PASS_HZ[0])
        share = octaves / math.log(HIGH_PASS_HZ[1] / HIGH_PASS_HZ[0])
        costs[0] += share * share
    if values[S_EQ_ON] > 0.5:
        costs[0] += _overall_db(values, S_GAINS) / EQ_LIMIT_DB
    if values[S_COMPRESSOR_ON] > 0.5:
        costs[1] += _compression(values, S_COMPRESSOR)
    for k in S_SENDS:
        if values[k] > SEND_OFF_DB:
            costs[2] += 10.0 ** (values[k] / 20.0)
    costs[3] += abs(values[S_WIDTH] - 1.0)


@njit(error_model="numpy", forceinline=True)
def _add_master(values, costs):
    """The same of the master."""
    if values[M_EQ_ON] > 0.5:
        costs[0] += _overall_db(values, M_GAINS) / EQ_LIMIT_DB
    if values[M_COMPRESSOR_ON] > 0.5:
        costs[1] += _compression(values, M_COMPRESSOR)
    if values[M_BANDS_ON] > 0.5:
        for band in range(M_BANDS.shape[0]):
            costs[1] += _compression(values, M_BANDS[band]) / M_BANDS.shape[0]
    if values[M_SATURATION_ON] > 0.5:
        costs[1] += values[M_MIX] * values[M_DRIVE] / SATURATION_LIMIT_DB
    if values[M_IMAGE_ON] > 0.5:
        costs[3] += abs(values[M_WIDTH] - 1.0)


@njit(error_model="numpy", forceinline=True)
def _compression(values, places):
    above_db = ABOVE_DB - values[places[0]]
    return above_db * (1.0 - 1.0 / values[places[1]]) / COMPRESSION_LIMIT_DB


@njit(error_model="numpy", forceinline=True)
def _overall_db(values, places):
    """Fourth-power mean: one band far up counts nearly as much as all of them."""
    total = 0.0
    for k in places:
        total += values[k] ** 4
    return (total / places.size) ** 0.25
