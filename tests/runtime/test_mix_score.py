"""The score of a mix, in its report and its JSON."""

import json
import re
import shutil

import numpy as np
import pytest
import soundfile as sf

from mixgym.console.rules import plain_sum, roles
from mixgym.console.styles import style
from mixgym.rewards.evaluator import Evaluator
from mixgym.rewards.reward import load_reward
from mixgym.songs import read_song


def mixed(mixgym, stems, out, *options):
    ran = mixgym("mix", stems, "-o", out / "mix.wav", "--overwrite", "--json", "--quiet", *options)
    assert ran.status == 0, ran.err
    return json.loads(ran.out)


def test_a_report_comes_with_the_score(mixgym, stems, tmp_path, monkeypatch):
    monkeypatch.setenv("MIXGYM_CACHE", str(tmp_path / "cache"))
    page = tmp_path / "report.html"
    assert mixed(mixgym, stems, tmp_path)["score"] is None
    options = ("--mixer", "roles", "--style", "warm", "--no-tail", "--lufs", -18)
    found = mixed(mixgym, stems, tmp_path, "--report", page, *options)["score"]
    assert found["style"] == "warm"
    html = page.read_text(encoding="utf-8")
    embedded = re.search(r'id="mixgym-report">(.*?)</script>', html, re.DOTALL)
    told = json.loads(embedded.group(1))
    assert told["score"] == found
    for name in found["terms"]:
        assert name.capitalize() in html
    reward = load_reward("warm")
    assert set(found["terms"]) == set(reward.weights)
    with read_song(stems) as song:
        wanted = Evaluator(song, reward, fidelity="render").evaluate_mixes(
            [
                made.with_master(target_lufs=-18)
                for made in (roles(song, lean=style("warm")), plain_sum(song))
            ]
        )
    for number, name in enumerate(("rules by role", "plain sum")):
        other = told["baselines"][name]
        assert other["score"] == pytest.approx(wanted.score[number], abs=1e-4)
        assert f'<td class="number">{other["score"]:.2f}</td>' in html
        assert f">{name}</th>" in html
    assert found["score"] == pytest.approx(wanted.score[0], abs=1e-4)
    for name, value in found["terms"].items():
        assert value == pytest.approx(wanted.terms[name][0], abs=1e-3), name


def test_only_the_most_active_part_is_read(mixgym, stems, tmp_path, monkeypatch):
    monkeypatch.setattr("mixgym.runtime.mix_score.WINDOW_S", 2.0)
    page = tmp_path / "report.html"
    found = mixed(mixgym, stems, tmp_path, "--report", page, "--stems-out", tmp_path / "out")[
        "score"
    ]
    assert found["duration_s"] == 2.0
    assert 0 <= found["start_s"] <= 3.0
    assert 0.3 < found["score"] < 1
    assert len(list((tmp_path / "out").glob("*.wav"))) >= 6


def test_a_stem_that_plays_elsewhere_is_not_missed(mixgym, stems, tmp_path, monkeypatch):
    """Behind the part that is read a seventh stem plays alone."""
    monkeypatch.setattr("mixgym.runtime.mix_score.WINDOW_S", 5.0)
    folder = tmp_path / "song"
    shutil.copytree(stems, folder)
    shutil.rmtree(folder / "reference", ignore_errors=True)
    alone = mixed(mixgym, folder, tmp_path, "--report", tmp_path / "a.html", "--mixer", "roles")
    rate = alone["sample_rate"]
    late = np.zeros(12 * rate, dtype=np.float32)
    late[8 * rate :] = np.random.default_rng(0).normal(0, 0.05, 4 * rate)
    sf.write(folder / "Shaker.wav", late, rate)
    report = ("--report", tmp_path / "b.html", "--mixer", "roles")
    found = mixed(mixgym, folder, tmp_path, *report)["score"]
    assert found["start_s"] == 0.0
    assert found["score"] == pytest.approx(alone["score"]["score"], abs=0.05)
