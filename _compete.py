"""`mixgym compete` and `evaluate`: their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._options import DEFAULT_STYLE, Json, Quiet
from ._terminal import print_json, progress_bars
from .errors import MixgymError

Songs = Annotated[
    list[Path] | None,
    typer.Option(help="A folder of songs, or a set of mixgym songs build; may be repeated."),
]
MapperName = Annotated[
    str, typer.Option("--mapper", help="Who works: inline, processes[:N] or ray[:ADDRESS].")
]


def compete(
    config: Annotated[
        Path | None, typer.Argument(help="An arena's YAML file, such as experiments/arena.yaml.")
    ] = None,
    songs: Songs = None,
    mixers: Annotated[
        str | None,
        typer.Option(help="Names with commas: roles,cma_es,policy:FILE.onnx+cma_es,FILE.py:NAME."),
    ] = None,
    budgets: Annotated[
        str | None, typer.Option(help="Evaluations with commas: 0,1,10,100,1000,10000.")
    ] = None,
    seeds: Annotated[int | None, typer.Option(help="Runs of each mixer that draws.")] = None,
    excerpts: Annotated[int | None, typer.Option(help="Of each song, at most.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Of an excerpt.")] = None,
    split: Annotated[
        str | None, typer.Option(help="Which songs: train, validation, test or all.")
    ] = None,
    style: Annotated[
        str | None, typer.Option(help="Whose reward: a style, or a reward's .yaml file.")
    ] = None,
    out: Annotated[
        Path, typer.Option(help="The run's folder: new, or begun before and to be gone on with.")
    ] = Path("arena-run"),
    mapper: MapperName = "processes",
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write every raw score to this file.")
    ] = None,
    results: Annotated[
        Path | None, typer.Option(help="Write the tables to this file as Markdown.")
    ] = None,
    report: Annotated[
        bool, typer.Option("--report", help="Write report.html to the run's folder.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Let mixers compete on the same songs, budgets and seeds; run again, it goes on."""
    from .experiments.arena.commands import run_compete
    from .experiments.arena.settings import make_settings
    from .experiments.arena.tables import print_tables

    settings = make_settings(
        config,
        songs=songs,
        mixers=mixers and _words(mixers),
        budgets=budgets and _words(budgets),
        seeds=seeds,
        excerpts=excerpts,
        seconds=seconds,
        split=split,
        style=style,
    )
    try:
        with progress_bars(quiet) as progress:
            tables, findings = run_compete(
                settings,
                out,
                mapper,
                json_file=json_file,
                results_file=results,
                report=report,
                tell=progress,
            )
    except BaseException as end:
        if isinstance(end, Exception):
            raise
        raise MixgymError("Interrupted; the same command goes on from here.") from end
    if not quiet:
        print_tables(tables, findings)


def evaluate(
    mixer: Annotated[str, typer.Option(help="Who mixes: see mixgym compete --mixers.")],
    songs: Songs = None,
    budget: Annotated[int, typer.Option(help="Evaluations for each excerpt.")] = 1000,
    seeds: Annotated[int, typer.Option(help="Runs, if the mixer draws.")] = 1,
    excerpts: Annotated[int, typer.Option(help="Of each song, at most.")] = 1,
    seconds: Annotated[float, typer.Option(help="Of an excerpt.")] = 10.0,
    style: Annotated[
        str, typer.Option(help="Whose reward: a style, or a reward's .yaml file.")
    ] = DEFAULT_STYLE,
    mapper: MapperName = "processes",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Score one mixer on your own songs, beside all stems equally loud."""
    from .experiments.arena.commands import evaluate as run
    from .experiments.arena.commands import evaluation_tables
    from .experiments.arena.settings import make_settings
    from .experiments.arena.tables import print_tables

    settings = make_settings(
        songs=songs,
        mixers=[mixer],
        budgets=[budget],
        seeds=seeds,
        excerpts=excerpts,
        seconds=seconds,
        style=style,
    )
    with progress_bars(quiet or as_json) as progress:
        result = run(settings, mapper, progress)
    if as_json:
        print_json(result)
    elif not quiet:
        print_tables(evaluation_tables(result))


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
