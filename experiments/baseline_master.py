"""`python -m mixgym.experiments.baseline_master TRACK REFERENCE OUT`: matchering, timed.

The track's first seconds are mastered before, uncounted, as they are for `run_master`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matchering

from .cost import report
from .warm_up import openings


def master_track(track: Path, reference: Path, output: Path) -> None:
    """Master after a reference to a 24-bit WAV, with matchering's own settings."""
    matchering.process(str(track), str(reference), [matchering.pcm24(str(output))])


if __name__ == "__main__":
    files = [Path(argument) for argument in sys.argv[1:]]
    with openings(files[0], files[1]) as (track, reference):
        master_track(track, reference, track.with_name("warm.wav"))
    report(lambda: master_track(*files))
