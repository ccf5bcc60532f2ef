"""Every command a person types."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from ._diff import diff
from ._evolve import evolve
from ._export import export
from ._live import live
from ._options import (
    DEFAULT_STYLE,
    FILES,
    SETTINGS,
    THREADS,
    Album,
    Amount,
    BitDepth,
    CopyStems,
    DawProject,
    Json,
    ListStyles,
    Lufs,
    Output,
    Overwrite,
    PresetFile,
    Quiet,
    ReaperProject,
    Report,
    SavePreset,
    StyleName,
    Threads,
    TruePeak,
    strength,
)
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
bench = typer.Typer(help="Benchmarks, each beside a named baseline in the same run.")
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


@app.command()
def mix(
    stems: Annotated[
        list[Path],
        typer.Argument(help="A folder of stems, or the files; with --album a folder a song."),
    ],
    output: Output,
    album: Album = False,
    mixer: Annotated[
        str | None,
        typer.Option(
            help="Who makes them: policy (the default), roles, equal_loudness or plain_sum.",
            rich_help_panel=SETTINGS,
        ),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(
            help="Another policy than the one that comes along: see mixgym export.",
            rich_help_panel=SETTINGS,
        ),
    ] = None,
    search: Annotated[
        float,
        typer.Option(
            min=0,
            max=86_400,
            metavar="SECONDS",
            help="Search on from its mix for so long.",
            rich_help_panel=SETTINGS,
        ),
    ] = 0.0,
    preset: PresetFile = None,
    style: StyleName = None,
    styles: ListStyles = False,
    lufs: Lufs = None,
    true_peak: TruePeak = None,
    amount: Amount = 1.0,
    eq: Annotated[float, strength("Equalisers and high-passes.")] = 1.0,
    dynamics: Annotated[float, strength("Compressors of the stems.")] = 1.0,
    pan: Annotated[float, strength("Panning and width.")] = 1.0,
    space: Annotated[float, strength("Reverb and delay.")] = 1.0,
    master: Annotated[float, strength("The mastering chain.")] = 1.0,
    save_preset: SavePreset = None,
    report: Report = None,
    stems_out: Annotated[
        Path | None,
        typer.Option(
            help="Write the processed stems to this folder; they sum to the mix bus.",
            rich_help_panel=FILES,
        ),
    ] = None,
    rpp: ReaperProject = None,
    dawproject: DawProject = None,
    copy_stems: CopyStems = False,
    sample_rate: Annotated[
        int | None,
        typer.Option(
            min=8000, max=192_000, help="Rate to work and write at, in Hz.", rich_help_panel=FILES
        ),
    ] = None,
    bit_depth: BitDepth = 24,
    tail: Annotated[
        bool, typer.Option(help="Let reverb and delay ring out.", rich_help_panel=FILES)
    ] = True,
    overwrite: Overwrite = False,
    threads: Threads = THREADS,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Mix stems to a stereo master."""
    from .runtime.mixers import mixer_named
    from .runtime.mixing import MixOptions, mix_song
    from .runtime.output import choose_format
    from .runtime.results import Outputs
    from .runtime.staging import refuse_among_stems, refuse_existing
    from .songs import read_song

    if preset is not None and mixer is not None:
        raise MixgymError("--preset and --mixer both make the settings; give one of them.")
    if preset is not None and (policy is not None or search):
        raise MixgymError("--preset makes the settings; leave out --policy and --search.")
    if policy is not None and mixer not in (None, "policy"):
        raise MixgymError(f"--policy is a mixer of its own; leave out --mixer {mixer}.")
    if style is not None and (preset is not None or mixer not in (None, "policy", "roles")):
        raise MixgymError("--style leans the mixers policy and roles only; leave it out.")
    if album:
        _only_without_album(
            save_preset=save_preset,
            report=report,
            stems_out=stems_out,
            rpp=rpp,
            dawproject=dawproject,
            copy_stems=copy_stems,
        )
    else:
        refuse_existing(
            (output, save_preset, report, rpp, dawproject),
            overwrite,
            folder=stems_out,
            inputs=stems,
        )
        choose_format(output, sample_rate or 48_000, bit_depth)
    lean = _style(style)
    options = MixOptions(
        mixer=mixer_named(
            mixer or ("policy" if preset is None else "roles"),
            style or DEFAULT_STYLE,
            policy=policy,
            search_s=search,
            threads=threads,
        ),
        preset=_preset(preset),
        target_lufs=lufs,
        ceiling_dbtp=true_peak,
        amount=amount,
        strengths={"eq": eq, "dynamics": dynamics, "pan": pan, "space": space, "master": master},
        lean=lean,
        bit_depth=bit_depth,
        tail=tail,
        threads=threads,
        overwrite=overwrite,
        copy_stems=copy_stems,
    )
    if album:
        from .runtime.album import mix_album

        with progress_bars(quiet or as_json) as progress:
            made = mix_album(stems, output, options, sample_rate, progress)
        _print_album(made, as_json, quiet)
        return
    with progress_bars(quiet or as_json) as progress:
        song = read_song(
            stems, sample_rate=sample_rate, progress=lambda share: progress("Reading", share)
        )
        with song:
            refuse_among_stems(output, stems, [stem.path for stem in song.stems])
            outputs = Outputs(output, save_preset, report, stems_out, rpp, dawproject)
            result = mix_song(song, outputs, options, progress)
    if as_json:
        print_json(result.to_json())
    elif not quiet:
        from .runtime.summary import print_mix

        print_mix(result)


app.command()(diff)
app.command()(evolve)
app.command()(train)
app.command()(distill)
app.command()(live)
app.command()(serve)
app.command()(export)


@app.command("master")
def master_command(
    tracks: Annotated[
        list[Path], typer.Argument(help="A finished stereo or mono track; several with --album.")
    ],
    output: Output,
    album: Album = False,
    reference: Annotated[
        Path | None,
        typer.Option(
            help="A track whose tonal balance and loudness to take.", rich_help_panel=SETTINGS
        ),
    ] = None,
    mixer: Annotated[
        str | None,
        typer.Option(
            help="Who sets the chain: policy (the default) or rules.", rich_help_panel=SETTINGS
        ),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(
            help="Another policy than the one that comes along: see mixgym export.",
            rich_help_panel=SETTINGS,
        ),
    ] = None,
    preset: PresetFile = None,
    style: StyleName = None,
    styles: ListStyles = False,
    lufs: Lufs = None,
    true_peak: TruePeak = None,
    amount: Amount = 1.0,
    save_preset: SavePreset = None,
    report: Report = None,
    bit_depth: BitDepth = 24,
    overwrite: Overwrite = False,
    threads: Threads = THREADS,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Master a finished track."""
    from .runtime.mastering import MasterOptions, master_file
    from .runtime.mixers import chain_named
    from .runtime.results import Outputs
    from .runtime.staging import refuse_existing

    if album:
        _only_without_album(save_preset=save_preset, report=report, reference=reference)
    elif len(tracks) > 1:
        raise MixgymError(
            f"{len(tracks)} tracks are an album: add --album, or master one at a time."
        )
    else:
        refuse_existing((output, save_preset, report), overwrite, inputs=(*tracks, reference))
    if (preset or reference) and (mixer or policy):
        raise MixgymError(
            "--preset and --reference set the chain themselves; leave out --mixer and --policy."
        )
    if policy and mixer == "rules":
        raise MixgymError("--policy is a mixer of its own; leave out --mixer rules.")
    options = MasterOptions(
        lean=_style(style),
        chain=None
        if preset or reference
        else chain_named(mixer or "policy", style or DEFAULT_STYLE, policy=policy, threads=threads),
        reference=reference,
        preset=_preset(preset),
        target_lufs=lufs,
        ceiling_dbtp=true_peak,
        amount=amount,
        bit_depth=bit_depth,
        threads=threads,
        overwrite=overwrite,
    )
    if album:
        from .runtime.album import master_album

        with progress_bars(quiet or as_json) as progress:
            made = master_album(tracks, output, options, progress)
        _print_album(made, as_json, quiet)
        return
    with progress_bars(quiet or as_json) as progress:
        result = master_file(tracks[0], Outputs(output, save_preset, report), options, progress)
    if as_json:
        print_json(result.to_json())
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


Songs = Annotated[
    list[Path] | None,
    typer.Option(help="A folder of songs, or a set of mixgym songs build; may be repeated."),
]
MapperName = Annotated[
    str, typer.Option("--mapper", help="Who works: inline, processes[:N] or ray[:ADDRESS].")
]


@app.command("compete")
def compete_command(
    config: Annotated[
        Path | None, typer.Argument(help="An arena's YAML file, such as experiments/arena.yaml.")
    ] = None,
    songs: Songs = None,
    mixers: Annotated[
        str | None, typer.Option(help="Names with commas: roles,cma_es,policy:FILE.onnx+cma_es.")
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


@app.command("evaluate")
def evaluate_command(
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
    from .experiments.arena.commands import evaluate, evaluation_tables
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
        result = evaluate(settings, mapper, progress)
    if as_json:
        print_json(result)
    elif not quiet:
        print_tables(evaluation_tables(result))


app.command()(tune)


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
    from .experiments.tables import print_table

    with progress_bars(quiet or as_json) as progress:
        result = run(
            stems, minutes, repeats, 0 if skip_memory else memory_stems, memory_minutes, progress
        )
    if as_json:
        print_json(result)
    elif not quiet:
        print_table(result)


@bench.command("songs")
def bench_songs(
    songs: Annotated[Path, typer.Option(help="A folder of song folders.")],
    mixer: Annotated[str, typer.Option(help="Who mixes: see mixgym mix --help.")] = "policy",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Mix every song of a folder; read loudness and true peak without our meters."""
    from .experiments.bench_songs import bench_songs as run
    from .experiments.tables import print_table

    with progress_bars(quiet or as_json) as progress:
        result = run(songs, mixer, progress)
    if as_json:
        print_json(result)
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

    with progress_bars(quiet or as_json) as progress:
        result = run(songs, pairs, seed, progress)
    if as_json:
        print_json(result)
    elif not quiet:
        print_table(result)


ResultFile = Annotated[
    Path | None, typer.Option("--json", help="Write the result to this file as JSON.")
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
    from .experiments.tables import print_table

    with progress_bars(quiet or as_json) as progress:
        result = run(songs, repeats, progress)
    if as_json:
        print_json(result)
    elif not quiet:
        print_table(result)


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
    from .experiments.tables import print_table

    with progress_bars(quiet or as_json) as progress:
        result = run(songs, seed, style=style, plots=plots, tell=progress)
    if as_json:
        print_json(result)
    elif not quiet:
        print_table(result)


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
    from .experiments.tables import print_table

    with progress_bars(quiet or as_json) as progress:
        result = run(seconds, block, seed, progress)
    if as_json:
        print_json(result)
    elif not quiet:
        print_table(result)


@bench.command("inference")
def bench_inference(
    policy: Annotated[
        Path | None, typer.Option(help="A policy's file to measure too; a small one without.")
    ] = None,
    runs: Annotated[int, typer.Option(min=10, max=100_000, help="In each process.")] = 1000,
    repeats: Annotated[int, typer.Option(min=1, max=20, help="Processes for each file.")] = 3,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Latency, load time, memory and size of policies in every format, beside PyTorch."""
    from .experiments.bench_inference import bench_inference as run
    from .experiments.tables import print_table

    with progress_bars(quiet or as_json) as progress:
        result = run(policy, runs, repeats, tell=progress)
    if as_json:
        print_json(result)
    elif not quiet:
        print_table(result)


def _show_result(result: dict[str, Any], path: Path | None, quiet: bool) -> None:
    import json

    from .experiments.tables import print_table

    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(result, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    if not quiet:
        print_table(result)


def main() -> None:
    """Run the command line; a person's mistake ends in one sentence and status 2."""
    run_app(app)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _style(name: str | None) -> Any:
    from .console.styles import style

    return style(name or DEFAULT_STYLE)


def _only_without_album(**given: object) -> None:
    for name, value in given.items():
        if value:
            option = name.replace("_", "-")
            raise MixgymError(f"--{option} is for one song; leave it out with --album.")


def _print_album(album: Any, as_json: bool, quiet: bool) -> None:
    if as_json:
        print_json(album.to_json())
    elif not quiet:
        from .runtime.summary import print_album

        print_album(album)


def _preset(path: Path | None) -> Any:
    if path is None:
        return None
    from .console.preset import load_preset

    return load_preset(path)
