"""`mixgym export`: its options, and what a person sees of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._options import FILES, SETTINGS, Json, Overwrite, Quiet
from ._terminal import print_json, progress_bars
from .errors import MixgymError


def export(
    source: Annotated[
        Path, typer.Argument(help="A run's folder, or weights of mixgym train (.npz).")
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help=".onnx .pt .pt2 .tflite", rich_help_panel=FILES),
    ],
    precision: Annotated[
        str,
        typer.Option(
            help="Of an .onnx file's weights: fp32, fp16, int8 or int8-static.",
            rich_help_panel=SETTINGS,
        ),
    ] = "fp32",
    songs: Annotated[
        Path | None,
        typer.Option(
            help="Songs to calibrate and to score it on; generated ones without.",
            rich_help_panel=SETTINGS,
        ),
    ] = None,
    licence: Annotated[
        str, typer.Option(help="Of the weights.", rich_help_panel=SETTINGS)
    ] = "Apache-2.0",
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write a trained policy as one file that mixes without PyTorch, and a page about it."""
    try:
        from .export.export import Wanted, export_policy
    except ImportError as error:
        raise MixgymError(f"Exporting needs {error.name}: pip install 'mixgym[export]'.") from error

    wanted = Wanted(precision=precision, songs=songs, licence=licence, overwrite=overwrite)
    with progress_bars(quiet or as_json) as progress:
        result = export_policy(source, output, wanted, progress)
    if as_json:
        print_json(result.to_json())
    elif not quiet:
        typer.echo(f"{result.path}: {result.bytes / 1e6:.2f} MB, described in {result.card.name}")
