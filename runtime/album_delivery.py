"""Sources at nominal loudness to the files of an album: one chain, and levels that fit together."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..console.meters import LoudnessMeter
from ..console.meters.loudness import gated_lufs
from ..console.parameters import MASTER
from ..console.render import StereoSource, master
from ..errors import MixgymError
from .output import choose_format, write_audio
from .results import Outputs, Result, delivery_notes, finite
from .staging import MARKER, Staged

if TYPE_CHECKING:
    from ..console.mix import Mix
    from ..console.render import Progress

TOLERANCE_LU = 0.1
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Album:
    """What came of an album.

    Attributes:
        folder: where its files lie.
        tracks: in the order in which they were given.
        loudness_lufs, target_lufs: of the album as a whole.
        notes: what a person should know.
        seconds: that it took.
    """

    folder: Path
    tracks: tuple[Result, ...]
    loudness_lufs: float
    target_lufs: float
    notes: tuple[str, ...]
    seconds: float

    @property
    def distances_lu(self) -> tuple[float, ...]:
        """How much louder than the album each track is."""
        return tuple(track.loudness_lufs - self.loudness_lufs for track in self.tracks)

    def to_json(self) -> dict[str, object]:
        """Numbers, strings and lists that JSON can hold."""
        return {
            "folder": str(self.folder),
            "loudness_lufs": finite(self.loudness_lufs),
            "target_lufs": self.target_lufs,
            "seconds": self.seconds,
            "notes": list(self.notes),
            "tracks": [
                track.to_json() | {"distance_lu": finite(distance_lu)}
                for track, distance_lu in zip(self.tracks, self.distances_lu, strict=True)
            ],
        }


@dataclass(frozen=True, slots=True)
class Source:
    """What goes into the mastering chain.

    Attributes:
        title: of the track.
        audio: the mix bus, or a finished track.
        sample_rate: in Hz.
        mix: its own settings.
        notes: what to say of them.
        programme: K-weighted energy of `audio` per 10 ms, channels summed, over the sample rate, so
            that tracks of several rates can be put one after another; shape (sub-blocks,).
        original: the same of what distances are taken from.
    """

    title: str
    audio: StereoSource
    sample_rate: int
    mix: Mix
    notes: tuple[str, ...]
    programme: NDArray[np.float64]
    original: NDArray[np.float64]


def album_lufs(programmes: Sequence[NDArray[np.float64]]) -> float:
    """Integrated loudness of programmes, one after another.

    Args:
        programmes: shape (sub-blocks,) each, as `Source.programme`.
    """
    return gated_lufs(np.concatenate(programmes), 1)


def joined_master(
    vectors: Sequence[NDArray[np.float64]], durations_s: Sequence[float]
) -> NDArray[np.float64]:
    """One mastering chain for several tracks.

    The mean, weighted by duration, on each parameter's own scale. A processor that is off counts as
    one that does nothing, and says nothing of frequencies and times.

    Args:
        vectors: of the master table, shape (len(MASTER),) each.
        durations_s: of the tracks.
    """
    values, weights = np.array(vectors), np.asarray(durations_s, dtype=np.float64)
    switches = {p.processor: i for i, p in enumerate(MASTER) if p.scale == "switch"}
    joined = np.empty(len(MASTER))
    for i, parameter in enumerate(MASTER):
        column = values[:, i]
        on = values[:, switches[parameter.processor]] > 0
        if parameter.scale == "switch":
            joined[i] = float(on.any())
            continue
        if not on.any():  # its settings are kept for who switches it on
            on = np.ones_like(on)
        weight = weights
        if parameter.neutral is None:
            weight = weights * on
        else:
            column = np.where(on, column, parameter.neutral)
        if parameter.scale == "log":
            joined[i] = np.exp(np.average(np.log(column), weights=weight))
        else:
            joined[i] = np.average(column, weights=weight)
    inside: NDArray[np.float64] = np.clip(joined, MASTER.low, MASTER.high)
    return inside


@dataclass(frozen=True, slots=True)
class Work:
    """How to work: options of both commands, who is told, and when it began."""

    bit_depth: int
    threads: int
    progress: Progress | None
    started: float


def deliver_album(
    sources: Sequence[Source], files: Sequence[str], folder: Path, most_lu: float, work: Work
) -> Album:
    """Bring sources to their places in the album, and write them all or none.

    Where a track stays below its place, because the ceiling allows no more, all come down with it.

    Args:
        sources: in order, of some duration each.
        files: names of WAV files in the folder, one for each.
        folder: where they go.
        most_lu: that a track may be away from the album's loudness.
        work: how.

    Raises:
        MixgymError: a source is silent, or a disk is full.
    """
    durations_s = [source.audio.frames / source.sample_rate for source in sources]
    joined = joined_master([source.mix.master for source in sources], durations_s)
    joined[MASTER.index("loudness_on")] = 1.0
    target_lufs = float(joined[MASTER.index("target_lufs")])
    why = f"one chain for the {len(sources)} tracks of the album"
    mixes = [
        replace(source.mix, master=joined, reasons={**source.mix.reasons, "master": (why,)})
        for source in sources
    ]
    distances = _distances_lu(sources, most_lu)
    limits = MASTER["target_lufs"]
    most_lufs = limits.high - max(distances)
    level = min(_level_lufs(sources, distances, target_lufs), most_lufs)
    with Staged() as staged:
        place = staged.folder(folder)
        (place / MARKER).touch()
        for attempt in range(1, ATTEMPTS + 1):
            results, programmes = [], []
            for source, mix, name, distance in zip(sources, mixes, files, distances, strict=True):
                at = mix.with_master(target_lufs=max(limits.low, level + distance))
                result, programme = _write(source, at, place / name, folder / name, work)
                results.append(result)
                programmes.append(programme)
            loudness_lufs = album_lufs(programmes)
            short_lu = max(_short_lu(result) for result in results)
            if short_lu > TOLERANCE_LU:
                most_lufs = min(most_lufs, level - short_lu)
            better = min(level + target_lufs - loudness_lufs, most_lufs)
            if abs(better - level) <= TOLERANCE_LU or attempt == ATTEMPTS:
                break
            level = better
    notes = []
    if abs(loudness_lufs - target_lufs) > TOLERANCE_LU:
        notes.append(
            f"The album comes to {loudness_lufs:.1f} LUFS, not to {target_lufs:.1f}: its loudest "
            "tracks reach no more if they keep their distances."
        )
    notes += [
        f"{source.title} stays at {limits.low:g} LUFS, the lowest target there is."
        for source, distance in zip(sources, distances, strict=True)
        if level + distance < limits.low
    ]
    seconds = time.perf_counter() - work.started
    return Album(folder, tuple(results), loudness_lufs, target_lufs, tuple(notes), seconds)


def _write(
    source: Source, mix: Mix, place: Path, output: Path, work: Work
) -> tuple[Result, NDArray[np.float64]]:
    """Master one source to a file; what came of it, and its programme."""
    started = time.perf_counter()
    settings = MASTER.settings(mix.master)
    meter = LoudnessMeter(source.sample_rate, 2)
    form = choose_format(output, source.sample_rate, work.bit_depth)
    with master(
        source.audio,
        source.sample_rate,
        settings,
        album_lufs([source.programme]),
        threads=work.threads,
        progress=named(source.title, work.progress),
    ) as rendering:
        write_audio(place, rendering.blocks(), source.sample_rate, form, rendering.frames)
        for block in rendering.blocks():
            meter.push(block)
        result = Result.of(
            source.title,
            Outputs(output),
            mix,
            rendering,
            settings["ceiling_dbtp"] if settings["limiter_on"] else None,
            0.0,
            (*source.notes, *delivery_notes(rendering)),
            started,
        )
    return result, meter.powers / source.sample_rate


def _distances_lu(sources: Sequence[Source], most_lu: float) -> list[float]:
    """How much louder than all of them together each source was."""
    for source in sources:
        if not math.isfinite(album_lufs([source.original])):
            raise MixgymError(f"{source.title!r} is silent: leave it out of the album.")
    whole = album_lufs([source.original for source in sources])
    return [
        min(max(album_lufs([source.original]) - whole, -most_lu), most_lu) for source in sources
    ]


def _level_lufs(
    sources: Sequence[Source], distances_lu: Sequence[float], target_lufs: float
) -> float:
    """What distances count from, so that the album comes to its target."""
    placed = []
    for source, distance_lu in zip(sources, distances_lu, strict=True):
        gain_db = target_lufs + distance_lu - album_lufs([source.programme])
        placed.append(source.programme * 10 ** (gain_db / 10))
    return 2 * target_lufs - album_lufs(placed)


def _short_lu(result: Result) -> float:
    """How far a track stays below its target."""
    assert result.target_lufs is not None
    return result.target_lufs - result.loudness_lufs


def named(title: str, progress: Progress | None) -> Progress | None:
    """Who is told, with a track's title behind what is being done."""
    if progress is None:
        return None
    return lambda what, share: progress(f"{what} {title}", share)
