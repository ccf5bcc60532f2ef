"""`mixgym live`: its options, and what a person sees of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._options import (
    DEFAULT_STYLE,
    FILES,
    SETTINGS,
    WORK,
    BitDepth,
    Json,
    ListStyles,
    Lufs,
    Overwrite,
    PolicyFile,
    PresetFile,
    Quiet,
    StyleName,
    TruePeak,
)
from ._terminal import print_json, progress_bars
from .errors import MixgymError

if TYPE_CHECKING:
    from .console.mix import Budget, Mix
    from .songs import Song


def live(
    stems: Annotated[list[Path], typer.Argument(help="A folder of stems, or the files.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Write to a file instead of playing.", rich_help_panel=FILES
        ),
    ] = None,
    mixer: Annotated[
        str | None,
        typer.Option(
            help="Who is asked: policy (the default), roles, equal_loudness or plain_sum.",
            rich_help_panel=SETTINGS,
        ),
    ] = None,
    policy: PolicyFile = None,
    preset: PresetFile = None,
    style: StyleName = None,
    styles: ListStyles = False,
    lufs: Lufs = None,
    true_peak: TruePeak = None,
    measure_first: Annotated[
        bool,
        typer.Option(
            "--measure-first",
            help="Render once and take nominal gain and drive from that.",
            rich_help_panel=SETTINGS,
        ),
    ] = False,
    window: Annotated[
        float,
        typer.Option(min=2, max=60, help="Seconds that the mixer hears.", rich_help_panel=SETTINGS),
    ] = 10.0,
    every: Annotated[
        float,
        typer.Option(
            min=0.05, max=60, help="Seconds from one update to the next.", rich_help_panel=SETTINGS
        ),
    ] = 0.1,
    block: Annotated[
        int, typer.Option(help="Frames, 64 to 1024, a multiple of 64.", rich_help_panel=WORK)
    ] = 256,
    device: Annotated[
        str | None, typer.Option(help="Name of the sound device.", rich_help_panel=WORK)
    ] = None,
    sample_rate: Annotated[
        int | None,
        typer.Option(min=8000, max=192_000, help="Rate to work at, in Hz.", rich_help_panel=FILES),
    ] = None,
    bit_depth: BitDepth = 24,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Mix stems in real time: through a sound device, or to a file with -o."""
    from .console.mix import Budget
    from .console.preset import apply_preset, load_preset
    from .runtime.mixers import listener_named, mixer_named
    from .runtime.output import choose_format
    from .runtime.results import asked_delivery
    from .runtime.staging import refuse_among_stems, refuse_existing
    from .runtime.stream.live import LiveOptions, play_to_device, play_to_file
    from .songs import read_song

    if preset is not None and (mixer is not None or style is not None or policy is not None):
        raise MixgymError("--preset holds the settings; leave --mixer, --policy and --style out.")
    if policy is not None and mixer not in (None, "policy"):
        raise MixgymError(f"--policy is a mixer of its own; leave out --mixer {mixer}.")
    if style is not None and mixer not in (None, "policy", "roles"):
        raise MixgymError("--style leans the mixers policy and roles only; leave it out.")
    if output is not None and device is not None:
        raise MixgymError("--device plays and --output writes; give one of them.")
    if output is not None:
        refuse_existing((output,), overwrite, inputs=stems)
        choose_format(output, sample_rate or 48_000, bit_depth)
    delivery = asked_delivery(lufs, true_peak)
    if preset is not None:
        made, ask = load_preset(preset), None

        def first(song: Song, budget: Budget) -> Mix:
            return apply_preset(made, song).mix

    else:
        chosen, lean = "policy" if mixer is None else mixer, style or DEFAULT_STYLE
        first = mixer_named(chosen, lean, policy=policy)
        ask = listener_named(chosen, lean, policy=policy, delivery=delivery, window_s=window)
    with progress_bars(quiet or as_json) as progress:
        song = read_song(
            stems, sample_rate=sample_rate, progress=lambda share: progress("Reading", share)
        )
        with song:
            mix = first(song, Budget()).with_master(**delivery)
            options = LiveOptions(
                block_frames=block,
                ask=ask,
                measure_first=measure_first,
                window_s=window,
                every_s=every,
                bit_depth=bit_depth,
                overwrite=overwrite,
            )
            if output is None:
                report = play_to_device(song, mix, options, device, progress)
            else:
                refuse_among_stems(output, stems, [stem.path for stem in song.stems])
                report = play_to_file(song, mix, output, options, progress)
    if as_json:
        print_json(report)
    elif not quiet:
        from .runtime.stream.summary import print_live

        print_live(report)
