"""The evaluator: what it scores, counts and refuses; and that the reward cannot be cheated."""

import os
from dataclasses import replace

import numpy as np
import pytest

from mixgym.console.mix import Mix
from mixgym.console.parameters import BUSES, MASTER, STRIP
from mixgym.console.rules import equal_loudness, roles
from mixgym.experiments.perturbations import SIZES, SPOILS
from mixgym.experiments.red_team import hacked
from mixgym.rewards.evaluator import Evaluator
from mixgym.songs import Song, most_active_excerpt, read_song
from mixgym.songs.generate import generate_song


@pytest.fixture(scope="module")
def song():
    with generate_song(5, 6.0, 24_000, stems=6) as made:
        yield made


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MIXGYM_CACHE", str(tmp_path / "cache"))


def draws(song: Song, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    strips = STRIP.sample(rng, (count, len(song.stems)))
    return strips, BUSES.sample(rng, (count,)), MASTER.sample(rng, (count,))


def test_every_mix_counts_and_a_batch_gives_the_bits_of_singles(song):
    evaluator = Evaluator(song)
    drawn = draws(song, 7)
    scores = evaluator.evaluate(*drawn)
    assert evaluator.evaluations == 7
    for i in range(7):
        one = Evaluator(song, threads=1).evaluate(*(values[i : i + 1] for values in drawn))
        assert one.score[0] == scores.score[i]
        assert {k: v[0] for k, v in one.terms.items()} == {k: v[i] for k, v in scores.terms.items()}


def test_the_score_is_the_weighted_mean_times_the_gates(song):
    scores = Evaluator(song).evaluate(*draws(song, 5))
    weights = Evaluator(song).reward.weights
    mean = sum(w * scores.terms[k] for k, w in weights.items()) / sum(weights.values())
    assert scores.score == pytest.approx(mean * np.prod(list(scores.gates.values()), axis=0))


def test_render_and_simulate_agree(song):
    mixes = [equal_loudness(song), roles(song)]
    simulated = Evaluator(song).evaluate_mixes(mixes)
    rendered = Evaluator(song, fidelity="render").evaluate_mixes(mixes)
    assert rendered.score == pytest.approx(simulated.score, abs=0.02)
    for name, values in rendered.terms.items():
        assert values == pytest.approx(simulated.terms[name], abs=0.08), name


def test_an_unknown_fidelity_is_refused(song):
    with pytest.raises(ValueError, match="fidelity is 'guess'"):
        Evaluator(song, fidelity="guess")


def no_hack_beats_equal_loudness(song: Song) -> None:
    evaluator = Evaluator(song)
    equal = equal_loudness(song)
    base = evaluator.evaluate_mixes([equal]).score[0]
    assert base > 0.5
    for case, mixes in hacked(equal, evaluator.present, np.random.default_rng(1)).items():
        assert (evaluator.evaluate_mixes(mixes).score < base).all(), case


def spoiled_mixes_lose(song: Song) -> None:
    evaluator, mix, rng = Evaluator(song), roles(song), np.random.default_rng(2)
    for kind, spoil in SPOILS.items():
        mixes = [spoil(mix, SIZES["strong"], rng) for _ in range(5)]
        own, *others = evaluator.evaluate_mixes([mix, *mixes]).score
        assert np.mean(np.array(others) < own) >= 0.8, kind


@pytest.mark.parametrize("seed", [0, 7])
def test_the_red_team_loses_and_spoiled_mixes_too(seed):
    with generate_song(seed, 8.0, 44_100) as song:
        no_hack_beats_equal_loudness(song)
        spoiled_mixes_lose(song)


@pytest.mark.slow
@pytest.mark.skipif("MIXGYM_DATA" not in os.environ, reason="needs recorded songs")
@pytest.mark.parametrize("name", ["crunk-demo", "surrender-main", "adaptisound-swing"])
def test_the_red_team_loses_on_recorded_songs(name):
    with read_song(os.path.join(os.environ["MIXGYM_DATA"], "songs", name)) as song:  # noqa: PTH118
        no_hack_beats_equal_loudness(most_active_excerpt(song, 10.0))


def test_a_lone_stem_and_silent_ones_are_scored():
    tone = (0.1 * np.sin(np.arange(5 * 24_000) / 10)).astype(np.float32)
    for arrays in ({"a": tone}, {"a": tone, "b": np.zeros_like(tone)}):
        with Song.from_arrays(arrays, 24_000) as song:
            mix = Mix.neutral(song)
            louder = replace(mix, strips=mix.strips.copy())
            louder.strips[-1, STRIP.index("fader_db")] = 3
            scores = Evaluator(song).evaluate_mixes([mix, louder])
            assert np.isfinite(scores.score).all()
            assert scores.score[0] > 0.2
            if len(arrays) == 2:
                assert scores.score[0] == scores.score[1]
