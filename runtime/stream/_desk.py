"""What the audio path works on, and how it gets there without an allocation.

Numba makes a record on the heap for every array that a kernel is given. The audio path is given
addresses instead, of a table that says where each array of the desk lies, and makes views of them.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import carray, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from ._filters import inner

_F32 = NDArray[np.float32]
_F64 = NDArray[np.float64]
_I64 = NDArray[np.int64]
TABLE_COLUMNS = 4  # address and at most three dimensions


class Desk(NamedTuple):
    """All that the audio path reads and writes; hop is the console's control hop.

    Attributes:
        values, before: (gliding values,) at either end of the hop.
        glide: (1,) share of the distance to its target that a value goes in a hop.
        detector: (1,) what a hop leaves of a compressor's mean square.
        strips: (stems, STRIP_STATES). buses: (BUS_STATES,). master: (MASTER_STATES,): states.
        stem, key, total, reverb, delay, sides: (2, hop) scratch. parts: (3, 2, hop) scratch.
        pre_line, delay_line: (2, power of two), pre_at, delay_at: (1,), pre_tap, delay_tap: (3,):
            delay lines, see `_space.echo`.
        combs, comb_starts, comb_positions, comb_lasts: the reverb's, see `_space.freeverb`.
        dry_line, curved, half_taps: the saturation's, see `_master`.
        out_line, peak_taps, points, envelope, need, held, limiter, gain, border, waits: the
            limiter's, see `_limiter.limit`.
        history: (rows, ring): rows 2 i and 2 i + 1 are stem i as it came in, then two rows of the
            mix bus and two of the master before its drive. heard: (1,) frames written so far.
    """

    values: _F64
    before: _F64
    glide: _F64
    detector: _F64
    strips: _F64
    buses: _F64
    master: _F64
    stem: _F64
    key: _F64
    total: _F64
    reverb: _F64
    delay: _F64
    sides: _F64
    parts: _F64
    pre_line: _F32
    pre_at: _I64
    pre_tap: _I64
    delay_line: _F32
    delay_at: _I64
    delay_tap: _I64
    combs: _F32
    comb_starts: _I64
    comb_positions: _I64
    comb_lasts: _F64
    dry_line: _F64
    curved: _F64
    half_taps: _F64
    out_line: _F32
    peak_taps: _F32
    points: _F32
    envelope: _F32
    need: _F64
    held: _F64
    limiter: _F64
    gain: _F64
    border: _I64
    waits: _I64
    history: _F32
    heard: _I64


def desk_table(desk: Desk) -> _I64:
    """Where the arrays of a desk lie, (arrays, TABLE_COLUMNS); they must outlive it."""
    table = np.zeros((len(desk), TABLE_COLUMNS), dtype=np.int64)
    arrays: tuple[NDArray[Any], ...] = desk
    for row, array in zip(table, arrays, strict=True):
        assert array.flags.c_contiguous
        row[0] = array.ctypes.data
        row[1 : 1 + array.ndim] = array.shape
    return table


@intrinsic
def _pointer(typing_context: Any, address: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(types.voidptr))

    return types.voidptr(types.int64), generate


@inner
def _f32_1(row):
    return carray(_pointer(row[0]), (row[1],), np.float32)


@inner
def _f32_2(row):
    return carray(_pointer(row[0]), (row[1], row[2]), np.float32)


@inner
def _f64_1(row):
    return carray(_pointer(row[0]), (row[1],), np.float64)


@inner
def _f64_2(row):
    return carray(_pointer(row[0]), (row[1], row[2]), np.float64)


@inner
def _f64_3(row):
    return carray(_pointer(row[0]), (row[1], row[2], row[3]), np.float64)


@inner
def _i64_1(row):
    return carray(_pointer(row[0]), (row[1],), np.int64)


@inner
def _i64_2(row):
    return carray(_pointer(row[0]), (row[1], row[2]), np.int64)


@inner
def inputs_at(address, stems, frames):
    """The stems' block, (stems, 2, frames)."""
    return carray(_pointer(address), (stems, 2, frames), np.float32)


@inner
def out_at(address, frames):
    """The master's block, (2, frames)."""
    return carray(_pointer(address), (2, frames), np.float32)


@inner
def targets_at(address, length):
    """The vector of targets, (length,)."""
    return carray(_pointer(address), (length,), np.float64)


@inner
def desk_at(address):
    """The desk whose table is there."""
    table = carray(_pointer(address), (39, TABLE_COLUMNS), np.int64)
    return Desk(
        _f64_1(table[0]),  # values
        _f64_1(table[1]),  # before
        _f64_1(table[2]),  # glide
        _f64_1(table[3]),  # detector
        _f64_2(table[4]),  # strips
        _f64_1(table[5]),  # buses
        _f64_1(table[6]),  # master
        _f64_2(table[7]),  # stem
        _f64_2(table[8]),  # key
        _f64_2(table[9]),  # total
        _f64_2(table[10]),  # reverb
        _f64_2(table[11]),  # delay
        _f64_2(table[12]),  # sides
        _f64_3(table[13]),  # parts
        _f32_2(table[14]),  # pre_line
        _i64_1(table[15]),  # pre_at
        _i64_1(table[16]),  # pre_tap
        _f32_2(table[17]),  # delay_line
        _i64_1(table[18]),  # delay_at
        _i64_1(table[19]),  # delay_tap
        _f32_1(table[20]),  # combs
        _i64_2(table[21]),  # comb_starts
        _i64_2(table[22]),  # comb_positions
        _f64_2(table[23]),  # comb_lasts
        _f64_2(table[24]),  # dry_line
        _f64_2(table[25]),  # curved
        _f64_1(table[26]),  # half_taps
        _f32_2(table[27]),  # out_line
        _f32_2(table[28]),  # peak_taps
        _f32_1(table[29]),  # points
        _f32_1(table[30]),  # envelope
        _f64_1(table[31]),  # need
        _f64_1(table[32]),  # held
        _f64_1(table[33]),  # limiter
        _f64_1(table[34]),  # gain
        _i64_1(table[35]),  # border
        _i64_1(table[36]),  # waits
        _f32_2(table[37]),  # history
        _i64_1(table[38]),  # heard
    )
