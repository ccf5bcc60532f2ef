"""Whole songs, each mixed by several mixers, scored and judged all along on what is delivered."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from ..console.render import render
from ..console.styles import style
from ..errors import MixgymError
from ..rewards.judges import judge
from ..runtime.mix_score import ScoreReader
from ..runtime.mixers import automation_by_policy, mixer_named
from ..runtime.mixing import MixOptions, mix_settings
from ..songs import read_song
from ..songs.training.sources import stem_sources
from .machine import describe_machine
from .people import finished_mix, read_finished

if TYPE_CHECKING:
    from ..console.mixbus import BusBlock
    from ..console.render import Progress
    from ..songs import Excerpt, Song

MOVING = "policy --automation"
MIXERS = ("plain_sum", "equal_loudness", "roles", "policy", MOVING)
WINDOW_S = 10.0
SILENT_LUFS = -60.0  # windows of a mix below this are not scored


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
        `settings_s` that the settings took, `made_by`), and `overall` per mixer: mean `score`, and
        `above` and `closer`: on what share of the songs it scores above each other mixer, and by
        what share of songs and judges it is closer to the person's mix, ties counting half.

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
    for i, folder in enumerate(folders):
        with read_song(folder) as song:
            rows[folder.name] = {
                "split": splits.get(folder.resolve(), ""),
                "stems": len(song.stems),
                "duration_s": song.duration_s,
                "mixers": {
                    name: _mixed(song, folder, chosen, most) for name, chosen in options.items()
                },
            }
        tell("Mixing songs", (i + 1) / len(folders))
    return {
        "benchmark": "mixes",
        "machine": describe_machine(),
        "inputs": f"{len(rows)} songs, scored in up to {most} windows of {WINDOW_S:g} s",
        "style": style_name,
        "songs": rows,
        "overall": {name: _overall(name, mixers, rows) for name in mixers},
    }


def _options(name: str, style_name: str) -> MixOptions:
    moving = name == MOVING
    return MixOptions(
        mixer=mixer_named("policy" if moving else name, style_name),
        automation=automation_by_policy(style_name) if moving else None,
        lean=style(style_name),
    )


def _mixed(song: Song, folder: Path, options: MixOptions, most: int) -> dict[str, Any]:
    started = time.perf_counter()
    mix, _ = mix_settings(song, options)
    settings_s = time.perf_counter() - started
    windows = _windows(song, most)
    readers = [ScoreReader(song, mix, options.lean, window) for window in windows]

    def hear(block: BusBlock) -> None:
        for reader in readers:
            reader.push(block)

    with render(song, mix, on_bus=hear) as rendering:
        finished = finished_mix(folder)
        scores, judges = [], []
        for reader, window in zip(readers, windows, strict=True):
            audio = reader.audio(rendering)
            if 10 * np.log10(np.mean(audio**2) + 1e-12) < SILENT_LUFS:
                continue
            scores.append(reader.score(rendering).score)
            if finished is not None:
                judges.append(judge(audio, read_finished(finished, window), song.sample_rate))
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


def _overall(name: str, mixers: Sequence[str], rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
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
    }


def _beats(ours: float, theirs: float) -> float:
    return 0.5 if ours == theirs else float(ours > theirs)
