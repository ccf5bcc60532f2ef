"""Searchers on songs: how good, after how many evaluations and after how many seconds.

The goal is told on the default searcher: within 1 % of what it reaches with the long budget in at
most 2 s, and a gain that `render` confirms.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..console.levels import stem_levels
from ..console.mix import Budget
from ..errors import MixgymError
from ..evolution.genome import SongSpace
from ..evolution.mixers import (
    DEFAULT_SEARCH,
    SEARCHERS,
    Choice,
    default_space,
    search_excerpt,
    searcher,
    starting_mix,
)
from ..evolution.search import Progress, search
from ..rewards import Evaluator, Reward, load_reward
from ..songs import Song, most_active_excerpt, read_song
from .machine import describe_machine
from .subjects import song_folders

Tell = Callable[[str, float], None]
Curve = NDArray[np.float64]  # (batches, 3): evaluations, seconds, best score

STEMS = 8  # the loudest of a song
LONG = 50_000
SHORT = 5000
REFINED = 16
MARKS = (100, 200, 500, 1000, 2000, 5000)
MARKS_S = (0.25, 0.5, 1.0, 2.0)
GOALS = {"score_at_2_s": 0.99, "gain_kept": 0.95}


@dataclass(frozen=True, slots=True)
class Subject:
    """A song's excerpt, and where searches of it begin."""

    name: str
    excerpt: Song
    evaluator: Evaluator
    preparation_s: float

    def race(self, name: str, seed: int, evaluations: int) -> Curve:
        """How a searcher does, from before it knows the start's score."""
        curve: list[tuple[float, float, float]] = []

        def note(progress: Progress) -> None:
            seconds = time.perf_counter() - started
            curve.append((progress.evaluations, seconds, progress.score))

        started = time.perf_counter()
        start, score = starting_mix(self.evaluator)
        curve.append((0.0, time.perf_counter() - started, score))
        space = SongSpace(len(self.excerpt.stems), default_space(name), start)
        seeker = searcher(name)(space, seed, space.encode(start))
        search(self.evaluator, seeker, space, Budget(evaluations), on_batch=note)
        return np.array(curve)


def bench_search(
    songs: Path,
    seeds: int = 3,
    seconds: float = 10.0,
    searchers: Sequence[str] = tuple(SEARCHERS),
    long: int = LONG,
    short: int = SHORT,
    tell: Tell | None = None,
) -> dict[str, Any]:
    """Search every song of a folder with every searcher.

    Of each song the eight loudest stems are kept, in the part in which most is going on. Times
    count from the first look at the start, with the song's analysis at hand.

    Args:
        songs: a folder of song folders.
        seeds: runs of each searcher on each song.
        seconds: length of the excerpts.
        searchers: their names.
        long: evaluations that the default searcher has reached its end with.
        short: evaluations of everybody's race, and of the search that is heard.
        tell: told what is being done and the share of it that is done.

    Returns:
        JSON: `songs` (by name: `stems`, `preparation_s`, and of the default searcher, medians over
        seeds: `start`, `long`, `score_at_2_s` and `gain_at_2_s` as shares of the long score and
        gain, `evaluations_to_99`, `seconds_to_99`, `gain_kept`), `searchers` (medians over songs
        and seeds of the score at `marks` and `marks_s`), `overall` (medians), `goals`.

    Raises:
        MixgymError: no songs, one that cannot be read, or no such searcher.
    """
    tell = tell or (lambda what, share: None)
    for name in searchers:
        searcher(name)
    reward = load_reward()
    folders = song_folders(songs)
    rows: dict[str, dict[str, float]] = {}
    curves: dict[str, list[Curve]] = {name: [] for name in searchers}
    for number, folder in enumerate(folders):
        tell(f"Searching {folder.name}", number / len(folders))
        with read_song(folder) as song:
            subject = _subject(folder.name, song, reward, seconds)
            if subject is None:
                continue
            rows[subject.name] = _default_row(subject, seeds, long, short)
            for name in searchers:
                curves[name] += [subject.race(name, seed, short) for seed in range(seeds)]
    if not rows:
        raise MixgymError(f"No song of {songs} sounds; there is nothing to search.")
    tell("Searched all", 1.0)
    overall = {key: median(row[key] for row in rows.values()) for key in next(iter(rows.values()))}
    return {
        "benchmark": "search",
        "machine": describe_machine(),
        "inputs": f"{len(rows)} songs, {seconds:g} s, at most {STEMS} stems, {seeds} seeds, "
        f"{long} and {short} evaluations",
        "marks": [mark for mark in MARKS if mark <= short],
        "marks_s": list(MARKS_S),
        "searchers": {name: _medians(runs, short) for name, runs in curves.items()},
        "songs": rows,
        "overall": overall,
        "goals": {
            name: {"goal": goal, "value": overall[name], "met": overall[name] >= goal}
            for name, goal in GOALS.items()
        },
    }


def _subject(name: str, song: Song, reward: Reward, seconds: float) -> Subject | None:
    """The song's most active excerpt with its loudest stems; None where nothing sounds."""
    excerpt = most_active_excerpt(song, seconds)
    levels = [level.loudness_lufs for level in stem_levels(excerpt)]
    loudest = sorted(np.argsort(levels)[::-1][:STEMS].tolist())
    stems = [excerpt.stems[i] for i in loudest if np.isfinite(levels[i])]
    if len(stems) < 2:
        return None
    held = Song(excerpt.title, stems, excerpt.sample_rate, tempo_bpm=excerpt.tempo_bpm)
    started = time.perf_counter()
    evaluator = Evaluator(held, reward)
    starting_mix(evaluator)
    return Subject(name, held, evaluator, time.perf_counter() - started)


def _default_row(subject: Subject, seeds: int, long: int, short: int) -> dict[str, float]:
    runs: list[dict[str, float]] = []
    for seed in range(seeds):
        curve = subject.race(DEFAULT_SEARCH, seed, long)
        start, end = curve[0, 2], curve[-1, 2]
        early = _at(curve, 1, 2.0)
        near = curve[int(np.argmax(curve[:, 2] >= GOALS["score_at_2_s"] * end))]
        choice = search_excerpt(
            subject.excerpt,
            DEFAULT_SEARCH,
            Budget(short),
            reward=subject.evaluator.reward,
            seed=seed,
            refine=REFINED,
        )
        runs.append(
            {
                "start": start,
                "long": end,
                "score_at_2_s": early / end,
                "gain_at_2_s": (early - start) / max(end - start, 1e-9),
                "evaluations_at_2_s": _at(curve, 1, 2.0, 0),
                "evaluations_to_99": near[0],
                "seconds_to_99": near[1],
                "gain_kept": _kept(choice),
            }
        )
    medians = {key: float(median(run[key] for run in runs)) for key in runs[0]}
    stems = float(len(subject.excerpt.stems))
    return {"stems": stems, "preparation_s": subject.preparation_s, **medians}


def _kept(choice: Choice) -> float:
    """Share of the gain in `simulate` that `render` confirms."""
    gains = [after - before for before, after in (choice.simulated, choice.heard)]
    return gains[1] / max(gains[0], 1e-9)


def _at(curve: Curve, axis: int, mark: float, column: int = 2) -> float:
    """A column of the last row that is no further than `mark` on an axis."""
    return float(
        curve[max(0, int(np.searchsorted(curve[:, axis], mark, side="right")) - 1), column]
    )


def _medians(curves: Sequence[Curve], short: int) -> dict[str, list[float]]:
    return {
        "evaluations": [
            median(_at(curve, 0, mark) for curve in curves) for mark in MARKS if mark <= short
        ],
        "seconds": [median(_at(curve, 1, mark) for curve in curves) for mark in MARKS_S],
    }
