"""Several songs or tracks to an album: one chain, one loudness, their distances kept.

Every track comes to the mastering chain at nominal loudness, so the same settings do the same to
each. An album's loudness is the integrated loudness of ITU-R BS.1770-5 with the gating blocks of
all its tracks, one after another, as of one programme.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..console.meters import LoudnessMeter
from ..console.mixbus import MixBus
from ..errors import MixgymError
from ..songs import read_song
from ..songs.spool import SpoolReader
from .album_delivery import Album, Source, Work, deliver_album, named
from .mastering import MasterOptions, listen, master_settings
from .measuring import BLOCK_FRAMES, Track, open_track
from .mixing import MixOptions, mix_settings, safe_name
from .staging import refuse_among_stems, refuse_existing

if TYPE_CHECKING:
    from ..console.mix import Mix
    from ..console.render import Progress
    from ..songs import Song

MOST_DISTANCE_LU = 6.0  # of a mix from its album: how loud stems were recorded tells only so much


def master_album(
    paths: Sequence[Path], folder: Path, options: MasterOptions, progress: Progress | None = None
) -> Album:
    """Master finished tracks as an album, and write them all or none.

    Every track keeps its distance to the loudness of the album.

    Args:
        paths: of the tracks.
        folder: where to write; new, empty, or an album's that may be replaced.
        options: how; a reference is not followed.
        progress: told what is being done and how far it is.

    Raises:
        MixgymError: the folder is in the way, two tracks have one name, a value is out of range, or
            a track cannot be read or is silent.
    """
    started = time.perf_counter()
    _refuse(folder, options.overwrite, paths)
    with ExitStack() as stack:
        songs = [stack.enter_context(open_track(path)) for path in paths]
        titles = [path.stem for path in paths]
        files = _distinct([f"{title}.wav" for title in titles], paths)
        sources = []
        for title, path, song in zip(titles, paths, songs, strict=True):
            track = Track(song.stems[0])
            heard = listen(track, path, options.threads, named(title, progress))
            mix = master_settings(song, heard, None, options)
            energies = heard.energies / song.sample_rate
            source = Source(title, track, song.sample_rate, mix, (), energies, energies)
            sources.append(source)
        work = Work(options.bit_depth, options.threads, progress, started)
        return deliver_album(sources, files, folder, math.inf, work)


def mix_album(
    paths: Sequence[Path],
    folder: Path,
    options: MixOptions,
    sample_rate: int | None = None,
    progress: Progress | None = None,
) -> Album:
    """Mix songs as an album, and write them all or none.

    Every song keeps the distance that the plain sum of its stems has to the loudness of all plain
    sums, within 6 LU either way.

    Args:
        paths: of the songs, a folder or a file each.
        folder: where to write; new, empty, or an album's that may be replaced.
        options: how.
        sample_rate: to work and write at in Hz; each song's own if None.
        progress: told what is being done and how far it is.

    Raises:
        MixgymError: the folder is in the way, two songs have one name, a value is out of range, or
            a song cannot be mixed.
    """
    started = time.perf_counter()
    _refuse(folder, options.overwrite, paths)
    with ExitStack() as stack:
        songs = [
            stack.enter_context(
                read_song(path, sample_rate=sample_rate, progress=_part("Reading", path, progress))
            )
            for path in paths
        ]
        refuse_among_stems(folder, paths, [stem.path for song in songs for stem in song.stems])
        files = _distinct([f"{safe_name(song.title)}.wav" for song in songs], paths)
        sources = []
        for path, song in zip(paths, songs, strict=True):
            mix, notes = mix_settings(song, options)
            spool = SpoolReader(2)
            stack.callback(spool.close)
            programme = _mix_bus(song, mix, options, spool, _part("Mixing", path, progress))
            source = Source(
                song.title,
                spool,
                song.sample_rate,
                mix,
                tuple(notes),
                programme,
                _plain_sum(song),
            )
            sources.append(source)
        work = Work(options.bit_depth, options.threads, progress, started)
        return deliver_album(sources, files, folder, MOST_DISTANCE_LU, work)


def _mix_bus(
    song: Song, mix: Mix, options: MixOptions, spool: SpoolReader, progress: Callable[[float], None]
) -> NDArray[np.float64]:
    """Keep a song's mix bus; its programme."""
    bus = MixBus(song, mix, threads=options.threads, tail=options.tail)
    meter = LoudnessMeter(song.sample_rate, 2)
    for block in bus.blocks():
        spool.append(block.total.T)
        meter.push(block.total)
        progress(spool.frames / bus.frames)
    return meter.powers / song.sample_rate


def _plain_sum(song: Song) -> NDArray[np.float64]:
    """The programme of a song's stems as they came, mono ones on both channels."""
    meter = LoudnessMeter(song.sample_rate, 2)
    for start in range(0, song.frames, BLOCK_FRAMES):
        total = np.zeros((2, min(BLOCK_FRAMES, song.frames - start)), dtype=np.float32)
        for stem in song.stems:
            total += stem.read(start, total.shape[1])
        meter.push(total)
    return meter.powers / song.sample_rate


def _refuse(folder: Path, overwrite: bool, inputs: Sequence[Path]) -> None:
    if folder.suffix.lower() in (".wav", ".flac", ".aif", ".aiff", ".ogg", ".mp3"):
        raise MixgymError(f"{folder} is named like a file; an album is written to a folder.")
    refuse_existing((), overwrite, folder=folder, inputs=inputs)


def _distinct(names: Sequence[str], paths: Sequence[Path]) -> Sequence[str]:
    """The names of files, refused where two differ in the case of letters at most."""
    taken: dict[str, Path] = {}
    for name, path in zip(names, paths, strict=True):
        other = taken.get(name.casefold())
        if other is not None:
            raise MixgymError(f"{other} and {path} would both be called {name}; rename one.")
        taken[name.casefold()] = path
    return names


def _part(what: str, path: Path, progress: Progress | None) -> Callable[[float], None]:
    return lambda share: progress(f"{what} {path.name}", share) if progress else None
