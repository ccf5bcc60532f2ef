"""RESULTS.md: `python -m mixgym.experiments.results_page FILE... --out experiments/RESULTS.md`.

Files are `scores.parquet` of arenas and JSON of `mixgym bench mixes`, in the order of the page.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ..errors import MixgymError
from ..runtime.staging import Staged
from .arena.results import results, rows_of
from .arena.standing import Standing
from .mixes_tables import Result, mixes_tables

HEAD = """# Results

Generated from raw scores; no number here was typed. What is measured, and how, stands in
[the arena](../docs/arena.md), the score in [rewards](../docs/rewards.md).

Curves of learning and ablations stand on pages of their own: [the parts of
PPO](results/ablation_ppo.md), [a million steps of it](results/ablation_long.md), [other
learners](results/ablation_learners.md), [SAC](results/ablation_sac.md),
[encoders](results/ablation_encoders.md), [small students](results/distil.md); and studies of
hyperparameters: [PPO](results/tune_ppo.md), [the genetic algorithm](results/tune_ga.md).
"""


def write_page(files: Sequence[Path], out: Path) -> None:
    """Write the page as Markdown and, beside each arena's file, its curves as SVG.

    Raises:
        MixgymError: a file is neither, or cannot be read.
    """
    here = out.parent
    names = [os.path.relpath(file) for file in (*files, out)]
    command = ["python", "-m", "mixgym.experiments.results_page", *names[:-1], "--out", names[-1]]
    parts = [HEAD, f"```sh\n{shlex.join(command)}\n```\n"]
    with Staged() as staged:
        for file in files:
            if file.suffix != ".parquet":
                parts.append(_mixes(_read(file)))
                continue
            from .arena.curves import evaluations_svg, seconds_svg

            standing = Standing(*rows_of(file))
            parts.append(results(standing, level=2))
            for axis, drawn in (("evaluations", evaluations_svg), ("seconds", seconds_svg)):
                picture = file.with_name(f"{file.stem}-{axis}.svg")
                staged.file(picture).write_text(drawn(standing), encoding="utf-8")
                parts.append(f"![Score by {axis}]({os.path.relpath(picture, here)})\n")
        staged.file(out).write_text("\n".join(parts), encoding="utf-8")


def _read(file: Path) -> Result:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        if found["benchmark"] == "mixes":
            return dict(found)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise MixgymError(f"{file} cannot be read as the result of a benchmark.") from error
    raise MixgymError(f"{file} holds no result of mixgym bench mixes.")


def _mixes(result: Result) -> str:
    machine = result["machine"]
    lines = [
        "## Whole songs",
        "",
        f"Machine: {machine['cpu']}, {machine['cores']} cores. Commit: {machine['commit']}.",
        "",
        "```sh",
        "mixgym bench mixes --songs SONGS --json",
        "```",
        "",
    ]
    shown = [table.markdown(3) for table in mixes_tables(result)]
    return "\n".join([*lines, *shown]).rstrip() + "\n"


def main(
    files: Annotated[list[Path], typer.Argument(help="In the order of the page.")],
    out: Annotated[Path, typer.Option(help="The page.")],
) -> None:
    """Write RESULTS.md from what arenas and `mixgym bench mixes` left."""
    try:
        write_page(files, out)
    except (MixgymError, OSError) as error:
        typer.echo(f"mixgym: {error}", err=True)
        raise typer.Exit(2) from error


if __name__ == "__main__":
    typer.run(main)
