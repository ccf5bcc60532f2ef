"""Drum voices: each factory draws a timbre once and returns what one stroke sounds like."""

from collections.abc import Callable

import numpy as np

from ._parts import CRASH, OPEN
from ._score import Note
from ._synth import Samples, Voice, band_sos, clock, filtered
from ._synth_kernels import damped_sines


def kick(rng: np.random.Generator, sample_rate: int) -> Voice:
    """A sine that falls in pitch, driven into soft saturation, with a click of the beater."""
    pitch_hz = rng.uniform(42.0, 60.0)
    sweep_hz = rng.uniform(80.0, 220.0)
    sweep_s = rng.uniform(0.008, 0.025)
    decay_s = rng.uniform(0.09, 0.22)
    drive = rng.uniform(0.8, 2.5)
    click = rng.uniform(0.05, 0.3)
    t = clock(6.0 * decay_s, sample_rate)
    sweep = sweep_hz * sweep_s * (1.0 - np.exp(-t / sweep_s))
    swing = np.sin(2.0 * np.pi * (pitch_hz * t + sweep)) * np.exp(-t / decay_s)
    body = np.tanh(drive * swing) / np.tanh(drive)
    click_t = clock(0.02, sample_rate)
    click_envelope = np.minimum(1.0, click_t / 0.0004) * np.exp(-click_t / 0.003)
    click_band = band_sos(1500.0, 6000.0, sample_rate)

    def stroke(note: Note) -> Samples:
        out: Samples = body.copy()
        tick = filtered(click_band, rng.standard_normal(click_t.size)) * click_envelope
        out[: tick.size] += click * note.velocity * tick
        return out

    return stroke


def snare(rng: np.random.Generator, sample_rate: int) -> Voice:
    """Two modes of the skin over a burst of band-passed noise from the wires."""
    pitch_hz = rng.uniform(165.0, 240.0)
    modes = pitch_hz * np.array([1.0, 1.59, 2.14])
    ring_s = rng.uniform(0.03, 0.09) * np.array([1.0, 0.7, 0.5])
    wires = rng.uniform(0.5, 1.1)
    wires_s = rng.uniform(0.05, 0.12)
    wires_band = band_sos(rng.uniform(900.0, 2000.0), rng.uniform(7000.0, 12000.0), sample_rate)
    t = clock(0.5, sample_rate)
    envelope = np.minimum(1.0, t / 0.001) * np.exp(-t / wires_s)

    def stroke(note: Note) -> Samples:
        skin = damped_sines(
            modes, ring_s, np.array([1.0, 0.6, 0.3]), np.zeros(3), t.size, sample_rate
        )
        noise = filtered(wires_band, rng.standard_normal(t.size)) * envelope
        sound: Samples = skin + wires * noise
        return sound

    return stroke


def hats(rng: np.random.Generator, sample_rate: int) -> Voice:
    """Metal: many inharmonic partials and high-passed noise; closed, open, or a crash."""
    lowest_hz = min(rng.uniform(3500.0, 5500.0), 0.25 * sample_rate)
    highest_hz = min(15000.0, 0.45 * sample_rate)
    partials_hz = np.geomspace(lowest_hz, highest_hz, 36) * rng.uniform(0.96, 1.04, 36)
    weights = rng.uniform(0.3, 1.0, 36) / 6.0
    closed_s = rng.uniform(0.015, 0.04)
    noise_share = rng.uniform(0.3, 1.0)
    band = band_sos(rng.uniform(6000.0, 8000.0), 16000.0, sample_rate)
    decays_s = {0.0: closed_s, OPEN: rng.uniform(0.1, 0.25), CRASH: rng.uniform(0.4, 0.8)}

    def stroke(note: Note) -> Samples:
        decay_s = decays_s[note.pitch]
        t = clock(5.0 * decay_s, sample_rate)
        phases = rng.uniform(0.0, 2.0 * np.pi, 36)
        metal = damped_sines(
            partials_hz, np.full(36, decay_s), weights, phases, t.size, sample_rate
        )
        noise = filtered(band, rng.standard_normal(t.size)) * np.exp(-t / decay_s)
        edges = np.minimum(1.0, t / 0.001) * np.minimum(1.0, (t[-1] - t) / (0.5 * decay_s))
        sound: Samples = edges * (metal + noise_share * noise)
        return sound

    return stroke


def _shaker(rng: np.random.Generator, sample_rate: int) -> Voice:
    """Noise that swells and dies within a tenth of a second."""
    low_hz = rng.uniform(3000.0, 6000.0)
    band = band_sos(low_hz, 2.0 * low_hz, sample_rate)
    rise_s, fall_s = rng.uniform(0.01, 0.03), rng.uniform(0.02, 0.04)
    t = clock(rise_s + 6.0 * fall_s, sample_rate)
    envelope = np.where(t < rise_s, (t / rise_s) ** 2, np.exp(-(t - rise_s) / fall_s))

    def stroke(note: Note) -> Samples:
        noise = filtered(band, rng.standard_normal(t.size))
        sound: Samples = (1.0 if note.pitch else 0.7) * envelope * noise
        return sound

    return stroke


def _congas(rng: np.random.Generator, sample_rate: int) -> Voice:
    """Two hand drums a fourth or so apart: a few modes of a skin and the slap of the hand."""
    low_hz = rng.uniform(170.0, 240.0)
    ratios = np.array([1.0, 1.6, 2.2, 2.9])
    decay_s = rng.uniform(0.06, 0.14) * np.array([1.0, 0.5, 0.35, 0.25])
    slap_band = band_sos(1200.0, 5000.0, sample_rate)
    t = clock(0.6, sample_rate)
    slap_envelope = np.exp(-t / 0.006)

    def stroke(note: Note) -> Samples:
        modes_hz = low_hz * (1.35 if note.pitch else 1.0) * ratios
        levels = np.array([1.0, 0.5, 0.3, 0.2 * note.velocity])
        skin = damped_sines(modes_hz, decay_s, levels, np.zeros(4), t.size, sample_rate)
        slap = filtered(slap_band, rng.standard_normal(t.size)) * slap_envelope
        sound: Samples = skin + 0.4 * note.velocity * slap
        return sound

    return stroke


def _tambourine(rng: np.random.Generator, sample_rate: int) -> Voice:
    """Jingles: high inharmonic partials set off a few milliseconds apart."""
    highest_hz = min(11000.0, 0.45 * sample_rate)
    partials_hz = rng.uniform(0.4 * highest_hz, highest_hz, 24)
    decay_s = rng.uniform(0.04, 0.12, 24)
    t = clock(0.5, sample_rate)

    def stroke(note: Note) -> Samples:
        out = np.zeros(t.size)
        for jingles in np.split(np.arange(24), 4):
            late = round(rng.uniform(0.0, 0.02) * sample_rate)
            phases = rng.uniform(0.0, 2.0 * np.pi, jingles.size)
            out[late:] += damped_sines(
                partials_hz[jingles],
                decay_s[jingles],
                np.full(jingles.size, 0.2),
                phases,
                t.size - late,
                sample_rate,
            )
        return out

    return stroke


def _claps(rng: np.random.Generator, sample_rate: int) -> Voice:
    """Four hands not quite together: short bursts of noise, the last with a tail."""
    centre_hz = rng.uniform(1000.0, 1800.0)
    band = band_sos(0.6 * centre_hz, 2.5 * centre_hz, sample_rate)
    tail_s = rng.uniform(0.03, 0.08)
    t = clock(0.4, sample_rate)

    def stroke(note: Note) -> Samples:
        envelope = np.zeros(t.size)
        late = np.sort(rng.uniform(0.0, 0.03, 4))
        for start_s, decay_s in zip(late, (0.004, 0.004, 0.004, tail_s), strict=True):
            envelope += np.where(t >= start_s, np.exp(-np.maximum(t - start_s, 0.0) / decay_s), 0.0)
        sound: Samples = envelope * filtered(band, rng.standard_normal(t.size))
        return sound

    return stroke


_PERCUSSION: tuple[Callable[[np.random.Generator, int], Voice], ...] = (
    _shaker,
    _congas,
    _tambourine,
    _claps,
)


def percussion(rng: np.random.Generator, sample_rate: int) -> Voice:
    """One of shaker, congas, tambourine and claps."""
    return _PERCUSSION[rng.integers(len(_PERCUSSION))](rng, sample_rate)
