"""`mixgym demo`: a song of its own, mixed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..console.rules import mixer_by_rule
from ..console.styles import style
from ..errors import MixgymError
from ..songs import read_song
from .mixing import MixOptions, MixResult, Outputs, mix_song

if TYPE_CHECKING:
    from ..console.render import Progress


def make_demo(
    folder: Path, seed: int = 0, duration_s: float = 24.0, progress: Progress | None = None
) -> MixResult:
    """Write a song's stems into a folder and mix it there, as `mixgym mix` would.

    Args:
        folder: made here; `stems/`, `mix.wav`, `preset.json` and `report.html` go into it.
        seed: another seed is another song.
        duration_s: length of the song.
        progress: told what is being done.

    Raises:
        MixgymError: the folder exists or cannot be made.
    """
    from ..songs.generate import generate_song, write_song

    if progress:
        progress("Composing", 0.0)
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise MixgymError(f"{folder} exists; name another folder for the demo.") from None
    with generate_song(seed, duration_s) as song:
        write_song(song, folder / "stems")
    if progress:
        progress("Composing", 1.0)
    lean = style("balanced")
    options = MixOptions(mixer=mixer_by_rule("roles", lean), lean=lean)
    outputs = Outputs(
        folder / "mix.wav", preset=folder / "preset.json", report=folder / "report.html"
    )
    with read_song(folder / "stems") as song:
        return mix_song(song, outputs, options, progress)
