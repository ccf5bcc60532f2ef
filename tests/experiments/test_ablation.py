"""Ablations: what is run, that it goes on, what is told of it, what is refused."""

import json
import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

import mixgym
from mixgym.agents.between import Between
from mixgym.agents.run_folder import LAST, Validated
from mixgym.errors import MixgymError
from mixgym.experiments.ablation.__main__ import run
from mixgym.experiments.ablation.findings import find
from mixgym.experiments.ablation.runs import Run, stages_of
from mixgym.experiments.ablation.settings import read_ablation


class KilledError(Exception):
    """The end of a process."""


@pytest.fixture
def config(base, tmp_path):
    """Write an ablation of tiny runs."""

    def write(**changed):
        base("mixgym/Mixing-v0", every=8, rendered=0)
        ablation = {
            "base": "base.yaml",
            "common": {"total_steps": 16},
            "variants": {
                "usual": {},
                "levels first": [
                    {"environment": {"id": "mixgym/MixingLevels-v0"}, "total_steps": 8},
                    {"total_steps": 8},
                ],
            },
        }
        path = tmp_path / "small.yaml"
        path.write_text(yaml.safe_dump(ablation | changed))
        return path

    return write


def contents(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.name in ("last.npz", "ablation.md", "ablation.svg")
    }


def test_what_is_done_is_not_done_again_and_the_rest_is(config, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    run(config(), out, 1, None, out / "ablation.md")
    before = contents(out)
    assert len(before) == 5  # two variants, one of them in two stages; a page and a picture
    start = yaml.safe_load((out / "levels-first/seed-0/2/settings.yaml").read_text())["start"]
    assert start == str(out / "levels-first/seed-0/1/last.npz")
    monkeypatch.setattr("mixgym.experiments.ablation.runs.train", None)
    run(config(), out, 1, None, out / "ablation.md")
    assert contents(out) == before
    monkeypatch.undo()
    run(config(), out, 2, None, out / "ablation.md")
    after = contents(out)
    assert len(after) == 8
    for path in before:
        assert path.suffix != ".npz" or after[path] == before[path]
    page = (out / "ablation.md").read_text()
    assert "2 seeds, 2 excerpts" in page and "| levels first |" in page
    assert re.search(r"\| usual \| \S+ \[\S+, \S+\] \|", page)
    assert "--seeds 2" in page and "![Gain by steps](ablation.svg)" in page
    assert "levels first" in capsys.readouterr().out


def test_a_run_that_was_killed_once_it_was_judged_goes_on(config, tmp_path, monkeypatch):
    whole, out = tmp_path / "whole", tmp_path / "out"
    run(config(), whole, 1, None, whole / "ablation.md")
    save = Between._save

    def killed(between, name):
        if (
            name == LAST
            and between._learner.steps == 8
            and "levels-first" in str(between._folder.path)
        ):
            raise KilledError
        save(between, name)

    monkeypatch.setattr(Between, "_save", killed)
    with pytest.raises(KilledError):
        run(config(), out, 1, None, out / "ablation.md")
    monkeypatch.undo()
    run(config(), out, 1, None, out / "ablation.md")
    expected, found = contents(whole), contents(out)
    assert expected.keys() == found.keys()
    for path in expected:
        assert path.suffix != ".npz" or found[path] == expected[path]


def test_a_page_tells_what_runs_left(config, tmp_path, monkeypatch):
    out, program = tmp_path / "out", "mixgym.experiments.ablation.__main__"
    command = ["ablation", config(), "--seeds", 1, "--out", out]
    monkeypatch.setattr("sys.argv", list(map(str, command)))
    monkeypatch.delitem(sys.modules, program)
    with pytest.raises(SystemExit) as end:
        runpy.run_module(program, run_name="__main__")
    assert end.value.code == 0
    lines = (out / "usual/seed-0/1/evaluations.jsonl").read_text().splitlines()
    mean = json.loads(lines[-1])["gain"]
    page = (out / "ablation.md").read_text()
    row = next(row for row in page.splitlines() if row.startswith("| usual"))
    assert f"| {mean:+.4f} |" in row
    assert "## 1 seed, 2 excerpts" in page and "[" not in row


def validated(steps, gains):
    return Validated(steps, 1.0, dict(enumerate(gains)))


def test_gains_are_compared_seed_by_seed_and_excerpt_by_excerpt():
    noise = np.random.default_rng(0).normal(0, 1, (5, 8))
    runs = {
        name: [Run([validated(0, 0 * row), validated(9, row + more)], 7.0) for row in noise]
        for name, more in (("usual", 0.0), ("better", 0.3))
    }
    found = find(runs)
    assert (found.seeds, found.excerpts) == (5, 8)
    assert found.standings["better"].difference == pytest.approx((0.3, 0.3, 0.3))
    assert found.standings["usual"].better.value == 0.5
    assert found.standings["better"].better.value > 0.5
    assert found.standings["usual"].mean == pytest.approx(noise.mean())
    assert found.curves["better"].steps == [0, 9]
    assert found.curves["better"].gains[0] == (0.0, 0.0, 0.0)
    assert found.curves["better"].gains[1] == found.standings["better"].gain
    runs["better"][0] = Run([validated(0, noise[0]), validated(9, noise[0][:3])], 7.0)
    with pytest.raises(MixgymError, match=r"'better' was validated on other excerpts"):
        find(runs)


def test_stages_may_have_files_of_their_own(config, tmp_path, training_songs):
    other = {"base": "base.yaml", "policy": {"width": 16}}
    path = config(variants={"usual": {}, "wide": other})
    (work,) = stages_of(read_ablation(path), "wide", 3, tmp_path / "out", training_songs / "other")
    assert (work.settings.policy.width, work.settings.seed) == (16, 3)
    assert work.settings.total_steps == 16
    assert work.settings.environment.arguments["songs"] == str(training_songs / "other")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"variants": {}}, "variants"),
        ({"variants": {"a/b": {}}}, "a/b"),
        ({"variants": {"one two": {}, "one, two": {}}}, "one two"),
        ({"variants": {"usual": []}}, "usual"),
        ({"surplus": 1}, "surplus"),
        ({"variants": {"usual": {"polcy": {}}}}, "polcy"),
        ({"base": "nowhere.yaml"}, "nowhere.yaml"),
    ],
)
def test_ablations_that_cannot_be(config, tmp_path, changed, words):
    out = tmp_path / "out"
    with pytest.raises(MixgymError, match=words):
        run(config(**changed), out, 1, None, out / "ablation.md")
    assert not out.exists()


def test_the_ablations_that_come_along_can_be_read(training_songs, tmp_path):
    shipped = sorted((Path(mixgym.__file__).parent / "experiments" / "ablation").glob("*.yaml"))
    assert "ppo" in [path.stem for path in shipped]
    for path in shipped:
        ablation = read_ablation(path)
        for variant in ablation.variants:
            budgets = [
                work.settings.total_steps
                for work in stages_of(ablation, variant, 0, tmp_path, training_songs / "learned")
            ]
            assert budgets
