"""`python -m mixgym.experiments.run_mix STEMS OUT`: what `mixgym mix` does, timed.

On a song that it never saw: analyses of earlier runs are not used.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from ..console.styles import style
from ..runtime.mixers import mixer_named
from ..runtime.mixing import MixOptions, mix_song
from ..runtime.results import Outputs
from ..songs import read_song
from .cost import report


def mix_folder(stems: Path, output: Path) -> None:
    """Mix a folder by the default mixer to a 24-bit WAV, with two threads."""
    lean = style("balanced")
    options = MixOptions(mixer=mixer_named(), lean=lean, overwrite=True)
    with read_song(stems) as song:
        mix_song(song, Outputs(output), options)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as cache:
        os.environ["MIXGYM_CACHE"] = cache
        report(lambda: mix_folder(Path(sys.argv[1]), Path(sys.argv[2])))
