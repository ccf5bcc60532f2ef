"""The pieces of work of a build, each done by one process."""

import errno
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ...errors import MixgymError
from ..read import read_song
from . import generated, midi, stems
from .augment import carry_out
from .excerpts import LEAST_STEMS, Take, audible, write_excerpt
from .keys import estimate_key, transposed
from .manifest import ManifestRow
from .recipe import Recipe
from .records import Record, keep
from .sources import Source

NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class Plan:
    """What every process knows of the training set.

    Attributes:
        home: its folder.
        seconds, sample_rate, excerpts_per_song: see `BuildOptions`.
        soundfont: None where there is no MIDI.
    """

    home: Path
    seconds: float
    sample_rate: int
    excerpts_per_song: int
    soundfont: Path | None


class Augmentation(NamedTuple):
    """An excerpt to be made, and the rows of its parents, the base first."""

    id: str
    recipe: Recipe
    parents: list[ManifestRow]


def do(plan: Plan, task: Source | Augmentation) -> Record:
    """Do a piece of work and keep its record. A song that cannot be read is left out, by name.

    Raises:
        MixgymError: there is no space to decode it in.
        OSError: the set cannot be written.
    """
    try:
        record = cut(plan, task) if isinstance(task, Source) else augment(plan, task)
    except MixgymError as error:
        cause = error.__cause__
        if isinstance(cause, OSError) and cause.errno in NO_SPACE:
            raise
        record = Record(rows=[], skipped=[str(error)])
    keep(plan.home, task.id, record)
    return record


def cut(plan: Plan, source: Source) -> Record:
    """Cut the excerpts of one song.

    Raises:
        MixgymError: it cannot be read.
        OSError: the set cannot be written.
    """
    if source.path is None:
        mark = hashlib.sha256(source.label.encode()).hexdigest()
        takes = generated.takes_of_seed(source.seed, plan.seconds, plan.sample_rate)
        return _written(plan, source, [mark], takes)
    if source.kind == "midi" and plan.soundfont is not None:
        piece = midi.read_piece(source.path)
        takes = midi.takes_of_piece(
            piece, plan.soundfont, plan.seconds, plan.sample_rate, plan.excerpts_per_song
        )
        return _written(plan, source, piece.fingerprints(), takes, plan.soundfont)
    with read_song(source.path, sample_rate=plan.sample_rate) as song:
        heard = stems.survey(song)
        cut_out = stems.track_takes if source.kind == "track" else stems.takes
        takes = cut_out(song, heard.activity, plan.seconds, plan.excerpts_per_song)
        return _written(plan, source, heard.fingerprints, takes)


def _written(
    plan: Plan,
    source: Source,
    fingerprints: list[str],
    takes: Iterable[Take],
    soundfont: Path | None = None,
) -> Record:
    """Write a song's excerpts."""
    rows = [
        write_excerpt(
            plan.home,
            f"{source.id}-{number}",
            plan.sample_rate,
            take.tracks,
            kind=source.kind,
            source=source.label,
            source_sha256=fingerprints,
            **source.identity._asdict(),
            start_s=take.start_s,
            tempo_bpm=take.tempo_bpm,
            key=source.key or estimate_key(take.tracks, plan.sample_rate),
            soundfont=soundfont and midi.describe_soundfont(soundfont),
        )
        for number, take in enumerate(takes)
    ]
    what = "it is silent" if source.kind == "track" else "no two stems sound together"
    nothing = f"{source.path or source.label}: {what}; it is left out."
    return Record(rows=rows, skipped=[] if rows else [nothing])


def augment(plan: Plan, task: Augmentation) -> Record:
    """Make one excerpt of others.

    Raises:
        OSError: the set cannot be read or written.
    """
    recipe, base = task.recipe, task.parents[0]
    frames = round(base.seconds * plan.sample_rate)
    take = carry_out(recipe, plan.home, plan.sample_rate, frames)
    tracks = [track for track in take.tracks if audible(track.audio)]
    if len(tracks) < LEAST_STEMS:
        return Record(rows=[], skipped=[f"{task.id} is too quiet; it is left out."])
    licences = dict.fromkeys(row.licence or "unknown licence" for row in task.parents)
    soundfonts = dict.fromkeys(row.soundfont for row in task.parents if row.soundfont)
    row = write_excerpt(
        plan.home,
        task.id,
        plan.sample_rate,
        tracks,
        kind="augmented",
        source=base.source,
        source_sha256=list(dict.fromkeys(h for row in task.parents for h in row.source_sha256)),
        song=base.song,
        artist=base.artist,
        licence=" and ".join(licences),
        split=base.split,
        tempo_bpm=take.tempo_bpm,
        key=base.key and transposed(base.key, recipe.semitones),
        soundfont=", ".join(soundfonts) or None,
        parents=[row.id for row in task.parents],
        recipe=recipe.model_dump(mode="json"),
    )
    return Record(rows=[row], skipped=[])
