"""`python -m mixgym.experiments.run_master TRACK REFERENCE OUT`: `mixgym master`, timed.

The track's first seconds are mastered before, uncounted, so that no compiling is timed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ..console.styles import style
from ..runtime.mastering import MasterOptions, master_file
from ..runtime.results import Outputs
from .cost import report
from .warm_up import openings


def master_track(track: Path, reference: Path, output: Path) -> None:
    """Master after a reference to a 24-bit WAV, with two threads."""
    options = MasterOptions(style("balanced"), reference, overwrite=True)
    master_file(track, Outputs(output), options)


if __name__ == "__main__":
    files = [Path(argument) for argument in sys.argv[1:]]
    with openings(files[0], files[1]) as (track, reference):
        master_track(track, reference, track.with_name("warm.wav"))
    report(lambda: master_track(*files))
