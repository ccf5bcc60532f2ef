"""What a person did with the faders: read from `song.json`, or heard in their finished mix."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..console.parameters import STRIP
from ..songs.metadata import read_json

if TYPE_CHECKING:
    from ..console.analysis import Analysis
    from ..console.mix import Mix
    from ..songs import Excerpt, Song

Faders = NDArray[np.float64]
MIX_NAMES = ("author_mix", "mix", "master")  # of the finished track in `reference`
ROUNDS = 300
UNHEARD_DB = 30.0  # below the highest fader: a stem that the person's mix does not hold
LEAST_WEIGHT = 1e-12


class _Stem(BaseModel):
    model_config = ConfigDict(extra="ignore")

    file: str = ""
    lmms_track: str = ""
    applied_gain_db: float = Field(default=0.0, allow_inf_nan=False)
    fader_db: float | None = Field(default=None, allow_inf_nan=False)


class _Track(BaseModel):
    model_config = ConfigDict(extra="ignore")

    name: str = ""
    vol: float = Field(default=100.0, ge=0.0, allow_inf_nan=False)
    fxch: float = Field(default=0.0, ge=0.0, allow_inf_nan=False)


class _Channel(BaseModel):
    model_config = ConfigDict(extra="ignore")

    num: str = ""
    volume: float = Field(default=1.0, ge=0.0, allow_inf_nan=False)


class _Console(BaseModel):
    model_config = ConfigDict(extra="ignore")

    tracks: list[_Track] = Field(default_factory=list)
    mixer: list[_Channel] = Field(default_factory=list)


class _Written(BaseModel):
    model_config = ConfigDict(extra="ignore")

    stems: list[_Stem] = Field(default_factory=list)
    author_console: _Console = Field(default_factory=_Console)


def person_faders_db(folder: Path, excerpt: Excerpt, analysis: Analysis) -> Faders | None:
    """Where a person had the faders, in decibels around equal loudness.

    Levels written in `song.json` where every stem has one, else those that fit the finished mix in
    `reference` best.

    Args:
        folder: of the song.
        excerpt: of the song.
        analysis: of the excerpt.

    Returns:
        Shape (stems,), their median at 0 dB; None where no person's mix is known. -inf for stems
        that are silent, or so low that the mix does not seem to hold them.

    Raises:
        MixgymError: the finished mix cannot be read.
    """
    sounding = np.isfinite(analysis.loudness_lufs)
    faders = written_gains_db(folder, excerpt)
    if faders is not None:
        faders = faders + analysis.loudness_lufs
    else:
        finished = finished_mix(folder)
        if finished is None:
            return None
        faders = heard_faders_db(finished, excerpt, analysis)
    if not sounding.any():
        return None
    heard = sounding & (faders > faders[sounding].max() - UNHEARD_DB)
    faders = faders - np.median(faders[heard])
    return np.where(heard, faders, -np.inf)


def person_mix(excerpt: Excerpt, faders_db: Faders) -> tuple[Song, Mix]:
    """The stems that a person's mix holds, and that mix: faders only, all else neutral.

    Where a fader would be above its range, all are turned down.
    """
    from ..console.mix import Mix
    from ..songs import Song

    heard = np.isfinite(faders_db)
    stems = [stem for stem, there in zip(excerpt.stems, heard, strict=True) if there]
    song = Song(excerpt.title, stems, excerpt.sample_rate, tempo_bpm=excerpt.tempo_bpm)
    mix = replace(Mix.neutral(song), made_by="person")
    fader = STRIP["fader_db"]
    faders = faders_db[heard]
    faders = faders - max(0.0, faders.max() - fader.high)
    mix.strips[:, STRIP.index("fader_db")] = np.maximum(faders, fader.low)
    return song, mix


def written_gains_db(folder: Path, song: Song) -> Faders | None:
    """Gain of each stem in the author's console, (stems,); None unless all are written down.

    Read are `fader_db` of a stem, or the console of an LMMS project: the volume of the track of
    the stem's name and of its mixer channel, less the gain that the stem was exported with.
    """
    path = folder / "song.json"
    if not path.exists():
        return None
    try:
        written = _Written.model_validate(read_json(path))
    except ValidationError:
        return None
    entries = {entry.file: entry for entry in written.stems}
    names = Counter(track.name for track in written.author_console.tracks)
    tracks = {t.name: t for t in written.author_console.tracks if names[t.name] == 1}
    channels = {c.num: c.volume for c in written.author_console.mixer}
    gains = []
    for stem in song.stems:
        file = stem.path.name if stem.path else stem.name
        entry = entries.get(file) or entries.get(Path(file).stem)
        if entry is None:
            return None
        track = tracks.get(entry.lmms_track)
        if entry.fader_db is not None:
            gains.append(entry.fader_db)
        elif track is not None:
            volume = track.vol / 100 * channels.get(f"{track.fxch:g}", 1.0)
            gains.append(20 * math.log10(max(volume, 1e-3)) - entry.applied_gain_db)
        else:
            return None
    return np.array(gains)


def finished_mix(folder: Path) -> Path | None:
    """The person's mix of a song, if its folder holds one."""
    reference = folder / "reference"
    files = sorted(reference.iterdir()) if reference.is_dir() else []
    return next((f for name in MIX_NAMES for f in files if f.stem == name), None)


def heard_faders_db(finished: Path, excerpt: Excerpt, analysis: Analysis) -> Faders:
    """Faders whose band powers explain a finished mix best, (stems,).

    Non-negative weights of the stems' powers per band and frame, found by the multiplicative
    updates of Lee and Seung ("Algorithms for Non-negative Matrix Factorization", NIPS 2000) for
    the Kullback-Leibler divergence with the stems as fixed factors.

    Raises:
        MixgymError: the finished mix cannot be read.
    """
    from ..console.analysis import analyse
    from ..songs import Song

    mix = read_finished(finished, excerpt)
    track = analyse(Song.from_arrays({"mix": mix}, excerpt.sample_rate))
    wanted = _powers(track)[0].ravel()
    stems = _powers(analysis).reshape(len(analysis.channels), -1)
    totals = np.maximum(stems.sum(axis=1), 1e-20)
    weights = np.full(len(stems), wanted.sum() / max(1e-20, stems.sum()))
    for _ in range(ROUNDS):
        explained = weights @ stems + 1e-12 * wanted.mean()
        weights *= stems @ (wanted / explained) / totals
    return np.asarray(10 * np.log10(np.maximum(weights, LEAST_WEIGHT)))


def read_finished(path: Path, excerpt: Excerpt) -> NDArray[np.float32]:
    """The part of a finished mix that an excerpt covers, shape (channels, frames).

    Raises:
        MixgymError: it cannot be read.
    """
    from ..songs import read_song

    with read_song(path, sample_rate=excerpt.sample_rate) as song:
        start = round(excerpt.start_s * excerpt.sample_rate)
        return song.stems[0].read(start, excerpt.frames)


def _powers(analysis: Analysis) -> NDArray[np.float64]:
    """Power of both channels, (stems, bands, frames)."""
    return np.asarray(analysis.fine[:, :2].sum(axis=1, dtype=np.float64))
