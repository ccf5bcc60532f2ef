"""`python -m mixgym.experiments.ablation CONFIG`: variants of a training run over several seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...errors import MixgymError
from ...runtime.interruption import gentle_interrupt
from ..arena.tables import print_tables
from .findings import find
from .pages import table_of, write_page
from .runs import Run, do, is_done, run_of, stages_of
from .settings import read_ablation


def main(
    config: Annotated[Path, typer.Argument(help="A YAML file: see docs/learning.md.")],
    out: Annotated[Path, typer.Option(help="Folder of the runs.")],
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="Runs of each variant.")] = 5,
    songs: Annotated[
        Path | None, typer.Option(help="What to learn from, for what the files say.")
    ] = None,
    summary: Annotated[
        Path | None,
        typer.Option(help="The page, with a picture beside it; ablation.md in --out."),
    ] = None,
) -> None:
    """Train every variant from every seed; run again, it goes on."""
    try:
        run(config, out, seeds, songs, summary or out / "ablation.md")
    except (MixgymError, OSError) as error:
        typer.echo(f"mixgym: {error}", err=True)
        raise typer.Exit(2) from error


def run(config: Path, out: Path, seeds: int, songs: Path | None, page: Path) -> None:
    """Do what is not done yet, seed by seed, and write the page after each of them.

    Raises:
        MixgymError: settings or songs that cannot be used, or a folder that holds something else.
        OSError: the folder cannot be written.
    """
    ablation = read_ablation(config)
    command = ["python", "-m", "mixgym.experiments.ablation", str(config), "--out", out.name]
    command += ["--songs", str(songs)] if songs else []
    runs: dict[str, list[Run]] = {name: [] for name in ablation.variants}
    with gentle_interrupt() as asked_to_end:
        for seed in range(seeds):
            for variant in ablation.variants:
                done = []
                for work in stages_of(ablation, variant, seed, out, songs):
                    if not is_done(work) and not do(work, asked_to_end):
                        typer.echo("Ended; the same command goes on.")
                        return
                    done.append(work)
                runs[variant].append(run_of(done))
                found = runs[variant][-1]
                gains = found.curve[-1].gains.values()
                mean = sum(gains) / len(gains)
                typer.echo(f"{variant}, seed {seed}: {mean:+.4f} in {found.seconds:.0f} s")
            findings = find(runs)
            write_page(page, findings, [*command, "--seeds", str(seed + 1)])
    print_tables([table_of(findings)])


if __name__ == "__main__":
    typer.run(main)
