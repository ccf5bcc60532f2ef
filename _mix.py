"""`mixgym mix` and `master`: their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

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
    PolicyFile,
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
from ._terminal import print_json, progress_bars
from .errors import MixgymError


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
    policy: PolicyFile = None,
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
    automation: Annotated[
        bool,
        typer.Option(
            "--automation",
            help="Let faders move between the song's sections where that scores higher.",
            rich_help_panel=SETTINGS,
        ),
    ] = False,
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
    from .runtime.mixers import automation_by_policy, mixer_named
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
    if copy_stems and rpp is None and not album:
        raise MixgymError("--copy-stems is for a Reaper project; name one by --rpp.")
    if automation and (preset is not None or mixer not in (None, "policy")):
        raise MixgymError("--automation is the policy's; leave out --preset and any other --mixer.")
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
            inputs=(*stems, policy, None if preset == save_preset else preset),
        )
        choose_format(output, sample_rate or 48_000, bit_depth)
    lean = _style(style)
    options = MixOptions(
        mixer=mixer_named(
            ("policy" if preset is None else "roles") if mixer is None else mixer,
            style or DEFAULT_STYLE,
            policy=policy,
            search_s=search,
            threads=threads,
        ),
        preset=_preset(preset),
        automation=automation_by_policy(style or DEFAULT_STYLE, policy=policy, threads=threads)
        if automation
        else None,
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


def master(
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
    policy: PolicyFile = None,
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
        inputs = (*tracks, reference, policy, None if preset == save_preset else preset)
        refuse_existing((output, save_preset, report), overwrite, inputs=inputs)
    if (preset or reference) and (mixer is not None or policy):
        raise MixgymError(
            "--preset and --reference set the chain themselves; leave out --mixer and --policy."
        )
    if policy and mixer not in (None, "policy"):
        raise MixgymError(f"--policy is a mixer of its own; leave out --mixer {mixer}.")
    options = MasterOptions(
        lean=_style(style),
        chain=None
        if preset or reference
        else chain_named(
            "policy" if mixer is None else mixer,
            style or DEFAULT_STYLE,
            policy=policy,
            threads=threads,
        ),
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
