"""A folder of stems to a master, a preset, a report and processed stems."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..console.levels import stem_levels
from ..console.mix import Budget, Mix, Mixer, Strength
from ..console.parameters import MASTER
from ..console.preset import Preset, apply_preset, dumps
from ..console.render import render
from ..console.styles import Style
from .daw.writing import Projects
from .memory import give_back
from .output import AudioWriter, Format, choose_format, write_master
from .results import Outputs, Result, asked_delivery, delivery_notes
from .staging import MARKER, Staged, refuse_existing

if TYPE_CHECKING:
    from ..console.mixbus import BusBlock
    from ..console.render import Progress
    from ..songs import Song

Automation = Callable[["Song", Mix], tuple[Mix, str]]
STEM_FORMAT = Format("WAV", "FLOAT", None)


@dataclass(frozen=True, slots=True)
class MixOptions:
    """How to make a mix.

    Attributes:
        mixer: what sets the parameters; ignored where a preset is given.
        preset: settings to apply by name and role instead.
        automation: lets the faders of a mix move, and says what came of it.
        target_lufs, ceiling_dbtp: override the mix's own.
        amount, strengths: how much of the mix to keep, whole and per component.
        lean: the style, for the report's target spectrum.
        bit_depth: 16, 24 or 32 (floating point).
        tail: let reverb and delay ring out.
        threads: strips processed at once.
        overwrite: replace what exists.
        copy_stems: copy the stems beside a Reaper project instead of pointing to them.
    """

    mixer: Mixer
    preset: Preset | None = None
    automation: Automation | None = None
    target_lufs: float | None = None
    ceiling_dbtp: float | None = None
    amount: float = 1.0
    strengths: Mapping[Strength, float] = field(default_factory=dict)
    lean: Style | None = None
    bit_depth: int = 24
    tail: bool = True
    threads: int = 2
    overwrite: bool = False
    copy_stems: bool = False


def mix_song(
    song: Song, outputs: Outputs, options: MixOptions, progress: Progress | None = None
) -> Result:
    """Mix a song and write everything that was asked for, or nothing.

    Raises:
        MixgymError: an output is in the way, a value is out of range, or the audio cannot be mixed.
    """
    started = time.perf_counter()
    refuse_existing(
        (outputs.audio, outputs.preset, outputs.report, outputs.rpp, outputs.dawproject),
        options.overwrite,
        folder=outputs.stems,
        inputs=[stem.path for stem in song.stems],
    )
    projects = Projects(
        song,
        outputs.rpp,
        outputs.dawproject,
        copies=options.copy_stems,
        overwrite=options.overwrite,
    )
    form = choose_format(outputs.audio, song.sample_rate, options.bit_depth)
    levels = stem_levels(
        song,
        threads=options.threads,
        progress=(lambda share: progress("Listening", share)) if progress else None,
    )
    mix, notes = mix_settings(song, options)
    notes += [
        f"{stem.name} is silent and adds nothing."
        for stem, level in zip(song.stems, levels, strict=True)
        if level.silent
    ]
    master = MASTER.settings(mix.master)
    ceiling = master["ceiling_dbtp"] if master["limiter_on"] else None
    with Staged() as staged, ExitStack() as stack:
        hearers: list[Callable[[BusBlock], None]] = []
        if outputs.stems:
            files = stack.enter_context(_StemFiles(staged.folder(outputs.stems), song))
            hearers.append(files.write)
        if outputs.dawproject:
            hearers.append(stack.enter_context(projects).hear)
        scorer = None
        if outputs.report:
            from .mix_score import ScoreReader

            scorer = ScoreReader(song, mix, options.lean)
            hearers.append(scorer.push)

        def on_bus(block: BusBlock) -> None:
            for hear in hearers:
                hear(block)

        rendering = stack.enter_context(
            render(
                song,
                mix,
                tail=options.tail,
                threads=options.threads,
                on_bus=on_bus if hearers else None,
                progress=progress,
            )
        )
        audio = staged.file(outputs.audio)
        turned_down_db = write_master(audio, rendering, form, ceiling)
        notes += delivery_notes(rendering, turned_down_db)
        if outputs.preset:
            staged.file(outputs.preset).write_text(dumps(mix), encoding="utf-8")
        projects.write(staged, mix, rendering)
        score = None
        if outputs.report and scorer:
            from .mix_report import write_mix_report

            score = scorer.score(scorer.readings(rendering))
            write_mix_report(
                staged.file(outputs.report),
                song,
                mix,
                rendering,
                options.lean,
                score,
                scorer.baselines(),
                tuple(notes),
            )
        result = Result.of(
            song.title, outputs, mix, rendering, ceiling, turned_down_db, notes, started
        )
        return replace(result, score=score)


def mix_settings(song: Song, options: MixOptions) -> tuple[Mix, list[str]]:
    """The mix to render, and what to say about it.

    Raises:
        MixgymError: an amount, loudness or ceiling out of range, or the mixer fails.
    """
    notes: list[str] = []
    if options.preset is not None:
        applied = apply_preset(options.preset, song)
        mix = applied.mix
        named = {stem.name for stem in options.preset.stems}
        notes = [
            f"{stem}: settings from {source}."
            for stem, source in applied.matches.items()
            if stem not in named
        ]
        if options.preset.moves is not None and mix.moves is None:
            notes.append("The preset's fader moves are another song's and were left out.")
    else:
        mix = options.mixer(song, Budget())
    if options.automation is not None:
        mix, said = options.automation(song, mix)
        notes.append(said)
    give_back()  # analyses are large, and rendering needs memory of its own
    mix = mix.scaled(options.amount, options.strengths)
    return mix.with_master(**asked_delivery(options.target_lufs, options.ceiling_dbtp)), notes


class _StemFiles:
    """What each stem and return adds to the mix bus, one 32-bit float WAV each."""

    def __init__(self, folder: Path, song: Song) -> None:
        names = [stem.name for stem in song.stems]
        digits = len(str(len(names)))
        self._folder, self._rate = folder, song.sample_rate
        (folder / MARKER).touch()
        self._names = [
            f"{i:0{digits}d}_{safe_name(name)}.wav" for i, name in enumerate(names, start=1)
        ]
        self._writers: dict[str, AudioWriter] = {}

    def write(self, block: BusBlock) -> None:
        silence = np.zeros_like(block.total)
        for name, audio in zip(self._names, block.strips, strict=True):
            self._add(name, silence if audio is None else audio)
        for name, audio in block.returns.items():
            self._add(f"return_{name}.wav", audio)

    def _add(self, name: str, audio: NDArray[np.float32]) -> None:
        if name not in self._writers:
            self._writers[name] = AudioWriter(self._folder / name, self._rate, STEM_FORMAT)
        self._writers[name].write(audio)

    def __enter__(self) -> _StemFiles:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        for writer in self._writers.values():
            writer.__exit__(kind, *rest)


def safe_name(name: str) -> str:
    """A stem's name as part of a file name: nothing that a path could be made of."""
    return re.sub(r"[^\w\- ]+", "_", name).strip("_ ")[:60] or "stem"
