"""A finished track to a master: by rule, by preset, or after a reference."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..console.feeding import feed
from ..console.master_rules import master_by_rule
from ..console.meters import LoudnessMeter, SpectrumMeter
from ..console.mix import Mix
from ..console.parameters import BUSES, MASTER, STRIP
from ..console.preset import Preset, dumps
from ..console.render import master
from ..console.styles import Style
from ..errors import MixgymError
from .measuring import BLOCK_FRAMES, Track, open_track
from .output import choose_format, write_master
from .results import Outputs, Result, asked_delivery, delivery_notes
from .staging import Staged, refuse_existing

if TYPE_CHECKING:
    from ..console.render import Progress
    from ..songs import Song


@dataclass(frozen=True, slots=True)
class MasterOptions:
    """How to master a track.

    Attributes:
        lean: the style.
        reference: a track whose tonal balance and loudness to take.
        preset: a preset whose master settings to take.
        chain: what sets the chain of a track where neither of these does; the rule if None.
        target_lufs, ceiling_dbtp: override what style, preset or reference ask for.
        amount: how much of the processing to keep, 0..1; loudness and ceiling stay.
        bit_depth: 16, 24 or 32 (floating point).
        threads: meters and bands run at once.
        overwrite: replace what exists.
    """

    lean: Style
    reference: Path | None = None
    preset: Preset | None = None
    chain: Callable[[Song], Mix] | None = None
    target_lufs: float | None = None
    ceiling_dbtp: float | None = None
    amount: float = 1.0
    bit_depth: int = 24
    threads: int = 2
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """What one pass over a track tells.

    Attributes:
        loudness_lufs: integrated.
        energies: K-weighted energy per 10 ms, as `LoudnessMeter.powers`.
        spectrum: read over the whole.
    """

    loudness_lufs: float
    energies: NDArray[np.float64]
    spectrum: SpectrumMeter


def master_file(
    path: Path, outputs: Outputs, options: MasterOptions, progress: Progress | None = None
) -> Result:
    """Master a track and write everything that was asked for, or nothing.

    Raises:
        MixgymError: an output is in the way, a value is out of range, a file cannot be read, or
            the track or its reference is silent.
    """
    started = time.perf_counter()
    refuse_existing(
        (outputs.audio, outputs.preset, outputs.report),
        options.overwrite,
        inputs=(path, options.reference),
    )
    with ExitStack() as stack:
        song = stack.enter_context(open_track(path))
        form = choose_format(outputs.audio, song.sample_rate, options.bit_depth)
        track = Track(song.stems[0])
        heard = listen(track, path, options.threads, progress)
        reference = _listen_to_reference(options, progress)
        mix = master_settings(song, heard, reference, options)
        settings = MASTER.settings(mix.master)
        ceiling = settings["ceiling_dbtp"] if settings["limiter_on"] else None
        staged = stack.enter_context(Staged())
        rendering = stack.enter_context(
            master(
                track,
                track.sample_rate,
                settings,
                heard.loudness_lufs,
                matching_taps=_matching_taps(heard, reference, options.amount),
                threads=options.threads,
                progress=progress,
            )
        )
        turned_down_db = write_master(staged.file(outputs.audio), rendering, form, ceiling)
        notes = _reference_notes(reference, settings["target_lufs"], options)
        notes += delivery_notes(rendering, turned_down_db)
        if outputs.preset:
            staged.file(outputs.preset).write_text(dumps(mix), encoding="utf-8")
        if outputs.report:
            from .master_report import write_master_report

            write_master_report(
                staged.file(outputs.report),
                path.stem,
                track,
                mix,
                rendering,
                options.lean,
                tuple(notes),
            )
        return Result.of(
            path.stem,
            outputs,
            mix,
            rendering,
            ceiling,
            turned_down_db,
            notes,
            started,
            options.reference,
        )


def listen(track: Track, path: Path, threads: int, progress: Progress | None) -> Heard:
    """One pass over a track.

    Raises:
        MixgymError: it is silent, or cannot be read.
    """
    loudness = LoudnessMeter(track.sample_rate, 2)
    spectrum = SpectrumMeter(track.sample_rate, 2)
    heard = 0
    for block in feed(track.blocks(BLOCK_FRAMES), (spectrum, loudness), threads):
        heard += block.shape[1]
        if progress:
            progress("Listening", heard / track.frames)
    if not math.isfinite(loudness.integrated_lufs):
        raise MixgymError(f"{path} is silent: there is nothing to master.")
    return Heard(loudness.integrated_lufs, loudness.powers, spectrum)


def _listen_to_reference(options: MasterOptions, progress: Progress | None) -> Heard | None:
    if options.reference is None:
        return None
    with open_track(options.reference) as song:
        return listen(Track(song.stems[0]), options.reference, options.threads, progress)


def master_settings(
    song: Song, heard: Heard, reference: Heard | None, options: MasterOptions
) -> Mix:
    """Master settings, as a mix without stems; what a person asks for counts most.

    Raises:
        MixgymError: an amount, loudness or ceiling out of range, or the chain fails.
    """
    spectrum = heard.spectrum
    reasons: tuple[str, ...] = ()
    if options.preset is not None:
        vector, reasons = MASTER.vector(options.preset.master), ("from the preset",)
    elif reference is not None:
        vector = MASTER.vector({})
    elif options.chain is not None:
        made = options.chain(song)
        vector, reasons = made.master, (f"by {made.made_by}",)
    else:
        vector, reasons = master_by_rule(spectrum.centres_hz, spectrum.levels_db, options.lean)
    delivery: dict[str, float] = {}
    if reference is not None and options.reference is not None:
        reasons = (*reasons, f"tonal balance and loudness of {options.reference.name}")
        limits = MASTER["target_lufs"]
        within = min(max(reference.loudness_lufs, limits.low), limits.high)
        delivery = {"loudness_on": 1.0, "target_lufs": within}
    delivery |= asked_delivery(options.target_lufs, options.ceiling_dbtp)
    mix = Mix(
        stems=(),
        roles=(),
        strips=np.empty((0, len(STRIP))),
        buses=BUSES.defaults,
        master=vector,
        side_chains=(),
        made_by="master",
        reasons={"master": reasons},
    )
    return mix.scaled(options.amount).with_master(**delivery)


def _matching_taps(
    heard: Heard, reference: Heard | None, amount: float
) -> NDArray[np.float32] | None:
    """The filter that brings the track's tonal balance to the reference's, `amount` of the way."""
    if reference is None:
        return None
    from ..console.matching import linear_phase_taps, matching_gain_db

    gain_db = matching_gain_db(
        heard.spectrum, heard.loudness_lufs, reference.spectrum, reference.loudness_lufs
    )
    return linear_phase_taps(heard.spectrum.bins_hz, amount * gain_db, heard.spectrum.sample_rate)


def _reference_notes(
    reference: Heard | None, target_lufs: float, options: MasterOptions
) -> list[str]:
    """What to say where the reference's loudness is out of the target's range."""
    if reference is None or options.reference is None or options.target_lufs is not None:
        return []
    if reference.loudness_lufs == target_lufs:
        return []
    return [
        f"{options.reference.name} measures {reference.loudness_lufs:.1f} LUFS; "
        f"{target_lufs:.1f} is the nearest target there is."
    ]
