"""The parameter table: every knob of the console, once.

The strip's table holds one stem's settings, the bus table those of the shared reverb and delay,
the master table those of the mix bus and the mastering chain. Action spaces, genomes, preset
files and reports are derived from these three tables; ranges are those that recordings need
rather than those that plug-ins allow.
"""

from __future__ import annotations

import json
from hashlib import blake2b

from .table import Component, Parameter, ParameterTable

SEND_OFF_DB = -60.0  # a send at the bottom of its range is closed
NOMINAL_LUFS = -23.0  # loudness of a stem behind its trim and of the mix bus before mastering


def _switch(name: str, processor: str, component: Component, about: str, odds: float) -> Parameter:
    return Parameter(
        name, "on/off", 0, 1, 0, processor, component, about, "switch", 0, prior=(odds, 1)
    )


def _frequency(
    name: str,
    low: float,
    high: float,
    default: float,
    processor: str,
    component: Component,
    about: str,
    neutral: float | None = None,
) -> Parameter:
    return Parameter(name, "Hz", low, high, default, processor, component, about, "log", neutral)


def _gain(
    name: str,
    limit_db: float,
    processor: str,
    component: Component,
    about: str,
    spread: float = 0.25,
) -> Parameter:
    return Parameter(
        name, "dB", -limit_db, limit_db, 0, processor, component, about, "linear", 0, (0, spread)
    )


def _q(name: str, low: float, high: float, processor: str, component: Component) -> Parameter:
    return Parameter(
        name, "Q", low, high, 1.0, processor, component, "bandwidth of the bell", "log"
    )


def _ratio(
    name: str, high: float, processor: str, component: Component, mean: float = 2.0
) -> Parameter:
    about = "input decibels above the threshold per output decibel"
    return Parameter(
        name, ":1", 1, high, 2.0, processor, component, about, "log", 1.0, (mean, 0.35)
    )


def _time(
    name: str,
    low_ms: float,
    high_ms: float,
    default_ms: float,
    processor: str,
    component: Component,
    about: str,
) -> Parameter:
    return Parameter(name, "ms", low_ms, high_ms, default_ms, processor, component, about, "log")


def _knee(name: str, processor: str, component: Component) -> Parameter:
    return Parameter(name, "dB", 0, 12, 6, processor, component, "width of the soft knee")


def _send(name: str, processor: str, about: str, mean_db: float) -> Parameter:
    return Parameter(
        name,
        "dB",
        SEND_OFF_DB,
        0,
        SEND_OFF_DB,
        processor,
        "space",
        about,
        neutral=SEND_OFF_DB,
        prior=(mean_db, 0.35),
    )


STRIP = ParameterTable(
    "strip",
    (
        Parameter(
            "fader_db",
            "dB",
            -24,
            12,
            0,
            "fader",
            "level",
            "level; 0 dB makes every stem equally loud",
            neutral=0,
            prior=(-2, 0.3),
        ),
        Parameter(
            "pan",
            "",
            -1,
            1,
            0,
            "pan",
            "pan",
            "-1 left, 0 centre, +1 right, constant power",
            neutral=0,
            prior=(0, 0.35),
        ),
        Parameter(
            "width",
            "",
            0,
            1.5,
            1,
            "pan",
            "pan",
            "side over mid of a stereo stem; 0 is mono",
            neutral=1,
            prior=(1, 0.2),
        ),
        _switch("high_pass_on", "high_pass", "eq", "12 dB/octave high-pass", 0.5),
        _frequency("high_pass_hz", 20, 400, 20, "high_pass", "eq", "its -6 dB point", neutral=20),
        _switch("eq_on", "eq", "eq", "four-band equaliser", 0.7),
        _frequency("low_shelf_hz", 60, 300, 120, "eq", "eq", "mid-point of the low shelf"),
        _gain("low_shelf_db", 9, "eq", "eq", "gain below it"),
        _frequency("bell_1_hz", 200, 1500, 500, "eq", "eq", "centre of the lower bell"),
        _gain("bell_1_db", 9, "eq", "eq", "its gain"),
        _q("bell_1_q", 0.5, 3, "eq", "eq"),
        _frequency("bell_2_hz", 1500, 7000, 3000, "eq", "eq", "centre of the upper bell"),
        _gain("bell_2_db", 9, "eq", "eq", "its gain"),
        _q("bell_2_q", 0.5, 3, "eq", "eq"),
        _frequency("high_shelf_hz", 4000, 12000, 8000, "eq", "eq", "mid-point of the high shelf"),
        _gain("high_shelf_db", 9, "eq", "eq", "gain above it"),
        _switch("compressor_on", "compressor", "dynamics", "compressor", 0.6),
        Parameter(
            "compressor_threshold_db",
            "dB",
            -20,
            0,
            -6,
            "compressor",
            "dynamics",
            "threshold relative to the stem's loudness",
            prior=(-6, 0.4),
        ),
        _ratio("compressor_ratio", 6, "compressor", "dynamics"),
        _knee("compressor_knee_db", "compressor", "dynamics"),
        _time("compressor_attack_ms", 1, 100, 15, "compressor", "dynamics", "attack constant"),
        _time("compressor_release_ms", 20, 800, 150, "compressor", "dynamics", "release constant"),
        _frequency(
            "side_chain_high_pass_hz",
            20,
            400,
            20,
            "compressor",
            "dynamics",
            "high-pass before the compressor's detector; 20 Hz is none",
        ),
        _send("reverb_send_db", "reverb_send", "post-fader send to the reverb", -24),
        _send("delay_send_db", "delay_send", "post-fader send to the delay", -45),
    ),
)

BUSES = ParameterTable(
    "buses",
    (
        Parameter("reverb_size", "", 0, 1, 0.5, "reverb", "space", "room size, hence decay"),
        Parameter("reverb_damping", "", 0, 1, 0.5, "reverb", "space", "loss of treble in the tail"),
        Parameter("reverb_width", "", 0, 1, 1, "reverb", "space", "stereo width of the tail"),
        Parameter("reverb_pre_delay_ms", "ms", 0, 100, 20, "reverb", "space", "delay before it"),
        _frequency("reverb_low_cut_hz", 20, 500, 150, "reverb", "space", "high-pass before it"),
        Parameter(
            "reverb_return_db",
            "dB",
            -24,
            6,
            0,
            "reverb",
            "space",
            "level of the return; at 0 dB a send of 0 dB is as loud as the dry sound",
        ),
        _time("delay_time_ms", 20, 1000, 375, "delay", "space", "time between echoes"),
        Parameter("delay_feedback", "", 0, 0.8, 0.3, "delay", "space", "level of each next echo"),
        _frequency("delay_low_cut_hz", 20, 1000, 200, "delay", "space", "high-pass before it"),
        _frequency("delay_high_cut_hz", 1000, 16000, 6000, "delay", "space", "low-pass before it"),
        Parameter("delay_return_db", "dB", -24, 6, 0, "delay", "space", "level of the return"),
    ),
)


def _band(
    band: str, threshold_db: float, attack_ms: float, release_ms: float
) -> tuple[Parameter, ...]:
    return (
        Parameter(
            f"{band}_threshold_db",
            "dB",
            -30,
            0,
            threshold_db,
            "multiband",
            "master",
            f"threshold of the {band} band relative to the mix's loudness",
            prior=(threshold_db, 0.25),
        ),
        _ratio(f"{band}_ratio", 4, "multiband", "master", mean=1.5),
        _time(f"{band}_attack_ms", 1, 50, attack_ms, "multiband", "master", "attack constant"),
        _time(f"{band}_release_ms", 30, 500, release_ms, "multiband", "master", "release constant"),
    )


MASTER = ParameterTable(
    "master",
    (
        _switch("bus_compressor_on", "bus_compressor", "master", "mix-bus compressor", 0.5),
        Parameter(
            "bus_compressor_threshold_db",
            "dB",
            -20,
            0,
            -3,
            "bus_compressor",
            "master",
            "threshold relative to the mix's loudness",
            prior=(-4, 0.3),
        ),
        _ratio("bus_compressor_ratio", 4, "bus_compressor", "master", mean=1.7),
        _knee("bus_compressor_knee_db", "bus_compressor", "master"),
        _time(
            "bus_compressor_attack_ms", 1, 100, 30, "bus_compressor", "master", "attack constant"
        ),
        _time(
            "bus_compressor_release_ms",
            20,
            800,
            150,
            "bus_compressor",
            "master",
            "release constant",
        ),
        _switch("master_eq_on", "master_eq", "master", "four-band equaliser", 0.6),
        _frequency("master_low_shelf_hz", 40, 200, 90, "master_eq", "master", "low shelf"),
        _gain("master_low_shelf_db", 6, "master_eq", "master", "gain below it"),
        _frequency("master_bell_1_hz", 100, 1000, 300, "master_eq", "master", "lower bell"),
        _gain("master_bell_1_db", 6, "master_eq", "master", "its gain"),
        _q("master_bell_1_q", 0.4, 2, "master_eq", "master"),
        _frequency("master_bell_2_hz", 1000, 6000, 2500, "master_eq", "master", "upper bell"),
        _gain("master_bell_2_db", 6, "master_eq", "master", "its gain"),
        _q("master_bell_2_q", 0.4, 2, "master_eq", "master"),
        _frequency("master_high_shelf_hz", 4000, 14000, 8000, "master_eq", "master", "high shelf"),
        _gain("master_high_shelf_db", 6, "master_eq", "master", "gain above it"),
        _switch("multiband_on", "multiband", "master", "three-band compressor", 0.4),
        _frequency("crossover_low_hz", 80, 300, 150, "multiband", "master", "low to mid"),
        _frequency("crossover_high_hz", 2000, 8000, 4000, "multiband", "master", "mid to high"),
        *_band("low", -8, 20, 200),
        *_band("mid", -8, 10, 150),
        *_band("high", -14, 5, 100),
        _switch("saturation_on", "saturation", "master", "oversampled soft saturation", 0.3),
        Parameter(
            "saturation_drive_db",
            "dB",
            0,
            4,
            2,
            "saturation",
            "master",
            "level into the curve",
            neutral=0,
            prior=(1.5, 0.4),
        ),
        Parameter(
            "saturation_mix",
            "",
            0,
            0.5,
            0.25,
            "saturation",
            "master",
            "share of the saturated signal",
            neutral=0,
            prior=(0.25, 0.4),
        ),
        _switch("image_on", "image", "master", "stereo width with mono bass", 0.4),
        Parameter(
            "master_width",
            "",
            0,
            1.5,
            1,
            "image",
            "master",
            "side over mid; 0 is mono",
            neutral=1,
            prior=(1, 0.15),
        ),
        _frequency(
            "mono_below_hz",
            20,
            200,
            20,
            "image",
            "master",
            "side is high-passed here; 20 Hz is none",
            neutral=20,
        ),
        Parameter(
            "loudness_on",
            "on/off",
            0,
            1,
            1,
            "loudness",
            "delivery",
            "bring the master to the target loudness",
            "switch",
            prior=(1, 1),
        ),
        Parameter(
            "target_lufs",
            "LUFS",
            -30,
            -6,
            -14,
            "loudness",
            "delivery",
            "integrated loudness of the master",
            prior=(-14, 0.1),
        ),
        Parameter(
            "limiter_on",
            "on/off",
            0,
            1,
            1,
            "limiter",
            "delivery",
            "true-peak limiter",
            "switch",
            prior=(1, 1),
        ),
        Parameter(
            "ceiling_dbtp",
            "dBTP",
            -9,
            0,
            -1,
            "limiter",
            "delivery",
            "highest true peak of the master",
            prior=(-1, 0.05),
        ),
        _time("limiter_look_ahead_ms", 1, 5, 3, "limiter", "delivery", "time to turn down"),
        _time("limiter_release_ms", 30, 1000, 100, "limiter", "delivery", "time to recover"),
    ),
)


def tables_digest() -> str:
    """Of all columns of the three tables: names, ranges, scales, defaults and what is neutral."""
    columns = [
        (table.name, p.name, p.unit, p.low, p.high, p.default, p.scale, p.neutral)
        for table in (STRIP, BUSES, MASTER)
        for p in table
    ]
    return blake2b(json.dumps(columns).encode(), digest_size=16).hexdigest()
