"""A folder of mixes to choose from: a preset and an excerpt's sound of each, and tables of them."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .._text import printable
from ..console.hear import hear
from ..console.preset import dumps
from .output import choose_format, write_audio
from .staging import MARKER

if TYPE_CHECKING:
    from ..console.mix import Mix
    from ..console.render import Progress
    from ..songs import Song


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One mix of a gallery.

    Attributes:
        excerpt_mix: for the excerpt that is heard.
        song_mix: the same for the whole song, for the preset.
        figures: what it is worth and where it lies, by name.
    """

    excerpt_mix: Mix
    song_mix: Mix
    figures: Mapping[str, float]


def write_gallery(
    folder: Path,
    title: str,
    excerpt: Song,
    exhibits: Sequence[Exhibit],
    progress: Progress | None = None,
) -> None:
    """Write `01.json`, `01.wav`, …, `gallery.json`, `gallery.csv` and `index.html`.

    Args:
        folder: exists and is empty.
        title: of the page.
        excerpt: what is heard.
        exhibits: with the same figures each.
        progress: told what is being done.

    Raises:
        MixgymError: a stem cannot be read.
        OSError: the disk is full.
    """
    (folder / MARKER).touch()
    form = choose_format(Path("excerpt.wav"), excerpt.sample_rate, 16)
    digits = max(2, len(str(len(exhibits))))
    rows: list[dict[str, str | float]] = []
    for number, exhibit in enumerate(exhibits, start=1):
        name = f"{number:0{digits}d}"
        if progress:
            progress("Rendering the gallery", (number - 1) / len(exhibits))
        (folder / f"{name}.json").write_text(dumps(exhibit.song_mix), encoding="utf-8")
        _, audio = hear(excerpt, exhibit.excerpt_mix)
        write_audio(folder / f"{name}.wav", [audio], excerpt.sample_rate, form, audio.shape[1])
        rows.append({"mix": name, **{k: float(v) for k, v in exhibit.figures.items()}})
    if progress:
        progress("Rendering the gallery", 1.0)
    text = json.dumps({"title": title, "mixes": rows}, indent=1, allow_nan=False)
    (folder / "gallery.json").write_text(text + "\n", encoding="utf-8")
    with (folder / "gallery.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    (folder / "index.html").write_text(_page(title, rows), encoding="utf-8")


def _page(title: str, rows: Sequence[Mapping[str, str | float]]) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    names = [name for name in rows[0] if name != "mix"]
    return environment.get_template("gallery.html.j2").render(
        title=printable(title), names=names, rows=rows
    )
