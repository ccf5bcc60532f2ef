"""The report of a mastered track."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

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
            before=read_all(track.blocks(BLOCK_FRAMES), rate),
            after=after,
            before_label="track as it came",
            after_label="master",
            delivered=rendering.delivered,
            target_hz=after.spectrum_hz,
            target_db=target_of(after, lean),
            clip=clip_of(lambda: track.blocks(BLOCK_FRAMES), rendering, after),
            notes=notes,
            ceiling_dbtp=ceiling_of(mix),
        ),
        path,
    )
