"""A mix in words."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixgym.console import describe
from mixgym.console.describe import changes, value_text
from mixgym.console.mix import Mix
from mixgym.console.parameters import BUSES, MASTER, STRIP
from mixgym.console.table import Parameter, ParameterTable
from mixgym.songs.song import Song

# Everything switched on and away from neutral, so that every single parameter is in play.
BUSY_STRIP = {
    "fader_db": -3,
    "pan": -0.3,
    "width": 1.2,
    "high_pass_on": 1,
    "high_pass_hz": 90,
    "eq_on": 1,
    "low_shelf_db": 2,
    "bell_1_db": -3,
    "bell_1_hz": 350,
    "bell_1_q": 1.2,
    "bell_2_db": 1,
    "high_shelf_db": 1.5,
    "compressor_on": 1,
    "compressor_ratio": 2.5,
    "reverb_send_db": -18,
    "delay_send_db": -30,
}
BUSY_MASTER = {
    "bus_compressor_on": 1,
    "master_eq_on": 1,
    "master_low_shelf_db": 1,
    "master_bell_1_db": 1,
    "master_bell_2_db": 1,
    "master_high_shelf_db": 1,
    "multiband_on": 1,
    "saturation_on": 1,
    "image_on": 1,
    "master_width": 1.1,
    "mono_below_hz": 120,
}


@pytest.fixture(scope="module")
def neutral() -> Mix:
    hiss = np.random.default_rng(0).standard_normal((2, 8_000)).astype(np.float32)
    return Mix.neutral(Song.from_arrays({"Vox": 0.1 * hiss, "Gtr": 0.1 * hiss}, 44_100))


@pytest.fixture(scope="module")
def busy(neutral: Mix) -> Mix:
    return neutral.with_strip("Vox", **BUSY_STRIP).with_master(**BUSY_MASTER)


def test_a_neutral_mix_only_states_its_delivery(neutral: Mix) -> None:
    assert changes(neutral) == {
        "Vox": [],
        "Gtr": [],
        "buses": [],
        "master": ["target −14.0 LUFS", "true-peak limiter at −1.0 dBTP"],
    }


def test_a_strip_reads_as_an_engineer_would_say_it(busy: Mix) -> None:
    assert changes(busy)["Vox"] == [
        "fader −3.0 dB",
        "pan 30 % left, width 120 %",
        "high-pass 90 Hz",
        "EQ: low shelf +2.0 dB at 120 Hz, bell −3.0 dB at 350 Hz (Q 1.2), "
        "bell +1.0 dB at 3 kHz (Q 1), high shelf +1.5 dB at 8 kHz",
        "compressor 2.5:1, threshold −6 dB re its loudness, attack 15 ms, release 150 ms",
        "reverb send −18 dB",
        "delay send −30 dB",
    ]
    assert changes(busy)["Gtr"] == []


def test_the_master_reads_in_signal_order(busy: Mix) -> None:
    starts = [
        "compressor 2:1",
        "EQ: low shelf",
        "three-band compressor, split at 150 Hz and 4 kHz",
        "low band 2:1",
        "mid band",
        "high band",
        "saturation 25 %",
        "width 110 %, mono below 120 Hz",
        "target −14.0 LUFS",
        "true-peak limiter at −1.0 dBTP",
    ]
    lines = changes(busy)["master"]
    assert len(lines) == len(starts)
    assert all(line.startswith(start) for line, start in zip(lines, starts, strict=True))


def test_a_bus_is_described_when_a_stem_sends_to_it(neutral: Mix) -> None:
    assert changes(neutral.with_strip("Gtr", reverb_send_db=-18))["buses"] == [
        "reverb: size 50 %, damping 50 %, width 100 %, pre-delay 20 ms, low cut 150 Hz, return 0 dB"
    ]
    (delay,) = changes(neutral.with_strip("Gtr", delay_send_db=-18))["buses"]
    assert delay.startswith("delay: 375 ms, feedback 30 %")


@pytest.mark.parametrize(
    "switch", ["high_pass_on", "eq_on", "compressor_on", "side_chain", "reverb_send_db"]
)
def test_what_is_bypassed_is_not_mentioned(busy: Mix, switch: str) -> None:
    words = {
        "high_pass_on": "high-pass",
        "eq_on": "EQ",
        "compressor_on": "compressor",
        "side_chain": "driven by",
        "reverb_send_db": "reverb",
    }[switch]
    mix = replace(busy, side_chains=("Gtr", None))
    assert any(words in line for line in changes(mix)["Vox"])
    if switch == "side_chain":
        bypassed = mix.with_strip("Vox", compressor_ratio=1)
    else:
        bypassed = mix.with_strip("Vox", **{switch: STRIP[switch].low})
    lines = changes(bypassed)
    assert not any(words in line for line in lines["Vox"] + lines["buses"])


def test_a_flat_equaliser_is_not_mentioned(neutral: Mix) -> None:
    assert changes(neutral.with_strip("Vox", eq_on=1, bell_1_hz=900))["Vox"] == []
    assert changes(neutral.with_strip("Vox", compressor_on=1, compressor_ratio=1))["Vox"] == []


def test_delivery_that_is_switched_off_is_stated(neutral: Mix) -> None:
    assert changes(neutral.with_master(loudness_on=0, limiter_on=0))["master"] == [
        "loudness off",
        "limiter off",
    ]


def _altered(parameter: Parameter) -> float:
    """A value far from neutral, default and everything that `BUSY_*` sets."""
    share = 0.83
    if parameter.scale == "log":
        return float(parameter.low * (parameter.high / parameter.low) ** share)
    return parameter.low + share * (parameter.high - parameter.low)


@pytest.mark.parametrize("name", [p.name for p in (*STRIP, *BUSES, *MASTER) if p.scale != "switch"])
def test_every_parameter_in_play_shows_its_value(busy: Mix, name: str) -> None:
    table = next(t for t in (STRIP, BUSES, MASTER) if name in t)
    value = _altered(table[name])
    if table is STRIP:
        mix, part = busy.with_strip("Vox", **{name: value}), "Vox"
    elif table is BUSES:
        mix, part = busy.with_buses(**{name: value}), "buses"
    else:
        mix, part = busy.with_master(**{name: value}), "master"
    new = set(changes(mix)[part]) - set(changes(busy)[part])
    assert value_text(table[name], value) in " ".join(new)


@given(st.integers(0, 2**32 - 1))
def test_any_mix_has_lines_for_every_stem_and_leaves_no_braces(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mix = Mix(
        stems=("a", "b"),
        roles=("other", "other"),
        strips=STRIP.sample(rng, (2,)),
        buses=BUSES.sample(rng),
        master=MASTER.sample(rng),
        side_chains=(None, "a"),
    )
    lines = changes(mix)
    assert list(lines) == ["a", "b", "buses", "master"]
    for line in [line for part in lines.values() for line in part]:
        assert line == line.strip()
        assert not set("{}") & set(line)


def test_an_added_parameter_shows_up_by_its_own_name(
    neutral: Mix, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = (
        Parameter("transient_on", "on/off", 0, 1, 0, "transient", "dynamics", "", "switch", 0),
        Parameter("transient_attack_db", "dB", -12, 12, 0, "transient", "dynamics", "", neutral=0),
        Parameter("compressor_hold_ms", "ms", 0, 100, 0, "compressor", "dynamics", ""),
    )
    table = ParameterTable("strip", (*STRIP.parameters, *added))
    monkeypatch.setattr(describe, "STRIP", table)
    values = {"compressor_on": 1, "transient_on": 1, "transient_attack_db": 4}
    strip = table.vector({**values, "compressor_hold_ms": 50})
    mix = replace(neutral, strips=np.stack([strip, table.defaults]))
    compressor, transient = changes(mix)["Vox"]
    assert compressor.startswith("compressor 2:1")
    assert compressor.endswith("hold 50 ms")
    assert transient == "transient: attack +4.0 dB"


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("fader_db", -0.04, "0 dB"),
        ("fader_db", 2, "+2.0 dB"),
        ("pan", 0.004, "centre"),
        ("pan", -1, "100 % left"),
        ("width", 0, "0 %"),
        ("high_pass_hz", 87.6, "88 Hz"),
        ("bell_2_hz", 2_480, "2.5 kHz"),
        ("bell_1_q", 0.71, "Q 0.71"),
        ("compressor_ratio", 4, "4:1"),
        ("compressor_attack_ms", 1.25, "1.2 ms"),
        ("compressor_threshold_db", -7.5, "−7.5 dB"),
        ("reverb_send_db", -18, "−18 dB"),
    ],
)
def test_values_as_engineers_write_them(name: str, value: float, text: str) -> None:
    assert value_text(STRIP[name], value) == text
