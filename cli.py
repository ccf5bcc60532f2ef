"""Every command a person types."""

from __future__ import annotations

import errno
import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .errors import MixgymError

if TYPE_CHECKING:
    from .console.mix import Strength
    from .console.render import Progress

app = typer.Typer(
    name="mixgym",
    help="Mix stems, master tracks, measure audio: offline, in seconds, every setting editable.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
bench = typer.Typer(help="Benchmarks, each beside a named baseline in the same run.")
app.add_typer(bench, name="bench", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist.")]
Lufs = Annotated[float | None, typer.Option(help="Target integrated loudness, -30 to -6 LUFS.")]
TruePeak = Annotated[float | None, typer.Option(help="True-peak ceiling, -9 to 0 dBTP.")]
StyleName = Annotated[str, typer.Option("--style", help="How the result leans; see --styles.")]
Amount = Annotated[float, typer.Option(help="How much of the processing to keep, 0 to 1.")]
Strengthen = Annotated[float, typer.Option(help="The same for one component, 0 to 1.")]
BitDepth = Annotated[int, typer.Option(help="16, 24 or 32 (floating point).")]
Threads = Annotated[int, typer.Option(min=1, max=64, help="Processed at once.")]
SavePreset = Annotated[Path | None, typer.Option(help="Write every setting as JSON.")]
Report = Annotated[Path | None, typer.Option(help="Write a web page that shows what was done.")]


def _version(wanted: bool) -> None:
    if wanted:
        from . import __version__

        typer.echo(f"mixgym {__version__}")
        raise typer.Exit


def _styles(wanted: bool) -> None:
    if wanted:
        from .console.styles import STYLES

        for name, lean in STYLES.items():
            typer.echo(f"{name:14} {lean.about}")
        raise typer.Exit


ListStyles = Annotated[
    bool, typer.Option("--styles", callback=_styles, is_eager=True, help="List the styles.")
]


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def mix(
    stems: Annotated[list[Path], typer.Argument(help="A folder of stems, or the files.")],
    output: Annotated[Path, typer.Option("--output", "-o", help=".wav .flac .aiff .ogg .mp3")],
    mixer: Annotated[
        str, typer.Option(help="Who sets the parameters: roles, equal_loudness, plain_sum.")
    ] = "roles",
    preset: Annotated[
        Path | None, typer.Option(help="Take the settings from a preset instead, by name and role.")
    ] = None,
    save_preset: SavePreset = None,
    lufs: Lufs = None,
    true_peak: TruePeak = None,
    style: StyleName = "balanced",
    amount: Amount = 1.0,
    eq: Strengthen = 1.0,
    dynamics: Strengthen = 1.0,
    pan: Strengthen = 1.0,
    space: Strengthen = 1.0,
    master: Strengthen = 1.0,
    report: Report = None,
    stems_out: Annotated[
        Path | None, typer.Option(help="Write every processed stem; they sum to the mix bus.")
    ] = None,
    sample_rate: Annotated[
        int | None, typer.Option(help="Work and write at this rate, 8000 to 192000 Hz.")
    ] = None,
    bit_depth: BitDepth = 24,
    tail: Annotated[bool, typer.Option(help="Let reverb and delay ring out.")] = True,
    threads: Threads = 2,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
    styles: ListStyles = False,
) -> None:
    """Mix stems to a stereo master."""
    from .runtime.mixing import MixOptions, Outputs, mix_song
    from .runtime.staging import refuse_existing

    lean = _style(style)
    outputs = Outputs(output, save_preset, report, stems_out)
    refuse_existing((output, save_preset, report, stems_out), overwrite)
    strengths: dict[Strength, float] = {
        "eq": eq,
        "dynamics": dynamics,
        "pan": pan,
        "space": space,
        "master": master,
    }
    options = MixOptions(
        mixer=_mixer(mixer, lean),
        preset=_preset(preset),
        target_lufs=lufs,
        ceiling_dbtp=true_peak,
        amount=amount,
        strengths=strengths,
        lean=lean,
        bit_depth=bit_depth,
        tail=tail,
        threads=threads,
        overwrite=overwrite,
    )
    from .songs import read_song

    with _progress(quiet or as_json) as progress:
        song = read_song(
            stems, sample_rate=sample_rate, progress=lambda share: progress("Reading", share)
        )
        with song:
            result = mix_song(song, outputs, options, progress)
    if as_json:
        _print_json(result.to_json())
    elif not quiet:
        from .runtime.summary import print_mix

        print_mix(result)


@app.command("master")
def master_command(
    track: Annotated[Path, typer.Argument(help="A finished stereo or mono track.")],
    output: Annotated[Path, typer.Option("--output", "-o", help=".wav .flac .aiff .ogg .mp3")],
    reference: Annotated[
        Path | None, typer.Option(help="A track whose tonal balance and loudness to take.")
    ] = None,
    preset: Annotated[
        Path | None, typer.Option(help="Take the master settings from a preset.")
    ] = None,
    save_preset: SavePreset = None,
    lufs: Lufs = None,
    true_peak: TruePeak = None,
    style: StyleName = "balanced",
    amount: Amount = 1.0,
    report: Report = None,
    bit_depth: BitDepth = 24,
    threads: Threads = 2,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
    styles: ListStyles = False,
) -> None:
    """Master a finished track."""
    from .runtime.mastering import MasterOptions, master_file
    from .runtime.mixing import Outputs

    options = MasterOptions(
        lean=_style(style),
        reference=reference,
        preset=_preset(preset),
        target_lufs=lufs,
        ceiling_dbtp=true_peak,
        amount=amount,
        bit_depth=bit_depth,
        threads=threads,
        overwrite=overwrite,
    )
    with _progress(quiet or as_json) as progress:
        result = master_file(track, Outputs(output, save_preset, report), options, progress)
    if as_json:
        _print_json(result.to_json())
    elif not quiet:
        from .runtime.summary import print_master

        print_master(result)


@app.command()
def measure(
    files: Annotated[list[Path], typer.Argument(help="Audio files.")],
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Read every meter over audio files."""
    from .runtime.measuring import measure_file

    readings = {}
    with _progress(quiet or as_json) as progress:
        for path in files:
            readings[str(path)] = measure_file(
                path, lambda share, path=path: progress(f"Measuring {path.name}", share)
            )
    if as_json:
        _print_json({path: reading.to_json() for path, reading in readings.items()})
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

    with _progress(quiet or as_json) as progress:
        result = make_demo(folder, seed, duration, progress)
    if as_json:
        _print_json(result.to_json())
    elif not quiet:
        from .runtime.summary import print_mix

        print_mix(result)


@bench.command("render")
def bench_render(
    stems: Annotated[int, typer.Option(min=1, max=64, help="Of the song that is timed.")] = 8,
    minutes: Annotated[float, typer.Option(min=0.1, max=60, help="Its length.")] = 4.0,
    repeats: Annotated[int, typer.Option(min=1, max=20, help="Runs; medians are shown.")] = 3,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Time and memory of a whole mix, beside a plain pedalboard and pyloudnorm script."""
    from .experiments.bench_render import bench_render as run
    from .experiments.tables import print_table

    result = run(stems, minutes, repeats)
    if as_json:
        _print_json(result)
    elif not quiet:
        print_table(result)


@bench.command("mastering")
def bench_mastering(
    songs: Annotated[Path, typer.Option(help="A folder of finished tracks.")],
    pairs: Annotated[int, typer.Option(min=1, max=1000, help="Track and reference pairs.")] = 12,
    seed: Annotated[int, typer.Option(help="Draws the pairs.")] = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Mastering after a reference, beside matchering."""
    from .experiments.bench_mastering import bench_mastering as run
    from .experiments.tables import print_table

    result = run(songs, pairs, seed)
    if as_json:
        _print_json(result)
    elif not quiet:
        print_table(result)


def main() -> None:
    """Run the command line; a person's mistake ends in one sentence and status 2."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        status = app(standalone_mode=False)
    except MixgymError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        _fail("Interrupted; nothing was written.")
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EPERM):
            raise
        _fail(f"Cannot write {error.filename or 'a file'}: {error.strerror}.")
    except Exception as error:
        if not hasattr(error, "exit_code"):
            raise
        _fail_usage(error)
    else:
        sys.exit(status if isinstance(status, int) else 0)


def _fail(sentence: str) -> None:
    typer.secho(f"mixgym: {sentence}", err=True, fg=typer.colors.RED)
    sys.exit(2)


def _fail_usage(error: Exception) -> None:
    """What the command line's parser refuses: its message, status 2."""
    message = getattr(error, "format_message", lambda: "Interrupted; nothing was written.")()
    _fail(f"{message.rstrip('.')}. See mixgym --help.")


def _style(name: str) -> Any:
    from .console.styles import style

    return style(name)


def _mixer(name: str, lean: Any) -> Any:
    from .console.rules import MIXERS, mixer_by_rule

    if name not in MIXERS:
        raise MixgymError(f"There is no mixer {name!r}; choose from {', '.join(MIXERS)}.")
    return mixer_by_rule(name, lean)


def _preset(path: Path | None) -> Any:
    if path is None:
        return None
    from .console.preset import load_preset

    return load_preset(path)


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, indent=1, allow_nan=False))


@contextmanager
def _progress(silent: bool) -> Iterator[Progress]:
    """A bar on standard error, one line for each thing that is being done."""
    if silent or not sys.stderr.isatty():
        yield lambda what, share: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    tasks: dict[str, Any] = {}

    def tell(what: str, share: float) -> None:
        if what not in tasks:
            tasks[what] = bar.add_task(what, total=1.0)
        bar.update(tasks[what], completed=share)

    with bar:
        yield tell
