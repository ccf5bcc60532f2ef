"""Styles: how a mix may lean, as a few numbers each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import MixgymError


@dataclass(frozen=True, slots=True)
class Style:
    """What a style changes about a balanced mix.

    Attributes:
        about: for people.
        master: values of the master table that differ from the balanced master.
        levels_db: added to the level of every stem of a role.
        reverb_db: added to every reverb send.
        tilt_db_per_octave: added to the slope of the target spectrum.
    """

    about: str
    master: Mapping[str, float] = field(default_factory=dict)
    levels_db: Mapping[str, float] = field(default_factory=dict)
    reverb_db: float = 0.0
    tilt_db_per_octave: float = 0.0


STYLES: dict[str, Style] = {
    "balanced": Style("even tone, natural dynamics, -14 LUFS"),
    "warm": Style(
        "fuller lows, softer highs",
        {"master_eq_on": 1, "master_low_shelf_db": 1.5, "master_high_shelf_db": -2.0},
        tilt_db_per_octave=-0.5,
    ),
    "bright": Style(
        "lean lows, open highs",
        {"master_eq_on": 1, "master_low_shelf_db": -1.0, "master_high_shelf_db": 2.0},
        tilt_db_per_octave=0.5,
    ),
    "loud": Style(
        "dense and loud, -9 LUFS",
        {
            "target_lufs": -9,
            "bus_compressor_ratio": 2.0,
            "bus_compressor_threshold_db": -6,
            "multiband_on": 1,
            "saturation_on": 1,
            "saturation_drive_db": 3,
            "saturation_mix": 0.4,
        },
        reverb_db=-3.0,
    ),
    "dynamic": Style(
        "wide dynamics, -18 LUFS, nothing on the mix bus",
        {"target_lufs": -18, "bus_compressor_on": 0},
    ),
    "vocal_forward": Style(
        "voices in front, drier",
        levels_db={"lead_vocal": 2.0, "backing_vocal": 1.0},
        reverb_db=-2.0,
    ),
    "spacious": Style(
        "more room, wider image",
        {"image_on": 1, "master_width": 1.15},
        reverb_db=6.0,
    ),
}


def style(name: str) -> Style:
    """The style of that name.

    Raises:
        MixgymError: there is none.
    """
    if name not in STYLES:
        raise MixgymError(f"There is no style {name!r}; choose from {', '.join(STYLES)}.")
    return STYLES[name]
