"""`mixgym songs build`: a training set from song folders, MIDI files, seeds and augmentation.

In the set's folder, `excerpts/` holds the song folders and `manifest.jsonl` says what they are;
`build.json` keeps the settings, `.build/` a record of each piece of work that is done. A run that
was cut off goes on from there, and what it gives in the end is the same. Nor does that depend on
how many processes there are: whatever is drawn for an excerpt, it draws from its own generator.
"""

import hashlib
import json
import os
import shutil
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import MixgymError
from ..song import check_sample_rate
from . import midi
from .excerpts import PARTIAL
from .manifest import EXCERPTS, MANIFEST, ManifestRow, leaks, write_manifest, write_text
from .recipe import draw_recipe
from .records import RECORDS, Record, finished, keep
from .sources import (
    Source,
    generator_sources,
    midi_sources,
    stem_sources,
    track_sources,
)
from .summary import summarise
from .work import NO_SPACE, Augmentation, Plan, do
from .workers import in_parallel

SETTINGS = "build.json"
_FORMAT = 1
_SHORTEST_S, _LONGEST_S = 4.0, 60.0
_LEAST = {"generate": 0, "augment": 0, "seed": 0, "excerpts_per_song": 1, "jobs": 1}

Tell = Callable[[str, float], None]


@dataclass(frozen=True)
class BuildOptions:
    """What goes into a training set.

    Attributes:
        stems: folders of stems, or of such folders.
        midi: folders of MIDI files.
        tracks: finished tracks, or folders of them, each an excerpt's only stem.
        soundfont: to play them through; None for the one that pretty_midi brings.
        generate: how many songs of our own, one excerpt each.
        augment: how many excerpts made of training excerpts.
        excerpts_per_song: at most, of a song folder, a MIDI file or a track.
        seconds: of an excerpt, 4 to 60.
        sample_rate: in Hz.
        seed: of whatever is drawn.
        jobs: processes.
    """

    stems: tuple[Path, ...] = ()
    midi: tuple[Path, ...] = ()
    tracks: tuple[Path, ...] = ()
    soundfont: Path | None = None
    generate: int = 0
    augment: int = 0
    excerpts_per_song: int = 3
    seconds: float = 10.0
    sample_rate: int = 44_100
    seed: int = 0
    jobs: int = os.cpu_count() or 1


def build_training_set(
    out: Path, options: BuildOptions, tell: Tell = lambda what, share: None
) -> dict[str, Any]:
    """Build a training set, or finish one that was begun with the same options.

    Args:
        out: a new or empty folder, or one that was begun.
        options: what goes in.
        tell: told what is being done, and how much of it is.

    Returns:
        JSON; see `summary.summarise`.

    Raises:
        MixgymError: an option out of range, nothing to build from, an unreadable SoundFont, a
            folder that holds something else or was begun otherwise, a full disk.
    """
    started = time.monotonic()
    soundfont = _check(options)
    songs, skipped = stem_sources(options.stems)
    pieces, unread = midi_sources(options.midi)
    tracks, copies = track_sources(options.tracks)
    generated = generator_sources(options.seed, options.generate)
    sources = [*songs, *pieces, *tracks, *generated]
    _refuse_inside(out, (*options.stems, *options.midi, *options.tracks))
    _prepare(out, _settings(options, sources, soundfont))
    plan = Plan(out, options.seconds, options.sample_rate, options.excerpts_per_song, soundfont)
    try:
        records = _work(plan, "Cutting excerpts", sources, options.jobs, tell)
        _leave_out_leaks(out, records)
        drawn = _draw(options, _rows(records))
        records |= _work(plan, "Augmenting", drawn, options.jobs, tell)
        rows = _rows(records)
        skipped += unread + copies
        skipped += [line for record in records.values() for line in record.skipped]
        if not rows:
            raise MixgymError(f"No excerpt could be made: {skipped[0]}")
        write_manifest(out / MANIFEST, rows)
        _tidy(out, rows)
    except OSError as error:
        if error.errno in NO_SPACE:
            raise MixgymError(
                f"The disk of {out} is full: make room and run the same command again."
            ) from error
        raise
    return summarise(out, rows, skipped, time.monotonic() - started)


def _check(options: BuildOptions) -> Path | None:
    """Refuse what is out of range; return the SoundFont if one is needed."""
    if not (options.stems or options.midi or options.tracks or options.generate):
        raise MixgymError("Nothing to build from: give --stems, --midi, --tracks or --generate.")
    if options.tracks and (options.stems or options.midi or options.generate or options.augment):
        raise MixgymError(
            "Finished tracks make a set of their own: give --tracks without --stems, --midi, "
            "--generate and --augment."
        )
    if not _SHORTEST_S <= options.seconds <= _LONGEST_S:
        raise MixgymError(
            f"Excerpts of {options.seconds:g} s cannot be made: ask for {_SHORTEST_S:g} to "
            f"{_LONGEST_S:g}."
        )
    check_sample_rate(options.sample_rate, "A training set")
    for name, least in _LEAST.items():
        value = getattr(options, name)
        if value < least:
            raise MixgymError(f"--{name.replace('_', '-')} is {value}: use {least} or more.")
    if not options.midi:
        return None
    soundfont = midi.find_soundfont(options.soundfont)
    midi.check_soundfont(soundfont, options.sample_rate)
    return soundfont


def _settings(
    options: BuildOptions, sources: Sequence[Source], soundfont: Path | None
) -> dict[str, Any]:
    """What must stay the same for a build to go on."""
    settings = asdict(options)
    del settings["jobs"], settings["stems"], settings["midi"], settings["tracks"]
    settings["soundfont"] = soundfont and hashlib.sha256(soundfont.read_bytes()).hexdigest()
    found = "\n".join(f"{source.id} {source.identity}" for source in sources)
    settings["sources"] = hashlib.sha256(found.encode()).hexdigest()
    return {"format": _FORMAT, **settings}


def _refuse_inside(out: Path, roots: Sequence[Path]) -> None:
    real = out.resolve()
    for root in roots:
        if root.resolve() in (real, *real.parents):
            raise MixgymError(
                f"{out} lies in {root}, where the next build would take it for songs: name a "
                "folder elsewhere."
            )


def _prepare(out: Path, settings: dict[str, Any]) -> None:
    """Make the folder, or see that it was begun with these settings; clear what was cut off."""
    path = out / SETTINGS
    try:
        if not out.exists() or (out.is_dir() and not any(out.iterdir())):
            out.mkdir(parents=True, exist_ok=True)
            write_text(path, json.dumps(settings, indent=1) + "\n")
        elif not path.is_file():
            raise MixgymError(f"{out} holds something else: name a new folder.")
        begun = json.loads(path.read_text(encoding="utf-8"))
        (out / RECORDS).mkdir(exist_ok=True)
    except OSError as error:
        raise MixgymError(f"{out} cannot be written ({error.strerror}): name another.") from error
    except ValueError as error:
        raise MixgymError(f"{path} cannot be understood: name a new folder.") from error
    known = begun if isinstance(begun, dict) else {}
    other = [name for name, value in settings.items() if known.get(name) != value]
    if other:
        raise MixgymError(
            f"{out} was begun with other {', '.join(other)}: give what was given then, or name a "
            "new folder."
        )
    shutil.rmtree(out / PARTIAL, ignore_errors=True)


def _work(
    plan: Plan, what: str, tasks: Sequence[Source] | Sequence[Augmentation], jobs: int, tell: Tell
) -> dict[str, Record]:
    """Do what is not done yet; returns every task's record by its id, in the tasks' order."""
    records = {task.id: finished(plan.home, task.id) for task in tasks}
    left = [task for task in tasks if records[task.id] is None]
    done = len(tasks) - len(left)
    tell(what, done / max(len(tasks), 1))
    for task, record in in_parallel(partial(do, plan), left, jobs):
        records[task.id] = record
        done += 1
        tell(what, done / len(tasks))
    return {name: record for name, record in records.items() if record is not None}


def _leave_out_leaks(home: Path, records: dict[str, Record]) -> None:
    """Take back excerpts of which a later split holds the same audio."""
    found = leaks(_rows(records))
    for name, record in records.items():
        leaking = [row for row in record.rows if row.id in found]
        if leaking:
            kept = [row for row in record.rows if row.id not in found]
            lines = [f"{row.id} {found[row.id]}; it is left out." for row in leaking]
            records[name] = Record(rows=kept, skipped=[*record.skipped, *lines])
            keep(home, name, records[name])


def _draw(options: BuildOptions, rows: Sequence[ManifestRow]) -> list[Augmentation]:
    """Recipes over training excerpts; each depends on the seed, its number and the excerpts."""
    pool = {row.id: row for row in rows if row.split == "train"}
    order = [pool[name] for name in sorted(pool)]
    drawn = []
    for number in range(options.augment if pool else 0):
        rng = np.random.default_rng([options.seed, number, zlib.crc32(b"augment")])
        recipe = draw_recipe(rng, order)
        parents = [pool[parent] for parent in recipe.parents()]
        drawn.append(Augmentation(f"augmented-{number:05d}", recipe, parents))
    return drawn


def _rows(records: dict[str, Record]) -> list[ManifestRow]:
    return [row for record in records.values() for row in record.rows]


def _tidy(home: Path, rows: Sequence[ManifestRow]) -> None:
    """Remove excerpts that are not in the manifest, so that the folder and it say the same."""
    shutil.rmtree(home / PARTIAL, ignore_errors=True)
    known = {row.id for row in rows}
    for folder in (home / EXCERPTS).iterdir():
        if folder.name not in known:
            shutil.rmtree(folder)
