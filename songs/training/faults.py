"""What can be wrong with a finished track: drawn from a generator, carried out by effects.

In the order in which they are made: tone (shelves and a broad bell, which tilt it, muddy its lows
or sharpen its highs), a resonance, width, levels that wander, compression that pumps, clipping,
gain.
"""

from typing import Any

import numpy as np

FAULTY = 0.4  # how likely each fault is


def draw_faults(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Effects for `apply_effects`, at least one beside the gain.

    Args:
        rng: consumed.
    """
    made = rng.random(len(_FAULTS)) < FAULTY
    made[int(rng.integers(len(_FAULTS)))] = True
    effects = [draw(rng) for draw, wanted in zip(_FAULTS, made, strict=True) if wanted]
    return [*effects, {"type": "gain", "gain_db": _uniform(rng, -30.0, 0.0)}]


def _tone(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "type": "equalise",
        "low_hz": _uniform(rng, 80.0, 300.0),
        "low_db": _uniform(rng, -8.0, 8.0),
        "bell_hz": _logarithmic(rng, 200.0, 5000.0),
        "bell_db": _uniform(rng, -6.0, 6.0),
        "bell_q": _uniform(rng, 0.4, 1.5),
        "high_hz": _uniform(rng, 2500.0, 9000.0),
        "high_db": _uniform(rng, -8.0, 8.0),
    }


def _resonance(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "type": "resonate",
        "hz": _logarithmic(rng, 80.0, 6000.0),
        "gain_db": _uniform(rng, 4.0, 12.0),
        "q": _uniform(rng, 1.5, 6.0),
    }


def _width(rng: np.random.Generator) -> dict[str, Any]:
    return {"type": "widen", "width": _uniform(rng, 0.1, 2.5)}


def _wandering(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "type": "wander",
        "depth_db": _uniform(rng, 2.0, 8.0),
        "every_s": _uniform(rng, 0.5, 3.0),
        "seed": int(rng.integers(2**31)),
    }


def _pumping(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "type": "compress",
        "below_rms_db": _uniform(rng, 0.0, 12.0),
        "ratio": _uniform(rng, 2.0, 8.0),
        "release_ms": _uniform(rng, 60.0, 300.0),
    }


def _clipping(rng: np.random.Generator) -> dict[str, Any]:
    return {"type": "clip", "above_rms_db": _uniform(rng, 6.0, 14.0)}


_FAULTS = (_tone, _resonance, _width, _wandering, _pumping, _clipping)


def _uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return round(float(rng.uniform(low, high)), 4)


def _logarithmic(rng: np.random.Generator, low: float, high: float) -> float:
    return round(float(np.exp(rng.uniform(np.log(low), np.log(high)))), 1)
