"""Files in, a song out."""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path
from threading import Event, Lock

from ..errors import MixgymError
from .decode import open_reader, probe, reads_in_place
from .formats import AudioInfo
from .layouts import StemFile, find_song
from .pairs import Track, join_pairs
from .readers import Reader, StackReader
from .song import MAX_STEMS, Song, Stem, check_sample_rate
from .stem_mp4 import stem_names

_MOST_THREADS = 8
LONGEST_NAME = 400
RESERVED_NAMES = ("buses", "master")  # what reports and presets call the rest of a console


def read_song(
    paths: str | Path | Sequence[str | Path],
    *,
    sample_rate: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Song:
    """Open a folder of stems in any known layout, a file, or several files as a song.

    Stems that are not uncompressed audio at the song's rate are decoded here, in parallel, into
    nameless temporary files (about 23 MB for a minute of stereo at 48 kHz). Two mono files that
    are the sides of one track become a stereo stem.

    Args:
        paths: a folder, a file, or a sequence of either.
        sample_rate: of the song in hertz; by default the most common among the stems, the higher
            one where two are equally common.
        progress: called with the fraction decoded, rising to 1.0, from one thread at a time.

    Raises:
        MixgymError: no such file or folder, no audio, more than 256 stems, a file that is empty,
            cut short, not audio, not mono or stereo or outside 8 to 192 kHz, bad metadata, no
            space left for decoding.
    """
    if isinstance(paths, str | Path):
        paths = [paths]
    if sample_rate is not None:
        check_sample_rate(sample_rate, "The song")
    song = find_song([Path(path) for path in paths])
    tracks = join_pairs([track for file in song.files for track in _tracks(file)])
    if len(tracks) > MAX_STEMS:
        raise MixgymError(
            f"{song.title!r} has {len(tracks)} stems, more than {MAX_STEMS}: bounce some groups."
        )
    rate = sample_rate or _most_common_rate(tracks)
    readers = _open_all([track.streams for track in tracks], rate, progress)
    names = _unique([_shown(track.name) for track in tracks])
    stems = [
        Stem(name, track.file.guessed_role(track.name), reader, rate, track.file.path)
        for name, track, reader in zip(names, tracks, readers, strict=True)
    ]
    return Song(_shown(song.title), stems, rate, tempo_bpm=song.tempo_bpm)


def _tracks(file: StemFile) -> list[Track]:
    """One track for an ordinary file, one for each stem of a Stem file."""
    streams = probe(file.path)
    if len(streams) == 1:
        return [Track(file.name, file, (streams[0],))]
    names = stem_names(file.path)
    if len(names) != len(streams):
        names = tuple(f"stem {number}" for number in range(1, len(streams) + 1))
    return [Track(name, file, (stream,)) for name, stream in zip(names, streams, strict=True)]


def _shown(name: str) -> str:
    """A name as files and pages can hold it: not endless, and without what is no text."""
    return name[:LONGEST_NAME].encode("utf-8", "replace").decode()


def _most_common_rate(tracks: Sequence[Track]) -> int:
    counts = Counter(track.streams[0].sample_rate for track in tracks)
    return max(counts, key=lambda rate: (counts[rate], rate))


def _unique(names: Sequence[str]) -> list[str]:
    """Number the names that repeat: "Pad", "Pad (2)"."""
    taken = set(names)
    seen = set(RESERVED_NAMES)
    unique = []
    for name in names:
        candidate, number = name, 2
        while candidate in seen or (candidate != name and candidate in taken):
            candidate, number = f"{name} ({number})", number + 1
        seen.add(candidate)
        unique.append(candidate)
    return unique


def _open_all(
    tracks: Sequence[tuple[AudioInfo, ...]], rate: int, progress: Callable[[float], None] | None
) -> list[Reader]:
    """Open every stream of every track at `rate`, in parallel; on failure leave nothing open."""
    streams = [stream for track in tracks for stream in track]
    tally = _Tally(sum(s.frames for s in streams if not reads_in_place(s, rate)), progress)
    workers = min(os.cpu_count() or 1, _MOST_THREADS)
    futures: list[Future[Reader]] = []
    try:
        with ThreadPoolExecutor(workers, thread_name_prefix="decode") as pool:
            try:
                futures += [pool.submit(open_reader, s, rate, tally.add) for s in streams]
                wait(futures, return_when=FIRST_EXCEPTION)
            finally:
                if not all(future.done() for future in futures):
                    tally.stopped.set()
                    pool.shutdown(cancel_futures=True)
        opened = iter([future.result() for future in _failed_first(futures)])
    except BaseException:
        for future in futures:
            if future.done() and not future.cancelled() and future.exception() is None:
                future.result().close()
        raise
    tally.finish()
    return [
        StackReader([next(opened) for _ in track]) if len(track) > 1 else next(opened)
        for track in tracks
    ]


def _failed_first(futures: Sequence[Future[Reader]]) -> Sequence[Future[Reader]]:
    """Return the future that failed by itself, or all of them where none did."""
    for future in futures:
        if future.cancelled():
            continue
        error = future.exception()
        if error is not None and not isinstance(error, _StoppedError):
            return [future]
    return futures


class _StoppedError(Exception):
    """Decoding ended because another stem failed or the user asked for it."""


class _Tally:
    """Adds up decoded frames from several threads, reports the fraction, and can stop them."""

    def __init__(self, total_frames: int, progress: Callable[[float], None] | None) -> None:
        self.stopped = Event()
        self._total = max(total_frames, 1)
        self._done = 0
        self._lock = Lock()
        self._progress = progress

    def add(self, frames: int) -> None:
        if self.stopped.is_set():
            raise _StoppedError
        if self._progress is not None:
            with self._lock:
                self._done += frames
                self._progress(min(self._done / self._total, 1.0))

    def finish(self) -> None:
        if self._progress is not None and self._done < self._total:
            self._progress(1.0)
