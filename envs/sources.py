"""Where an environment's songs come from: folders, files, a training set, memory, the generator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ..errors import MixgymError
from ..songs import ROLES, Song, Stem, most_active_excerpt, read_song
from ..songs.formats import AUDIO_SUFFIXES
from ..songs.generate import generate_song
from ..songs.readers import ArrayReader
from ..songs.training.manifest import MANIFEST, ManifestRow, read_manifest
from ..songs.training.splits import SPLITS

GENERATED_SONGS = 3
GENERATED_STEMS = 8


class Source(Protocol):
    """One song that can be opened. Equal sources are the same audio."""

    @property
    def title(self) -> str:
        """What people call it."""
        ...

    @property
    def origin(self) -> str:
        """The song that it is an excerpt or a version of; no other song has the same."""
        ...

    @property
    def stems(self) -> int:
        """How many; the song may have to be opened to know."""
        ...

    @property
    def known(self) -> tuple[str, tuple[str, ...]] | None:
        """A name that only this audio has, and its stems' roles, where no reading is needed."""
        ...

    def open(self, seconds: float, sample_rate: int) -> Song:
        """An excerpt of it in memory, exactly as long as asked for."""
        ...


@dataclass(frozen=True)
class GeneratedSource:
    """A song of our own."""

    seed: int
    stems: int = GENERATED_STEMS
    known: None = None

    @property
    def title(self) -> str:
        """See `Source.title`."""
        return f"demo-{self.seed}"

    @property
    def origin(self) -> str:
        """See `Source.origin`."""
        return self.title

    def open(self, seconds: float, sample_rate: int) -> Song:
        """See `Source.open`."""
        with generate_song(self.seed, max(4.0, seconds), sample_rate, self.stems) as song:
            return cut(song, seconds)


@dataclass(frozen=True)
class PathSource:
    """A folder of stems, or a file."""

    path: Path
    known: None = None

    @property
    def title(self) -> str:
        """See `Source.title`."""
        return self.path.stem if self.path.is_file() else self.path.name

    @property
    def origin(self) -> str:
        """See `Source.origin`."""
        return str(self.path)

    @property
    def stems(self) -> int:
        """See `Source.stems`."""
        with read_song(self.path) as song:
            return len(song.stems)

    def open(self, seconds: float, sample_rate: int) -> Song:
        """See `Source.open`."""
        with read_song(self.path, sample_rate=sample_rate) as song:
            return cut(song, seconds)


@dataclass(frozen=True)
class RowSource:
    """An excerpt of a training set."""

    folder: Path
    title: str
    origin: str
    sha256: str
    roles: tuple[str, ...]

    @classmethod
    def of(cls, row: ManifestRow) -> RowSource:
        """What a manifest's row stands for."""
        for stem in row.stems:
            if stem.role not in ROLES:
                raise MixgymError(f"{row.folder}: there is no role {stem.role!r}.")
        return cls(
            row.folder, row.id, row.source, row.sha256, tuple(stem.role for stem in row.stems)
        )

    @property
    def stems(self) -> int:
        """See `Source.stems`."""
        return len(self.roles)

    @property
    def known(self) -> tuple[str, tuple[str, ...]]:
        """See `Source.known`."""
        return self.sha256, self.roles

    def open(self, seconds: float, sample_rate: int) -> Song:
        """See `Source.open`."""
        with read_song(self.folder, sample_rate=sample_rate) as song:
            return cut(song, seconds)


@dataclass(frozen=True)
class MemorySource:
    """A song that was given as one; the excerpt was cut from it then."""

    title: str
    roles: tuple[str, ...]
    digest: str
    song: Song = field(compare=False, repr=False)
    known: None = None

    @classmethod
    def of(cls, song: Song, seconds: float, sample_rate: int) -> MemorySource:
        """Refuses a song of another rate, since songs are compared band by band."""
        from ..console.analysis_cache import content_hash

        if song.sample_rate != sample_rate:
            raise MixgymError(
                f"{song.title!r} has {song.sample_rate} Hz, not {sample_rate} Hz: pass "
                f"sample_rate={song.sample_rate}, or read the song at {sample_rate} Hz."
            )
        excerpt = cut(song, seconds)
        roles = tuple(stem.role for stem in song.stems)
        return cls(song.title, roles, content_hash(excerpt), excerpt)

    @property
    def origin(self) -> str:
        """See `Source.origin`."""
        return self.digest

    @property
    def stems(self) -> int:
        """See `Source.stems`."""
        return len(self.song.stems)

    def open(self, seconds: float, sample_rate: int) -> Song:
        """See `Source.open`."""
        return self.song


def cut(song: Song, seconds: float) -> Song:
    """The most active excerpt in memory, followed by silence where the song is shorter."""
    excerpt = most_active_excerpt(song, seconds)
    stems = [
        Stem(s.name, s.role, ArrayReader(s.read(0, excerpt.frames)), song.sample_rate, s.path)
        for s in excerpt.stems
    ]
    copy = Song(song.title, stems, song.sample_rate, tempo_bpm=song.tempo_bpm)
    copy.frames = round(seconds * song.sample_rate)
    return copy


Songs = None | str | Path | Song | Sequence["str | Path | Song"]


def find_sources(songs: Songs, split: str, seconds: float, sample_rate: int) -> list[Source]:
    """The songs that an argument names.

    Args:
        songs: see `EnvOptions`.
        split: of a training set.
        seconds, sample_rate: of excerpts.

    Raises:
        MixgymError: nothing there, a song of another rate, or a set without that split.
    """
    if songs is None:
        return [GeneratedSource(seed) for seed in range(GENERATED_SONGS)]
    if isinstance(songs, str | Path | Song):
        songs = [songs]
    found: list[Source] = []
    for song in songs:
        if isinstance(song, Song):
            found.append(MemorySource.of(song, seconds, sample_rate))
        elif isinstance(song, str | Path):
            found.extend(_at(Path(song).resolve(), split))
        else:
            raise ValueError(f"songs holds {song!r}: give songs, folders, files or a manifest")
    if not found:
        raise ValueError("songs is empty: name at least one, or leave it out for generated ones")
    return found


def _at(path: Path, split: str) -> Iterator[Source]:
    if not path.exists():
        raise MixgymError(f"{path} does not exist: check the name.")
    manifest = path / MANIFEST if path.is_dir() else path
    if manifest.suffix == ".jsonl" and manifest.exists():
        if split not in SPLITS:
            raise ValueError(f"there is no split {split!r}: choose from {', '.join(SPLITS)}")
        rows = read_manifest(manifest, split)  # type: ignore[arg-type]
        if not rows:
            raise MixgymError(f"{manifest} holds nothing of the split {split!r}: choose another.")
        yield from (RowSource.of(row) for row in rows)
    elif path.is_dir() and not holds_audio(path) and (folders := _folders(path)):
        yield from (PathSource(folder) for folder in folders)
    else:
        yield PathSource(path)


def is_audio(path: Path) -> bool:
    """Whether a file is to be read, by its name."""
    return path.suffix.lower() in AUDIO_SUFFIXES and not path.name.startswith(".")


def holds_audio(folder: Path) -> bool:
    """Whether any file in a folder is."""
    return any(is_audio(path) for path in folder.iterdir())


def _folders(path: Path) -> list[Path]:
    """Sub-folders, where there are several: one alone is how archives unpack."""
    inside = sorted(p for p in path.iterdir() if p.is_dir() and not p.name.startswith("."))
    return inside if len(inside) > 1 else []
