"""`mixgym diff`: what changed between two presets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._options import Json, Quiet
from ._terminal import print_json


def diff(
    before: Annotated[Path, typer.Argument(help="A preset.")],
    after: Annotated[Path, typer.Argument(help="Another, of the same song or of another one.")],
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say in words what changed between two presets, the biggest change first."""
    from .console.compare import compare
    from .console.preset import load_preset

    comparison = compare(load_preset(before), load_preset(after))
    if as_json:
        print_json({"before": str(before), "after": str(after), **comparison.to_json()})
    elif not quiet:
        from .runtime.summary import print_comparison

        print_comparison(comparison)
