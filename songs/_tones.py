"""Pitched voices: each factory draws a timbre once and returns what one note sounds like."""

from collections.abc import Callable

import numpy as np

from ._score import Note
from ._synth import Samples, Voice, bell_sos, filtered, gate, midi_hz
from ._synth_kernels import damped_sines, lowpass, sawtooth, string

Factory = Callable[[np.random.Generator, int], Voice]


def _pluck(
    note: Note,
    rng: np.random.Generator,
    sample_rate: int,
    *,
    decay_s: float,
    damping: float,
    brightness_hz: float,
    pick: float,
    release_s: float,
) -> Samples:
    """A string plucked at the fraction `pick` of its length, harder strokes brighter."""
    frequency_hz = midi_hz(note.pitch)
    envelope = gate(note.duration_s, 0.001, release_s, sample_rate)
    excitation = np.zeros(envelope.size)
    period = min(round(sample_rate / frequency_hz), envelope.size)
    burst = rng.standard_normal(period)
    cutoff_hz = np.full(period, brightness_hz * (0.4 + 0.6 * note.velocity))
    burst = lowpass(burst - burst.mean(), cutoff_hz, 0.7, sample_rate)
    excitation[:period] = burst / (np.sqrt(np.mean(burst**2)) + 1e-9)
    comb = max(1, round(pick * period))
    excitation[comb:] -= 0.9 * excitation[:-comb]
    plucked = string(excitation, frequency_hz, decay_s, damping, sample_rate)
    sound: Samples = envelope * plucked
    return sound


def _finger_bass(rng: np.random.Generator, sample_rate: int) -> Voice:
    """Electric bass played with the fingers."""
    decay_s, damping = rng.uniform(2.5, 5.0), rng.uniform(0.3, 0.5)
    brightness_hz, pick = rng.uniform(120.0, 350.0), rng.uniform(0.2, 0.4)
    body = bell_sos(rng.uniform(60.0, 110.0), 4.0, 0.8, sample_rate)

    def play(note: Note) -> Samples:
        tone = _pluck(
            note,
            rng,
            sample_rate,
            decay_s=decay_s,
            damping=damping,
            brightness_hz=brightness_hz,
            pick=pick,
            release_s=0.06,
        )
        return filtered(body, tone)

    return play


def _synth_bass(rng: np.random.Generator, sample_rate: int) -> Voice:
    """Sawtooth or square through a resonant low-pass that closes, over a sine."""
    floor_hz, sweep_hz = rng.uniform(90.0, 250.0), rng.uniform(200.0, 1500.0)
    sweep_s, q = rng.uniform(0.05, 0.25), rng.uniform(0.7, 2.5)
    square = bool(rng.random() < 0.4)
    sub = rng.uniform(0.5, 1.2)

    def play(note: Note) -> Samples:
        envelope = gate(note.duration_s, 0.004, 0.05, sample_rate)
        t = np.arange(envelope.size) / sample_rate
        frequency_hz = midi_hz(note.pitch)
        cycles = np.full(t.size, frequency_hz / sample_rate)
        wave = sawtooth(cycles, 0.0)
        if square:
            wave = wave - sawtooth(cycles, 0.5)
        cutoff_hz = floor_hz + note.velocity * sweep_hz * np.exp(-t / sweep_s)
        tone = lowpass(wave, cutoff_hz, q, sample_rate)
        sound: Samples = envelope * (tone + sub * np.sin(2.0 * np.pi * frequency_hz * t))
        return sound

    return play


def _sub_bass(rng: np.random.Generator, sample_rate: int) -> Voice:
    """A sine that a soft saturation gives its harmonics, slowly dying away."""
    drive, decay_s = rng.uniform(0.8, 2.5), rng.uniform(0.6, 2.0)

    def play(note: Note) -> Samples:
        envelope = gate(note.duration_s, 0.005, 0.08, sample_rate)
        t = np.arange(envelope.size) / sample_rate
        sine = np.sin(2.0 * np.pi * midi_hz(note.pitch) * t) * np.exp(-t / decay_s)
        sound: Samples = envelope * np.tanh(drive * (sine + 0.15)) / np.tanh(drive)
        return sound

    return play


def _electric_piano(rng: np.random.Generator, sample_rate: int) -> Voice:
    """Frequency modulation: a warm 1:1 pair and the ping of a tine.

    Chowning, "The Synthesis of Complex Audio Spectra by Means of Frequency Modulation", J. Audio
    Eng. Soc. 21(7), 1973. The tine's ratio falls on high notes, so that side bands do not fold.
    """
    index, index_s = rng.uniform(0.8, 2.0), rng.uniform(0.3, 0.9)
    tine, tine_s = rng.uniform(0.1, 0.35), rng.uniform(0.05, 0.15)
    decay_s = rng.uniform(0.9, 2.0)

    def play(note: Note) -> Samples:
        envelope = gate(note.duration_s, 0.003, 0.15, sample_rate)
        t = np.arange(envelope.size) / sample_rate
        frequency_hz = midi_hz(note.pitch)
        omega_t = 2.0 * np.pi * frequency_hz * t
        ratio = max(1.0, min(14.0, float(int(0.2 * sample_rate / frequency_hz))))
        body = np.sin(omega_t + index * note.velocity * np.exp(-t / index_s) * np.sin(omega_t))
        ping = tine * note.velocity * np.exp(-t / tine_s) * np.sin(ratio * omega_t)
        sound: Samples = envelope * np.exp(-t / decay_s) * (body + ping)
        return sound

    return play


def _piano(rng: np.random.Generator, sample_rate: int) -> Voice:
    """Stiff strings: stretched partials that die the sooner the higher they are.

    Fletcher, "Normal Vibration Frequencies of a Stiff Piano String", JASA 36(1), 1964.
    """
    stiffness = rng.uniform(1e-4, 6e-4)
    slope = rng.uniform(1.0, 1.6)
    ring_s = rng.uniform(1.0, 2.0)
    k = np.arange(1.0, 21.0)
    hammer = np.abs(np.sin(np.pi * k / rng.uniform(7.0, 9.0)))
    stretch = k * np.sqrt(1.0 + stiffness * k**2)

    def play(note: Note) -> Samples:
        envelope = gate(note.duration_s, 0.002, 0.12, sample_rate)
        levels = hammer * k ** -(slope + 0.8 * (1.0 - note.velocity))
        decay_s = ring_s * 2.0 ** ((60.0 - note.pitch) / 24.0) / (1.0 + 0.25 * k)
        phases = rng.uniform(0.0, 2.0 * np.pi, k.size)
        partials_hz = midi_hz(note.pitch) * stretch
        tone = damped_sines(partials_hz, decay_s, levels, phases, envelope.size, sample_rate)
        sound: Samples = envelope * tone
        return sound

    return play


def _organ(rng: np.random.Generator, sample_rate: int) -> Voice:
    """Drawbars: sines at fixed ratios that do not die away."""
    ratios = np.array([0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0])
    drawbars = rng.uniform(0.0, 0.6, ratios.size)
    drawbars[1] = 1.0
    for_ever_s = np.full(ratios.size, 1e3)

    def play(note: Note) -> Samples:
        envelope = gate(note.duration_s, 0.008, 0.04, sample_rate)
        partials_hz = midi_hz(note.pitch) * ratios
        phases = rng.uniform(0.0, 2.0 * np.pi, ratios.size)
        tone = damped_sines(partials_hz, for_ever_s, drawbars, phases, envelope.size, sample_rate)
        sound: Samples = envelope * tone
        return sound

    return play


def guitar(rng: np.random.Generator, sample_rate: int) -> Voice:
    """Steel, nylon or electric strings by their brightness, through the resonances of a body."""
    decay_s, damping = rng.uniform(2.0, 5.0), rng.uniform(0.15, 0.5)
    brightness_hz, pick = rng.uniform(1500.0, 6000.0), rng.uniform(0.08, 0.3)
    drive = rng.uniform(0.6, 2.0) if rng.random() < 0.4 else 0.0
    body = np.concatenate(
        [
            bell_sos(rng.uniform(95.0, 120.0), rng.uniform(2.0, 6.0), 2.0, sample_rate),
            bell_sos(rng.uniform(180.0, 240.0), rng.uniform(2.0, 6.0), 2.0, sample_rate),
            bell_sos(rng.uniform(2000.0, 4000.0), rng.uniform(-3.0, 4.0), 1.0, sample_rate),
        ]
    )

    def play(note: Note) -> Samples:
        tone = _pluck(
            note,
            rng,
            sample_rate,
            decay_s=decay_s,
            damping=damping,
            brightness_hz=brightness_hz,
            pick=pick,
            release_s=0.08,
        )
        if drive:
            tone = np.tanh(drive * tone) / drive
        return filtered(body, tone)

    return play


def pad(rng: np.random.Generator, sample_rate: int) -> Voice:
    """Detuned sawtooths under a low-pass that breathes; the two channels are detuned apart."""
    detune_cents, cutoff_hz = rng.uniform(5.0, 16.0), rng.uniform(600.0, 2500.0)
    depth, rate_hz = rng.uniform(0.1, 0.5), rng.uniform(0.05, 0.3)
    attack_s, release_s = rng.uniform(0.08, 0.35), rng.uniform(0.15, 0.4)

    def play(note: Note) -> Samples:
        envelope = gate(note.duration_s, attack_s, release_s, sample_rate)
        t = note.start_s + np.arange(envelope.size) / sample_rate
        moving_hz = cutoff_hz * (1.0 + depth * np.sin(2.0 * np.pi * rate_hz * t))
        out = np.zeros((2, envelope.size))
        for channel in out:
            for cents in rng.uniform(-detune_cents, detune_cents, 3):
                cycles = midi_hz(note.pitch + cents / 100.0) / sample_rate
                channel += sawtooth(np.full(channel.size, cycles), float(rng.random()))
            channel[:] = lowpass(channel, moving_hz, 0.8, sample_rate)
        sound: Samples = envelope * out
        return sound

    return play


def arp(rng: np.random.Generator, sample_rate: int) -> Voice:
    """A short sawtooth or square whose low-pass snaps shut."""
    floor_hz, sweep_hz = rng.uniform(400.0, 1200.0), rng.uniform(1500.0, 6000.0)
    sweep_s, q = rng.uniform(0.04, 0.15), rng.uniform(0.8, 3.0)
    square = bool(rng.random() < 0.5)

    def play(note: Note) -> Samples:
        envelope = gate(note.duration_s, 0.003, 0.06, sample_rate)
        t = np.arange(envelope.size) / sample_rate
        cycles = np.full(t.size, midi_hz(note.pitch) / sample_rate)
        wave = sawtooth(cycles, 0.0)
        if square:
            wave = wave - sawtooth(cycles, 0.5)
        cutoff_hz = floor_hz + note.velocity * sweep_hz * np.exp(-t / sweep_s)
        sound: Samples = envelope * lowpass(wave, cutoff_hz, q, sample_rate)
        return sound

    return play


def bass(rng: np.random.Generator, sample_rate: int) -> Voice:
    """One of fingered, synthesised and sub bass."""
    return _one_of(rng, (_finger_bass, _synth_bass, _sub_bass))(rng, sample_rate)


def keys(rng: np.random.Generator, sample_rate: int) -> Voice:
    """One of electric piano, piano and organ."""
    return _one_of(rng, (_electric_piano, _piano, _organ))(rng, sample_rate)


def _one_of(rng: np.random.Generator, factories: tuple[Factory, ...]) -> Factory:
    return factories[rng.integers(len(factories))]
