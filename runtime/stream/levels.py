"""What a mix's settings refer to: how loud the stems and the bus are, and the drive.

Offline all of it is measured on the whole song first. A stream is given what was measured, or
begins with what can be expected and follows what is heard.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...console.levels import stem_levels
from ...console.mix import Mix
from ...console.parameters import MASTER, NOMINAL_LUFS, STRIP

if TYPE_CHECKING:
    from ...console.render import Rendering
    from ...songs import Song


@dataclass(frozen=True, slots=True)
class Levels:
    """The references of one song's settings.

    Attributes:
        stem_lufs: integrated loudness of each raw stem, in their order; -inf where silent.
        input_gain_db: brings the mix bus to the nominal loudness.
        drive_db: gain ahead of the limiter.
    """

    stem_lufs: tuple[float, ...]
    input_gain_db: float = 0.0
    drive_db: float = 0.0


def measured_levels(song: Song, rendering: Rendering) -> Levels:
    """What the offline render of a song measured: a stream with these sounds as it does.

    Raises:
        MixgymError: a stem cannot be read.
    """
    lufs = rendering.bus_lufs
    return Levels(
        tuple(level.loudness_lufs for level in stem_levels(song)),
        NOMINAL_LUFS - lufs if math.isfinite(lufs) else 0.0,
        rendering.delivered.drive_db,
    )


def expected_levels(mix: Mix, stem_lufs: tuple[float, ...]) -> Levels:
    """Before anything is heard: stems that add up as powers, and a chain that keeps the loudness.

    Args:
        mix: the settings.
        stem_lufs: of the raw stems.
    """
    faders_db = mix.strips[:, STRIP.index("fader_db")]
    heard = [
        10 ** (db / 10)
        for db, lufs in zip(faders_db, stem_lufs, strict=True)
        if math.isfinite(lufs)
    ]
    gain_db = -10 * math.log10(sum(heard)) if heard else 0.0
    return Levels(stem_lufs, gain_db, nominal_drive_db(mix))


def nominal_drive_db(mix: Mix) -> float:
    """From the nominal loudness to the target; 0 dB where the mix asks for none."""
    master = MASTER.settings(mix.master)
    return master["target_lufs"] - NOMINAL_LUFS if master["loudness_on"] else 0.0
