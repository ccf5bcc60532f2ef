"""Policies that master: what they learn from, what they set, and what they make of odd tracks."""

import json

import numpy as np
import pytest
import soundfile
import torch

from mixgym.agents.environments import make_validation
from mixgym.agents.load import TrainedPolicy
from mixgym.agents.settings import read_settings
from mixgym.agents.train import train
from mixgym.agents.twin.genomes import decode
from mixgym.agents.twin.reward import Twin
from mixgym.agents.twin.songs import Songs, join_songs
from mixgym.agents.validation import validate
from mixgym.console.space import CHAIN_PARAMETERS, Space
from mixgym.envs.episodes import Episodes
from mixgym.envs.options import MASTERING, EnvOptions
from mixgym.errors import MixgymError
from mixgym.rewards import Evaluator, load_reward
from mixgym.songs import Song
from mixgym.songs.generate import generate_song

RATE, SECONDS = 24_000, 4.0
FRAMES = round(SECONDS * RATE)


@pytest.fixture(scope="session")
def tracks(tmp_path_factory):
    """Folders of finished tracks to learn from, and to validate on."""
    root = tmp_path_factory.mktemp("tracks")
    for seed in range(6):
        folder = root / ("learned" if seed < 4 else "other")
        folder.mkdir(exist_ok=True)
        with generate_song(seed, SECONDS, RATE, 4) as song:
            total = sum(np.broadcast_to(s.read(0, FRAMES), (2, FRAMES)) for s in song.stems)
        soundfile.write(folder / f"track-{seed}.wav", 0.3 * total.T, RATE)
    return root / "learned", root / "other"


@pytest.fixture
def settings(tracks, arguments):
    """What a tiny run's YAML file holds."""
    return {
        "algorithm": "gradient",
        "environment": {
            "id": "mixgym/Mastering-v0",
            "arguments": arguments | {"songs": str(tracks[0]), "spoiled": 2},
        },
        "gradient": {"batch_size": 4, "learning_rate": 0.01, "warm_up_steps": 8},
        "policy": {"width": 16, "blocks": 1},
        "validation": {"songs": str(tracks[1]), "every": 12, "rendered": 0},
        "total_steps": 24,
        "checkpoint_every": 12,
    }


@pytest.fixture
def trained(config, tmp_path):
    """Settings and weights of a tiny run."""
    settings = read_settings(config())
    train(settings, tmp_path / "run")
    return settings, tmp_path / "run" / "last.npz"


def evaluations(run):
    return [json.loads(line) for line in (run / "evaluations.jsonl").read_text().splitlines()]


# The twin


@pytest.mark.parametrize("style", ["balanced", "loud"])
def test_the_twin_scores_masters_as_the_simulator_does(tracks, style):
    options = EnvOptions(
        songs=tracks[0], spoiled=1, seconds=SECONDS, sample_rate=RATE, reward=style,
        control="absolute", episode_steps=1,
    )  # fmt: skip
    count = 8
    episodes = Episodes(MASTERING, options, count)
    rng = np.random.default_rng(0)

    def begin():
        episodes.begin(np.arange(count), list(range(count)), [None] * count)

    def simulated(actions):
        begin()
        episodes.step(actions)
        return episodes.scores()[0]

    begin()
    rest, neutral = episodes.observe()["settings"], episodes.physical(0)
    heard = [episodes.listener(place) for place in range(count)]
    songs = join_songs([Songs.of(one.analysis, one.roles) for one in heard])
    actions = np.clip(rest + 0.2 * rng.standard_normal(rest.shape), -0.9, 0.9)
    genomes = torch.from_numpy(actions).requires_grad_()
    around = (neutral.strips[0, :1], neutral.buses[0], neutral.master[0])
    score = Twin(episodes.reward)(
        songs, *decode(episodes.space, genomes[:, None], 1, around)
    ).score[:, 0]
    np.testing.assert_allclose(score.detach(), simulated(actions), atol=1e-3)

    score.sum().backward()
    way = rng.standard_normal(rest.shape)
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    step = 3e-3
    slopes = (simulated(actions + step * way) - simulated(actions - step * way)) / (2 * step)
    np.testing.assert_allclose((genomes.grad.numpy() * way).sum(axis=1), slopes, atol=3e-3)
    assert np.abs(slopes).max() > 0.02


# Learning


def tilted(tilt_db, seed):
    """Noise with a loud half and a quiet one, so many decibels per octave steeper than pink."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal((2, FRAMES)))
    hz = np.maximum(np.fft.rfftfreq(FRAMES, 1 / RATE), 30.0)
    noise = np.fft.irfft(spectrum * (hz / 1000) ** (-0.5 + tilt_db / 6.02), FRAMES)
    noise[:, FRAMES // 2 :] *= 0.5
    return 0.05 * noise / noise.std()


def test_it_learns_what_helps_tracks_that_it_never_heard(config, tmp_path):
    for name, tilts_db in (("others", (-1.5, 1.5)), ("learned", np.linspace(-2, 2, 8))):
        (tmp_path / name).mkdir()
        for number, tilt_db in enumerate(tilts_db):
            audio = tilted(tilt_db, 10 * len(tilts_db) + number)
            soundfile.write(tmp_path / name / f"{name}-{number}.wav", audio.T, RATE, "FLOAT")
    (tmp_path / "even.yaml").write_text("terms: {spectrum: {tolerance_db: 1}}")
    shelves = ["master_low_shelf_hz", "master_low_shelf_db", "master_high_shelf_db"]
    changed = {
        "environment": {
            "arguments": {
                "songs": str(tmp_path / "learned"), "spoiled": 0, "master_parameters": shelves,
                "reward": str(tmp_path / "even.yaml"),
            }
        },
        "gradient": {"batch_size": 8, "warm_up_steps": 40},
        "validation": {"songs": str(tmp_path / "others"), "every": 240},
        "total_steps": 240,
    }  # fmt: skip
    train(read_settings(config(changed)), tmp_path / "run")
    before, after = evaluations(tmp_path / "run")[0], evaluations(tmp_path / "run")[-1]
    assert before["gain"] == pytest.approx(0.0, abs=1e-6)
    assert after["gain"] > 0.05 and min(after["gains"].values()) > 0.0


@pytest.mark.parametrize("algorithm", ["gradient", "ppo"])
def test_weights_score_as_they_were_validated(config, settings, tmp_path, algorithm):
    if algorithm == "ppo":
        del settings["gradient"]
        settings["algorithm"] = "ppo"
        settings["environment"] |= {"count": 16, "tries": 4}
        settings["ppo"] = {"n_steps": 2, "batch_size": 16, "n_epochs": 2}
        settings |= {"total_steps": 64, "checkpoint_every": 64}
        settings["validation"]["every"] = 64
    read = read_settings(config())
    train(read, tmp_path / "run")
    said = evaluations(tmp_path / "run")[-1]
    policy = TrainedPolicy(tmp_path / "run" / "last.npz")
    assert (policy.about.strip, policy.about.buses) == ((), ())
    assert policy.about.master == CHAIN_PARAMETERS
    episodes = make_validation(read.environment, read.validation)
    found = validate(episodes, policy.act)
    assert {title: round(song.gain, 6) for title, song in found.items()} == said["gains"]
    assert any(abs(song.gain) > 1e-6 for song in found.values())
    for number, title in enumerate(episodes.repertoire.titles):
        track, reward = episodes.repertoire.song(number), load_reward()
        mix = policy.mix(track, reward)
        score = Evaluator(track, reward).evaluate_mixes([mix]).score[0]
        reached, gain, _ = found[title]
        assert score == pytest.approx(reached - min(gain, 0.0), abs=1e-6)


def test_a_run_that_was_asked_to_end_goes_on_to_the_same_weights(config, goes_on):
    goes_on(read_settings(config()), 2)


def test_weights_of_a_mixer_are_no_start(config, settings, songs, tmp_path):
    mixing = {"environment": {"id": "mixgym/MixingLevels-v0"}, "total_steps": 4}
    settings["environment"]["arguments"] |= {"songs": str(songs[0]), "spoiled": 0}
    settings["validation"]["songs"] = str(songs[1])
    train(read_settings(config(mixing)), tmp_path / "mixing")
    path = config({"environment": {"arguments": {"songs": str(songs[0]), "spoiled": 1}}})
    again = read_settings(path, start=tmp_path / "mixing" / "best.npz")
    with pytest.raises(MixgymError, match="strip parameter"):
        train(again, tmp_path / "run")


# What it sets


def test_a_track_that_would_get_worse_is_left_as_it_came(trained, monkeypatch):
    policy = TrainedPolicy(trained[1])
    monkeypatch.setattr(policy, "act", lambda seen: np.ones_like(seen["settings"]))
    song = track(np.random.default_rng(0).standard_normal((2, FRAMES)))
    nothing_done = Space(strip=(), buses=(), master=CHAIN_PARAMETERS).base[2]
    np.testing.assert_allclose(policy.mix(song, load_reward()).master, nothing_done)


def track(audio):
    return Song.from_arrays({"track": np.asarray(audio, np.float32)}, RATE, title="Odd")


def test_recording_level_does_not_matter(trained):
    policy = TrainedPolicy(trained[1])
    with soundfile.SoundFile(trained[0].validation.songs + "/track-4.wav") as file:
        audio = file.read(dtype="float32").T
    mixes = [policy.mix(track(gain * audio), load_reward()) for gain in (0.03, 1.0, 30.0)]
    for mix in mixes[::2]:
        np.testing.assert_allclose(mix.master, mixes[1].master, rtol=2e-3, atol=1e-3)


@pytest.mark.parametrize("channels", [1, 2])
def test_any_track_that_sounds_is_mastered_within_the_ranges(trained, channels):
    policy, rng = TrainedPolicy(trained[1]), np.random.default_rng(0)
    hum = np.sin(2 * np.pi * 50 * np.arange(FRAMES) / RATE)
    click = np.zeros(FRAMES)
    click[FRAMES // 2] = 1.0
    for audio in (rng.standard_normal(FRAMES), hum, click + 1e-4 * rng.standard_normal(FRAMES)):
        mix = policy.mix(track(np.tile(audio, (channels, 1))), load_reward())
        assert np.isfinite(mix.master).all()
        assert mix.strips.shape[0] == 1 and mix.made_by == "policy last.npz"


def test_what_cannot_be_mastered_is_refused(trained, songs):
    policy = TrainedPolicy(trained[1])
    with pytest.raises(MixgymError, match="'Odd' is silent"):
        policy.mix(track(np.zeros((2, FRAMES))), load_reward())
    stems = Song.from_arrays({"Kick": np.ones((1, FRAMES)), "Bass": np.ones((1, FRAMES))}, RATE)
    with pytest.raises(MixgymError, match=r"masters finished tracks, and .* has 2 stems: mix them"):
        policy.mix(stems, load_reward())
