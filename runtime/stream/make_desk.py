"""Everything the audio path works on, made before the first block."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ...console.compressor import DETECTOR_MS
from ...console.control import control_hop, smoothing
from ...console.limiter import limiter_hop
from ...console.meters.true_peak import interpolator
from ...console.parameters import BUSES
from ...console.saturation import LATENCY, _half_sample_taps
from ._block import BUS_STATES, STRIP_STATES
from ._desk import Desk
from ._master import MASTER_STATES
from ._space import ALL_PASS_TUNINGS, COMB_TUNINGS, COMBS, SPREAD
from .layout import gliding_values

TUNING_RATE = 44_100


def look_ahead_slots(look_ahead_ms: float, sample_rate: int) -> int:
    """How many of the limiter's slots a gain is prepared for, as in `console.limiter`."""
    return max(1, round(look_ahead_ms / 1000 * sample_rate / limiter_hop(sample_rate)))


def saturation_latency(sample_rate: int) -> int:
    """Frames that the saturation delays, in whole slots of the limiter."""
    slot = limiter_hop(sample_rate)
    return math.ceil(LATENCY / slot) * slot


def make_desk(
    first: NDArray[np.float64],
    stems: int,
    sample_rate: int,
    look_ahead: int,
    glide_ms: float,
    history_frames: int,
) -> Desk:
    """A desk at rest, its values those of the vector `first`.

    Args:
        first: see `layout`.
        stems: how many.
        sample_rate: in Hz.
        look_ahead: of the limiter, in its slots.
        glide_ms: time constant in which values approach their targets.
        history_frames: how much of what was heard is kept; a multiple of the control hop.
    """
    hop, slot = control_hop(sample_rate), limiter_hop(sample_rate)
    values = first[: gliding_values(stems)].copy()
    peak_taps = interpolator()
    peak_wait = math.ceil(peak_taps.shape[1] / 2 / slot) * slot
    wait = peak_wait + (look_ahead + 1) * slot
    past = max(wait, peak_wait + peak_taps.shape[1] // 2 - 1)
    late = saturation_latency(sample_rate)
    starts = _reverb_lines(sample_rate)
    pre_delay, delay = (int(frames) for frames in first[-2:])

    def scratch(*shape: int) -> NDArray[np.float64]:
        return np.zeros((*shape, hop))

    return Desk(
        values=values,
        before=values.copy(),
        glide=np.array([1 - smoothing(glide_ms, sample_rate / hop)]),
        detector=np.array([smoothing(DETECTOR_MS, sample_rate / hop)]),
        strips=np.zeros((stems, STRIP_STATES)),
        buses=np.zeros(BUS_STATES),
        master=np.zeros(MASTER_STATES),
        stem=scratch(2),
        key=scratch(2),
        total=scratch(2),
        reverb=scratch(2),
        delay=scratch(2),
        sides=scratch(2),
        parts=scratch(3, 2),
        pre_line=_delay_line(BUSES["reverb_pre_delay_ms"].high, sample_rate),
        pre_at=np.zeros(1, dtype=np.int64),
        pre_tap=np.array([pre_delay, pre_delay, 0]),
        delay_line=_delay_line(BUSES["delay_time_ms"].high, sample_rate),
        delay_at=np.zeros(1, dtype=np.int64),
        delay_tap=np.array([delay, delay, 0]),
        combs=np.zeros(starts[-1, -1], dtype=np.float32),
        comb_starts=starts,
        comb_positions=np.zeros((2, starts.shape[1] - 1), dtype=np.int64),
        comb_lasts=np.zeros((2, COMBS)),
        dry_line=np.zeros((2, late + LATENCY + hop)),
        curved=np.zeros((2, LATENCY + hop)),
        half_taps=_half_sample_taps().astype(np.float64),
        out_line=np.zeros((2, past + hop), dtype=np.float32),
        peak_taps=peak_taps,
        points=np.zeros(hop, dtype=np.float32),
        envelope=np.zeros(hop, dtype=np.float32),
        need=np.zeros(look_ahead + 1),
        held=np.zeros(look_ahead + 1),
        limiter=np.zeros(2),
        gain=np.ones(1),
        border=np.array([-(peak_wait + late) // slot]),
        waits=np.array([wait, peak_wait]),
        history=np.zeros((2 * stems + 4, history_frames), dtype=np.float32),
        heard=np.zeros(1, dtype=np.int64),
    )


def _delay_line(longest_ms: float, sample_rate: int) -> NDArray[np.float32]:
    frames = math.ceil(longest_ms / 1000 * sample_rate) + 1
    return np.zeros((2, 1 << (frames - 1).bit_length()), dtype=np.float32)


def _reverb_lines(sample_rate: int) -> NDArray[np.int64]:
    """Where the lines of either side start in one array, (2, lines + 1)."""
    tunings = (*COMB_TUNINGS, *ALL_PASS_TUNINGS)
    left = [sample_rate * frames // TUNING_RATE for frames in tunings]
    right = [sample_rate * (frames + SPREAD) // TUNING_RATE for frames in tunings]
    ends = np.cumsum([0, *left, *right])
    count = len(tunings)
    return np.stack([ends[: count + 1], ends[count:]]).astype(np.int64)
