"""Mixes of several songs as one batch; features of mixes."""

import numpy as np
import pytest

from mixgym.console.analysis import analyse
from mixgym.console.parameters import BUSES, MASTER, STRIP
from mixgym.console.styles import STYLES
from mixgym.rewards import features
from mixgym.rewards.batch import BatchEvaluator
from mixgym.rewards.evaluator import Evaluator
from mixgym.rewards.listeners import SimulatedSong
from mixgym.rewards.reward import load_reward
from mixgym.rewards.scene import role_indices
from mixgym.rewards.terms import TERMS
from mixgym.songs import ROLES, Song
from mixgym.songs.generate import generate_song

RATE, STEMS = 24_000, 6


@pytest.fixture(scope="module")
def songs():
    return [generate_song(seed, 4.0, RATE, stems) for seed, stems in ((0, 2), (1, 6), (2, 4))]


@pytest.fixture(scope="module")
def listeners(songs):
    return [SimulatedSong(analyse(song), role_indices(song)) for song in songs]


def drawn(count, seed=0):
    """Random mixes with room for `STEMS` stems."""
    rng = np.random.default_rng(seed)
    return (
        STRIP.sample(rng, (count, STEMS)),
        BUSES.sample(rng, (count,)),
        MASTER.sample(rng, (count,)),
    )


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_batch_scores_what_the_evaluator_scores(songs, listeners, threads, monkeypatch, tmp_path):
    monkeypatch.setenv("MIXGYM_CACHE", str(tmp_path))
    which = [0, 1, 2, 1, 0, 2, 2]
    strips, buses, master = drawn(len(which))
    evaluator = BatchEvaluator(load_reward(), STEMS, threads)
    scores, facts = evaluator.evaluate([listeners[i] for i in which], strips, buses, master)
    assert evaluator.evaluations == len(which)
    assert facts.scene.present.sum(axis=1).tolist() == [2, 6, 4, 6, 2, 4, 4]
    for row, number in enumerate(which):
        song, one = songs[number], slice(row, row + 1)
        stems = len(song.stems)
        alone = Evaluator(song).evaluate(strips[one, :stems], buses[one], master[one])
        assert scores.score[row] == alone.score[0]
        for name, term in scores.terms.items():
            assert term[row] == alone.terms[name][0], name
        for name, gate in scores.gates.items():
            assert gate[row] == alone.gates[name][0], name


def test_reading_is_not_counted(listeners):
    evaluator = BatchEvaluator(load_reward(), STEMS)
    readings = evaluator.read([listeners[0]] * 2, *drawn(2))
    assert evaluator.evaluations == 0
    assert np.isinf(readings.stem_lufs[:, 2:]).all()
    assert not readings.stem_powers[:, 2:].any()


def test_features_do_not_depend_on_the_batch(listeners):
    reward = load_reward()
    strips, buses, master = drawn(3)
    evaluator = BatchEvaluator(reward, STEMS)
    scores, facts = evaluator.evaluate(listeners, strips, buses, master)
    stems, mix = features.stem_state(facts), features.mix_state(facts, scores, reward)
    assert stems.shape == (3, STEMS, features.size(features.STEM_IN_MIX))
    assert mix.shape == (3, features.size(features.MIX))
    for i in range(3):
        one = slice(i, i + 1)
        alone, about = evaluator.evaluate([listeners[i]], strips[one], buses[one], master[one])
        np.testing.assert_array_equal(features.stem_state(about)[0], stems[i])
        np.testing.assert_array_equal(features.mix_state(about, alone, reward)[0], mix[i])


def named(features_of, vector):
    """A feature vector by name."""
    borders = np.cumsum([feature.size for feature in features_of])[:-1]
    return dict(zip((f.name for f in features_of), np.split(vector, borders), strict=True))


def test_stem_features_say_what_a_stem_is_like():
    rng = np.random.default_rng(0)
    frames = 4 * RATE
    noise = rng.normal(0, 0.1, (2, frames)).astype(np.float32)
    clicks = np.zeros(frames, np.float32)
    clicks[:: RATE // 2] = 0.9
    time = np.arange(frames) / RATE
    half = noise[0] * (time < 2)
    song = Song.from_arrays(
        {
            "Kick": clicks,
            "Pad": noise,
            "Bass": (0.3 * np.sin(2 * np.pi * 60 * time)).astype(np.float32),
            "Strings": np.stack([noise[0], np.zeros_like(half)]),
            "FX": half,
        },
        RATE,
    )
    rows = features.stem_features(analyse(song), role_indices(song))
    assert rows.dtype == np.float32
    assert np.abs(rows).max() <= features.BOUND
    kick, pad, bass, strings, fx = (named(features.STEM, row) for row in rows)
    assert ROLES[int(kick["role"].argmax())] == "kick" and kick["role"].sum() == 1
    assert kick["crest"] > pad["crest"] + 0.5
    assert kick["attack"] > pad["attack"]
    assert bass["spectrum"].argmax() in (2, 3)
    assert pad["width"] == pytest.approx(0.5, abs=0.05)
    assert (kick["width"] == 0).all()
    assert (kick["stereo"], pad["stereo"]) == (-1, 1)
    assert strings["sides"] == pytest.approx(-1, abs=0.01)
    assert pad["activity"] == 1 and fx["activity"] == pytest.approx(0, abs=0.06)


def test_mix_features_say_how_the_mix_reads(listeners):
    reward = load_reward()
    evaluator = BatchEvaluator(reward, STEMS)
    strips = np.tile(STRIP.defaults, (3, STEMS, 1))
    buses, master = np.tile(BUSES.defaults, (3, 1)), np.tile(MASTER.defaults, (3, 1))
    strips[1, 0, STRIP.index("fader_db")] = 12.0
    strips[2, :, STRIP.index("pan")] = 1.0
    scores, facts = evaluator.evaluate([listeners[1]] * 3, strips, buses, master)
    stems = features.stem_state(facts)
    level = stems[:, 0, 0]
    assert level[1] - level[0] == pytest.approx(1.0, abs=0.03)  # 12 dB less what the mean rises
    neutral, _, right = (
        named(features.MIX, row) for row in features.mix_state(facts, scores, reward)
    )
    assert right["side"] > 2.0 and abs(neutral["side"]) < 1.0
    assert right["balance"].mean() > 0.9
    assert neutral["loudness"] == pytest.approx(0, abs=0.02)
    for name, seen in zip(TERMS, neutral["terms"], strict=True):
        term = 2 * scores.terms[name][0] - 1 if name in scores.terms else 0.0
        assert seen == pytest.approx(term, abs=1e-6)
    assert neutral["weights"].sum() == pytest.approx(1, abs=1e-6)


def test_every_style_looks_different_to_a_policy(listeners):
    strips = np.tile(STRIP.defaults, (1, STEMS, 1))
    buses, master = BUSES.defaults[None], MASTER.defaults[None]
    asked = {}
    for style in STYLES:
        reward = load_reward(style)
        scores, facts = BatchEvaluator(reward, STEMS).evaluate(
            [listeners[0]], strips, buses, master
        )
        seen = named(features.MIX, features.mix_state(facts, scores, reward)[0])
        asked[style] = np.hstack([seen["target_lufs"], seen["tilt"], seen["asked"]])
    assert not asked["balanced"].any()
    styles = list(asked)
    for i, style in enumerate(styles):
        for other in styles[:i]:
            assert np.abs(asked[style] - asked[other]).max() > 0.3, (style, other)


def test_tables_name_every_feature():
    for table in (features.TRACK, features.STEM, features.STEM_IN_MIX, features.MIX):
        assert len({feature.name for feature in table}) == len(table)
        assert all(feature.about for feature in table)
    assert features.FEATURE_VERSION == 2
    sizes = [features.size(t) for t in (features.STEM, features.STEM_IN_MIX, features.MIX)]
    assert sizes == [44, 34, 107]  # a change is a new version
