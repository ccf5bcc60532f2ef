"""Weights in files: those that come along, and what half the bits lose."""

import json
from pathlib import Path

import numpy as np
import pytest

import mixgym
from mixgym.agents.load import load_policy
from mixgym.agents.weights import read_weights, save_weights
from mixgym.console.mix import Mix
from mixgym.errors import MixgymError
from mixgym.rewards import Evaluator, load_reward
from mixgym.songs.generate import generate_song

WEIGHTS = Path(mixgym.__file__).parent / "experiments" / "weights"


@pytest.mark.parametrize("name", ["mixing", "mixing_small", "mixing_sparing", "mastering"])
def test_the_policies_that_come_along_are_small_and_hold_numbers_alone(name):
    path = WEIGHTS / f"{name}.npz"
    assert path.stat().st_size < 1_000_000
    arrays, about = read_weights(path)
    assert "balanced" in about.styles
    assert all(array.dtype == np.float32 for array in arrays.values())


@pytest.mark.parametrize("name", ["mixing", "mixing_small", "mixing_sparing"])
def test_mixing_policies_beat_equal_loudness(name):
    mixer, reward = load_policy(WEIGHTS / f"{name}.npz"), load_reward()
    gains = []
    for seed in range(4):
        with generate_song(seed, 10.0, stems=4 + 2 * seed) as song:
            evaluator = Evaluator(song, reward)
            neutral = Mix.neutral(song)
            gains.append(np.diff(evaluator.evaluate_mixes([neutral, mixer(song, reward)]).score))
    assert np.mean(gains) > 0.02


def test_half_the_bits_are_read_as_all_of_them(tmp_path):
    arrays, about = read_weights(WEIGHTS / "mastering.npz")
    half = tmp_path / "half.npz"
    save_weights(half, {name: array.astype(np.float16) for name, array in arrays.items()}, about)
    assert half.stat().st_size < 0.6 * (WEIGHTS / "mastering.npz").stat().st_size
    read, same = read_weights(half)
    assert same == about
    for name, array in arrays.items():
        np.testing.assert_allclose(read[name], array, rtol=1e-3, atol=1e-4)


def changed(tmp_path, **updates):
    """The small policy with something else said of it."""
    with np.load(WEIGHTS / "mixing_small.npz") as data:
        arrays = dict(data)
    about = json.loads(str(arrays.pop("about")))
    sizes = about["sizes"] | updates.pop("sizes", {})
    path = tmp_path / "odd.npz"
    np.savez(path, about=np.array(json.dumps(about | updates | {"sizes": sizes})), **arrays)
    return path


@pytest.mark.parametrize(
    ("updates", "words"),
    [
        ({"sizes": {"stem": 77}}, "other sizes"),
        ({"sizes": {"strip": 1}}, "other sizes"),
        ({"sizes": {"width": 2048, "blocks": 32}}, "do not fit"),
        ({"gains": {"balanced": float("nan")}}, "holds no policy of this version"),
    ],
    ids=["features", "parameters", "a network of gigabytes", "a gain that is no number"],
)
def test_weights_of_another_network_than_they_say(updates, words, tmp_path):
    with pytest.raises(MixgymError, match=rf"odd\.npz .*{words}"):
        load_policy(changed(tmp_path, **updates))


def test_a_damaged_file(tmp_path):
    path = tmp_path / "odd.npz"
    data = bytearray((WEIGHTS / "mixing_small.npz").read_bytes())
    data[data.find(b"PK\x01\x02") + 8] |= 1  # encrypted, it says
    path.write_bytes(data)
    with pytest.raises(MixgymError, match=r"odd\.npz holds no policy"):
        read_weights(path)
