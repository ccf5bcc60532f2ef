"""Reverb and delay: what comes back, when, and for how long."""

import numpy as np
import pytest
from numpy.typing import NDArray

from mixgym.console.buses import DelayBus, ReverbBus, reverb_response
from mixgym.console.control import QUANTUM
from mixgym.console.parameters import BUSES

OPEN = {
    "reverb_low_cut_hz": 20.0,
    "delay_low_cut_hz": 20.0,
    "delay_high_cut_hz": 16_000.0,
}


def settings(**values: float) -> dict[str, float]:
    return BUSES.settings(BUSES.vector({**OPEN, **values}))


def whole(seconds: float, rate: int) -> int:
    """Frames of so many seconds, in whole quanta."""
    return -(-round(seconds * rate) // QUANTUM) * QUANTUM


def noise(seconds: float, rate: int, *, centred: bool = True) -> NDArray[np.float32]:
    audio = np.random.default_rng(0).normal(0, 0.1, (2, whole(seconds, rate))).astype(np.float32)
    return np.ascontiguousarray(audio[[0, 0]]) if centred else audio


def impulse(seconds: float, rate: int) -> NDArray[np.float32]:
    audio = np.zeros((2, whole(seconds, rate)), dtype=np.float32)
    audio[:, 0] = 1.0
    return audio


def power_db(audio: NDArray[np.float32]) -> float:
    return float(10 * np.log10(np.square(audio, dtype=np.float64).mean()))


ROOMS = pytest.mark.parametrize(
    ("size", "damping", "width"), [(0, 0, 1), (0.5, 0.5, 1), (0.7, 1, 0.5), (0.9, 0.2, 0)]
)


@ROOMS
@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_centred_noise_comes_back_as_loud_as_it_is_sent(
    rate: int, size: float, damping: float, width: float
) -> None:
    room = settings(reverb_size=size, reverb_damping=damping, reverb_width=width)
    bus = ReverbBus(room, rate)
    sent = noise(2 * bus.tail_s + 1.5, rate)
    back = bus.process(sent)[:, round(bus.tail_s * rate) :]
    assert power_db(back) - power_db(sent) == pytest.approx(0, abs=1)


def test_noise_without_correlation_comes_back_3_db_lower() -> None:
    sent = noise(4, 44_100, centred=False)
    back = ReverbBus(settings(), 44_100).process(sent)[:, 88_200:]
    assert power_db(back) - power_db(sent) == pytest.approx(-3, abs=0.5)


@pytest.mark.parametrize("bus", [ReverbBus, DelayBus])
def test_the_return_gain_is_in_decibels(bus: type[ReverbBus] | type[DelayBus]) -> None:
    sent = noise(0.5, 44_100)
    name = "reverb_return_db" if bus is ReverbBus else "delay_return_db"
    loud = bus(settings(**{name: 6}), 44_100).process(sent)
    plain = bus(settings(), 44_100).process(sent)
    np.testing.assert_allclose(loud, plain * 10 ** (6 / 20), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("size", "damping"), [(0, 0), (0.5, 0.5), (0.9, 0), pytest.param(1, 0, marks=pytest.mark.slow)]
)
def test_the_reverbs_tail_ends_60_db_down_and_not_much_later(size: float, damping: float) -> None:
    _, decay_s = reverb_response(size, damping, 1.0)
    bus = ReverbBus(settings(reverb_size=size, reverb_damping=damping), 44_100)
    assert bus.tail_s == pytest.approx(decay_s + 0.02)
    back = bus.process(1000 * impulse(2 * bus.tail_s, 44_100))
    power = np.square(back, dtype=np.float64).sum(axis=0)
    remaining = np.cumsum(power[::-1])[::-1] / power.sum()
    end = round(bus.tail_s * 44_100)
    assert 10 * np.log10(remaining[end]) < -59.9
    assert 10 * np.log10(remaining[round(0.9 * end)]) > -60


def first_sound(audio: NDArray[np.float32]) -> int:
    return int(np.flatnonzero(np.abs(audio[0]) > 1e-6)[0])


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("pre_delay_ms", [0.005, 13.3, 20, 100])
def test_pre_delay_is_right_to_half_a_frame(rate: int, pre_delay_ms: float) -> None:
    sent = impulse(0.3, rate)
    at_once = first_sound(ReverbBus(settings(reverb_pre_delay_ms=0), rate).process(sent))
    late = first_sound(ReverbBus(settings(reverb_pre_delay_ms=pre_delay_ms), rate).process(sent))
    assert abs(late - at_once - pre_delay_ms / 1000 * rate) <= 0.5


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("time_ms", [20, 123.4, 375])
def test_echoes_come_at_their_times_and_levels(rate: int, time_ms: float) -> None:
    bus = DelayBus(settings(delay_time_ms=time_ms, delay_feedback=0.5), rate)
    back = bus.process(impulse(5 * time_ms / 1000, rate))[0]
    spacing = round(time_ms / 1000 * rate)
    assert abs(spacing - time_ms / 1000 * rate) <= 0.5
    assert np.abs(back[:spacing]).max() < 1e-6
    first, second, third = (back[k * spacing : (k + 1) * spacing] for k in (1, 2, 3))
    assert int(np.abs(first).argmax()) <= 1  # its low-pass spreads it
    assert abs(first[0]) > 0.3
    # Each echo rides on what the high-pass leaves of those before it.
    assert np.ptp(second[:20]) / np.ptp(first[:20]) == pytest.approx(0.5, rel=0.02)
    assert np.ptp(third[:20]) / np.ptp(first[:20]) == pytest.approx(0.25, rel=0.02)


@pytest.mark.parametrize("feedback", [0.0, 0.3, 0.8])
def test_the_delays_tail_ends_60_db_down(feedback: float) -> None:
    rate = 8000
    bus = DelayBus(settings(delay_time_ms=250, delay_feedback=feedback), rate)
    back = bus.process(impulse(2 * bus.tail_s, rate))[0].astype(np.float64)
    end = round(bus.tail_s * rate)
    assert np.abs(back[end + 1 :]).max() < 10 ** (-59.9 / 20) * np.abs(back).max()
    assert np.abs(back[: end + 1]).max() > 0.1


def test_the_echo_of_a_tone_in_the_passband_is_as_loud_as_the_tone() -> None:
    rate = 48_000
    wave = 0.1 * np.sin(2 * np.pi * 1000 / rate * np.arange(whole(1, rate)))
    sent = np.tile(wave, (2, 1)).astype(np.float32)
    back = DelayBus(settings(delay_time_ms=100, delay_feedback=0), rate).process(sent)
    half = rate // 2
    assert power_db(back[:, half:]) - power_db(sent[:, half:]) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("bus", [ReverbBus, DelayBus])
def test_block_length_does_not_matter(bus: type[ReverbBus] | type[DelayBus]) -> None:
    sent = noise(1, 44_100)
    at_once = bus(settings(), 44_100).process(sent)
    in_parts = bus(settings(), 44_100)
    parts = [
        in_parts.process(np.ascontiguousarray(sent[:, start : start + QUANTUM]))
        for start in range(0, sent.shape[1], QUANTUM)
    ]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), at_once)
