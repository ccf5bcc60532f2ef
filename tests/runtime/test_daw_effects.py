"""The written Reaper effects, run sample by sample without Reaper, beside the console's own."""

import numpy as np
import pytest

from mixgym.console.buses import DelayBus, ReverbBus, reverb_response
from mixgym.console.control import QUANTUM
from mixgym.console.meters import LoudnessMeter
from mixgym.console.parameters import BUSES, MASTER, STRIP
from mixgym.console.render import master
from mixgym.console.strip import Strip
from mixgym.runtime.daw.jsfx import (
    DELAY_EFFECT,
    EFFECTS,
    MASTER_EFFECT,
    REVERB_EFFECT,
    STRIP_EFFECT,
    effects_folder,
)

RATE = 16_000


def programme(channels=2, frames=2 * QUANTUM, seed=0):
    """Pulsing noise over a low tone."""
    rng = np.random.default_rng(seed)
    time = np.arange(frames) / RATE
    pulse = 0.05 + np.abs(np.sin(2 * np.pi * 3 * time)) ** 4
    tone = 0.1 * np.sin(2 * np.pi * 80 * time)
    return (rng.normal(0, 0.1, (channels, frames)) * pulse + tone).astype(np.float32)


def lufs(audio, rate=RATE):
    meter = LoudnessMeter(rate, len(audio))
    meter.push(audio)
    return meter.integrated_lufs


def residual_db(heard, expected):
    return 10 * np.log10(np.sum((heard - expected) ** 2) / np.sum(np.square(expected)))


def as_reaper_pans(audio, pan):
    """Balance by Reaper's sine taper, -3 dB law with gain compensation."""
    angle = (pan + 1) * np.pi / 4
    return audio * np.sqrt(2) * np.array([[np.cos(angle)], [np.sin(angle)]])


EVERYTHING = {
    "fader_db": -3, "pan": -0.4, "width": 1.3, "high_pass_on": 1, "high_pass_hz": 90, "eq_on": 1,
    "low_shelf_db": 4, "bell_1_db": -5, "bell_2_db": 3, "bell_2_q": 2, "high_shelf_db": -4,
    "high_shelf_hz": 5000, "compressor_on": 1, "compressor_ratio": 4,
    "compressor_threshold_db": -10, "side_chain_high_pass_hz": 150,
}  # fmt: skip


def strip_pair(eel2, audio, settings, key=None, rate=RATE):
    """A stem through the effect, with fader and pan as a host would do them, and through ours."""
    values = STRIP.settings(STRIP.vector(settings))
    loudness = lufs(audio, rate)
    expected = Strip(values, loudness, len(audio), rate).process(
        audio.copy(), None if key is None else key.copy()
    )
    source = np.repeat(audio, 3 - len(audio), axis=0)  # a host plays a mono file in both channels
    if key is not None:
        source = np.concatenate([source, key])
    extra = {"stem_lufs": loudness, "mono": len(audio) == 1, "side_chain": key is not None}
    effect = eel2.Jsfx(STRIP_EFFECT.text(), rate, {**values, **extra})
    heard = effect.process(source) * 10 ** (values["fader_db"] / 20)
    return as_reaper_pans(heard, values["pan"]), expected


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"pan": 1, "width": 0},
        {"high_pass_on": 1, "high_pass_hz": 300},
        {"eq_on": 1, "low_shelf_db": 9, "bell_1_db": -9, "bell_1_q": 3, "high_shelf_db": 6},
        {"compressor_on": 1, "compressor_ratio": 6, "compressor_attack_ms": 1},
        EVERYTHING,
    ],
    ids=["neutral", "pan", "high-pass", "eq", "compressor", "everything"],
)
def test_strip(eel2, channels, settings):
    heard, expected = strip_pair(eel2, programme(channels), settings)
    assert residual_db(heard, expected) < -70


@pytest.mark.parametrize("rate", [44_100, 96_000])
def test_strip_at_other_rates(eel2, rate):
    heard, expected = strip_pair(eel2, programme(frames=QUANTUM), EVERYTHING, rate=rate)
    assert residual_db(heard, expected) < -60


def test_strip_driven_by_another_stem(eel2):
    key = programme(seed=1) * np.float32(0.5)
    heard, expected = strip_pair(eel2, programme(), EVERYTHING, key)
    assert residual_db(heard, expected) < -70
    alone, _ = strip_pair(eel2, programme(), EVERYTHING)
    assert residual_db(heard, alone) > -30


def test_a_wrong_strip_would_be_noticed(eel2):
    """The bound of the other tests is far below what a tenth of a decibel makes."""
    heard, _ = strip_pair(eel2, programme(), EVERYTHING)
    _, expected = strip_pair(eel2, programme(), {**EVERYTHING, "bell_2_db": 3.1})
    assert residual_db(heard, expected) > -60


@pytest.mark.parametrize(
    "settings",
    [{}, {"reverb_size": 1, "reverb_damping": 0, "reverb_width": 0.4, "reverb_pre_delay_ms": 0}],
    ids=["usual", "large"],
)
def test_reverb(eel2, settings):
    values = BUSES.settings(BUSES.vector(settings))
    expected = ReverbBus(values, RATE).process(programme())
    power, _ = reverb_response(
        values["reverb_size"], values["reverb_damping"], values["reverb_width"]
    )
    effect = eel2.Jsfx(REVERB_EFFECT.text(), RATE, {**values, "level_db": -10 * np.log10(power)})
    heard = effect.process(programme()) * 10 ** (values["reverb_return_db"] / 20)
    assert residual_db(heard, expected) < -70


def test_delay(eel2):
    values = BUSES.settings(BUSES.vector({"delay_time_ms": 60.3, "delay_feedback": 0.6}))
    expected = DelayBus(values, RATE).process(programme())
    heard = eel2.Jsfx(DELAY_EFFECT.text(), RATE, values).process(programme())
    assert residual_db(heard, expected) < -70


class Held:
    """Stereo audio in memory."""

    def __init__(self, audio):
        self.audio, self.frames = audio, audio.shape[1]

    def read(self, start, frames):
        return self.audio[:, start : start + frames].copy()


CHAIN = {
    "bus_compressor_on": 1, "master_eq_on": 1, "master_bell_1_db": 4, "master_low_shelf_db": -3,
    "multiband_on": 1, "low_ratio": 2, "mid_ratio": 3, "saturation_on": 1, "image_on": 1,
    "master_width": 1.3, "mono_below_hz": 120,
}  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "bound_db"),
    [
        ({"bus_compressor_on": 1, "bus_compressor_threshold_db": -10, "limiter_on": 0}, -100),
        ({"master_eq_on": 1, "master_bell_1_db": 4, "limiter_on": 0}, -80),
        ({"master_eq_on": 1, "master_low_shelf_db": -3, "limiter_on": 0}, -60),
        ({"multiband_on": 1, "low_ratio": 2, "mid_ratio": 3, "limiter_on": 0}, -100),
        ({"saturation_on": 1, "limiter_on": 0}, -100),
        ({"image_on": 1, "master_width": 1.3, "mono_below_hz": 120, "limiter_on": 0}, -80),
        ({"target_lufs": -9}, -80),
        ({**CHAIN, "target_lufs": -10}, -45),
    ],
    ids=["compressor", "bell", "shelf", "bands", "saturation", "image", "limiter", "everything"],
)
def test_master(eel2, settings, bound_db):
    audio = programme(frames=8000)
    values = MASTER.settings(MASTER.vector(settings))
    loudness = lufs(audio)
    with master(Held(audio), RATE, values, loudness) as rendering:
        expected, delivered = rendering.array(), rendering.delivered
    measured = {
        "mix_lufs": loudness,
        "drive_db": delivered.drive_db - delivered.lowered_db,
        "margin_db": delivered.margin_db + delivered.lowered_db,
    }
    heard = eel2.Jsfx(MASTER_EFFECT.text(), RATE, {**values, **measured}).process(audio)
    assert residual_db(heard, expected) < bound_db
    assert 20 * np.log10(heard.std() / expected.std()) == pytest.approx(0, abs=0.01)
    if values["limiter_on"]:
        assert delivered.max_reduction_db > 2


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: effect.file)
def test_what_reaper_is_known_to_demand(effect):
    text = effect.text()
    assert text.startswith("desc:")
    assert text.isascii() and "//{" not in text
    assert len(effect.sliders) <= 64
    assert all(slider.low <= slider.default <= slider.high for slider in effect.sliders)
    assert all(len(line) <= 120 for line in text.splitlines())


def test_every_setting_of_the_tables_has_a_slider_or_a_place_in_the_mixer():
    placed = {slider.name for effect in EFFECTS for slider in effect.sliders}
    elsewhere = {
        "fader_db", "pan", "reverb_send_db", "delay_send_db", "reverb_return_db",
        "delay_return_db", "loudness_on", "target_lufs",
    }  # fmt: skip
    names = {p.name for table in (STRIP, BUSES, MASTER) for p in table}
    assert placed & names == names - elsewhere


def test_another_version_of_the_effects_has_another_folder():
    assert effects_folder().startswith("mixgym-") and len(effects_folder()) == 15


@pytest.mark.parametrize(
    "code",
    ["x = y;", "x = nothing(1);", "x = min(1);", "f.g(1);", "function f(a) (a;); x = f();"],
)
def test_the_interpreter_refuses_what_reaper_would_let_pass(eel2, code):
    with pytest.raises(AssertionError):
        eel2.Jsfx(f"desc:x\n@init\n{code}\n@slider\na = 0;\n@sample\nspl0 = x;\n", RATE, {})


def test_the_interpreter_counts(eel2):
    code = (
        "function add(a) instance(sum) ( sum += a; sum > 2 ? 0 - sum : sum; );\n"
        "one.add(2); other.add(5); x = one.add(1) + 2 ^ 3 * 2 - 7 % 4; m = 10; m[1] = 3; i = 0;\n"
        "loop(3, i += m[1]; ); y = i > 8 && !(i > 9) ? 1 : 2;"
    )
    effect = eel2.Jsfx(
        f"desc:x\n@init\n{code}\n@slider\na = 0;\n@sample\nspl0 = x; spl1 = i + y;\n", RATE, {}
    )
    np.testing.assert_array_equal(effect.process(np.zeros((2, 1))), [[-3 + 16 - 3], [10]])
