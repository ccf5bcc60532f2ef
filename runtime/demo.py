"""`mixgym demo`: a song of its own, mixed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..console.styles import style
from ..errors import MixgymError
from ..songs import read_song
from .mixers import mixer_named
from .mixing import MixOptions, mix_song
from .results import Outputs, Result
from .staging import Staged, refuse_existing

if TYPE_CHECKING:
    from ..console.render import Progress


def make_demo(
    folder: Path, seed: int = 0, duration_s: float = 24.0, progress: Progress | None = None
) -> Result:
    """Write a song's stems into a folder and mix it there, as `mixgym mix` would.

    Args:
        folder: a new one; `stems/`, `mix.wav`, `preset.json` and `report.html` appear in it
            together when all is done.
        seed: another seed is another song.
        duration_s: length of the song.
        progress: told what is being done.

    Raises:
        MixgymError: the folder exists or cannot be made, or a value is out of range.
    """
    from ..songs.generate import generate_song, write_song

    refuse_existing((), overwrite=False, folder=folder)
    if folder.exists():
        raise MixgymError(f"{folder} exists; name another folder for the demo.")
    if progress:
        progress("Composing", 0.0)
    with Staged() as staged:
        work = staged.folder(folder)
        with generate_song(seed, duration_s) as song:
            write_song(song, work / "stems")
        if progress:
            progress("Composing", 1.0)
        lean = style("balanced")
        options = MixOptions(mixer=mixer_named(), lean=lean)
        with read_song(work / "stems") as song:
            result = mix_song(song, _outputs(work), options, progress)
    return replace(result, outputs=_outputs(folder))


def _outputs(folder: Path) -> Outputs:
    return Outputs(folder / "mix.wav", preset=folder / "preset.json", report=folder / "report.html")
