"""The page of an arena: curves, tables and players, needing nothing but itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ... import __version__
from ...runtime.staging import Staged
from .pieces import Piece
from .players import Tell, players
from .standing import Standing
from .tables import tables


def write_report(path: Path, standing: Standing, pieces: Sequence[Piece], tell: Tell) -> None:
    """Write the page.

    Args:
        path: the file, replaced.
        standing: what it shows.
        pieces: where the excerpts lie that it plays.
        tell: told what is being done.

    Raises:
        MixgymError: a song cannot be read any more, or the disk is full.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from . import curves

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("report.html.j2").render(
        standing=standing,
        songs=len(standing.songs),
        tables=tables(standing),
        curves={
            "By evaluations": curves.evaluations_svg(standing),
            "By seconds": curves.seconds_svg(standing),
        },
        players=players(standing, pieces, tell),
        machines=sorted({f"{row['cpu']}, {row['cores']} cores" for row in standing.rows}),
        commits=sorted({str(row["commit"]) for row in standing.rows}),
        version=__version__,
    )
    with Staged() as staged:
        staged.file(path).write_text(page, encoding="utf-8", newline="\n")
