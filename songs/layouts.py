"""Which files of a folder are stems, and what their surroundings say about them.

Known layouts, tried in this order:

- MedleyDB: `<Song>_STEMS/` beside `<Song>_METADATA.yaml`; the mix and `_RAW` are left out.
- MoisesDB: `data.json` beside one folder for each stem group.
- a plain folder of audio files. That covers MUSDB18-HQ (`mixture.wav` is left out), MUSDB18
  (one `.stem.mp4`) and Cambridge-MT multitracks.
- a folder whose only sub-folder holds the files, as multitrack archives unpack.
- a folder with one sub-folder for each group of stems ("Drums", "Vox", ...).

Hidden files, `__MACOSX` and a folder called `reference` are never stems. Files in a folder go
before its sub-folders: these are looked into only where it holds no audio itself.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import MixgymError
from .formats import AUDIO_SUFFIXES, is_stem_container
from .metadata import (
    known_role,
    medleydb_instruments,
    moisesdb_tracks,
    read_json,
    read_song_json,
    read_text,
)
from .roles import guess_role

WRITTEN = ".mixgym-stems"  # a file in folders that mixgym wrote, which are no groups of a song
_SKIPPED_FOLDERS = frozenset({"reference", "__macosx"})


@dataclass(frozen=True)
class StemFile:
    """A file that holds a stem.

    Attributes:
        path: the file.
        name: what to call the stem.
        role: what the metadata says, None where it says nothing.
        hint: more words to read a role from, where the name has none.
    """

    path: Path
    name: str
    role: str | None = None
    hint: str = ""

    def guessed_role(self, name: str) -> str:
        """Return the role by metadata, else by `name`, the file's name, or the hint."""
        if self.role is not None:
            return self.role
        guesses = (guess_role(text) for text in (name, self.path.stem, self.hint))
        return next((role for role in guesses if role != "other"), "other")


@dataclass(frozen=True)
class SongFiles:
    """The files of one song."""

    title: str
    files: tuple[StemFile, ...]
    tempo_bpm: float | None = None


def find_song(paths: Sequence[Path]) -> SongFiles:
    """Find the stems of a folder, of a file, or of several of them taken together.

    Raises:
        MixgymError: nothing given, a path that does not exist, no audio in a folder, several songs
            in a folder, metadata that cannot be understood.
    """
    if not paths:
        raise MixgymError("No stems given: name a folder of audio files, or the files.")
    songs = [_folder(path) if path.is_dir() else _file(path) for path in paths]
    if len(songs) == 1:
        return songs[0]
    parents = {path.parent.resolve() for path in paths}
    tempi = {song.tempo_bpm for song in songs}
    title = "untitled"
    if len(parents) == 1:
        parent = parents.pop()
        about = read_song_json(parent)
        title = about.title or about.song or parent.name
    return SongFiles(
        title=title,
        files=tuple(file for song in songs for file in song.files),
        tempo_bpm=tempi.pop() if len(tempi) == 1 else None,
    )


def _file(path: Path) -> SongFiles:
    if not path.exists():
        raise MixgymError(f"{path} does not exist: check the name.")
    about = read_song_json(path.parent)
    return SongFiles(_bare_name(path), _described([path]), about.tempo_bpm or about.bpm)


def _folder(folder: Path) -> SongFiles:
    title = folder.resolve().name
    for layout in (_medleydb, _moisesdb, _plain, _only_subfolder, _groups):
        song = layout(folder, title)
        if song is not None and song.files:
            return song
    raise MixgymError(
        f"{folder} has no audio files in it: give a folder with WAV, AIFF, FLAC, Ogg, MP3 or M4A "
        "stems."
    )


def _medleydb(folder: Path, title: str) -> SongFiles | None:
    stems = [path for path in _subfolders(folder) if path.name.endswith("_STEMS")]
    if len(stems) != 1:
        return None
    about = folder / stems[0].name.replace("_STEMS", "_METADATA.yaml")
    text = read_text(about) if about.is_file() else ""
    instruments = medleydb_instruments(text)
    named = re.search(r"(?m)^title:[ \t]*(\S.*?)\s*$", text)
    files = tuple(
        StemFile(path, instruments.get(path.name, path.stem)) for path in _audio_files(stems[0])
    )
    return SongFiles(named.group(1).strip("'\"") if named else title, files)


def _moisesdb(folder: Path, title: str) -> SongFiles | None:
    if not (folder / "data.json").is_file():
        return None
    data = read_json(folder / "data.json")
    groups = _groups(folder, title)
    if groups is None:
        return None
    types = {(group, track): kind for group, track, kind in moisesdb_tracks(data)}
    files = []
    for file in groups.files:
        kind = types.get((file.path.parent.name, file.path.stem), "")
        name = kind.partition("(")[0].strip() or file.path.parent.name
        files.append(StemFile(file.path, name, hint=file.hint))
    song = data.get("song") if isinstance(data, dict) else None
    return SongFiles(song if isinstance(song, str) else title, tuple(files))


def _plain(folder: Path, title: str) -> SongFiles | None:
    paths = _audio_files(folder)
    if sum(is_stem_container(path) for path in paths) > 1:
        raise MixgymError(f"{folder} holds several Stem files, each a song of its own: name one.")
    parts = [path for path in paths if path.stem.lower() != "mixture"]
    about = read_song_json(folder)
    return SongFiles(
        about.title or about.song or title,
        _described(parts or paths),
        about.tempo_bpm or about.bpm,
    )


def _only_subfolder(folder: Path, title: str) -> SongFiles | None:
    inside = [path for path in _subfolders(folder) if _audio_files(path)]
    return _plain(inside[0], title) if len(inside) == 1 else None


def _groups(folder: Path, title: str) -> SongFiles | None:
    groups = [path for path in _subfolders(folder) if _audio_files(path)]
    telling = [path for path in groups if known_role(path.name) or path.name.startswith("other")]
    if not groups or 2 * len(telling) <= len(groups):
        return None
    files = tuple(
        replace(file, hint=group.name)
        for group in groups
        for file in _described(_audio_files(group))
    )
    about = read_song_json(folder)
    return SongFiles(about.title or about.song or title, files, about.tempo_bpm or about.bpm)


def _described(paths: Sequence[Path]) -> tuple[StemFile, ...]:
    """Add what the `song.json` beside each file says."""
    about = {parent: read_song_json(parent) for parent in {path.parent for path in paths}}
    files = []
    for path in paths:
        entry = about[path.parent].entry(path)
        name = entry.name or entry.lmms_track or _bare_name(path)
        role = known_role(entry.role) if entry.role else None
        files.append(StemFile(path, name, role))
    return tuple(files)


def _bare_name(path: Path) -> str:
    return path.name[: -len(".stem.mp4")] if is_stem_container(path) else path.stem


def _audio_files(folder: Path) -> list[Path]:
    return [
        path
        for path in _entries(folder)
        if path.suffix.lower() in AUDIO_SUFFIXES and path.is_file()
    ]


def _subfolders(folder: Path) -> list[Path]:
    return [
        path
        for path in _entries(folder)
        if path.name.lower() not in _SKIPPED_FOLDERS
        and path.is_dir()
        and not (path / WRITTEN).exists()
    ]


def _entries(folder: Path) -> list[Path]:
    """List a folder without hidden entries, "2" before "10"."""
    try:
        visible = [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError as error:
        raise MixgymError(f"{folder} cannot be read: {error.strerror}.") from error
    return sorted(visible, key=lambda path: natural_order(path.name))


def natural_order(name: str) -> tuple[list[tuple[bool, int, str]], str]:
    """What to sort names by: numbers by value and before letters, letters without case."""
    parts = re.findall(r"\d+|\D+", name.lower())
    key = [(False, int(p), "") if p.isdecimal() else (True, 0, p) for p in parts]
    return key, name
