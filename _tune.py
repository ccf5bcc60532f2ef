"""`mixgym tune`: its options, and what a person sees of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._options import Json, Quiet
from ._terminal import print_json, progress_bars
from .errors import MixgymError


def tune(
    config: Annotated[
        Path, typer.Argument(help="A study's YAML file, such as experiments/tune/ga.yaml.")
    ],
    trials: Annotated[
        int, typer.Option(help="Finished trials in the end, earlier ones among them.")
    ] = 100,
    storage: Annotated[
        str | None,
        typer.Option(help="A database that several machines share: its URL, such as PostgreSQL's."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The journal without one; tune-NAME.journal beside the YAML file."),
    ] = None,
    jobs: Annotated[
        int, typer.Option(min=1, max=256, help="Processes; trials depend on seeds alone with 1.")
    ] = 1,
    summary: Annotated[
        Path | None, typer.Option(help="Write what came of it to this file as Markdown.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Tune the hyperparameters of a search or of training; run again, it goes on."""
    from .experiments.tuning.commands import run_tune

    try:
        with progress_bars(quiet or as_json) as progress:
            findings = run_tune(
                config,
                trials,
                storage=storage,
                out=out,
                jobs=jobs,
                summary=summary,
                tell=progress,
            )
    except BaseException as end:
        if isinstance(end, Exception):
            raise
        raise MixgymError("Interrupted; the same command goes on from here.") from end
    if as_json:
        print_json(findings.to_json())
    elif not quiet:
        from .experiments.arena.tables import print_tables
        from .experiments.tuning.summary import tables_of, verdict

        print_tables(tables_of(findings), [verdict(findings)])
