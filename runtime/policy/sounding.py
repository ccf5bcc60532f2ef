"""Excerpts that a policy can be shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...console.analysis_cache import cached_analysis

if TYPE_CHECKING:
    from ...console.analysis import Analysis
    from ...songs import Song


class Sounding(NamedTuple):
    """An excerpt in which something is heard.

    Attributes:
        place: among those that were asked about.
        excerpt: it.
        analysis: of it.
    """

    place: int
    excerpt: Song
    analysis: Analysis


def sounding(excerpts: Iterable[Song], threads: int) -> list[Sounding]:
    """Those excerpts of which a stem gets past the gate of the loudness meter.

    Raises:
        MixgymError: a stem cannot be read.
    """
    analysed = (
        Sounding(place, excerpt, cached_analysis(excerpt, threads=threads))
        for place, excerpt in enumerate(excerpts)
    )
    return [found for found in analysed if np.isfinite(found.analysis.loudness_lufs).any()]
