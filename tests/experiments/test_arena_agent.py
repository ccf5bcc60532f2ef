"""Agents of a person's own in the arena: counted as searches are, refused in a sentence."""

import json

import numpy as np
import pytest

from mixgym.console.rules import equal_loudness, roles
from mixgym.errors import MixgymError
from mixgym.experiments.arena.entrants import entrant
from mixgym.rewards import load_reward
from mixgym.songs.generate import generate_song, write_song

CODE = """
from dataclasses import dataclass

import numpy as np


@dataclass
class Try:
    score: float
    mix: object


def walk(evaluator, start, budget, seed):
    rng = np.random.default_rng(seed)
    best = Try(evaluator.evaluate_mixes([start]).score[0], start)
    for _ in range(budget - 1):
        mix = best.mix
        for stem in evaluator.song.stems:
            fader_db = mix.strip(stem.name)["fader_db"] + rng.normal(0, 2)
            mix = mix.with_strip(stem.name, fader_db=float(np.clip(fader_db, -12, 12)))
        score = evaluator.evaluate_mixes([mix]).score[0]
        best = max(best, Try(score, mix), key=lambda one: one.score)
    return best.mix


def look(evaluator, start, budget, seed):
    return start.with_master(target_lufs=-20)


def greedy(evaluator, start, budget, seed):
    evaluator.evaluate_mixes([start] * (budget + 1))
    return start


def silent(evaluator, start, budget, seed):
    return None


def beyond(evaluator, start, budget, seed):
    start.strips[:, 0] = np.nan
    return start


def broken(evaluator, start, budget, seed):
    return start.with_strip("nobody", fader_db=1)


constant = 3
"""


@pytest.fixture(scope="module")
def excerpt():
    with generate_song(4, 5.0, 24_000, stems=3) as song:
        yield song


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(CODE)
    return path


def play(name, excerpt, budget, seed=0):
    mixer = entrant(name)
    begin = mixer.beginner("balanced")
    return mixer.play(begin, excerpt, load_reward(), budget, seed, "balanced")


def test_it_is_played_as_searches_are(file, excerpt):
    name = f"{file}:walk"
    assert entrant(name).budgets((0, 1, 10)) == (0, 1, 10)
    one, again, other = (play(name, excerpt, 10, seed) for seed in (0, 0, 1))
    assert one.evaluations == 10
    assert np.array_equal(one.mix.strips, again.mix.strips)
    assert not np.array_equal(one.mix.strips, other.mix.strips)
    nothing = play(name, excerpt, 0)
    assert nothing.evaluations == 0
    assert np.array_equal(nothing.mix.strips, equal_loudness(excerpt).strips)


def test_it_goes_on_from_another_mix(file, excerpt):
    played = play(f"roles+{file}:look", excerpt, 5)
    assert played.evaluations == 0
    assert np.array_equal(played.mix.strips, roles(excerpt).strips)
    assert played.mix.master[played.mix.master == -20].size == 1


def test_a_file_that_was_changed_is_read_again(file, excerpt):
    before = play(f"{file}:look", excerpt, 1).mix.master
    file.write_text(CODE.replace("target_lufs=-20", "target_lufs=-21"))
    after = play(f"{file}:look", excerpt, 1).mix.master
    assert (before != after).sum() == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("greedy", r"own\.py:greedy took 6 evaluations of 5"),
        ("silent", r"own\.py:silent gave no mix"),
        ("beyond", r"own\.py:beyond sets fader_db beyond its range; keep it from -\d+ to"),
        ("broken", r"own\.py fails in line \d+: KeyError"),
        ("missing", r"own\.py holds no function 'missing'"),
        ("constant", r"own\.py holds no function 'constant'"),
    ],
)
def test_agents_that_do_not_keep_to_the_rules(file, excerpt, name, words):
    with pytest.raises(MixgymError, match=words):
        play(f"{file}:{name}", excerpt, 5)


@pytest.mark.parametrize(
    ("code", "words"),
    [("def walk(:", "fails: SyntaxError"), ("1 / 0", "fails in line 1: ZeroDivisionError"),
     ("import sys; sys.exit(3)", "fails in line 1: SystemExit")],
)  # fmt: skip
def test_files_that_cannot_be_run(file, excerpt, code, words):
    file.write_text(code)
    with pytest.raises(MixgymError, match=rf"own\.py {words}"):
        play(f"{file}:walk", excerpt, 5)


def test_in_the_arena(mixgym, refused, file, excerpt, tmp_path):
    write_song(excerpt, tmp_path / "songs" / "one")
    command = ["compete", "--songs", tmp_path / "songs", "--seconds", 4, "--excerpts", 1]
    command += ["--budgets", "0,20", "--seeds", 2, "--mapper", "inline"]
    none = tmp_path / "none.py"
    refused(*command, "--mixers", f"{none}:go", words=[f"{none}:go", "Python file"])
    refused(*command, "--mixers", f"{file}:go", words=["own.py", "'go'"])
    command += ["--mixers", f"roles,{file}:walk", "--out", tmp_path / "run"]
    ran = mixgym(*command, "--json", tmp_path / "rows.json")
    assert ran.status == 0, ran.err
    rows = [r for r in json.loads((tmp_path / "rows.json").read_text()) if "own" in r["mixer"]]
    assert [(r["seed"], r["budget"], r["evaluations"]) for r in rows] == [
        (seed, budget, budget) for seed in (0, 1) for budget in (0, 20)
    ]
    assert rows[1]["score"] > rows[0]["score"]
    file.write_text(CODE + "#")
    changed = mixgym(*command)
    assert changed.status == 2
    assert "own.py is another policy or agent" in changed.err
