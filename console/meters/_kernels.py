"""The meters' inner loops.

`fastmath` allows fused multiply-add only: every frame sees the same operations in the same order
however the audio was cut into blocks, and NaN and infinity behave.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ...compiled import kernel

_F32 = NDArray[np.float32]
_F64 = NDArray[np.float64]
_C64 = NDArray[np.complex64]

_FLUSH = 1e-30  # filter state below this is silence; it would decay into slow subnormal numbers


@kernel(fastmath={"contract"})
def k_weighted_energies(
    left: _F32,
    right: _F32,
    shelf: _F64,
    highpass: _F64,
    state: _F64,
    partial: _F64,
    frame: int,
    sub_block: int,
    rate: int,
    out: _F64,
) -> int:
    """K-weight two channels and sum their energy over sub-blocks of 10 ms.

    Sub-block k holds the frames from round(k rate / 100) up to round((k + 1) rate / 100).

    left, right: float32 `(frames,)`; may be one and the same array.
    shelf, highpass: float64 `(5,)`, b0 b1 b2 a1 a2 with a0 = 1.
    state: float64 `(2, 4)`, two values for each filter of each channel, transposed direct form II.
    partial: float64 `(2,)`, the two energies of the sub-block that is not yet complete.
    frame, sub_block: index of the first frame given and of the sub-block that holds it.
    rate: frames per second.
    out: float64 `(n, 2)`, receives for each completed sub-block the sum of l^2 + r^2 and the sum
        of (l + r)^2 / 2, which is the energy when (l + r) / 2 feeds both channels.

    Returns the number of sub-blocks completed.
    """
    sb0, sb1, sb2, sa1, sa2 = shelf[0], shelf[1], shelf[2], shelf[3], shelf[4]
    hb0, hb1, hb2, ha1, ha2 = highpass[0], highpass[1], highpass[2], highpass[3], highpass[4]
    ls1, ls2, lh1, lh2 = state[0, 0], state[0, 1], state[0, 2], state[0, 3]
    rs1, rs2, rh1, rh2 = state[1, 0], state[1, 1], state[1, 2], state[1, 3]
    stereo, fold = partial[0], partial[1]
    first, frames, completed = 0, left.shape[0], 0
    while first < frames:
        end = (2 * (sub_block + 1) * rate + 100) // 200  # round half up, in integers
        last = min(frames, end - frame)
        for n in range(first, last):
            x = np.float64(left[n])
            y = sb0 * x + ls1
            ls1 = sb1 * x - sa1 * y + ls2
            ls2 = sb2 * x - sa2 * y
            l = hb0 * y + lh1  # noqa: E741
            lh1 = hb1 * y - ha1 * l + lh2
            lh2 = hb2 * y - ha2 * l
            x = np.float64(right[n])
            y = sb0 * x + rs1
            rs1 = sb1 * x - sa1 * y + rs2
            rs2 = sb2 * x - sa2 * y
            r = hb0 * y + rh1
            rh1 = hb1 * y - ha1 * r + rh2
            rh2 = hb2 * y - ha2 * r
            stereo += l * l + r * r
            fold += 0.5 * (l + r) * (l + r)
        if last == end - frame:
            out[completed, 0], out[completed, 1] = stereo, fold
            stereo, fold = 0.0, 0.0
            completed += 1
            sub_block += 1
            if max(abs(ls1), abs(ls2), abs(lh1), abs(lh2)) < _FLUSH:
                ls1, ls2, lh1, lh2 = 0.0, 0.0, 0.0, 0.0
            if max(abs(rs1), abs(rs2), abs(rh1), abs(rh2)) < _FLUSH:
                rs1, rs2, rh1, rh2 = 0.0, 0.0, 0.0, 0.0
        first = last
    state[0, 0], state[0, 1], state[0, 2], state[0, 3] = ls1, ls2, lh1, lh2
    state[1, 0], state[1, 1], state[1, 2], state[1, 3] = rs1, rs2, rh1, rh2
    partial[0], partial[1] = stereo, fold
    return completed


@njit(fastmath={"contract"}, forceinline=True)
def _raise_to_magnitude(peak: _F32, point: _F32) -> None:
    """`peak` becomes the larger of itself and |point|, element by element."""
    for n in range(peak.shape[0]):
        magnitude = abs(point[n])
        peak[n] = magnitude if magnitude > peak[n] else peak[n]


@njit(fastmath={"contract"}, forceinline=True)
def _add_eight_taps(point: _F32, h: _F32, x: _F32) -> None:
    """Add the correlation of `x` with eight taps to `point`.

    The shifted views, rather than shifted indices, are what lets the compiler vectorise.
    """
    size = point.shape[0]
    h0, h1, h2, h3, h4, h5, h6, h7 = h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7]
    x0, x1, x2, x3 = x[:size], x[1 : size + 1], x[2 : size + 2], x[3 : size + 3]
    x4, x5, x6, x7 = x[4 : size + 4], x[5 : size + 5], x[6 : size + 6], x[7 : size + 7]
    for n in range(size):
        low = point[n] + h0 * x0[n] + h1 * x1[n] + h2 * x2[n] + h3 * x3[n]
        point[n] = low + h4 * x4[n] + h5 * x5[n] + h6 * x6[n] + h7 * x7[n]


@kernel(fastmath={"contract"})
def interpolated_envelope(audio: _F32, taps: _F32, envelope: _F32) -> None:
    """The largest magnitude at and between samples, over phases and channels, for each frame.

    audio: float32 `(channels, frames + T - 1)`; frame n sits at index n + T / 2 - 1.
    taps: float32 `(phases, T)`, T a multiple of 8; row p interpolates one point after the frame.
    envelope: float32 `(frames,)`, overwritten.

    Works in blocks that stay in the first-level cache, with time as the innermost loop so that
    each multiply-add is one vector instruction.
    """
    block = 1024
    phases, length = taps.shape
    centre = length // 2 - 1
    frames = envelope.shape[0]
    points = np.empty(block, np.float32)
    for start in range(0, frames, block):
        size = min(block, frames - start)
        peak = envelope[start : start + size]
        peak[:] = 0.0
        for channel in range(audio.shape[0]):
            x = audio[channel, start : start + size + length - 1]
            point = points[:size]
            point[:] = x[centre : centre + size]
            _raise_to_magnitude(peak, point)
            for phase in range(phases):
                point[:] = 0.0
                for k in range(0, length, 8):
                    _add_eight_taps(point, taps[phase, k : k + 8], x[k:])
                _raise_to_magnitude(peak, point)


@kernel(fastmath={"contract"})
def add_spectra(left: _C64, right: _C64, energies: _F64) -> None:
    """Add the bin energies of some frames to running sums.

    left, right: complex64 `(frames, bins)`.
    energies: float64 `(3, bins)`, sums of |L|^2, |R|^2 and Re(L R*), updated in place.
    """
    for frame in range(left.shape[0]):
        for k in range(left.shape[1]):
            lr, li = np.float64(left[frame, k].real), np.float64(left[frame, k].imag)
            rr, ri = np.float64(right[frame, k].real), np.float64(right[frame, k].imag)
            energies[0, k] += lr * lr + li * li
            energies[1, k] += rr * rr + ri * ri
            energies[2, k] += lr * rr + li * ri


@kernel(fastmath={"contract"})
def add_moments(left: _F32, right: _F32, sums: _F64) -> None:
    """Add sample moments to running sums, one frame after the other.

    left, right: float32 `(frames,)`.
    sums: float64 `(5,)`, sums of l, r, l^2, r^2 and l r, updated in place.
    """
    l1, r1, l2, r2, lr = sums[0], sums[1], sums[2], sums[3], sums[4]
    for n in range(left.shape[0]):
        l, r = np.float64(left[n]), np.float64(right[n])  # noqa: E741
        l1 += l
        r1 += r
        l2 += l * l
        r2 += r * r
        lr += l * r
    sums[0], sums[1], sums[2], sums[3], sums[4] = l1, r1, l2, r2, lr
