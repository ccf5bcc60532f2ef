"""Results as a person reads them in a terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from .._text import printable
from ..console.describe import changes

if TYPE_CHECKING:
    from ..console.compare import Comparison
    from ..console.meters import Readings
    from .album_delivery import Album
    from .evolving import Evolved
    from .results import Result

_ROWS = (
    ("integrated_lufs", "loudness", "LUFS"),
    ("loudness_range_lu", "loudness range", "LU"),
    ("max_momentary_lufs", "loudest 400 ms", "LUFS"),
    ("max_short_term_lufs", "loudest 3 s", "LUFS"),
    ("true_peak_dbtp", "true peak", "dBTP"),
    ("sample_peak_dbfs", "sample peak", "dBFS"),
    ("plr_db", "peak to loudness", "dB"),
    ("psr_db", "peak to short-term", "dB"),
    ("crest_db", "crest factor", "dB"),
    ("correlation", "correlation", ""),
    ("mono_fold_loss_db", "mono-fold loss", "dB"),
    ("duration_s", "length", "s"),
    ("sample_rate", "sample rate", "Hz"),
    ("channels", "channels", ""),
)

_MAIN = (
    "integrated_lufs",
    "loudness_range_lu",
    "max_short_term_lufs",
    "true_peak_dbtp",
    "plr_db",
    "duration_s",
)
MOST_COLUMNS = 3


def print_mix(result: Result) -> None:
    """What was done to each stem, where the files are, and how the master measures."""
    console = Console()
    table = Table(title=result.title, title_justify="left", box=None, pad_edge=False)
    for heading in ("stem", "role", "settings"):
        table.add_column(heading, overflow="fold")
    done = changes(result.mix)
    for name, role in zip(result.mix.stems, result.mix.roles, strict=True):
        table.add_row(_plain(name), role, _plain(", ".join(done.get(name, [])) or "as it came"))
    for bus in ("buses", "master"):
        if done.get(bus):
            table.add_row(bus, "", _plain(", ".join(done[bus])))
    console.print(table)
    _print_delivery(console, result)


def print_evolved(evolved: Evolved) -> None:
    """What a search gained, then the mix as `print_mix` shows it."""
    console, choice = Console(), evolved.choice
    print_mix(evolved.result)
    found = choice.found
    ended = "ended by you after" if found.interrupted else "with"
    console.print(
        f"{choice.mix.made_by}, {ended} {found.evaluations} mixes in {found.seconds:.1f} s: "
        f"simulated {choice.simulated[0]:.4f} to {choice.simulated[1]:.4f}, "
        f"rendered {choice.heard[0]:.4f} to {choice.heard[1]:.4f}",
        highlight=False,
    )
    if evolved.gallery is not None:
        console.print(
            f"gallery {_plain(str(evolved.gallery / 'index.html'))}",
            highlight=False,
            soft_wrap=True,
        )


def print_master(result: Result) -> None:
    """How the master measures, and where the files are."""
    _print_delivery(Console(), result)


def print_album(album: Album) -> None:
    """How every track and the whole measure, and where the files are."""
    console = Console()
    table = Table(box=None, pad_edge=False)
    table.add_column("track", overflow="fold")
    for heading in ("LUFS", "from the album, LU", "true peak, dBTP"):
        table.add_column(heading, justify="right")
    for track, distance_lu in zip(album.tracks, album.distances_lu, strict=True):
        numbers = (f"{track.loudness_lufs:.1f}", f"{distance_lu:+.1f}")
        table.add_row(_plain(track.title), *numbers, f"{track.true_peak_dbtp:.2f}")
    console.print(table)
    notes = [f"{track.title}: {note}" for track in album.tracks for note in track.notes]
    for note in (*album.notes, *notes):
        console.print(_plain(note), style="yellow", highlight=False)
    console.print(
        f"{album.loudness_lufs:.1f} LUFS as a whole, made in {album.seconds:.1f} s",
        highlight=False,
    )
    console.print(f"album   {_plain(str(album.folder))}", highlight=False, soft_wrap=True)


def print_comparison(comparison: Comparison) -> None:
    """What changed in each place, the place with the biggest change first."""
    console = Console()
    if not comparison.differences and not comparison.gone:
        console.print("The presets set everything alike.")
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    for _ in range(2):
        table.add_column(overflow="fold")
    for difference in comparison.differences:
        where = difference.where
        if difference.matched is None:
            where += " (new, beside the defaults)"
        elif difference.matched and not difference.matched.endswith("(by name)"):
            where += f", was {difference.matched}"
        for i, change in enumerate(difference.changes):
            table.add_row("" if i else _plain(where), _plain(change.words))
    console.print(table)
    if comparison.gone:
        console.print(_plain(f"No longer there: {', '.join(comparison.gone)}"), highlight=False)


def print_readings(readings: Mapping[str, Readings]) -> None:
    """All scalar meters, a column for each file; the main ones, a row each, of many files."""
    table = Table(box=None, pad_edge=False)
    if len(readings) > MOST_COLUMNS:
        table.add_column("file", overflow="fold", min_width=24)
        for name in _MAIN:
            _, label, unit = next(row for row in _ROWS if row[0] == name)
            table.add_column(f"{label}\n{unit}", justify="right")
        for path, reading in readings.items():
            table.add_row(_plain(path), *(_number(getattr(reading, name)) for name in _MAIN))
    else:
        table.add_column("")
        for path in readings:
            table.add_column(_plain(path), justify="right", overflow="fold")
        table.add_column("")
        for name, label, unit in _ROWS:
            table.add_row(label, *(_number(getattr(r, name)) for r in readings.values()), unit)
    Console().print(table)


def _print_delivery(console: Console, result: Result) -> None:
    for note in result.notes:
        console.print(_plain(note), style="yellow", highlight=False)
    console.print(
        f"{result.loudness_lufs:.1f} LUFS, true peak {result.true_peak_dbtp:.2f} dBTP, "
        f"{result.duration_s:.1f} s long, made in {result.seconds:.1f} s",
        highlight=False,
    )
    for name in ("audio", "preset", "report", "stems", "rpp", "dawproject"):
        path = getattr(result.outputs, name)
        if path is not None:
            console.print(f"{name:7} {_plain(str(path))}", highlight=False, soft_wrap=True)


def _plain(text: str) -> str:
    """Text in which rich sees no markup."""
    from rich.markup import escape

    return escape(printable(text))


def _number(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    return f"{value:.2f}" if math.isfinite(value) else "-"
