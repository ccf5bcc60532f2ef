"""Which excerpts are played, and where they lie."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pydantic import BaseModel, ConfigDict

from ...errors import MixgymError
from ...songs import read_song
from ...songs.training.manifest import MANIFEST, read_manifest
from ...songs.training.sources import Source, stem_sources
from ...songs.training.stems import survey
from ...songs.training.windows import busiest_windows
from ..mapper import Mapper
from .settings import Settings

if TYPE_CHECKING:
    from ...songs import Excerpt, Song

Tell = Callable[[str, float], None]


class Piece(BaseModel):
    """Where an excerpt lies.

    Attributes:
        song: a name that only this song has.
        artist: None where nobody says.
        split: train, validation or test.
        excerpt: its number within the song.
        folder: of the song.
        start_s, seconds: what is played of it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    song: str
    artist: str | None
    split: str
    excerpt: int
    folder: Path
    start_s: float
    seconds: float


class _Found(NamedTuple):
    song: str
    artist: str | None
    split: str
    folder: Path


_OPEN: dict[Path, Song] = {}


def open_song(folder: Path) -> Song:
    """A song; it stays open in this process until another one is asked for.

    Raises:
        MixgymError: it cannot be read.
    """
    if folder not in _OPEN:
        for song in _OPEN.values():
            song.close()
        _OPEN.clear()
        _OPEN[folder] = read_song(folder)
    return _OPEN[folder]


def open_piece(piece: Piece) -> Excerpt:
    """The excerpt of a piece, of its song by `open_song`.

    Raises:
        MixgymError: it cannot be read.
    """
    return open_song(piece.folder).excerpt(piece.start_s, piece.seconds)


def find_pieces(settings: Settings, mapper: Mapper, tell: Tell) -> list[Piece]:
    """The excerpts that the settings ask for: the busiest of each song that do not overlap.

    Raises:
        MixgymError: no songs, none of the split, or one that cannot be read.
    """
    pieces: list[Piece] = []
    songs: list[_Found] = []
    for root in settings.songs:
        if (root / MANIFEST).is_file() or root.name == MANIFEST:
            pieces += _of_set(root, settings)
        else:
            songs += [_found(source) for source in _sources(root)]
    songs = [s for s in _named_apart(songs) if settings.split in ("all", s.split)]
    find = partial(_starts, seconds=settings.seconds, count=settings.excerpts)
    starts: dict[int, list[float]] = {}
    for index, found in mapper.map(find, [song.folder for song in songs]):
        starts[index] = found
        tell("Finding excerpts", len(starts) / len(songs))
    for index, song in enumerate(songs):
        pieces += [
            Piece(**song._asdict(), excerpt=number, start_s=start_s, seconds=settings.seconds)
            for number, start_s in enumerate(starts[index])
        ]
    if not pieces:
        what = "songs" if settings.split == "all" else f"songs of the split {settings.split}"
        roots = ", ".join(map(str, settings.songs))
        raise MixgymError(f"{roots} holds no {what} that sound; choose others.")
    return pieces


def _sources(root: Path) -> Sequence[Source]:
    found, left_out = stem_sources([root])
    if left_out:
        raise MixgymError(left_out[0])
    return found


def _found(source: Source) -> _Found:
    assert source.path is not None
    name = source.path.stem if source.path.is_file() else source.path.resolve().name
    return _Found(name, source.identity.artist, source.identity.split, source.path.resolve())


def _named_apart(songs: Sequence[_Found]) -> Iterator[_Found]:
    """The same songs, a number behind the names that were there before."""
    seen: dict[str, int] = {}
    for song in songs:
        seen[song.song] = seen.get(song.song, 0) + 1
        number = seen[song.song]
        yield song if number == 1 else song._replace(song=f"{song.song} ({number})")


def _starts(folder: Path, *, seconds: float, count: int) -> list[float]:
    with read_song(folder) as song:
        starts = busiest_windows(survey(song).activity, seconds, count)
        last_s = max(0.0, song.duration_s - seconds)
        return [min(float(start), last_s) for start in starts]


def _of_set(root: Path, settings: Settings) -> Iterator[Piece]:
    """Excerpts of a training set, those that nothing was done to."""
    rows = read_manifest(root, None if settings.split == "all" else settings.split)
    counts: dict[str, int] = {}
    for row in rows:
        number = counts.get(row.source, 0)
        if row.kind == "augmented" or number >= settings.excerpts:
            continue
        counts[row.source] = number + 1
        yield Piece(
            song=row.source,
            artist=row.artist,
            split=row.split,
            excerpt=number,
            folder=row.folder.resolve(),
            start_s=0.0,
            seconds=row.seconds,
        )
