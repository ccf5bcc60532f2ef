"""What a training set holds: one JSON object a line, and nothing heavy needed to read it."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...errors import MixgymError
from .splits import SPLITS, Split, name_key

MANIFEST = "manifest.jsonl"
EXCERPTS = "excerpts"
Kind = Literal["stems", "midi", "generator", "augmented", "track"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_LONGEST_LINE = 4_000_000  # bytes
_ID = r"^[a-z0-9][a-z0-9-]{0,127}$"


class ManifestStem(BaseModel):
    """One stem of an excerpt.

    Attributes:
        file: its name in the excerpt's folder.
        name, role: as `read_song` gives them.
        sha256: of the samples.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str = Field(pattern=r"^[\w-]{1,80}\.flac$")
    name: str = Field(min_length=1, max_length=200)
    role: str = Field(max_length=40)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class ManifestRow(BaseModel):
    """One excerpt; the same object lies in its folder as `song.json`.

    Attributes:
        id: unique in the set, and the folder's name.
        sha256: of the audio of all stems.
        kind: how it was made.
        source: the folder, file or seed it came from; paths begin at the folder that was given.
        source_sha256: fingerprints of what it came from, in full length: one for each stem, part or
            seed. Two songs that share one are, in part, the same recording.
        song, artist, licence: None where nobody says.
        split: train, validation or test.
        seconds: length.
        sample_rate: in Hz.
        start_s: where it starts in its song.
        tempo_bpm, key: None where unknown; keys read "C major".
        soundfont: what MIDI was played through, with its licence where known.
        stems: in the song's order.
        parents: ids of the excerpts that an augmented one is made of.
        recipe: how it is made of them.
        folder: where it lies; filled in by `read_manifest`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=_ID)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    kind: Kind
    source: str
    source_sha256: list[str] = Field(default_factory=list)
    song: str
    artist: str | None = None
    licence: str | None = None
    split: Split
    seconds: float = Field(gt=0)
    sample_rate: int = Field(ge=8_000, le=192_000)
    start_s: float = Field(default=0.0, ge=0)
    tempo_bpm: float | None = Field(default=None, gt=0, le=1000)
    key: str | None = None
    soundfont: str | None = None
    stems: list[ManifestStem] = Field(min_length=1, max_length=256)
    parents: list[str] = Field(default_factory=list)
    recipe: dict[str, Any] | None = None
    folder: Path = Field(default=Path(), exclude=True)

    def to_json(self) -> dict[str, Any]:
        """As it stands in the manifest; what is unknown or empty is left out."""
        return self.model_dump(mode="json", exclude_defaults=True)


def read_manifest(path: str | Path, split: Split | None = None) -> list[ManifestRow]:
    """Read which excerpts a training set holds.

    Args:
        path: the set's folder, or its `manifest.jsonl`.
        split: train, validation or test; None for all of them.

    Returns:
        Rows in the manifest's order; `row.folder` is a song folder for `read_song`.

    Raises:
        MixgymError: no manifest there, a line that is no row, or an unknown split.
    """
    if split is not None and split not in SPLITS:
        raise MixgymError(f"There is no split {split!r}: choose from {', '.join(SPLITS)}.")
    path = Path(path)
    manifest = path / MANIFEST if path.is_dir() else path
    home = manifest.parent / EXCERPTS
    rows = []
    try:
        with manifest.open("rb") as lines:
            for number, line in enumerate(iter(lambda: lines.readline(_LONGEST_LINE), b""), 1):
                row = _parse(line, f"{manifest}, line {number}")
                if split is None or row.split == split:
                    rows.append(row.model_copy(update={"folder": home / row.id}))
    except OSError as error:
        raise MixgymError(
            f"{manifest} cannot be read ({error.strerror}): make a set by mixgym songs build."
        ) from error
    return rows


def read_row(folder: Path) -> ManifestRow:
    """Read an excerpt's row from its own folder.

    Raises:
        MixgymError: there is none, or it cannot be understood.
    """
    path = folder / "song.json"
    try:
        with path.open("rb") as file:
            return _parse(file.read(_LONGEST_LINE), str(path))
    except OSError as error:
        raise MixgymError(f"{path} cannot be read: {error.strerror}.") from error


def write_manifest(path: Path, rows: Iterable[ManifestRow]) -> None:
    """Write the rows; the file appears whole.

    Raises:
        OSError: it cannot be written.
    """
    text = "".join(json.dumps(row.to_json(), ensure_ascii=False) + "\n" for row in rows)
    write_text(path, text)


def write_text(path: Path, text: str) -> None:
    """Write a text file that appears whole.

    Raises:
        OSError: it cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def leaks(rows: Sequence[ManifestRow]) -> dict[str, str]:
    """Find the excerpts that would let a learner hear what it is judged on.

    An excerpt leaks when one of a later split (train, validation, test) has the same artist, the
    same title (by anyone: it may be a cover, or a copy with a name missing), or any of the same
    audio: a stem of the excerpt, or of the song it was cut from. An augmented excerpt leaks when
    any of its parents does, is not for training, or is not there.

    Returns:
        The id of every such excerpt and the reason, as part of a sentence.
    """
    latest: dict[str, int] = defaultdict(int)
    for row in rows:
        for mark in _marks(row):
            latest[mark] = max(latest[mark], SPLITS.index(row.split))
    found: dict[str, str] = {}
    for row in rows:
        for mark in _marks(row):
            if latest[mark] > SPLITS.index(row.split):
                what = mark.partition(" ")[0]
                found[row.id] = f"has the same {what} as one for {SPLITS[latest[mark]]}"
                break
    learned = {row.id for row in rows if row.split == "train" and row.id not in found}
    for row in rows:
        stranger = next((parent for parent in row.parents if parent not in learned), None)
        if stranger is not None and row.id not in found:
            found[row.id] = f"is made from {stranger}, which is not there to be learned from"
    return found


def _marks(row: ManifestRow) -> list[str]:
    """What an excerpt must not have in common with one of another split."""
    artist = [] if row.artist is None else [f"artist {name_key(row.artist)}"]
    audio = sorted({*row.source_sha256, *(stem.sha256 for stem in row.stems)})
    return [*artist, f"title {name_key(row.song)}", *(f"audio {digest}" for digest in audio)]


def _parse(line: bytes, where: str) -> ManifestRow:
    try:
        return ManifestRow.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the whole line"
        raise MixgymError(
            f"{where}: {key}: {first['msg'].lower()}. Build the set again in a new folder."
        ) from error
