"""Sample-by-sample recursions of the synthesiser. All arrays are float64."""

import math

import numpy as np
from numpy.typing import NDArray

from ..compiled import kernel

Samples = NDArray[np.float64]


@kernel(fastmath={"contract", "reassoc"})
def damped_sines(
    frequency_hz: Samples,
    decay_s: Samples,
    amplitude: Samples,
    phase_rad: Samples,
    frames: int,
    sample_rate: int,
) -> Samples:
    """Sum of sines whose amplitude falls by 1/e every `decay_s`; `(partials,)` in, `(frames,)` out.

    A partial at or above 0.48 of the sample rate is left out, so nothing folds back.
    """
    out = np.zeros(frames)
    omega = 2.0 * np.pi * frequency_hz / sample_rate
    radius = np.exp(-1.0 / (decay_s * sample_rate))
    kept = np.where(frequency_hz < 0.48 * sample_rate, amplitude, 0.0)
    # y[n] = 2 r cos(w) y[n-1] - r^2 y[n-2], started from y[-1] and y[-2].
    b1 = 2.0 * radius * np.cos(omega)
    b2 = -(radius**2)
    y1 = kept / radius * np.sin(phase_rad - omega)
    y2 = kept / radius**2 * np.sin(phase_rad - 2.0 * omega)
    for n in range(frames):
        total = 0.0
        for k in range(b1.size):
            y = b1[k] * y1[k] + b2[k] * y2[k]
            y2[k] = y1[k]
            y1[k] = y
            total += y
        out[n] = total
    return out


@kernel()
def sawtooth(cycles_per_sample: Samples, phase: float) -> Samples:
    """Sawtooth from -1 to 1, `(frames,)`, its step smoothed by a two-sample polynomial (polyBLEP).

    `phase` is where in [0, 1) of the cycle it starts. Välimäki and Huovilainen, "Antialiasing
    Oscillators in Subtractive Synthesis", IEEE Signal Processing Magazine 24(2), 2007.
    """
    out = np.empty(cycles_per_sample.size)
    for n in range(cycles_per_sample.size):
        step = cycles_per_sample[n]
        y = 2.0 * phase - 1.0
        if phase < step:
            t = phase / step - 1.0
            y += t * t
        elif phase > 1.0 - step:
            t = (phase - 1.0) / step + 1.0
            y -= t * t
        out[n] = y
        phase += step
        if phase >= 1.0:
            phase -= 1.0
    return out


@kernel()
def lowpass(x: Samples, cutoff_hz: Samples, q: float, sample_rate: int) -> Samples:
    """Second-order low-pass whose cutoff may move every sample; `(frames,)` in and out.

    State-variable filter by the trapezoidal rule: Zavalishin, "The Art of VA Filter Design", 2018,
    section 4. Stable for any cutoff; it is held below 0.45 of the sample rate.
    """
    out = np.empty(x.size)
    s1 = 0.0
    s2 = 0.0
    damping = 1.0 / q
    for n in range(x.size):
        g = math.tan(math.pi * min(cutoff_hz[n] / sample_rate, 0.45))
        band = (s1 + g * (x[n] - s2)) / (1.0 + g * (g + damping))
        low = s2 + g * band
        s1 = 2.0 * band - s1
        s2 = 2.0 * low - s2
        out[n] = low
    return out


@kernel()
def string(
    excitation: Samples, frequency_hz: float, decay_s: float, damping: float, sample_rate: int
) -> Samples:
    """Plucked string, `(frames,)` in and out: a delay line fed back through a two-tap average.

    `decay_s` is the 60 dB decay of the fundamental; `damping` in (0, 0.5] is how fast the treble
    dies. An all-pass tunes the loop to a fraction of a sample. Jaffe and Smith, "Extensions of the
    Karplus-Strong Plucked-String Algorithm", Computer Music Journal 7(2), 1983.
    """
    period = sample_rate / frequency_hz
    delay = int(period - damping - 0.1)
    fraction = period - damping - delay
    allpass = (1.0 - fraction) / (1.0 + fraction)
    loss = 10.0 ** (-3.0 / (frequency_hz * decay_s))
    line = np.zeros(delay)
    out = np.empty(excitation.size)
    previous = 0.0
    allpass_in = 0.0
    allpass_out = 0.0
    position = 0
    for n in range(excitation.size):
        delayed = line[position]
        averaged = loss * ((1.0 - damping) * delayed + damping * previous)
        previous = delayed
        allpass_out = allpass * (averaged - allpass_out) + allpass_in
        allpass_in = averaged
        out[n] = excitation[n] + allpass_out
        line[position] = out[n]
        position += 1
        if position == delay:
            position = 0
    return out


@kernel()
def formants(
    x: Samples, frequency_hz: Samples, bandwidth_hz: Samples, hop: int, sample_rate: int
) -> Samples:
    """Vocal tract, `(frames,)` in and out: two-pole resonators in series, of unit gain at 0 Hz.

    `frequency_hz` is `(hops, resonators)`, one row every `hop` frames; `bandwidth_hz` is
    `(resonators,)`. Klatt, "Software for a cascade/parallel formant synthesizer", J. Acoust. Soc.
    Am. 67(3), 1980, equations 1 and 2. Resonators above 0.45 of the sample rate are left out.
    """
    out = x.copy()
    for k in range(bandwidth_hz.size):
        y1 = 0.0
        y2 = 0.0
        radius = math.exp(-math.pi * bandwidth_hz[k] / sample_rate)
        c = -radius * radius
        for row in range(frequency_hz.shape[0]):
            if frequency_hz[row, k] >= 0.45 * sample_rate:
                continue
            b = 2.0 * radius * math.cos(2.0 * math.pi * frequency_hz[row, k] / sample_rate)
            a = 1.0 - b - c
            for n in range(row * hop, min((row + 1) * hop, out.size)):
                y = a * out[n] + b * y1 + c * y2
                y2 = y1
                y1 = y
                out[n] = y
    return out
