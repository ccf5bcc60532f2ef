"""What workers do to a job: read its stems, mix them, preview the settings, render the files."""

from __future__ import annotations

import math
import tempfile
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ...console.levels import stem_levels
from ...console.mix import Budget
from ...errors import MixgymError
from ...songs import read_song
from ...songs.decode import probe
from ..mixers import mixer_named
from ..mixing import MixOptions, mix_song
from ..results import Outputs
from ..staging import Staged
from .job import Job, Opened
from .limits import Limits
from .previews import Previewer, stem_outline

if TYPE_CHECKING:
    from ...songs import Song

MASTER, PROJECT = "mix.wav", "project.zip"
Kind = Literal["wav", "project"]


def read(job: Job, limits: Limits) -> None:
    """Open the stems that were uploaded.

    Raises:
        MixgymError: nothing was uploaded, it is no audio, too long, or takes too long to decode.
    """
    if not len(job.uploads):
        raise MixgymError("There are no stems yet: drop audio files on the page.")
    _refuse_long(job, limits)
    until = time.monotonic() + limits.reading_s

    def tell(share: float) -> None:
        job.tell("Reading", share)
        if time.monotonic() > until:
            raise MixgymError(f"Decoding takes more than {limits.reading_s:.0f} s: send WAV files.")

    job.uploads.describe()
    files = [upload.path for upload in job.uploads]
    song = read_song(files if len(files) > 1 else job.uploads.folder, progress=tell)
    try:
        _refuse_length(song.duration_s, limits)
        levels = stem_levels(song, progress=lambda share: job.tell("Listening", share))
        stems = [_described(song, index, level.loudness_lufs) for index, level in enumerate(levels)]
        job.opened = Opened(song, Previewer(song), tuple(stems))
    except BaseException:
        song.close()
        raise


def _refuse_long(job: Job, limits: Limits) -> None:
    """By the headers, before anything is decoded."""
    for upload in job.uploads:
        for stream in probe(upload.path):
            _refuse_length(stream.frames / stream.sample_rate, limits)


def _refuse_length(seconds: float, limits: Limits) -> None:
    if seconds > limits.song_s:
        raise MixgymError(
            f"The song lasts {seconds:.0f} s; here it may last {limits.song_s:.0f} s."
        )


def _described(song: Song, index: int, loudness_lufs: float) -> dict[str, Any]:
    stem = song.stems[index]
    return {
        "name": stem.name,
        "role": stem.role,
        "channels": stem.channels,
        "duration_s": round(stem.frames / song.sample_rate, 3),
        "loudness_lufs": round(loudness_lufs, 1) if math.isfinite(loudness_lufs) else None,
        "outline": stem_outline(stem, song.frames),
    }


def mix(job: Job, mixer: str, style: str, amount: float, roles: Mapping[str, str]) -> None:
    """Let a mixer make the settings.

    Args:
        job: that was read.
        mixer, style: names.
        amount: how much of the mix to keep.
        roles: of stems whose names told another.

    Raises:
        MixgymError: no such mixer or style, or the mixer fails.
    """
    opened = job.opened
    if opened is None:
        raise MixgymError("The stems have not been read yet.")
    job.tell("Mixing", 0.0)
    for stem in opened.song.stems:
        stem.role = roles.get(stem.name, stem.role)
    made = mixer_named(mixer, style)(opened.song, Budget())
    job.set(made.scaled(amount))


def preview(job: Job, threads: int) -> None:
    """Render previews until the newest settings have been heard.

    Raises:
        MixgymError: a stem cannot be read, or there is nothing to be heard.
    """
    while True:
        opened, settings, revision = job.settings()
        heard = opened.previewer.render(settings, revision, threads=threads, progress=job.go_on)
        if job.show(heard):
            return


def render(job: Job, kind: Kind, threads: int) -> None:
    """Render the whole song into a file to be downloaded.

    Raises:
        MixgymError: a stem cannot be read, or there is nothing to be heard.
    """
    opened, settings, revision = job.settings()
    options = MixOptions(mixer=lambda song, budget: settings, threads=threads, copy_stems=True)
    with tempfile.TemporaryDirectory(dir=job.folder) as made, Staged() as staged:
        folder = Path(made)
        project = folder / "project.rpp" if kind == "project" else None
        outputs = Outputs(folder / MASTER, rpp=project)
        mix_song(opened.song, outputs, options, job.tell)
        if kind == "project":
            _archive(folder, staged.file(job.folder / PROJECT))
        outputs.audio.replace(staged.file(job.folder / MASTER))
    job.offer(MASTER, revision)
    if kind == "project":
        job.offer(PROJECT, revision)


def _archive(folder: Path, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and not file.name.startswith("."):
                archive.write(file, file.relative_to(folder))
