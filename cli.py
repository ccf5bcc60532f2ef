"""Every command a person types."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ._bench import bench
from ._compete import compete, evaluate
from ._diff import diff
from ._evolve import evolve
from ._export import export
from ._live import live
from ._mix import master, mix
from ._options import Json, Quiet
from ._serve import serve
from ._terminal import print_json, progress_bars, run_app
from ._train import distill, train
from ._tune import tune
from .errors import MixgymError

app = typer.Typer(
    name="mixgym",
    help="Mix stems, master tracks, measure audio: offline, in seconds, every setting editable.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(bench, name="bench", no_args_is_help=True)
songs_app = typer.Typer(help="Sets of songs to learn from.")
app.add_typer(songs_app, name="songs", no_args_is_help=True)


def _version(wanted: bool) -> None:
    if wanted:
        from . import __version__

        typer.echo(f"mixgym {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


app.command()(mix)
app.command()(master)
app.command()(diff)
app.command()(evolve)
app.command()(train)
app.command()(distill)
app.command()(live)
app.command()(serve)
app.command()(export)


@app.command()
def measure(
    files: Annotated[list[Path], typer.Argument(help="Audio files.")],
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Read every meter over audio files."""
    from .runtime.measuring import measure_file

    readings = {}
    with progress_bars(quiet or as_json) as progress:
        for path in files:
            readings[str(path)] = measure_file(path, partial(progress, f"Measuring {path.name}"))
    if as_json:
        print_json({path: reading.to_json() for path, reading in readings.items()})
    elif not quiet:
        from .runtime.summary import print_readings

        print_readings(readings)


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="Where to write; must not exist yet.")] = Path(
        "mixgym-demo"
    ),
    seed: Annotated[int, typer.Option(help="Another seed is another song.")] = 0,
    duration: Annotated[float, typer.Option(min=4, max=600, help="Seconds.")] = 24.0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a short multitrack song, mix it, and show what was done."""
    from .runtime.demo import make_demo

    with progress_bars(quiet or as_json) as progress:
        result = make_demo(folder, seed, duration, progress)
    if as_json:
        print_json(result.to_json())
    elif not quiet:
        from .runtime.summary import print_mix

        print_mix(result)


@app.command()
def parameters(
    as_json: Json = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the manual's page instead.")
    ] = False,
) -> None:
    """List everything that can be set: name, range, default, meaning."""
    from .runtime.parameter_list import as_markdown, describe_tables, print_tables

    if as_json:
        print_json(describe_tables())
    elif markdown:
        typer.echo(as_markdown(), nl=False)
    else:
        print_tables()


@songs_app.command("build")
def songs_build(
    out: Annotated[Path, typer.Argument(help="The set's folder: new, or begun before.")],
    stems: Annotated[
        list[Path] | None,
        typer.Option(help="A folder of stems, or of such folders; may be repeated."),
    ] = None,
    midi: Annotated[
        list[Path] | None, typer.Option(help="A folder of MIDI files; may be repeated.")
    ] = None,
    tracks: Annotated[
        list[Path] | None,
        typer.Option(help="A finished track, or a folder of them; may be repeated."),
    ] = None,
    soundfont: Annotated[
        Path | None, typer.Option(help="To play MIDI through; TimGM6mb (GPL-2.0) if none is given.")
    ] = None,
    generate: Annotated[int, typer.Option(min=0, help="How many songs of our own.")] = 0,
    augment: Annotated[
        int, typer.Option(min=0, help="How many excerpts to make of training excerpts.")
    ] = 0,
    excerpts_per_song: Annotated[int, typer.Option(min=1, max=1000, help="At most.")] = 3,
    seconds: Annotated[float, typer.Option(min=4, max=60, help="Of an excerpt.")] = 10.0,
    sample_rate: Annotated[int, typer.Option(min=8000, max=192_000, help="In Hz.")] = 44_100,
    seed: Annotated[int, typer.Option(min=0, help="Of whatever is drawn.")] = 0,
    jobs: Annotated[
        int | None, typer.Option(min=1, max=256, help="Processes; one for each core if not given.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a training set of excerpts; run again, it goes on where it was cut off."""
    import os

    from .songs.training import BuildOptions, build_training_set

    options = BuildOptions(
        stems=tuple(stems or ()),
        midi=tuple(midi or ()),
        tracks=tuple(tracks or ()),
        soundfont=soundfont,
        generate=generate,
        augment=augment,
        excerpts_per_song=excerpts_per_song,
        seconds=seconds,
        sample_rate=sample_rate,
        seed=seed,
        jobs=jobs or os.cpu_count() or 1,
    )
    try:
        with progress_bars(quiet or as_json) as progress:
            result = build_training_set(out, options, progress)
    except BaseException as end:
        if isinstance(end, Exception):
            raise
        raise MixgymError("Interrupted; the same command goes on from here.") from end
    if as_json:
        print_json(result)
    elif not quiet:
        from .songs.training.summary import print_summary

        print_summary(result)


app.command()(compete)
app.command()(evaluate)
app.command()(tune)


def main() -> None:
    """Run the command line; a person's mistake ends in one sentence and status 2."""
    run_app(app)
