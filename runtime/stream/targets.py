"""From a mix to what the audio path glides towards: the same formulas as `console.render`."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ...console.buses import reverb_response
from ...console.compressor import LOUDNESS_OFFSET_DB, CompressorSettings, make_up_db
from ...console.control import control_hop, smoothing
from ...console.delivery import SAFETY_DB
from ...console.filters import HIGHEST, SHELF_Q
from ...console.limiter import limiter_hop
from ...console.mastering import BAND_LEVELS_DB, BANDS
from ...console.mix import Mix
from ...console.pan import pan_matrix
from ...console.parameters import BUSES, MASTER, NOMINAL_LUFS, SEND_OFF_DB, STRIP
from ...console.saturation import NOMINAL_GAIN_DB
from ...console.strip import compressor_settings
from .layout import vector_length
from .levels import Levels

NO_CEILING_DB = 120.0
_DAMPING, _SIZE, _SMALLEST = 0.4, 0.28, 0.7  # JUCE's scales of the reverb's knobs


def target_vector(
    mix: Mix, levels: Levels, channels: tuple[int, ...], sample_rate: int
) -> NDArray[np.float64]:
    """The vector that `layout` describes, for a mix.

    Args:
        mix: settings.
        levels: what they refer to.
        channels: of each stem, 1 or 2.
        sample_rate: in Hz.
    """
    values: list[float] = []
    routes: list[float] = []
    for stem, row in enumerate(mix.strips):
        settings, lufs = STRIP.settings(row), levels.stem_lufs[stem]
        name = mix.side_chains[stem]
        source = -1 if name is None else mix.stems.index(name)
        key_lufs = lufs if source < 0 else levels.stem_lufs[source]
        if not (math.isfinite(lufs) and math.isfinite(key_lufs)):
            source, key_lufs = -1, lufs
        routes.append(source)
        values += _strip(settings, lufs, key_lufs, channels[stem], sample_rate)
    buses = BUSES.settings(mix.buses)
    values += _buses(buses, sample_rate)
    values += _master(MASTER.settings(mix.master), levels, sample_rate)
    delays_ms = (buses["reverb_pre_delay_ms"], buses["delay_time_ms"])
    delays = [float(round(time_ms / 1000 * sample_rate)) for time_ms in delays_ms]
    vector = np.array(values + routes + delays)
    assert len(vector) == vector_length(len(mix.stems))
    return vector


def _strip(
    settings: Mapping[str, float], lufs: float, key_lufs: float, channels: int, rate: int
) -> list[float]:
    heard = math.isfinite(lufs)
    reference = lufs if heard else 0.0
    dynamics = compressor_settings(settings, "compressor_", reference)
    on = bool(settings["compressor_on"]) and heard
    gain = 10 ** ((NOMINAL_LUFS - lufs + settings["fader_db"]) / 20) if heard else 0.0
    matrix = pan_matrix(settings["pan"], settings["width"], channels, gain)
    columns = [float(x) for x in matrix.T.flat]
    return [
        *_cut("high_pass_hz", settings["high_pass_hz"], rate, bool(settings["high_pass_on"])),
        *_equaliser(settings, rate, "", bool(settings["eq_on"])),
        *_dynamics(dynamics, reference, rate, on),
        *_cut("side_chain_high_pass_hz", settings["side_chain_high_pass_hz"], rate, on),
        10 ** ((lufs - key_lufs) / 20) if heard else 0.0,
        *(columns if channels == 2 else [*columns, 0.0, 0.0]),
        _send(settings["reverb_send_db"]),
        _send(settings["delay_send_db"]),
    ]


def _buses(settings: Mapping[str, float], rate: int) -> list[float]:
    size, damping = settings["reverb_size"], settings["reverb_damping"]
    width = settings["reverb_width"]
    power, _ = reverb_response(size, damping, width)
    level = 10 ** (settings["reverb_return_db"] / 20) / math.sqrt(power)
    return [
        _warped(settings["reverb_low_cut_hz"], rate),
        1.0,
        _SMALLEST + _SIZE * size,
        _DAMPING * damping,
        level * (1 + width) / 2,
        level * (1 - width) / 2,
        _warped(settings["delay_low_cut_hz"], rate),
        1.0,
        _warped(settings["delay_high_cut_hz"], rate),
        settings["delay_feedback"],
        10 ** (settings["delay_return_db"] / 20),
    ]


def _master(settings: Mapping[str, float], levels: Levels, rate: int) -> list[float]:
    bus = compressor_settings(settings, "bus_compressor_", NOMINAL_LUFS)
    multiband = bool(settings["multiband_on"])
    values = [
        10 ** (levels.input_gain_db / 20),
        *_dynamics(bus, NOMINAL_LUFS, rate, bool(settings["bus_compressor_on"])),
        *_equaliser(settings, rate, "master_", bool(settings["master_eq_on"])),
        float(multiband),
        *_crossover(settings["crossover_low_hz"], rate),
        *_crossover(settings["crossover_high_hz"], rate),
    ]
    for name in BANDS:
        band = compressor_settings(settings, f"{name}_", NOMINAL_LUFS)
        values += _dynamics(band, NOMINAL_LUFS + BAND_LEVELS_DB[name], rate, multiband)
    image = bool(settings["image_on"])
    slots_per_s = rate / limiter_hop(rate)
    ceiling_db = settings["ceiling_dbtp"] - SAFETY_DB if settings["limiter_on"] else NO_CEILING_DB
    return [
        *values,
        10 ** ((settings["saturation_drive_db"] + NOMINAL_GAIN_DB) / 20),
        settings["saturation_mix"] if settings["saturation_on"] else 0.0,
        *_cut("mono_below_hz", settings["mono_below_hz"], rate, image),
        settings["master_width"] if image else 1.0,
        10 ** (levels.drive_db / 20),
        ceiling_db,
        smoothing(settings["limiter_release_ms"], slots_per_s),
    ]


def _warped(cutoff_hz: float, rate: int) -> float:
    """The bilinear transform's frequency; beyond the highest the cut-off stays."""
    return math.tan(math.pi * min(cutoff_hz, HIGHEST * rate) / rate)


def _cut(name: str, cutoff_hz: float, rate: int, on: bool) -> tuple[float, float]:
    """Of a high-pass that does nothing at the bottom of its range."""
    table = STRIP if name in STRIP else MASTER
    return _warped(cutoff_hz, rate), float(on and cutoff_hz > table[name].low)


def _equaliser(settings: Mapping[str, float], rate: int, prefix: str, on: bool) -> list[float]:
    values: list[float] = []
    for name in ("low_shelf", "bell_1", "bell_2", "high_shelf"):
        hz, gain_db = settings[f"{prefix}{name}_hz"], settings[f"{prefix}{name}_db"]
        q = settings[f"{prefix}{name}_q"] if name.startswith("bell") else SHELF_Q
        if not on or hz >= HIGHEST * rate:
            gain_db = 0.0
        values += _band(name, _warped(hz, rate), gain_db, q)
    return values


def _band(name: str, g: float, gain_db: float, q: float) -> tuple[float, ...]:
    """g, k and the mix of a state-variable filter (Simper 2013) that is the cookbook's band."""
    a = 10 ** (gain_db / 40)
    if name == "low_shelf":
        return g / math.sqrt(a), 1 / q, 1.0, (a - 1) / q, a * a - 1
    if name == "high_shelf":
        return g * math.sqrt(a), 1 / q, a * a, (1 - a) * a / q, 1 - a * a
    k = 1 / (q * a)
    return g, k, 1.0, k * (a * a - 1), 0.0


def _dynamics(
    settings: CompressorSettings, reference_db: float, rate: int, on: bool
) -> tuple[float, ...]:
    hops_per_s = rate / control_hop(rate)
    return (
        settings.threshold_db - LOUDNESS_OFFSET_DB,
        1.0 / settings.ratio - 1.0 if on else 0.0,
        max(settings.knee_db, 1e-9),
        smoothing(settings.attack_ms, hops_per_s),
        smoothing(settings.release_ms, hops_per_s),
        make_up_db(reference_db, settings) if on else 0.0,
    )


def _crossover(cutoff_hz: float, rate: int) -> tuple[float, float]:
    """a1 and a2 of the Butterworth sections at a crossover."""
    k = _warped(cutoff_hz, rate)
    a0 = 1 + math.sqrt(2) * k + k * k
    return 2 * (k * k - 1) / a0, (1 - math.sqrt(2) * k + k * k) / a0


def _send(level_db: float) -> float:
    return 10 ** (level_db / 20) if level_db > SEND_OFF_DB else 0.0
