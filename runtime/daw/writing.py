"""Projects on disk, written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import MixgymError
from ...songs.spool import temporary_folder
from ..held_folder import HeldFolder, remove_stale
from ..output import AudioWriter
from ..staging import MARKER, Staged, refuse_existing
from .jsfx import EFFECTS, effects_folder
from .media import COPY, copy_name, original, write_copies
from .session import Session, make_session

if TYPE_CHECKING:
    from ...console.mix import Mix
    from ...console.mixbus import BusBlock
    from ...console.render import Rendering
    from ...songs import Song
    from .dawproject import Audio

SAME_EVERYWHERE = (".wav", ".wave", ".bwf", ".aif", ".aiff", ".flac")
PREFIX = "mixgym-project-"
EFFECTS_FOLDER = "Effects"  # where Reaper looks for a project's own


class Projects:
    """The projects that a mix is to leave behind. A context manager around its rendering.

    Args:
        song: that is mixed.
        rpp: where a Reaper project goes, if anywhere.
        dawproject: where a DAWproject file goes, if anywhere.
        copies: whether the Reaper project gets copies of the stems.
        overwrite: whether copies of stems that mixgym wrote may be replaced.

    Raises:
        MixgymError: a file's name has another ending, or something is in the way.
    """

    def __init__(
        self,
        song: Song,
        rpp: Path | None,
        dawproject: Path | None,
        *,
        copies: bool = False,
        overwrite: bool = False,
    ) -> None:
        self._song, self._rpp, self._dawproject, self._copies = song, rpp, dawproject, copies
        self._stack = ExitStack()
        self._returns: dict[str, AudioWriter] = {}
        self._folder = Path()
        if rpp is not None:
            _refuse_reaper(rpp, song, copies, overwrite)
        if dawproject is not None and dawproject.suffix.lower() != ".dawproject":
            raise MixgymError(f"{dawproject} is no name for a DAWproject; end it in .dawproject.")

    def __enter__(self) -> Projects:
        """Itself."""
        if self._dawproject is not None:
            place = Path(tempfile.gettempdir())
            remove_stale(place, PREFIX)
            with temporary_folder():
                made = HeldFolder(place, PREFIX)
            self._stack.callback(made.close)
            self._folder = made.path
        return self

    def __exit__(self, *exception: object) -> None:
        """Give temporary files back."""
        for writer in self._returns.values():
            writer.__exit__(RuntimeError)
        self._stack.close()

    def hear(self, block: BusBlock) -> None:
        """Take in one block of the mix bus, in their order.

        Raises:
            OSError: the disk is full.
        """
        if self._dawproject is None:
            return
        for bus, audio in block.returns.items():
            if bus not in self._returns:
                path = self._folder / f"{bus}_return.wav"
                self._returns[bus] = AudioWriter(path, self._song.sample_rate, COPY)
            self._returns[bus].write(audio)

    def write(self, staged: Staged, mix: Mix, rendering: Rendering) -> None:
        """Write the projects of what was rendered.

        Raises:
            MixgymError: a stem cannot be read any more.
            OSError: the disk is full.
        """
        if self._rpp is None and self._dawproject is None:
            return
        session = make_session(self._song, mix, rendering)
        if self._rpp is not None:
            write_reaper(staged, self._rpp, self._song, session, self._copies)
        if self._dawproject is not None:
            from .dawproject import write_archive

            returns = self._return_audio(rendering)
            stems = _stem_audio(self._folder, self._song)
            write_archive(staged.file(self._dawproject), session, stems, returns)

    def _return_audio(self, rendering: Rendering) -> dict[str, Audio]:
        from .dawproject import Audio

        made, rate = {}, rendering.sample_rate
        for bus, writer in self._returns.items():
            writer.close()
            file = self._folder / f"{bus}_return.wav"
            made[bus] = Audio(file, f"audio/{file.name}", rate, 2, rendering.frames / rate)
        self._returns = {}
        return made


def _stem_audio(folder: Path, song: Song) -> list[Audio]:
    """Each stem as a WAV file: its own, or a copy in the folder."""
    from ...songs.decode import probe
    from .dawproject import Audio

    found = []
    for index, stem in enumerate(song.stems):
        name = copy_name(song, index)
        file = original(stem, (".wav", ".wave"))
        rate = song.sample_rate
        if file is None:
            file = folder / name
            write_copies(folder, song, [index])
        else:
            rate = probe(file)[0].sample_rate
        duration_s = stem.frames / song.sample_rate
        found.append(Audio(file, f"audio/{name}", rate, stem.channels, duration_s))
    return found


def _refuse_reaper(path: Path, song: Song, copies: bool, overwrite: bool) -> None:
    if path.suffix.lower() != ".rpp":
        raise MixgymError(f"{path} is no name for a Reaper project; end it in .rpp.")
    if None in _files(path, song, copies):
        inputs = [stem.path for stem in song.stems]
        refuse_existing((), overwrite, folder=media_folder(path), inputs=inputs)
    effects = path.parent / EFFECTS_FOLDER
    if os.path.lexists(effects) and not effects.is_dir():
        raise MixgymError(f"{effects} is a file, where Reaper wants a folder; move it away.")
    if effects.is_dir() and not os.access(effects, os.W_OK | os.X_OK):
        raise MixgymError(f"The folder {effects} cannot be written; choose another place.")


def write_reaper(staged: Staged, path: Path, song: Song, session: Session, copies: bool) -> None:
    """Write a project, the effects that it needs and copies of stems.

    Stems stay where they are, and the project points to them, unless `copies` is set or nobody
    else could read them alike. Effects go to `Effects/mixgym-…` beside; they are left alone where
    they are there already.

    Raises:
        MixgymError: a stem cannot be read any more.
        OSError: the disk is full.
    """
    from .rpp import project_text

    found = _files(path, song, copies)
    missing = [index for index, file in enumerate(found) if file is None]
    if missing:
        folder = staged.folder(media_folder(path))
        (folder / MARKER).touch()
        write_copies(folder, song, missing)
    beside = media_folder(path).name
    files = [file or f"{beside}/{copy_name(song, index)}" for index, file in enumerate(found)]
    _write_effects(staged, path.parent / EFFECTS_FOLDER)
    staged.file(path).write_text(project_text(session, files), encoding="utf-8")


def media_folder(path: Path) -> Path:
    """Where copies of a project's stems go."""
    return path.with_name(f"{path.stem}_media")


def _files(path: Path, song: Song, copies: bool) -> list[str | None]:
    """Where the project finds each stem; None for those that have to be copied."""
    from .rpp import can_be_named

    found: list[str | None] = []
    for stem in song.stems:
        file = None if copies else original(stem, SAME_EVERYWHERE)
        name = None if file is None else _from(path.parent, file)
        found.append(name if name is not None and can_be_named(name) else None)
    return found


def _from(folder: Path, file: Path) -> str:
    """The way from a folder to a file, absolute where there is none, as on another drive."""
    try:
        return Path(os.path.relpath(file.resolve(), folder.resolve())).as_posix()
    except ValueError:
        return file.as_posix()


def _write_effects(staged: Staged, folder: Path) -> None:
    own = folder / effects_folder()
    if own.is_dir():
        return
    if folder.is_dir():
        made = staged.folder(own)
    else:
        made = staged.folder(folder) / effects_folder()
        made.mkdir()
    for effect in EFFECTS:
        (made / effect.file).write_text(effect.text(), encoding="utf-8")
