"""`mixgym evolve`: its options, and what a person sees of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._options import (
    DEFAULT_STYLE,
    SETTINGS,
    THREADS,
    WORK,
    BitDepth,
    Json,
    ListStyles,
    Output,
    Overwrite,
    Quiet,
    Report,
    SavePreset,
    StyleName,
    Threads,
)
from ._terminal import print_json, progress_bars

if TYPE_CHECKING:
    from .evolution.search import Progress

GALLERIES = "Mixes to choose from"


def evolve(
    stems: Annotated[list[Path], typer.Argument(help="A folder of stems, or the files.")],
    output: Output,
    search: Annotated[
        str | None,
        typer.Option(
            help="ga (the default), sep_cma, cma_es, nsga2, map_elites or random.",
            rich_help_panel=SETTINGS,
        ),
    ] = None,
    evaluations: Annotated[
        int,
        typer.Option(min=1, max=10_000_000, help="Mixes to try.", rich_help_panel=SETTINGS),
    ] = 5000,
    seconds: Annotated[
        float,
        typer.Option(
            min=1, max=60, help="Of the song's busiest part to search on.", rich_help_panel=SETTINGS
        ),
    ] = 5.0,
    seed: Annotated[
        int, typer.Option(min=0, help="Of all that is drawn.", rich_help_panel=SETTINGS)
    ] = 0,
    style: StyleName = None,
    styles: ListStyles = False,
    reward: Annotated[
        Path | None,
        typer.Option(help="A reward's .yaml file, for the style's.", rich_help_panel=SETTINGS),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(help="A preset to begin with.", rich_help_panel=SETTINGS),
    ] = None,
    refine: Annotated[
        int,
        typer.Option(
            min=0,
            max=1000,
            help="Renders around the best that was found.",
            rich_help_panel=SETTINGS,
        ),
    ] = 16,
    pareto: Annotated[
        Path | None,
        typer.Option(
            help="Folder for mixes of which none is better in everything (nsga2).",
            rich_help_panel=GALLERIES,
        ),
    ] = None,
    variations: Annotated[
        int,
        typer.Option(
            min=0,
            max=64,
            help="How many good and different mixes to write beside the output (map_elites).",
            rich_help_panel=GALLERIES,
        ),
    ] = 0,
    listen: Annotated[
        bool,
        typer.Option(
            "--listen",
            help="Then choose between pairs of mixes, by ear, on a page on this machine.",
            rich_help_panel=GALLERIES,
        ),
    ] = False,
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="Keep the search in this file.", rich_help_panel=WORK),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(help="Go on from such a file, and keep it.", rich_help_panel=WORK),
    ] = None,
    save_preset: SavePreset = None,
    report: Report = None,
    bit_depth: BitDepth = 24,
    overwrite: Overwrite = False,
    threads: Threads = THREADS,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Search for the best mix of stems; Ctrl-C ends the search and keeps the best so far."""
    from .console.preset import load_preset
    from .console.styles import style as style_named
    from .rewards.reward import load_reward
    from .runtime.evolving import (
        EvolveOptions,
        evolve_song,
        listen_to,
        refuse_outputs,
        write_evolved,
    )
    from .runtime.interruption import gentle_interrupt
    from .runtime.output import choose_format
    from .runtime.results import Outputs
    from .runtime.search_view import search_view
    from .runtime.staging import refuse_among_stems
    from .songs import read_song

    lean = style_named(style or DEFAULT_STYLE)
    options = EvolveOptions(
        reward=load_reward(reward or style or DEFAULT_STYLE),
        search=search,
        evaluations=evaluations,
        seconds=seconds,
        seed=seed,
        lean=lean,
        start=load_preset(start) if start else None,
        refine=refine,
        pareto=pareto,
        variations=variations,
        variations_folder=output.with_name(f"{output.stem}-variations"),
        checkpoint=checkpoint,
        resume=resume,
        bit_depth=bit_depth,
        threads=threads,
        overwrite=overwrite,
    )
    outputs = Outputs(output, save_preset, report)
    refuse_outputs(outputs, options, [*stems, start, reward])
    choose_format(output, 48_000, bit_depth)

    silent = quiet or as_json
    with progress_bars(silent) as tell:
        song = read_song(stems, progress=lambda share: tell("Reading", share))
    with song:
        files = [stem.path for stem in song.stems]
        refuse_among_stems(output, stems, files)
        refuse_outputs(outputs, options, files)
        choose_format(output, song.sample_rate, bit_depth)
        with gentle_interrupt() as asked_to_end, search_view(silent, evaluations) as show:

            def on_batch(progress: Progress) -> None:
                show(progress)
                if asked_to_end():
                    raise KeyboardInterrupt

            excerpt, choice = evolve_song(song, options, on_batch)
        if listen:
            choice = listen_to(excerpt, choice, seed, _invite)
        with progress_bars(silent) as tell:
            evolved = write_evolved(excerpt, choice, outputs, options, tell)
    if as_json:
        print_json(evolved.to_json())
    elif not quiet:
        from .runtime.summary import print_evolved

        print_evolved(evolved)


def _invite(url: str) -> None:
    """Where to listen; said whatever else is kept quiet, since it waits for an answer."""
    typer.secho(f"Listen at {url} and press Done there; Ctrl-C keeps the best so far.", err=True)
