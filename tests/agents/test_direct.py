"""Learning by gradients through the twin: what it learns, and that it goes on where it ended."""

import json

import numpy as np
import pytest
import torch
import yaml

from mixgym.agents.batches import PER_PASS, Batches
from mixgym.agents.environments import make_one_look, make_validation
from mixgym.agents.load import TrainedPolicy, load_policy
from mixgym.agents.settings import Environment, GradientSettings, Validation, read_settings
from mixgym.agents.thinned import VARIANTS, Shares, Thinned, folded
from mixgym.agents.train import train
from mixgym.agents.validation import validate
from mixgym.agents.weights import read_weights
from mixgym.console.analysis import analyse
from mixgym.console.mix import Mix
from mixgym.console.parameters import BUSES, MASTER, STRIP
from mixgym.rewards import Evaluator, load_reward
from mixgym.rewards.batch import BatchEvaluator
from mixgym.songs import Song, read_song
from mixgym.songs.generate import generate_song, write_song
from mixgym.songs.roles import ROLES

RATE, SECONDS = 24_000, 4.0  # of the generated songs


@pytest.fixture
def settings(short_run):
    """What a tiny run's YAML file holds."""
    return {
        "algorithm": "gradient",
        **short_run,
        "gradient": {"batch_size": 3, "learning_rate": 0.01, "warm_up_steps": 6, "noise": 0.02},
    }


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def evaluations(run):
    return [json.loads(line) for line in lines(run / "evaluations.jsonl")]


@pytest.mark.slow
def test_it_learns_what_helps_songs_that_it_never_heard(config, tmp_path):
    for seed in range(100, 116):
        with generate_song(seed, SECONDS, RATE, 4 + seed % 3) as song:
            write_song(song, tmp_path / "learned" / f"song-{seed}")
    changed = {
        "environment": {"arguments": {"songs": str(tmp_path / "learned")}},
        "gradient": {"batch_size": 8, "learning_rate": 0.004, "warm_up_steps": 80, "noise": 0.0},
        "policy": {"width": 32},
        "validation": {"every": 160},
        "total_steps": 320,
    }
    run = tmp_path / "run"
    assert train(read_settings(config(changed)), run).gain > 0.02
    assert evaluations(run)[0]["gain"] == pytest.approx(0.0, abs=1e-6)
    gains = [float(line.split(",")[3]) for line in lines(run / "progress.csv")[1:]]
    assert gains[0] == pytest.approx(0.0, abs=1e-3)
    assert np.mean(gains[-4:]) > 0.02


def test_a_run_leaves_what_is_needed_to_know_it(mixgym, config, tmp_path, weights_of):
    run = tmp_path / "run"
    ran = mixgym("train", config({"validation": {"rendered": 1}}), "--out", run, "--json")
    assert ran.status == 0, ran.err
    told = json.loads(ran.out)
    assert told["finished"] and told["steps"] == 18
    assert {"settings.yaml", "run.json", "checkpoint.pt", "best.npz", "last.npz"} <= {
        path.name for path in run.iterdir()
    }
    simulated = [e for e in evaluations(run) if e["fidelity"] == "simulate"]
    assert [e["steps"] for e in simulated] == [0, 6, 12, 18]
    assert told["gain"] == max(e["gain"] for e in simulated)
    progress = lines(run / "progress.csv")
    assert progress[0] == "steps,seconds,score,gain,gradient_norm,learning_rate"
    assert [int(line.split(",")[0]) for line in progress[1:]] == [3, 6, 9, 12, 15, 18]
    about = json.loads(str(weights_of(run / "last.npz")["about"]))
    assert (about["steps"], about["control"], about["episode_steps"]) == (18, "absolute", 1)
    again = mixgym("train", run / "settings.yaml", "--out", run, "--resume", "--quiet")
    assert (again.status, again.out) == (0, "")


def test_a_run_that_was_asked_to_end_goes_on_to_the_same_weights(config, goes_on):
    assert goes_on(read_settings(config()), 3).steps == 9


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_to_the_same_weights(config, goes_on_though_killed):
    goes_on_though_killed(config({"total_steps": 120, "gradient": {"noise": 0.02}}), (4, 11))


def test_weights_score_as_they_were_validated(config, tmp_path, songs):
    settings = read_settings(config({"validation": {"every": 18}}))
    train(settings, tmp_path / "run")
    said = evaluations(tmp_path / "run")[-1]
    path = tmp_path / "run" / "last.npz"
    episodes = make_validation(settings.environment, settings.validation)
    found = validate(episodes, TrainedPolicy(path).act)
    assert {title: round(song.gain, 6) for title, song in found.items()} == said["gains"]
    reward = load_reward()
    with read_song(songs[1] / "song-20") as song:
        mix = load_policy(path)(song, reward)
        score = Evaluator(song, reward).evaluate_mixes([mix]).score[0]
    assert score == pytest.approx(found["song-20"].score, abs=1e-6)


def test_what_costs_is_done_less_and_what_does_not_is_still_done(config, tmp_path, songs):
    moved = [STRIP.index(name) for name in ("pan", "bell_1_db", "fader_db")]
    changed = []
    with read_song(songs[1] / "song-20") as song:
        neutral = Mix.neutral(song).strips
        for run, costs in (("free", {}), ("costly", {"pan": 1.0, "bell_1_db": 1.0})):
            train(
                read_settings(config({"gradient": {"costs": costs}, "total_steps": 60})),
                tmp_path / run,
            )
            mix = load_policy(tmp_path / run / "last.npz")(song, load_reward())
            changed.append(np.abs(mix.strips - neutral)[:, moved].mean(axis=0))
    free, costly = changed
    assert np.all(costly[:2] < free[:2] / 3)
    assert costly[2] > free[2] / 3


def test_the_best_weights_are_those_that_gain_most_less_what_they_pay(config, tmp_path):
    train(read_settings(config({"total_steps": 60})), tmp_path / "free")
    changed = {
        "start": str(tmp_path / "free" / "last.npz"),
        "gradient": {"costs": {"pan": 1.0, "bell_1_db": 1.0}},
        "validation": {"every": 18},
    }
    train(read_settings(config(changed)), tmp_path / "costly")
    rows = evaluations(tmp_path / "costly")
    assert max(rows, key=lambda row: row["gain"])["steps"] == 0
    best = max(rows, key=lambda row: row["gain"] - row["paid"])["steps"]
    assert best > 0
    assert TrainedPolicy(tmp_path / "costly" / "best.npz").about.steps == best


@pytest.mark.parametrize("algorithm", ["ppo", "gradient"])
def test_a_run_begins_with_the_weights_that_it_is_given(
    mixgym, config, settings, tmp_path, algorithm
):
    trained = tmp_path / "first"
    train(read_settings(config({"validation": {"every": 18}})), trained)
    changed = dict(settings)
    if algorithm == "ppo":
        del changed["gradient"]
        changed |= {
            "algorithm": "ppo",
            "environment": {**settings["environment"], "count": 4, "tries": 2},
            "ppo": {"n_steps": 1, "batch_size": 4, "n_epochs": 1},
            "total_steps": 4,
        }
    path = tmp_path / "second.yaml"
    path.write_text(yaml.safe_dump(changed))
    ran = mixgym(
        "train", path, "--from", trained / "last.npz", "--out", tmp_path / "by-option", "--quiet"
    )
    assert ran.status == 0, ran.err
    path.write_text(yaml.safe_dump({**changed, "start": "first/last.npz"}))
    train(read_settings(path), tmp_path / "by-file")
    last = evaluations(trained)[-1]["gains"]
    for run in ("by-option", "by-file"):
        begun = evaluations(tmp_path / run)[0]
        assert begun["steps"] == 0
        assert begun["gains"] == pytest.approx(last, abs=2e-6)
    assert any(last.values())


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"policy": {"width": 32}}, ["first.npz", "sizes of its network"]),
        ({"environment": {"arguments": {"bus_parameters": []}}}, ["bus parameter reverb"]),
        ({"start": "nowhere.npz"}, ["nowhere.npz", "read"]),
    ],
)
def test_weights_that_do_not_fit_are_refused_before_anything_is_written(
    mixgym, config, tmp_path, check_sentence, changed, words
):
    trained = tmp_path / "config" / "first.npz"
    train(read_settings(config({"total_steps": 3})), tmp_path / "first")
    (tmp_path / "first" / "best.npz").rename(trained)
    ran = mixgym("train", config({"start": trained.name, **changed}), "--out", tmp_path / "run")
    assert (ran.status, ran.out) == (2, "")
    check_sentence(ran.err, words)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"ppo": {"gamma": 1.0}}, ["ppo", "not permitted"]),
        ({"mixed_precision": True}, ["mixed_precision"]),
        ({"environment": {"count": 16}}, ["environment.count"]),
        ({"policy": {"initial_std": 0.1}}, ["policy.initial_std"]),
        ({"gradient": {"learning_rat": 3}}, ["gradient.learning_rat"]),
        ({"gradient": {"final_share": 1.5}}, ["gradient.final_share", "1.5"]),
        ({"gradient": {"batch_size": 0}}, ["gradient.batch_size", "0"]),
        ({"gradient": {"thinned": 0.7, "nameless": 0.5}}, ["at most 1 together"]),
        ({"gradient": {"costs": {"pam": 0.1}}}, ["gradient.costs", "pam", "pan"]),
        ({"algorithm": "ppo"}, ["gradient", "not permitted"]),
        ({"algorithm": ["gradient"]}, ["algorithm", "ppo, gradient"]),
        ({"policy": {"heads": 5}}, ["width 16", "heads"]),
        ({"environment": {"arguments": {"control": "delta"}}}, ["control: absolute"]),
        ({"environment": {"arguments": {"episode_steps": 2}}}, ["episode_steps: 1"]),
        ({"environment": {"arguments": {"fidelity": "render"}}}, ["fidelity"]),
        ({"environment": {"arguments": {"max_stems": 2}}}, ["max_stems"]),
        ({"validation": {"songs": None}}, ["learned from and validated on"]),
    ],
)
def test_settings_that_cannot_be_used_are_refused_in_a_sentence(
    config, mixgym, tmp_path, check_sentence, changed, words
):
    ran = mixgym("train", config(changed), "--out", tmp_path / "run")
    assert (ran.status, ran.out) == (2, "")
    check_sentence(ran.err, words)
    assert not (tmp_path / "run").exists()


@pytest.fixture
def of_both(songs, arguments):
    """Make episodes of all songs, which have 4 stems and 5: `of_both(count)`."""
    both = arguments | {"songs": [str(songs[0]), str(songs[1])]}
    return lambda count, **more: make_one_look(Environment(arguments=both | more), count)


def test_batches_depend_on_the_seed_and_their_number_alone(of_both):
    styles = [of_both(PER_PASS)]
    batches = [Batches(styles, 3, seed, torch.device("cpu")) for seed in (0, 0, 1)]
    scores = [
        [np.concatenate([part.scores for part in b.get(number)]) for number in range(7)]
        for b in (batches[0], batches[2])
    ]
    for number in (6, 2):
        again = np.concatenate([part.scores for part in batches[1].get(number)])
        np.testing.assert_array_equal(again, scores[0][number])
    assert not np.array_equal(scores[0], scores[1])
    rounds = np.concatenate(scores[0]).reshape(3, 7)
    for of_all in np.sort(rounds, axis=1):
        assert len(set(of_all)) == 7
        np.testing.assert_array_equal(of_all, np.sort(rounds[0]))


def test_a_run_of_several_styles_learns_each_and_goes_on_where_it_ended(
    of_both, config, goes_on, tmp_path
):
    changed = {"styles": ["balanced", "loud", "loud"], "gradient": {"batch_size": 24}}
    settings = read_settings(config(changed | {"total_steps": 72, "checkpoint_every": 24}))
    goes_on(settings, 2)
    whole = tmp_path / "whole"
    _, about = read_weights(whole / "last.npz")
    assert about.styles == ("balanced", "loud") and set(about.gains) == set(about.styles)
    assert {row["style"] for row in evaluations(whole)} == set(about.styles)
    styles = [of_both(PER_PASS, reward=style) for style in ("balanced", "loud")]
    batches = Batches(styles, 24, 0, torch.device("cpu"))
    assert {part.style for number in range(4) for part in batches.get(number)} == {0, 1}


def read(song):
    return [stem.read(0, song.frames) for stem in song.stems]


def sounding_as(song, audio):
    """The song with other audio for its stems."""
    return Song.from_arrays(
        {stem.name: samples for stem, samples in zip(song.stems, audio, strict=True)},
        song.sample_rate,
        roles={stem.name: stem.role for stem in song.stems},
    )


def test_thinned_songs_score_as_if_they_had_those_stems_alone(of_both):
    thinned = Thinned(of_both(1).repertoire, seed=0)
    count = len(thinned)
    for number in range(count, 3 * count):
        listener = thinned.listener(number)
        kept = np.flatnonzero(listener.present)
        assert 1 <= len(kept) <= 4
        whole = thinned.song(number % count)
        few = Song.from_arrays(
            {whole.stems[i].name: whole.stems[i].read(0, whole.frames) for i in kept},
            whole.sample_rate,
            roles={whole.stems[i].name: whole.stems[i].role for i in kept},
        )
        rng = np.random.default_rng(number)
        strips = STRIP.sample(rng, (1, len(whole.stems)))
        buses, master = BUSES.sample(rng, (1,)), MASTER.sample(rng, (1,))
        scene = BatchEvaluator(load_reward(), len(whole.stems))
        thin, _ = scene.evaluate([listener], strips, buses, master)
        alone = Evaluator(few).evaluate(strips[:, kept], buses, master)
        np.testing.assert_allclose(thin.score, alone.score, atol=0.02)
        assert len(thinned.listener(number % count).roles) == len(whole.stems)


def test_a_batch_holds_as_many_songs_of_each_kind_as_it_is_told(of_both):
    thinned = Thinned(of_both(1).repertoire, seed=0)
    rng, songs = np.random.default_rng(0), np.zeros(4000, dtype=np.int64)
    numbers = thinned.numbers(songs, Shares(0.1, 0.2, 0.3, 0.15), rng)
    kinds = np.where(numbers == 0, -1, (numbers // len(thinned) - 1) // VARIANTS)
    drawn = [float((kinds == kind).mean()) for kind in (-1, 0, 1, 2, 3)]
    np.testing.assert_allclose(drawn, [0.25, 0.1, 0.2, 0.3, 0.15], atol=0.03)
    shares = Shares(thinned=1.0)
    batches = Batches([of_both(PER_PASS)], 16, 0, torch.device("cpu"), shares=shares)
    masks = [mask for part in batches.get(0) for mask in part.observations["mask"].numpy()]
    playing = [int(mask.sum()) for mask in masks]
    assert len(playing) == 16 and set(playing) <= {1, 2, 3, 4} and len(set(playing)) > 1


def test_bursts_score_as_if_the_audio_had_them(of_both):
    """Every stem is cut where the analysis says, and rings no longer."""
    thinned = Thinned(of_both(1).repertoire, seed=0)
    count = len(thinned)
    for number in range((1 + VARIANTS) * count, (3 + VARIANTS) * count):
        burst, song = thinned.listener(number), thinned.song(number % count)
        plays = burst.analysis.fine[:, :2].sum(axis=(1, 2)) > 0
        assert plays.any(axis=1).all() and plays.mean() < 0.7
        assert np.isfinite(burst.analysis.loudness_lufs).all()
        hop = song.sample_rate // 10
        gates = np.repeat(plays, hop, axis=1)[:, : song.frames]
        cut = sounding_as(song, [x * gate for x, gate in zip(read(song), gates, strict=True)])
        rng = np.random.default_rng(number)
        strips = STRIP.sample(rng, (1, len(song.stems)))
        buses, master = BUSES.sample(rng, (1,)), MASTER.sample(rng, (1,))
        scene = BatchEvaluator(load_reward(), len(song.stems))
        burst_score, _ = scene.evaluate([burst], strips, buses, master)
        heard = Evaluator(cut).evaluate(strips, buses, master)
        np.testing.assert_allclose(burst_score.score, heard.score, atol=0.05)
        levels = analyse(cut).loudness_lufs
        np.testing.assert_allclose(burst.analysis.loudness_lufs, levels, atol=1.5)


def test_what_stems_are_may_be_unknown(of_both):
    thinned = Thinned(of_both(1).repertoire, seed=0)
    count, other = len(thinned), ROLES.index("other")
    lost = []
    for variant in range(2 * VARIANTS + 1, 3 * VARIANTS + 1):
        whole, nameless = thinned.listener(0), thinned.listener(variant * count)
        unknown = nameless.roles == other
        np.testing.assert_array_equal(nameless.roles[~unknown], whole.roles[~unknown])
        np.testing.assert_array_equal(nameless.analysis.fine, whole.analysis.fine)
        lost.append(unknown.mean())
    assert max(lost) == 1.0 and min(lost) < 1.0


def test_folded_songs_score_as_if_their_audio_were_mono(of_both):
    thinned = Thinned(of_both(1).repertoire, seed=0)
    count, folds = len(thinned), []
    for variant in range(3 * VARIANTS + 1, 3 * VARIANTS + 5):
        for number in range(variant * count, (variant + 1) * count):
            mono, song = thinned.listener(number), thinned.song(number % count)
            stereo = analyse(song).channels == 2
            if not stereo.any():
                continue
            narrowed = stereo & (mono.analysis.channels == 1)
            folds.append(narrowed[stereo].mean())
            pairs = zip(read(song), narrowed, strict=True)
            fold = sounding_as(
                song, [x.mean(axis=0, keepdims=True) if one else x for x, one in pairs]
            )
            rng = np.random.default_rng(number)
            strips = STRIP.sample(rng, (8, len(song.stems)))
            buses, master = BUSES.sample(rng, (8,)), MASTER.sample(rng, (8,))
            scene = BatchEvaluator(load_reward(), len(song.stems))
            scores, _ = scene.evaluate([mono] * 8, strips, buses, master)
            heard = Evaluator(fold).evaluate(strips, buses, master)
            np.testing.assert_allclose(scores.score, heard.score, atol=0.02)
            ours, true = mono.analysis, analyse(fold)
            np.testing.assert_allclose(ours.loudness_lufs, true.loudness_lufs, atol=0.5)
            peaks = [np.abs(a.samples).max(axis=(1, 2, 3, 4)) for a in (ours, true)]
            np.testing.assert_allclose(*peaks, rtol=0.1)
            slots = [a.slots.mean(axis=(2, 3)) for a in (ours, true)]
            np.testing.assert_allclose(*slots, rtol=0.02, atol=1e-6)
    assert max(folds) == 1.0 and min(folds) < 1.0


@pytest.mark.parametrize("stems", [[True] * 5, [True, True, False, True, False]])
def test_folded_stems_interfere_as_much_as_they_did(stems):
    with generate_song(3, SECONDS, RATE, 5) as song:
        wide = analyse(
            sounding_as(song, [np.stack([x[0], np.roll(x[-1], 100)]) for x in read(song)])
        )

    def coherence(analysis):
        """Of every pair and band, (pairs, bands), on average; a mono stem is on both sides."""
        powers = analysis.slots.sum(axis=2) * np.where(analysis.channels == 1, 2, 1)[:, None, None]
        first, second = analysis.pairs.T
        crosses = analysis.crosses.sum(axis=1)
        return (crosses / np.sqrt(powers[first] * powers[second] + 1e-12)).mean(axis=2)

    mono = folded(wide, np.array(stems))
    np.testing.assert_array_equal(mono.pairs, wide.pairs)
    np.testing.assert_allclose(coherence(mono), coherence(wide), atol=0.002)
    both = np.array(stems)[mono.pairs].all(axis=1)
    left, right = mono.crosses[both].swapaxes(0, 1)
    np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("reward", ["balanced", "loud"])
def test_what_is_not_free_is_as_environments_have_it(songs, arguments, tmp_path, reward):
    """Before anything is learned the twin scores a batch as the environment does."""
    arguments |= {
        "songs": [str(songs[0]), str(songs[1] / "song-20"), str(songs[1] / "song-21")],
        "reward": reward, "max_stems": 7, "shuffle_stems": True,
    }  # fmt: skip
    settings = GradientSettings(
        environment=Environment(id="mixgym/MixingLevels-v0", arguments=arguments),
        gradient={"batch_size": 6},
        policy={"width": 16, "blocks": 1},
        validation=Validation(songs=str(songs[1] / "song-22"), rendered=0).model_dump(),
        total_steps=6,
    )
    train(settings, tmp_path / "run")
    (row,) = lines(tmp_path / "run" / "progress.csv")[1:]
    assert float(row.split(",")[3]) == pytest.approx(0.0, abs=1e-4)
    assert float(row.split(",")[4]) > 0.0
