"""The report of a mastered track."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..console.describe import changes
from ..console.styles import Style
from .measuring import BLOCK_FRAMES, Track
from .mix_report import ceiling_of, clip_of, read_all, target_of
from .report import ReportData, write_report

if TYPE_CHECKING:
    from ..console.mix import Mix
    from ..console.render import Rendering


def write_master_report(
    path: Path,
    title: str,
    track: Track,
    mix: Mix,
    rendering: Rendering,
    lean: Style | None,
    notes: tuple[str, ...],
) -> None:
    """Write the report of a finished master.

    Raises:
        MixgymError: the track cannot be read or the page cannot be written.
    """
    rate = track.sample_rate
    after = read_all(rendering.blocks(), rate)
    write_report(
        ReportData(
            title=title,
            kind="master",
            settings=changes(mix),
            reasons=mix.reasons,
            stems=(),
            before=read_all(_blocks(track), rate),
            after=after,
            before_label="track as it came",
            after_label="master",
            delivered=rendering.delivered,
            target_hz=after.spectrum_hz,
            target_db=target_of(after, lean),
            clip=clip_of(lambda: _blocks(track), rendering, after),
            notes=notes,
            ceiling_dbtp=ceiling_of(mix),
        ),
        path,
    )


def _blocks(track: Track) -> Iterator[NDArray[np.float32]]:
    for start in range(0, track.frames, BLOCK_FRAMES):
        yield track.read(start, min(BLOCK_FRAMES, track.frames - start))
