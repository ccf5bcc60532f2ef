"""Options that commands share, and the panels of the help that they stand in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

SETTINGS = "Settings"
STRENGTH = "How much of them to keep"
FILES = "Files"
WORK = "Work"
Output = Annotated[
    Path,
    typer.Option("--output", "-o", help=".wav .flac .aiff .ogg .mp3", rich_help_panel=FILES),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace outputs that exist.", rich_help_panel=FILES)
]
Lufs = Annotated[
    float | None,
    typer.Option(
        min=-30, max=-6, help="Integrated loudness to reach, in LUFS.", rich_help_panel=SETTINGS
    ),
]
TruePeak = Annotated[
    float | None,
    typer.Option(min=-9, max=0, help="True-peak ceiling, in dBTP.", rich_help_panel=SETTINGS),
]
Album = Annotated[
    bool,
    typer.Option(
        "--album",
        help="An album to the folder -o: one chain, one loudness, distances between songs kept.",
        rich_help_panel=SETTINGS,
    ),
]
StyleName = Annotated[
    str | None,
    typer.Option("--style", help="How the result leans: see --styles.", rich_help_panel=SETTINGS),
]
Amount = Annotated[
    float,
    typer.Option(min=0, max=1, help="All of them; 0 is a neutral mix.", rich_help_panel=STRENGTH),
]
BitDepth = Annotated[
    int, typer.Option(help="16, 24 or 32 (floating point).", rich_help_panel=FILES)
]
Threads = Annotated[
    int,
    typer.Option(min=1, max=64, help="How much is processed at once.", rich_help_panel=WORK),
]
PresetFile = Annotated[
    Path | None,
    typer.Option(help="Take the settings from a preset instead.", rich_help_panel=SETTINGS),
]
PolicyFile = Annotated[
    Path | None,
    typer.Option(
        "--policy",
        help="Another policy than the one that comes along: see mixgym export.",
        rich_help_panel=SETTINGS,
    ),
]
SavePreset = Annotated[
    Path | None, typer.Option(help="Write every setting as JSON.", rich_help_panel=FILES)
]
Report = Annotated[
    Path | None,
    typer.Option(help="Write a web page that shows what was done.", rich_help_panel=FILES),
]
ReaperProject = Annotated[
    Path | None,
    typer.Option(
        "--rpp",
        help="Write a Reaper project, with its effects in a folder Effects beside.",
        rich_help_panel=FILES,
    ),
]
DawProject = Annotated[
    Path | None,
    typer.Option(
        "--dawproject",
        help="Write a project, audio inside, that many workstations open.",
        rich_help_panel=FILES,
    ),
]
CopyStems = Annotated[
    bool,
    typer.Option(
        "--copy-stems",
        help="Copy the stems beside the Reaper project, which points to them otherwise.",
        rich_help_panel=FILES,
    ),
]
THREADS = min(8, os.cpu_count() or 1)
DEFAULT_STYLE = "balanced"


def strength(what: str) -> Any:
    """The option that scales one component."""
    return typer.Option(min=0, max=1, help=what, rich_help_panel=STRENGTH)


def _styles(wanted: bool) -> None:
    if wanted:
        from .console.styles import STYLES

        for name, lean in STYLES.items():
            typer.echo(f"{name:14} {lean.about}")
        raise typer.Exit


ListStyles = Annotated[
    bool,
    typer.Option(
        "--styles",
        callback=_styles,
        is_eager=True,
        help="List the styles and stop.",
        rich_help_panel=SETTINGS,
    ),
]
