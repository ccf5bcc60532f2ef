"""Where excerpts come from: songs, MIDI files, tracks and seeds, found, named and identified."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...errors import MixgymError
from ..formats import AUDIO_SUFFIXES, is_stem_container
from ..layouts import SongFiles, find_song
from ..metadata import read_json, read_text
from .midi import SUFFIXES
from .splits import Identity, identify

GENERATED_LICENCE = "CC0-1.0"
_DEEPEST = 4  # folders below the one that is given
_SKIPPED = frozenset({"reference", "__macosx"})
_WELL_KNOWN_KEY = re.compile(r"[A-G][b#]? (?:major|minor)")


@dataclass(frozen=True)
class Source:
    """One song to take excerpts from.

    Attributes:
        id: unique; begins every excerpt's id.
        kind: how it is read; a track is a finished one, of one file.
        label: for the manifest; begins at the folder that was given, so that it does not depend on
            where that lies.
        path: None for a seed.
        seed: of a generated song.
        identity: song, artist, licence, split.
        key: where the song's own files give one.
    """

    id: str
    kind: Literal["stems", "midi", "generator", "track"]
    label: str
    path: Path | None
    seed: int
    identity: Identity
    key: str | None = None


class _About(BaseModel):
    """What a song's own files may say; anything else in them is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    song: str | None = Field(default=None, max_length=200)
    artist: str | None = Field(default=None, max_length=200)
    author: str | None = Field(default=None, max_length=200)
    licence: str | None = Field(default=None, max_length=200)
    license: str | None = Field(default=None, max_length=200)
    key: str | None = Field(default=None, max_length=20)


def stem_sources(roots: Sequence[Path]) -> tuple[list[Source], list[str]]:
    """Find the songs in folders, each a song itself or a folder of songs, at most four deep.

    Returns:
        The songs, and a sentence for each that had to be left out.

    Raises:
        MixgymError: a folder does not exist or holds no song.
    """
    sources: list[Source] = []
    skipped: list[str] = []
    for root in roots:
        if not root.is_dir():
            raise MixgymError(f"{root} is no folder: name one of stems, or of folders of stems.")
        found = list(_songs_below(root, skipped))
        if not found:
            raise MixgymError(f"{root} holds no songs: name a folder of stems, or of such folders.")
        sources += [_stem_source(path, song, root) for path, song in found]
    return _without_copies(sources, skipped)


def midi_sources(roots: Sequence[Path]) -> tuple[list[Source], list[str]]:
    """Find MIDI files, in folders and below them.

    Returns:
        The files, and a sentence for each that had to be left out.

    Raises:
        MixgymError: a folder does not exist or holds no MIDI file.
    """
    sources: list[Source] = []
    for root in roots:
        if not root.exists():
            raise MixgymError(f"{root} does not exist: name a folder of MIDI files.")
        paths = [root] if root.is_file() else sorted(root.rglob("*"))
        found = [path for path in paths if path.suffix.lower() in SUFFIXES and path.is_file()]
        if not found:
            raise MixgymError(f"{root} holds no MIDI files: name a folder of .mid files.")
        for path in found:
            label = _label(path, root)
            artist, title = _artist_and_title(path.stem)
            identity = identify(title, artist)
            content = f"{label} {path.stat().st_size}"
            sources.append(Source(_id("midi", identity, content), "midi", label, path, 0, identity))
    return _without_copies(sources, [])


def track_sources(roots: Sequence[Path]) -> tuple[list[Source], list[str]]:
    """Find finished tracks: files, and those in folders and below them.

    A track called "Artist - Title" is by that artist; one in a song's folder `reference` is the
    song that this is the folder of.

    Returns:
        The tracks, and a sentence for each that was found twice.

    Raises:
        MixgymError: a file or folder does not exist, or a folder holds no audio.
    """
    sources: list[Source] = []
    for root in roots:
        if not root.exists():
            raise MixgymError(f"{root} does not exist: name finished tracks, or a folder of them.")
        found = [root] if root.is_file() else [p for p in sorted(root.rglob("*")) if _is_track(p)]
        if not found:
            raise MixgymError(f"{root} holds no audio files: name a folder of finished tracks.")
        sources += [_track_source(path, root) for path in found]
    return _without_copies(sources, [])


def generator_sources(seed: int, count: int) -> list[Source]:
    """Draw seeds for songs of our own; the first ones do not depend on how many follow."""
    sources = []
    for number in range(count):
        digest = hashlib.sha256(f"song {number} of seed {seed}".encode()).digest()
        drawn = int.from_bytes(digest[:4], "big")
        label = f"generator/{drawn}"
        identity = identify(f"demo-{drawn}", None, GENERATED_LICENCE)
        sources.append(Source(f"generator-{number:05d}", "generator", label, None, drawn, identity))
    return sources


def _songs_below(
    folder: Path, skipped: list[str], depth: int = 0
) -> Iterator[tuple[Path, SongFiles]]:
    """Yield every song of a folder; what looks like one and is broken goes to `skipped`."""
    inside = _entries(folder)
    containers = [path for path in inside if is_stem_container(path)]
    if len(containers) > 1:
        yield from ((path, find_song([path])) for path in containers)
        return
    holds_audio = any(path.suffix.lower() in AUDIO_SUFFIXES for path in inside)
    children = [path for path in inside if path.is_dir() and path.name.lower() not in _SKIPPED]
    try:
        song = find_song([folder])
        whole = depth > 0 or holds_audio or len({file.path.parent for file in song.files}) > 1
        if whole or any(child.name.endswith("_STEMS") for child in children):
            yield folder, song
            return
    except MixgymError as error:
        if holds_audio:
            skipped.append(str(error))
            return
    if depth < _DEEPEST:
        for child in children:
            yield from _songs_below(child, skipped, depth + 1)


def _stem_source(path: Path, song: SongFiles, root: Path) -> Source:
    label = _label(path, root)
    about = _about(path)
    artist, title = about.artist or about.author, song.title
    if artist is None:
        artist, title = _artist_and_title(title)
    licence = about.licence or about.license
    identity = identify(title, artist, licence, alias=path.name)
    sizes = [f"{file.path.name} {file.path.stat().st_size}" for file in song.files]
    key = about.key if about.key and _WELL_KNOWN_KEY.fullmatch(about.key) else None
    content = "\n".join([label, *sizes])
    return Source(_id("stems", identity, content), "stems", label, path, 0, identity, key)


def _is_track(path: Path) -> bool:
    known = path.suffix.lower() in AUDIO_SUFFIXES and not is_stem_container(path)
    return known and path.is_file() and not path.name.startswith(".")


def _track_source(path: Path, root: Path) -> Source:
    label = _label(path, root)
    artist, title = _artist_and_title(path.stem)
    alias, licence = f"{path.resolve().parent.name}-{path.stem}", None
    if path.resolve().parent.name == "reference":
        home = path.resolve().parent.parent
        about = _about(home)
        artist, licence = about.artist or about.author, about.licence or about.license
        title, alias = about.song or home.name, home.name
    identity = identify(title, artist, licence, alias=alias)
    content = f"{label} {path.stat().st_size}"
    return Source(_id("track", identity, content), "track", label, path, 0, identity)


def _artist_and_title(name: str) -> tuple[str | None, str]:
    """Split "Artist - Title"; without the dash it is a title."""
    artist, dash, title = name.partition(" - ")
    return (artist.strip(), title.strip()) if dash and artist and title else (None, name)


def _about(path: Path) -> _About:
    """Read `song.json`, MoisesDB's `data.json` or MedleyDB's metadata; the first that is there."""
    folder = path if path.is_dir() else path.parent
    for name in ("song.json", "data.json"):
        if (folder / name).is_file():
            return _validated(read_json(folder / name))
    metadata = next(folder.glob("*_METADATA.yaml"), None)
    if metadata is None:
        return _About()
    named = re.search(r"(?m)^artist:[ \t]*(\S.*?)\s*$", read_text(metadata))
    return _About(artist=named.group(1).strip("'\"") if named else None)


def _validated(data: Any) -> _About:
    """Values of the wrong type say nothing."""
    try:
        return _About.model_validate(data)
    except ValidationError as error:
        bad = {str(entry["loc"][0]) for entry in error.errors() if entry["loc"]}
        good = {k: v for k, v in data.items() if k not in bad} if isinstance(data, dict) else {}
        return _About.model_validate(good)


def _label(path: Path, root: Path) -> str:
    """The path from the given folder's own name on, the same on every system."""
    name = root.resolve().name or "root"
    return "/".join((name, *path.relative_to(root).parts))


def _id(kind: str, identity: Identity, content: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", identity.song.lower()).strip("-")[:40]
    return "-".join(filter(None, (kind, slug, hashlib.sha256(content.encode()).hexdigest()[:8])))


def _without_copies(
    sources: Sequence[Source], skipped: list[str]
) -> tuple[list[Source], list[str]]:
    """Leave out what was found twice, by two ways to the same folder or in two copies of it."""
    kept: dict[str, Source] = {}
    for source in sources:
        if source.id in kept:
            skipped.append(f"{source.path} is {kept[source.id].path} once more: it is left out.")
        else:
            kept[source.id] = source
    return list(kept.values()), skipped


def _entries(folder: Path) -> list[Path]:
    try:
        visible = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise MixgymError(f"{folder} cannot be read: {error.strerror}.") from error
    return visible
