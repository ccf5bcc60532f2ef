"""Carry: a mix made for an excerpt, so set that it does the same on the whole song."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from .compressor import make_up_db
from .levels import stem_levels
from .mix import Mix
from .parameters import STRIP
from .strip import compressor_settings

if TYPE_CHECKING:
    from ..songs import Song

FADER, THRESHOLD = STRIP.index("fader_db"), STRIP.index("compressor_threshold_db")


def carry(mix: Mix, source: Song, target: Song, *, otherwise: Mix) -> Mix:
    """Settings for `target` that treat its audio as `mix` treats the same audio in `source`.

    Faders and thresholds refer to the loudness of a stem, which in an excerpt is another than in
    the song: they are moved by the difference, and held at the ends of their ranges.

    Args:
        mix: of `source`.
        source: an excerpt of `target`, or the other way round.
        target: with the same stems.
        otherwise: a mix of `target`, for stems that are silent in `source`.

    Raises:
        MixgymError: a stem cannot be read.
    """
    strips = mix.strips.copy()
    pairs = zip(stem_levels(source), stem_levels(target), strict=True)
    for row, (here, there) in enumerate(pairs):
        if here.silent or there.silent:
            strips[row] = otherwise.strips[row]
            continue
        louder_db = there.loudness_lufs - here.loudness_lufs
        before_db = _make_up_db(strips[row])
        strips[row, THRESHOLD] = _held(
            "compressor_threshold_db", strips[row, THRESHOLD] - louder_db
        )
        after_db = _make_up_db(strips[row])
        fader_db = strips[row, FADER] + louder_db + before_db - after_db
        strips[row, FADER] = _held("fader_db", fader_db)
    return replace(mix, strips=strips, moves=None)


def _make_up_db(strip: np.ndarray) -> float:
    settings = STRIP.settings(strip)
    if not settings["compressor_on"] or settings["compressor_ratio"] <= 1:
        return 0.0
    return make_up_db(0.0, compressor_settings(settings, "compressor_", 0.0))


def _held(name: str, value: float) -> float:
    return min(max(value, STRIP[name].low), STRIP[name].high)
