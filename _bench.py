"""`mixgym bench`: every benchmark's options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ._options import DEFAULT_STYLE, Json, Quiet
from ._terminal import print_json, progress_bars
from .errors import MixgymError

bench = typer.Typer(help="Benchmarks, each beside a named baseline in the same run.")


@bench.command("render")
def bench_render(
    stems: Annotated[int, typer.Option(min=1, max=64, help="Of the song that is timed.")] = 8,
    minutes: Annotated[float, typer.Option(min=0.1, max=60, help="Its length.")] = 4.0,
    repeats: Annotated[int, typer.Option(min=1, max=20, help="Runs; medians are shown.")] = 3,
    memory_stems: Annotated[
        int, typer.Option(min=1, max=64, help="Of the song that memory is read on.")
    ] = 32,
    memory_minutes: Annotated[float, typer.Option(min=0.1, max=60, help="Its length.")] = 5.0,
    skip_memory: Annotated[
        bool, typer.Option("--skip-memory", help="Time only; the memory run needs 3 GB of disk.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Time and memory of a whole mix, beside a plain pedalboard and pyloudnorm script."""
    from .experiments.bench_render import bench_render as run

    with progress_bars(quiet or as_json) as progress:
        result = run(
            stems, minutes, repeats, 0 if skip_memory else memory_stems, memory_minutes, progress
        )
    _show(result, as_json, quiet)


@bench.command("songs")
def bench_songs(
    songs: Annotated[Path, typer.Option(help="A folder of song folders.")],
    mixer: Annotated[str, typer.Option(help="Who mixes: see mixgym mix --help.")] = "policy",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Mix every song of a folder; read loudness and true peak without our meters."""
    from .experiments.bench_songs import bench_songs as run

    with progress_bars(quiet or as_json) as progress:
        result = run(songs, mixer, progress)
    _show(result, as_json, quiet)


@bench.command("mixes")
def bench_mixes(
    songs: Annotated[Path, typer.Option(help="A folder of song folders.")],
    mixers: Annotated[
        str | None,
        typer.Option(
            help="Who mixes, with commas between: see mixgym mix --help; all unless told."
        ),
    ] = None,
    windows: Annotated[
        int, typer.Option(min=1, max=1000, help="Of ten seconds, spread over each song.")
    ] = 12,
    style: Annotated[str, typer.Option(help="Of the reward and of the mixes.")] = DEFAULT_STYLE,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Mix every song of a folder with several mixers; score and judge what comes out, all along."""
    from .experiments.bench_mixes import MIXERS
    from .experiments.bench_mixes import bench_mixes as run

    names = [name.strip() for name in mixers.split(",")] if mixers else MIXERS
    with progress_bars(quiet or as_json) as progress:
        result = run(songs, names, style, windows, progress)
    _show(result, as_json, quiet)


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

    with progress_bars(quiet or as_json) as progress:
        result = run(songs, pairs, seed, progress)
    _show(result, as_json, quiet)


def _refuse_place(path: Path | None) -> Path | None:
    """Refuse what no file can be written to before the work, not after it."""
    if path is None:
        return None
    if path.is_dir():
        raise MixgymError(f"{path} is a folder; name a file in it.")
    there = next(parent for parent in path.absolute().parents if parent.exists())
    if not there.is_dir():
        raise MixgymError(f"{there} is a file; name another place than {path} for the result.")
    return path


ResultFile = Annotated[
    Path | None,
    typer.Option("--json", help="Write the result to this file as JSON.", callback=_refuse_place),
]
Plots = Annotated[Path | None, typer.Option(help="Write plots to this folder.")]
SongFolders = Annotated[Path, typer.Option(help="A folder of song folders.")]


@bench.command("fidelity")
def bench_fidelity(
    songs: SongFolders,
    mixes: Annotated[int, typer.Option(min=3, max=10_000, help="Of every song.")] = 200,
    seed: Annotated[int, typer.Option(help="Draws the mixes.")] = 0,
    seconds: Annotated[float, typer.Option(min=4, max=600, help="Of every song.")] = 10.0,
    off: Annotated[
        list[str] | None,
        typer.Option(help="A processor of the strip to leave out; may be given again."),
    ] = None,
    result_file: ResultFile = None,
    plots: Plots = None,
    quiet: Quiet = False,
) -> None:
    """How near `simulate` comes to what `render` gives, meter by meter."""
    from .experiments.bench_fidelity import bench_fidelity as run

    with progress_bars(quiet) as progress:
        result = run(songs, mixes, seed, seconds, plots, off or (), progress)
    _show_result(result, result_file, quiet)


@bench.command("speed")
def bench_speed(
    songs: SongFolders,
    repeats: Annotated[int, typer.Option(min=1, max=100, help="Medians are shown.")] = 5,
    result_file: ResultFile = None,
    plots: Plots = None,
    quiet: Quiet = False,
) -> None:
    """Steps per second of `simulate`, beside rendering and a straightforward pipeline."""
    from .experiments.bench_speed import bench_speed as run

    with progress_bars(quiet) as progress:
        result = run(songs, repeats, plots, progress)
    _show_result(result, result_file, quiet)


@bench.command("env")
def bench_env(
    songs: Annotated[
        Path | None, typer.Option(help="A folder of song folders; generated songs without.")
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, max=100, help="Medians are shown.")] = 5,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Steps per second of the environments, beside `simulate` alone and rendering."""
    from .experiments.bench_env import bench_env as run

    with progress_bars(quiet or as_json) as progress:
        result = run(songs, repeats, progress)
    _show(result, as_json, quiet)


@bench.command("reward")
def bench_reward(
    songs: SongFolders,
    seed: Annotated[int, typer.Option(min=0, help="Of everything that is drawn.")] = 0,
    style: Annotated[
        str, typer.Option(help="Whose reward: a style, or a reward's .yaml file.")
    ] = DEFAULT_STYLE,
    plots: Plots = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Whether a reward can be cheated, and whether it agrees with people."""
    from .experiments.bench_reward import bench_reward as run

    with progress_bars(quiet or as_json) as progress:
        result = run(songs, seed, style=style, plots=plots, tell=progress)
    _show(result, as_json, quiet)


@bench.command("search")
def bench_search(
    songs: SongFolders,
    seeds: Annotated[int, typer.Option(min=1, max=100, help="Runs on each song.")] = 3,
    seconds: Annotated[float, typer.Option(min=4, max=60, help="Of every song.")] = 10.0,
    result_file: ResultFile = None,
    quiet: Quiet = False,
) -> None:
    """Every searcher on every song: best score by evaluations and by seconds."""
    from .experiments.bench_search import bench_search as run

    with progress_bars(quiet) as progress:
        result = run(songs, seeds, seconds, tell=progress)
    _show_result(result, result_file, quiet)


@bench.command("policy")
def bench_policy(
    policy: Annotated[Path, typer.Argument(help="An .onnx file, or .npz of mixgym train.")],
    songs: Annotated[
        list[Path], typer.Option(help="A folder of songs or a training set; may be repeated.")
    ],
    split: Annotated[str, typer.Option(help="Which: train, validation, test or all.")] = "test",
    excerpts: Annotated[int, typer.Option(min=1, max=100, help="Of each song, at most.")] = 2,
    style: Annotated[
        str, typer.Option(help="Whose reward: a style, or a reward's .yaml file.")
    ] = DEFAULT_STYLE,
    seed: Annotated[int, typer.Option(min=0, help="Of everything that is drawn.")] = 0,
    result_file: ResultFile = None,
    quiet: Quiet = False,
) -> None:
    """A policy on songs that it never heard, with swapped mixes, and on odd ones."""
    from .experiments.bench_policy import bench_policy as run

    with progress_bars(quiet) as progress:
        result = run(
            policy,
            songs,
            split=split,
            excerpts=excerpts,
            style=style,
            seed=seed,
            tell=progress,
        )
    _show_result(result, result_file, quiet)


@bench.command("stream")
def bench_stream(
    seconds: Annotated[float, typer.Option(min=1, max=600, help="Of audio in each run.")] = 20.0,
    block: Annotated[int, typer.Option(help="Frames, 64 to 1024, a multiple of 64.")] = 256,
    seed: Annotated[int, typer.Option(min=0, help="Of noise and settings.")] = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """What a block costs in real time, 8 and 16 stems, beside a board of plain plug-ins."""
    from .experiments.bench_stream import bench_stream as run

    with progress_bars(quiet or as_json) as progress:
        result = run(seconds, block, seed, progress)
    _show(result, as_json, quiet)


@bench.command("inference")
def bench_inference(
    policy: Annotated[
        Path | None, typer.Option(help="A policy's file to measure too; ours unless told.")
    ] = None,
    runs: Annotated[int, typer.Option(min=10, max=100_000, help="In each process.")] = 1000,
    repeats: Annotated[int, typer.Option(min=1, max=20, help="Processes for each file.")] = 3,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Latency, load time, memory and size of policies in every format, beside PyTorch."""
    from .experiments.bench_inference import bench_inference as run

    with progress_bars(quiet or as_json) as progress:
        result = run(policy, runs, repeats, tell=progress)
    _show(result, as_json, quiet)


def _show(result: dict[str, Any], as_json: bool, quiet: bool) -> None:
    if as_json:
        print_json(result)
    elif not quiet:
        from .experiments.tables import print_table

        print_table(result)


def _show_result(result: dict[str, Any], path: Path | None, quiet: bool) -> None:
    import json

    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(result, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    _show(result, as_json=False, quiet=quiet)
