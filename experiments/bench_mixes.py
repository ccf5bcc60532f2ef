"""Whole songs, each mixed by several mixers, scored and judged all along on what is delivered."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..console.render import render
from ..console.styles import style
from ..errors import MixgymError
from ..rewards.judges import Values, embed, frechet_distance
from ..runtime.mix_score import ScoreReader
from ..runtime.mixers import automation_by_policy, mixer_named
from ..runtime.mixing import MixOptions, mix_settings
from ..songs import read_song
from ..songs.training.sources import stem_sources
from .judging import Person, person_of
from .machine import describe_machine

if TYPE_CHECKING:
    from ..console.mixbus import BusBlock
    from ..console.render import Progress
    from ..songs import Excerpt, Song

MOVING = "policy --automation"
MIXERS = ("plain_sum", "equal_loudness", "roles", "policy", MOVING)
WINDOW_S = 10.0
SILENT_LUFS = -60.0  # windows of a mix below this are not scored


class Part(NamedTuple):
    """A part of a song that is scored, and the person's mix of it, if there is one."""

    window: Excerpt
    person: Person | None


class Heard(NamedTuple):
    """Embeddings of the parts of one mixer's mixes, and of people's mixes of the same parts."""

    mixes: list[Values]
    people: list[Values]


def bench_mixes(
    songs: Path, mixers: Sequence[str], style_name: str, most: int, tell: Progress
) -> dict[str, Any]:
    """Mix every folder of stems with every mixer.

    A song is scored in windows of ten seconds, evenly spread from its beginning to its end, none
    chosen by what plays; where the song's folder holds a person's mix, judges compare both there.

    Args:
        songs: a folder of song folders.
        mixers: names as in `mixgym mix --mixer`, or `MOVING`.
        style_name: of the reward, and how mixers lean.
        most: windows of a song.
        tell: told which song is being mixed.

    Returns:
        JSON: `machine`, `inputs`, `style`, `songs` (per song `split`, `stems`, `duration_s` and
        `mixers`: per mixer `score`, `scores` of the windows, `judges`, `loudness_lufs`,
        `settings_s` that the settings took, `made_by`), and `overall` per mixer: mean `score`,
        `above` and `closer`: on what share of the songs it scores above each other mixer, and by
        what share of songs and judges it is closer to the person's mix, ties counting half; and
        `frechet`, the distance of all its mixes to all that people made of the same songs.

    Raises:
        MixgymError: no song folders, no such mixer or style, or a song cannot be read.
    """
    if not songs.is_dir():
        raise MixgymError(f"{songs} is no folder: name one that holds song folders.")
    folders = sorted(folder for folder in songs.iterdir() if folder.is_dir())
    if not folders:
        raise MixgymError(f"{songs} holds no folders of stems.")
    options = {name: _options(name, style_name) for name in mixers}
    splits = {s.path.resolve(): s.identity.split for s in stem_sources([songs])[0] if s.path}
    rows: dict[str, dict[str, Any]] = {}
    heard: dict[str, Heard] = {name: Heard([], []) for name in mixers}
    for i, folder in enumerate(folders):
        with read_song(folder) as song:
            parts = [Part(w, person_of(folder, w)) for w in _windows(song, most)]
            rows[folder.name] = {
                "split": splits.get(folder.resolve(), ""),
                "stems": len(song.stems),
                "duration_s": song.duration_s,
                "mixers": {
                    name: _mixed(song, parts, options[name], heard[name]) for name in mixers
                },
            }
        tell("Mixing songs", (i + 1) / len(folders))
    return {
        "benchmark": "mixes",
        "machine": describe_machine(),
        "inputs": f"{len(rows)} songs, scored in up to {most} windows of {WINDOW_S:g} s",
        "style": style_name,
        "songs": rows,
        "overall": {name: _overall(name, mixers, rows, heard[name]) for name in mixers},
    }


def _options(name: str, style_name: str) -> MixOptions:
    moving = name == MOVING
    return MixOptions(
        mixer=mixer_named("policy" if moving else name, style_name),
        automation=automation_by_policy(style_name) if moving else None,
        lean=style(style_name),
    )


def _mixed(song: Song, parts: list[Part], options: MixOptions, heard: Heard) -> dict[str, Any]:
    started = time.perf_counter()
    mix, _ = mix_settings(song, options)
    settings_s = time.perf_counter() - started
    readers = [ScoreReader(song, mix, options.lean, part.window) for part in parts]

    def hear(block: BusBlock) -> None:
        for reader in readers:
            reader.push(block)

    with render(song, mix, on_bus=hear) as rendering:
        scores, judges = [], []
        for reader, (_, person) in zip(readers, parts, strict=True):
            audio = reader.audio(rendering)
            if 10 * np.log10(np.mean(audio**2) + 1e-12) < SILENT_LUFS:
                continue
            readings = reader.readings(rendering)
            scores.append(reader.score(readings).score)
            if person is not None:
                judges.append(person.judges(audio, readings))
                heard.mixes.append(embed(audio, song.sample_rate))
                heard.people.append(embed(person.audio, song.sample_rate))
        return {
            "score": fmean(scores),
            "scores": scores,
            "judges": {key: fmean(each[key] for each in judges) for key in judges[0]}
            if judges
            else {},
            "loudness_lufs": rendering.delivered.loudness_lufs,
            "settings_s": settings_s,
            "made_by": mix.made_by,
        }


def _windows(song: Song, most: int) -> list[Excerpt]:
    count = max(1, min(most, int(song.duration_s // WINDOW_S)))
    spare = max(0.0, song.duration_s - count * WINDOW_S)
    return [
        song.excerpt(k * WINDOW_S + spare * (k + 0.5) / count, min(WINDOW_S, song.duration_s))
        for k in range(count)
    ]


def _overall(
    name: str, mixers: Sequence[str], rows: dict[str, dict[str, Any]], heard: Heard
) -> dict[str, Any]:
    mixed = [row["mixers"] for row in rows.values()]
    others = [other for other in mixers if other != name]
    judged = [(row, key) for row in mixed for key in row[name]["judges"]]
    return {
        "score": fmean(row[name]["score"] for row in mixed),
        "above": {
            other: fmean(_beats(row[name]["score"], row[other]["score"]) for row in mixed)
            for other in others
        },
        "closer": {
            other: fmean(
                _beats(row[other]["judges"][key], row[name]["judges"][key]) for row, key in judged
            )
            for other in others
        }
        if judged
        else {},
        "frechet": frechet_distance(heard.mixes, heard.people) if heard.mixes else None,
    }


def _beats(ours: float, theirs: float) -> float:
    return 0.5 if ours == theirs else float(ours > theirs)
