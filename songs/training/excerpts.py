"""One excerpt on disk: a song folder that appears whole."""

import hashlib
import io
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray

from .manifest import EXCERPTS, ManifestRow, ManifestStem, read_row

PARTIAL = ".partial"  # folder of what is being written
SILENCE_DBFS = -60.0  # RMS of a whole excerpt, below which a stem is left out
LEAST_STEMS = 2
_QUIET_PEAK = 0.1  # below it 16 bits would be heard
_PEAK = 0.98  # what a stem beyond full scale is brought to


class Track(NamedTuple):
    """A stem of an excerpt to be: samples (channels, frames), float32."""

    name: str
    role: str
    audio: NDArray[np.float32]


class Take(NamedTuple):
    """An excerpt to be."""

    start_s: float
    tempo_bpm: float | None
    tracks: list[Track]


def audible(audio: NDArray[np.float32]) -> bool:
    """Whether the samples are finite and above -60 dBFS RMS."""
    power = float(np.mean(np.square(audio, dtype=np.float64)))
    return bool(np.isfinite(power)) and power > 10.0 ** (SILENCE_DBFS / 10.0)


def write_excerpt(
    home: Path, identifier: str, sample_rate: int, tracks: Sequence[Track], **about: Any
) -> ManifestRow:
    """Write an excerpt's folder, unless it is there already.

    Stems are FLAC of 16 bits, of 24 where they are quiet; a stem that is the same left and right
    becomes mono, and one beyond full scale is turned down.

    Args:
        home: the training set's folder.
        identifier: `ManifestRow.id`.
        sample_rate: in Hz.
        tracks: at least one, all of one length.
        about: what else `ManifestRow` holds.

    Returns:
        The row as it was written, now or before.

    Raises:
        OSError: it cannot be written, for want of space for one.
    """
    folder = home / EXCERPTS / identifier
    if folder.is_dir():
        return read_row(folder)
    partial = home / PARTIAL / f"{identifier}-{os.getpid()}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    stems = []
    for number, (track, name) in enumerate(zip(tracks, _names(tracks), strict=True), start=1):
        samples, subtype = _quantised(track.audio)
        file = f"{number:02d}-{track.role}.flac"
        memory = io.BytesIO()  # the system says why a write failed; libsndfile does not
        soundfile.write(memory, samples.T, sample_rate, format="FLAC", subtype=subtype)
        (partial / file).write_bytes(memory.getbuffer())
        digest = hashlib.sha256(samples.tobytes()).hexdigest()
        stems.append(ManifestStem(file=file, name=name, role=track.role, sha256=digest))
    content = hashlib.sha256("".join(stem.sha256 for stem in stems).encode()).hexdigest()
    row = ManifestRow(
        id=identifier,
        sha256=content,
        seconds=tracks[0].audio.shape[1] / sample_rate,
        sample_rate=sample_rate,
        stems=stems,
        **about,
    )
    text = json.dumps(row.to_json(), indent=1, ensure_ascii=False) + "\n"
    (partial / "song.json").write_text(text, encoding="utf-8")
    folder.parent.mkdir(exist_ok=True)
    partial.rename(folder)
    return row


def _quantised(audio: NDArray[np.float32]) -> tuple[NDArray[np.int32], str]:
    """Samples as libsndfile takes them, full scale at 2^31, and the width that holds them."""
    if len(audio) == 2 and np.array_equal(audio[0], audio[1]):
        audio = audio[:1]
    peak = float(np.abs(audio).max())
    bits = 16 if peak > _QUIET_PEAK else 24
    scale = 2.0 ** (bits - 1) * (_PEAK / peak if peak > 1.0 else 1.0)
    steps = np.rint(audio.astype(np.float64) * scale)
    limit = 2 ** (bits - 1)
    whole = np.clip(steps, -limit, limit - 1).astype(np.int32)
    return np.left_shift(whole, 32 - bits), f"PCM_{bits}"


def _names(tracks: Sequence[Track]) -> list[str]:
    """Names a terminal can print, made unique: "Pad", "Pad (2)"."""
    names: list[str] = []
    for track in tracks:
        bare = "".join(c for c in track.name if c.isprintable()).strip()[:80] or track.role
        name, number = bare, 2
        while name in names:
            name, number = f"{bare} ({number})", number + 1
        names.append(name)
    return names
