"""One block of the stream, in Numba: strips, buses, master and limiter, a hop at a time.

Everything it works on stands in a `Desk`, made beforehand: nothing is allocated here.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from ...compiled import kernel
from ._desk import desk_at, inputs_at, out_at, targets_at
from ._filters import band, compress, glide, high_pass, inner, low_pass, settle
from ._limiter import limit
from ._master import chain, gain_to_drive
from ._space import echo, freeverb
from .layout import (
    BAND,
    BANDS,
    BUS_VALUES,
    COMPRESSOR,
    CUT,
    DELAY_CUT,
    DELAY_FEEDBACK,
    DELAY_LOW_PASS,
    DELAY_RETURN,
    DETECTOR_CUT,
    DYNAMICS,
    EQ,
    HIGH_PASS,
    KEY_GAIN,
    LIMITER,
    MATRIX,
    REVERB_CUT,
    ROOM,
    SENDS,
    STRIP_VALUES,
)

# Where each processor's state stands in a strip's vector.
_HIGH_PASS_STATE = 0
_EQ_STATE = 4
_COMPRESSOR_STATE = _EQ_STATE + 4 * BANDS
_DETECTOR_STATE = _COMPRESSOR_STATE + 2
STRIP_STATES = _DETECTOR_STATE + 4
# And in that of the buses.
_REVERB_CUT_STATE, _DELAY_CUT_STATE, _LOW_PASS_STATE = 0, 4, 8
BUS_STATES = 10


@kernel(error_model="numpy", fastmath={"contract"})
def run_block(
    inputs_address: int, out_address: int, frames: int, targets_address: int, desk_address: int
) -> None:
    """Process inputs (stems, 2, frames) to out (2, frames), frames a multiple of the hop.

    A mono stem is all left. All but `frames` are addresses: see `layout` for the targets, `_desk`
    for the desk's table.
    """
    desk = desk_at(desk_address)
    hop, stems = desk.total.shape[1], desk.strips.shape[0]
    inputs, out = inputs_at(inputs_address, stems, frames), out_at(out_address, frames)
    targets = targets_at(targets_address, desk.values.size + stems + 2)
    routes = targets[desk.values.size :]
    buses = stems * STRIP_VALUES
    master = buses + BUS_VALUES
    for start in range(0, frames, hop):
        glide(desk.values, desk.before, targets, desk.glide[0])
        part = inputs[:, :, start : start + hop]
        at = desk.heard[0] % desk.history.shape[1]
        desk.total[:] = 0.0
        desk.reverb[:] = 0.0
        desk.delay[:] = 0.0
        for stem in range(stems):
            desk.history[2 * stem : 2 * stem + 2, at : at + hop] = part[stem]
            first = stem * STRIP_VALUES
            before = desk.before[first : first + STRIP_VALUES]
            now = desk.values[first : first + STRIP_VALUES]
            _strip(part, stem, int(routes[stem]), before, now, desk)
            _send(desk.stem, before, now, desk)
        before, now = desk.before[buses:master], desk.values[buses:master]
        _buses(before, now, int(routes[stems]), int(routes[stems + 1]), desk)
        desk.history[2 * stems : 2 * stems + 2, at : at + hop] = desk.total
        before, now = desk.before[master:], desk.values[master:]
        chain(
            desk.total,
            desk.parts,
            desk.detector[0],
            before,
            now,
            desk.master,
            desk.dry_line,
            desk.curved,
            desk.half_taps,
        )
        desk.history[2 * stems + 2 : 2 * stems + 4, at : at + hop] = desk.total
        desk.heard[0] += hop
        gain_to_drive(desk.total, before, now)
        limit(
            desk.total,
            out[:, start : start + hop],
            desk.out_line,
            desk.peak_taps,
            desk.points,
            desk.envelope,
            desk.need,
            desk.held,
            desk.limiter,
            desk.gain,
            desk.border,
            desk.waits,
            now[LIMITER : LIMITER + 2],
        )
        settle(desk.strips.reshape(-1))
        settle(desk.buses)
        settle(desk.master)


@inner
def _strip(part, stem, source, before, now, desk):
    """High-pass, equaliser and compressor, from a stem of `part` to `desk.stem`."""
    audio, states = desk.stem, desk.strips[stem]
    audio[:] = part[stem]
    at, state = HIGH_PASS, _HIGH_PASS_STATE
    high_pass(
        audio, before[at : at + CUT], now[at : at + CUT], states[state : state + 4].reshape(2, 2)
    )
    for b in range(BANDS):
        at, state = EQ + b * BAND, _EQ_STATE + 4 * b
        band(audio, before[at : at + BAND], now[at : at + BAND], states[state : state + 4])
    key = desk.key
    if source < 0:
        key[:] = audio
    else:
        for channel in range(2):
            for i in range(key.shape[1]):
                key[channel, i] = now[KEY_GAIN] * part[source, channel, i]
    at, state = DETECTOR_CUT, _DETECTOR_STATE
    high_pass(
        key, before[at : at + CUT], now[at : at + CUT], states[state : state + 4].reshape(2, 2)
    )
    at, state = COMPRESSOR, _COMPRESSOR_STATE
    compress(
        audio,
        key,
        desk.detector[0],
        before[at : at + DYNAMICS],
        now[at : at + DYNAMICS],
        states[state : state + 2],
    )


@inner
def _send(audio, before, now, desk):
    """Fader, width and pan, to the mix bus and both sends."""
    frames = audio.shape[1]
    ll, lr, rl, rr = before[MATRIX], before[MATRIX + 1], before[MATRIX + 2], before[MATRIX + 3]
    to_reverb, to_delay = before[SENDS], before[SENDS + 1]
    ll_step, lr_step = (now[MATRIX] - ll) / frames, (now[MATRIX + 1] - lr) / frames
    rl_step, rr_step = (now[MATRIX + 2] - rl) / frames, (now[MATRIX + 3] - rr) / frames
    reverb_step = (now[SENDS] - to_reverb) / frames
    delay_step = (now[SENDS + 1] - to_delay) / frames
    for i in range(frames):
        ll += ll_step
        lr += lr_step
        rl += rl_step
        rr += rr_step
        to_reverb += reverb_step
        to_delay += delay_step
        left = ll * audio[0, i] + rl * audio[1, i]
        right = lr * audio[0, i] + rr * audio[1, i]
        desk.total[0, i] += left
        desk.total[1, i] += right
        desk.reverb[0, i] += to_reverb * left
        desk.reverb[1, i] += to_reverb * right
        desk.delay[0, i] += to_delay * left
        desk.delay[1, i] += to_delay * right


@inner
def _buses(before, now, pre_delay, delay, desk):
    """Reverb and delay, added to the mix bus."""
    audio, states = desk.reverb, desk.buses
    echo(audio, desk.pre_line, desk.pre_at, desk.pre_tap, pre_delay, 0.0, 0.0)
    at, state = REVERB_CUT, _REVERB_CUT_STATE
    high_pass(
        audio, before[at : at + CUT], now[at : at + CUT], states[state : state + 4].reshape(2, 2)
    )
    freeverb(
        audio,
        desk.sides,
        desk.combs,
        desk.comb_starts,
        desk.comb_positions,
        desk.comb_lasts,
        before[ROOM : ROOM + 4],
        now[ROOM : ROOM + 4],
    )
    audio = desk.delay
    at, state = DELAY_CUT, _DELAY_CUT_STATE
    high_pass(
        audio, before[at : at + CUT], now[at : at + CUT], states[state : state + 4].reshape(2, 2)
    )
    low_pass(
        audio,
        before[DELAY_LOW_PASS],
        now[DELAY_LOW_PASS],
        states[_LOW_PASS_STATE : _LOW_PASS_STATE + 2],
    )
    feedback = now[DELAY_FEEDBACK]
    echo(
        audio,
        desk.delay_line,
        desk.delay_at,
        desk.delay_tap,
        delay,
        before[DELAY_FEEDBACK],
        feedback,
    )
    level = before[DELAY_RETURN]
    step = (now[DELAY_RETURN] - level) / audio.shape[1]
    for i in range(audio.shape[1]):
        level += step
        desk.total[0, i] += desk.reverb[0, i] + level * audio[0, i]
        desk.total[1, i] += desk.reverb[1, i] + level * audio[1, i]
