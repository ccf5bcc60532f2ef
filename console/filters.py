"""The console's filters: pedalboard's, from settings in physical units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pedalboard

SHELF_Q = 0.7071
HIGHEST = 0.45  # of the sample rate; filters above it are left out


def high_pass(cutoff_hz: float, sample_rate: int) -> list[pedalboard.Plugin]:
    """12 dB/octave: two first-order sections, together -6 dB at the cut-off."""
    import pedalboard

    if cutoff_hz >= HIGHEST * sample_rate:
        cutoff_hz = HIGHEST * sample_rate
    return [pedalboard.HighpassFilter(cutoff_hz) for _ in range(2)]


def equaliser(
    settings: Mapping[str, float], sample_rate: int, prefix: str = ""
) -> list[pedalboard.Plugin]:
    """Low shelf, two bells and high shelf; bands at 0 dB or above the passband are left out.

    Args:
        settings: parameter values by name, each name led by `prefix`.
        sample_rate: in Hz.
        prefix: "" for a strip, "master_" for the master.
    """
    import pedalboard

    bands = (
        ("low_shelf", pedalboard.LowShelfFilter, None),
        ("bell_1", pedalboard.PeakFilter, "bell_1_q"),
        ("bell_2", pedalboard.PeakFilter, "bell_2_q"),
        ("high_shelf", pedalboard.HighShelfFilter, None),
    )
    chain = []
    for band, make, q_name in bands:
        frequency_hz = settings[f"{prefix}{band}_hz"]
        gain_db = settings[f"{prefix}{band}_db"]
        q = settings[f"{prefix}{q_name}"] if q_name else SHELF_Q
        if gain_db != 0.0 and frequency_hz < HIGHEST * sample_rate:
            chain.append(make(cutoff_frequency_hz=frequency_hz, gain_db=gain_db, q=q))
    return chain
