"""MIDI files played through a SoundFont, one instrument at a time.

Notes and programs are played; volume, pan, expression and effects that a file asks for are not, so
a stem is what an instrument gives before anybody has mixed it. A file is a stranger's: its size,
tracks, notes and times are bounded, and whatever crashes or hangs on it does so in another process.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import MixgymError
from ..roles import guess_role
from .excerpts import LEAST_STEMS, Take, Track, audible
from .general_midi import drum_role, program_role
from .guarded import DiedError, guarded
from .windows import busiest_windows

SUFFIXES = frozenset({".mid", ".midi"})
DEFAULT_SOUNDFONT = "TimGM6mb.sf2"
_LICENCES = {DEFAULT_SOUNDFONT: "GPL-2.0"}
_MOST_BYTES = 4_000_000
_MOST_TRACKS = 256
_MOST_NOTES = 300_000
_MOST_PARTS = 32
_MOST_NOTES_A_WINDOW = 4_000  # of one part
_LATEST_S = 3_600.0  # what comes after is not looked at
_LONGEST_NOTE_S = 30.0
_RING_S = 3.0  # played before an excerpt, so that what rings into it is there
_PEAK = 0.5


class Note(NamedTuple):
    """One note; times in seconds."""

    start_s: float
    duration_s: float
    pitch: int
    velocity: int


class Part(NamedTuple):
    """What one instrument plays; a drum kit is one part for each of its pieces."""

    name: str
    role: str
    program: int
    is_drum: bool
    notes: tuple[Note, ...]


class Piece(NamedTuple):
    """A MIDI file.

    Attributes:
        parts: the ones with the most notes, in the file's order.
        tempi: (time in seconds, beats per minute), ascending.
    """

    parts: tuple[Part, ...]
    tempi: tuple[tuple[float, float], ...]

    def fingerprints(self) -> list[str]:
        """A SHA-256 of what each part plays, to the millisecond; names do not count."""
        return [
            hashlib.sha256(
                repr(
                    (part.program, part.is_drum, [(round(n.start_s, 3), n[2:]) for n in part.notes])
                ).encode()
            ).hexdigest()
            for part in self.parts
        ]

    def activity(self) -> NDArray[np.float64]:
        """How many parts sound in every second, (seconds,)."""
        end_s = max(note.start_s + note.duration_s for part in self.parts for note in part.notes)
        sounding = np.zeros((len(self.parts), int(end_s) + 1))
        for row, part in zip(sounding, self.parts, strict=True):
            for note in part.notes:
                row[int(note.start_s) : int(note.start_s + note.duration_s) + 1] = 1.0
        return np.asarray(sounding.sum(axis=0))

    def tempo_bpm(self, at_s: float) -> float | None:
        """The tempo at a time; None where the file gives none, or one that nobody could play."""
        before = [bpm for time_s, bpm in self.tempi if time_s <= at_s]
        return before[-1] if before and 20.0 <= before[-1] <= 400.0 else None


def read_piece(path: Path) -> Piece:
    """Read a MIDI file.

    Raises:
        MixgymError: not readable, not MIDI, too large, or without notes.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise MixgymError(f"{path} is larger than {_MOST_BYTES // 1_000_000} MB: cut it.")
        return guarded(_parse, data, str(path))
    except OSError as error:
        raise MixgymError(f"{path} cannot be read: {error.strerror}.") from error
    except (RuntimeError, ValueError, DiedError) as error:
        raise MixgymError(f"{path} is no MIDI file that can be read: export it again.") from error


def takes_of_piece(
    piece: Piece, soundfont: Path, seconds: float, sample_rate: int, count: int
) -> Iterator[Take]:
    """Yield the busiest windows of a piece, played; those with at least two audible parts.

    Raises:
        MixgymError: the SoundFont cannot be read.
    """
    for start_s in busiest_windows(piece.activity(), seconds, count):
        tracks = []
        for part in piece.parts:
            audio = play(part, soundfont, start_s, seconds, sample_rate)
            if audio is not None:
                tracks.append(Track(part.name, part.role, audio))
        if len(tracks) >= LEAST_STEMS:
            yield Take(float(start_s), piece.tempo_bpm(start_s), tracks)


def play(
    part: Part, soundfont: Path, start_s: float, seconds: float, sample_rate: int
) -> NDArray[np.float32] | None:
    """Play a window of a part.

    Returns:
        Samples (2, frames) with peaks of at most 0.5; None where nothing is heard, where there are
        more notes than anybody plays, and where the SoundFont cannot play them.
    """
    first_s, end_s = start_s - _RING_S, start_s + seconds
    notes = []
    for note in part.notes:
        begin_s = max(note.start_s, first_s)
        length_s = min(note.start_s + note.duration_s, end_s) - begin_s
        if length_s > 0.0:
            notes.append(Note(begin_s - first_s, length_s, note.pitch, note.velocity))
    if not 0 < len(notes) <= _MOST_NOTES_A_WINDOW:
        return None
    try:
        played = guarded(_render, part._replace(notes=tuple(notes)), soundfont, sample_rate)
    except DiedError:
        return None
    audio = np.zeros((2, round(seconds * sample_rate)), np.float32)
    heard = played[:, round(_RING_S * sample_rate) :][:, : audio.shape[1]]
    audio[:, : heard.shape[1]] = heard
    if not audible(audio):
        return None
    peak = float(np.abs(audio).max())
    return audio * np.float32(_PEAK / peak) if peak > _PEAK else audio


def check_soundfont(path: Path, sample_rate: int) -> None:
    """See that a SoundFont can be played.

    Raises:
        MixgymError: there is none, or it cannot be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(12)
        if head[:4] != b"RIFF" or head[8:] != b"sfbk":
            raise MixgymError(f"{path} is not a SoundFont: name a .sf2 file.")
        note = Note(0.0, 0.5, 60, 100)
        guarded(_render, Part("", "keys", 0, False, (note,)), path, sample_rate)
    except OSError as error:
        raise MixgymError(f"{path} cannot be read: {error.strerror}.") from error
    except (RuntimeError, DiedError) as error:
        raise MixgymError(f"{path} is a damaged SoundFont: copy it again.") from error


def find_soundfont(path: Path | None) -> Path:
    """The SoundFont that is named, or the one that pretty_midi brings along.

    Raises:
        MixgymError: pretty_midi is not installed, or came without it.
    """
    if path is not None:
        return path
    from importlib.util import find_spec

    spec = find_spec("pretty_midi")
    found = Path(spec.origin).with_name(DEFAULT_SOUNDFONT) if spec and spec.origin else None
    if found is None or not found.is_file():
        raise MixgymError(
            "No SoundFont to play MIDI with: give --soundfont FILE, or install mixgym[train]."
        )
    return found


def describe_soundfont(path: Path) -> str:
    """Its file name, and its licence where that is known."""
    licence = _LICENCES.get(path.name)
    return f"{path.name} ({licence})" if licence else path.name


def _parse(data: bytes, name: str) -> Piece:
    score = _symusic().Score.from_midi(data, ttype="second")
    if len(score.tracks) > _MOST_TRACKS or score.note_num() > _MOST_NOTES:
        raise MixgymError(
            f"{name} has more than {_MOST_TRACKS} tracks or {_MOST_NOTES} notes: cut it."
        )
    parts = sorted(_parts(score.tracks), key=lambda part: -len(part[1].notes))[:_MOST_PARTS]
    if not parts:
        raise MixgymError(f"{name} holds no notes: leave it out.")
    tempi = sorted((float(tempo.time), float(tempo.qpm)) for tempo in score.tempos)
    return Piece(tuple(part for _, part in sorted(parts)), tuple(tempi))


def _render(part: Part, soundfont: Path, sample_rate: int) -> NDArray[np.float32]:
    """Play all notes of a part, (2, frames)."""
    symusic = _symusic()
    track = symusic.Track(program=part.program, is_drum=part.is_drum, ttype="second")
    for note in part.notes:
        track.notes.append(symusic.Note(*note, ttype="second"))
    score = symusic.Score(ttype="second")
    score.tracks.append(track)
    return np.asarray(_synthesizer(soundfont, sample_rate).render(score, stereo=True))


@cache
def _synthesizer(soundfont: Path, sample_rate: int) -> Any:
    return _symusic().Synthesizer(str(soundfont), sample_rate, 0)


def _parts(tracks: Any) -> Iterator[tuple[int, Part]]:
    """Numbered parts; tracks in order, and the pieces of a kit together over all drum tracks."""
    kit: dict[tuple[int, str], list[Note]] = defaultdict(list)
    number = 0
    for track in tracks:
        notes = _notes(track)
        if track.is_drum:
            for note in notes:
                kit[int(track.program), drum_role(note.pitch)].append(note)
        elif notes:
            name, role = _name_and_role(str(track.name), int(track.program))
            yield number, Part(name, role, int(track.program), False, notes)
            number += 1
    for (program, role), played in kit.items():
        yield number, Part(role.capitalize(), role, program, True, tuple(sorted(played)))
        number += 1


def _notes(track: Any) -> tuple[Note, ...]:
    """A track's notes in time's order, within bounds."""
    notes = track.notes.numpy()
    rows = zip(notes["time"], notes["duration"], notes["pitch"], notes["velocity"], strict=True)
    return tuple(
        sorted(
            Note(float(start), min(float(length), _LONGEST_NOTE_S), int(pitch), int(velocity))
            for start, length, pitch, velocity in rows
            if 0.0 <= start < _LATEST_S and length > 0.0 and 0 <= pitch < 128 and 0 < velocity < 128
        )
    )


def _name_and_role(name: str, program: int) -> tuple[str, str]:
    """By the program, which is what is heard; by the track's name where the program says nothing.

    Program 0, the grand piano, is what software writes when nobody has chosen.
    """
    named = guess_role(name)
    if program == 0 and named != "other":
        return name, named
    import pretty_midi  # type: ignore[import-untyped]

    sound = pretty_midi.program_to_instrument_name(program)
    return str(sound), program_role(program)


def _symusic() -> Any:
    """The library that reads and plays MIDI.

    Raises:
        MixgymError: it is not installed.
    """
    try:
        import symusic  # type: ignore[import-untyped]
    except ImportError as error:
        raise MixgymError("MIDI needs symusic: pip install 'mixgym[train]'.") from error
    return symusic
