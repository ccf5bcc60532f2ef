"""Excerpts that a policy can be shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from ...console.analysis_cache import cached_analysis

if TYPE_CHECKING:
    from ...console.analysis import Analysis
    from ...songs import Song


def analysed_where_it_sounds(excerpts: Iterable[Song], threads: int) -> list[Analysis | None]:
    """Analyses of excerpts; None where no stem gets past the gate of the loudness meter.

    Raises:
        MixgymError: a stem cannot be read.
    """
    analyses = (cached_analysis(excerpt, threads=threads) for excerpt in excerpts)
    return [found if np.isfinite(found.loudness_lufs).any() else None for found in analyses]
