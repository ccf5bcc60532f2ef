"""`mixgym bench reward`: whether a reward can be cheated, and whether it agrees with people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from ..console.mix import Mix
from ..console.parameters import STRIP
from ..rewards.reward import load_reward
from . import order
from .hack_search import EVALUATIONS, search
from .machine import describe_machine
from .perturbations import SIZES
from .red_team import hacked
from .subjects import Sitting, Subject, song_folders, subjects

Tell = Callable[[str, float], None]
Leaf = dict[str, float]

BALANCES = 400  # random ones that a person's is ranked among
WIDE_DB, NARROW_DB = 12.0, 6.0  # how far their faders are from equal loudness at most
SEARCHED = 3  # songs on which CMA-ES looks for hacks
GOALS = {"strong": 0.9, "mild": 0.7}


def bench_reward(
    songs: Path,
    seed: int = 0,
    seconds: float = 10.0,
    style: str = "balanced",
    plots: Path | None = None,
    tell: Tell | None = None,
    evaluations: int = EVALUATIONS,
) -> dict[str, Any]:
    """Try a reward on every song of a folder.

    Three trials. The red team's mixes must score below equal loudness, in `simulate` and again on
    `render`, and CMA-ES looks for mixes that please the reward and no judge. A mix with settings
    known to be good, by the role rules and in a person's balance where one is known, must beat
    what is made of it by spoiling it. A person's balance is ranked among random ones.

    Args:
        songs: a folder of song folders.
        seed: of everything that is drawn.
        seconds: length of each song's most active excerpt.
        style: of the reward, or its YAML file.
        plots: folder for curves, made if missing.
        tell: told what is being done and the share of it that is done.
        evaluations: of each search by CMA-ES.

    Returns:
        JSON: `red_team` (by case and song `score`, of the best mix where a case has several,
        `equal_loudness`, and both on `render`), `red_team_held` (share of cases that score below,
        by fidelity), `search` (by song, see `hack_search.search`), `order` (share of pairs won,
        `strong` and `mild`, every kind counting the same), `order_detail` (by base, kind, song,
        and `without_restraint`), `curves`, `people` (by song the share of balances within 12 dB of
        equal loudness that score below the person's), `people_detail`, `halves` (the first song,
        the third and so on, and the others), `goals`.

    Raises:
        MixgymError: no songs, one that cannot be read, or no such style.
    """
    tell = tell or (lambda what, share: None)
    reward = load_reward(style)
    folders = song_folders(songs)
    red: dict[str, dict[str, Leaf]] = {}
    wins: dict[str, dict[str, tuple[order.Wins, order.Wins]]] = {"rules": {}, "person": {}}
    falls: dict[str, order.Curves] = {}
    people: dict[str, dict[str, float]] = {}
    found: dict[str, Any] = {}
    for number, subject in enumerate(subjects(folders, reward, seconds)):
        name, rng = subject.name, np.random.default_rng([seed, number])
        tell(f"Trying {name}", number / len(folders))
        for case, leaf in _red_team(subject, rng).items():
            red.setdefault(case, {})[name] = leaf
        wins["rules"][name] = order.wins(subject.rules, [seed, number, 1])
        falls[name] = order.curves(subject.rules, [seed, number, 2])
        if subject.person is not None:
            wins["person"][name] = order.wins(subject.person, [seed, number, 3])
            people[name] = _ranks(subject.person, rng)
        if len(found) < SEARCHED and subject.human is not None:
            tell(f"Searching {name}", (number + 0.5) / len(folders))
            found[name] = search(subject, seed, evaluations)
    tell("Tried all", 1.0)
    mean_curves = order.mean_curves(falls) if falls else {}
    if plots is not None:
        from .reward_plots import write_reward_plots

        write_reward_plots(plots, mean_curves, red, people)
    everything = [pair[0] for base in wins.values() for pair in base.values()]
    shares = order.shares(everything)
    return {
        "benchmark": "reward",
        "machine": describe_machine(),
        "inputs": f"{len(falls)} songs, {seconds:g} s each, reward {style}, seed {seed}",
        "red_team": red,
        "red_team_held": {
            "simulate": _held(red, "score", "equal_loudness"),
            "render": _held(red, "rendered", "rendered_equal_loudness"),
        },
        "search": found,
        "order": shares,
        "order_detail": _order_detail(wins),
        "curves": {"sizes": list(order.STEPS), "change": mean_curves},
        "people": {name: ranks["wide"] for name, ranks in people.items()},
        "people_detail": people,
        "halves": {
            half: _half(list(falls)[start::2], red, wins, people)
            for start, half in enumerate(("odd", "even"))
        },
        "goals": {
            size: {
                "goal": GOALS[size],
                "value": shares[size],
                "met": (shares[size] or 0.0) >= GOALS[size],
            }
            for size in SIZES
        },
    }


def _red_team(subject: Subject, rng: np.random.Generator) -> dict[str, Leaf]:
    """Score of every case's best mix beside equal loudness, simulated and rendered."""
    sitting, equal = subject.rules, subject.equal
    cases = hacked(equal, sitting.evaluator.present, rng)
    mixes = [mix for tried in cases.values() for mix in tried]
    base, *scores = sitting.scores([equal, *mixes]).score.tolist()
    rendered_base = sitting.rendered(equal)
    result = {}
    for case, tried in cases.items():
        own, scores = scores[: len(tried)], scores[len(tried) :]
        best = int(np.argmax(own))
        result[case] = {
            "score": own[best],
            "equal_loudness": base,
            "rendered": sitting.rendered(tried[best]),
            "rendered_equal_loudness": rendered_base,
        }
    return result


def _ranks(sitting: Sitting, rng: np.random.Generator) -> dict[str, float]:
    """Share of random balances of the same stems that score below the person's."""
    ranks = {}
    for name, spread_db in (("wide", WIDE_DB), ("narrow", NARROW_DB)):
        mixes = [_random_balance(sitting.mix, spread_db, rng) for _ in range(BALANCES)]
        own, *others = sitting.scores([sitting.mix, *mixes]).score.tolist()
        ranks[name] = fmean(other < own for other in others)
    return ranks


def _random_balance(mix: Mix, spread_db: float, rng: np.random.Generator) -> Mix:
    from dataclasses import replace

    strips = mix.strips.copy()
    strips[:, STRIP.index("fader_db")] = rng.uniform(-spread_db, spread_db, len(strips))
    return replace(mix, strips=strips)


def _held(red: dict[str, dict[str, Leaf]], score: str, base: str) -> float | None:
    leaves = [leaf for songs in red.values() for leaf in songs.values()]
    return fmean(leaf[score] < leaf[base] for leaf in leaves) if leaves else None


def _order_detail(
    wins: dict[str, dict[str, tuple[order.Wins, order.Wins]]],
) -> dict[str, Any]:
    detail: dict[str, Any] = {}
    for base, songs in wins.items():
        full = [pair[0] for pair in songs.values()]
        detail[base] = {
            "all": order.shares(full),
            "kinds": order.shares_by_kind(full),
            "songs": {name: order.shares([pair[0]]) for name, pair in songs.items()},
            "without_restraint": order.shares([pair[1] for pair in songs.values()]),
        }
    return detail


def _half(
    names: Sequence[str],
    red: dict[str, dict[str, Leaf]],
    wins: dict[str, dict[str, tuple[order.Wins, order.Wins]]],
    people: dict[str, dict[str, float]],
) -> dict[str, Any]:
    pairs = [songs[name][0] for songs in wins.values() for name in names if name in songs]
    some = {case: {n: leaf for n, leaf in by.items() if n in names} for case, by in red.items()}
    ranks = [people[name]["wide"] for name in names if name in people]
    return {
        "songs": list(names),
        "red_team_held": _held(some, "score", "equal_loudness"),
        "order": order.shares(pairs),
        "people": fmean(ranks) if ranks else None,
    }
