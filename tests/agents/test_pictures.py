"""Pictures of stems, encoders that look at them, and training with these."""

import numpy as np
import pytest
import torch
import yaml

from mixgym.agents.encoders import ENCODERS, PICTURED
from mixgym.agents.load import TrainedPolicy
from mixgym.agents.network import Seen, Sizes, TrackSetNetwork
from mixgym.agents.pictures import BANDS, FLOOR_DB, FRAMES, UNIT_DB, _resampled, picture
from mixgym.agents.settings import read_settings
from mixgym.console.analysis import analyse
from mixgym.rewards import load_reward
from mixgym.songs import Song, read_song

RATE = 24_000


def shown(signals, seconds=4.0):
    arrays = {str(i): np.asarray(s, np.float32)[None] for i, s in enumerate(signals)}
    return picture(analyse(Song.from_arrays(arrays, RATE)))


def test_a_picture_shows_where_and_when_and_no_level():
    time = np.arange(4 * RATE) / RATE
    low, high = (0.1 * np.sin(2 * np.pi * hz * time) for hz in (80, 6000))
    low, high = low * (time < 2), high * (time >= 2)
    images = shown([low + high, 0.01 * (low + high), np.zeros_like(low), low])
    assert images.shape == (4, BANDS, FRAMES)
    np.testing.assert_allclose(images[0], images[1], atol=1e-3)
    assert (images[2] == FLOOR_DB / UNIT_DB).all()
    first, second = images[0][:, : FRAMES // 2 - 2], images[0][:, FRAMES // 2 + 2 :]
    assert first.max(axis=1).argmax() < second.max(axis=1).argmax()
    assert images[3][:, FRAMES // 2 + 2 :].max() < images[3][:, : FRAMES // 2].max() - 1.0


@pytest.mark.parametrize("length", [40, 64, 100, 7])
def test_resampling_keeps_the_mean(length):
    values = np.random.default_rng(0).uniform(0, 1, (3, length))
    small = _resampled(values, 64, axis=1)
    assert small.shape == (3, 64)
    np.testing.assert_allclose(small.mean(axis=1), values.mean(axis=1))
    np.testing.assert_allclose(_resampled(values.T, length, axis=0), values.T)


@pytest.mark.parametrize("encoder", sorted(ENCODERS))
def test_mixes_depend_on_pictures_and_not_on_the_order_of_stems(encoder):
    sizes = Sizes(stem=6, mix=5, strip=3, bus=2, width=16, blocks=1, heads=2, encoder=encoder)
    torch.manual_seed(0)
    network = TrackSetNetwork(sizes)
    torch.nn.init.normal_(network.strip_head.weight)
    pictures = torch.randn(2, 4, BANDS, FRAMES) if encoder in PICTURED else None
    mask = torch.tensor([[1.0, 1, 1, 0], [1, 1, 0, 0]])
    seen = Seen(
        torch.randn(2, 4, 6), mask, torch.randn(2, 5), torch.randn(2, 4, 3), torch.randn(2, 2),
        pictures,
    )  # fmt: skip
    order = torch.tensor([2, 0, 3, 1])

    def moved(values):
        return None if values is None else values[:, order]

    other = seen._replace(
        stems=moved(seen.stems), mask=mask[:, order], strips=moved(seen.strips),
        pictures=moved(pictures),
    )  # fmt: skip
    answer = network(seen)
    torch.testing.assert_close(network(other).strips, answer.strips[:, order])
    torch.testing.assert_close(network(other).value, answer.value)
    if pictures is None:
        return
    changed = pictures.clone()
    changed[:, 3] += 1.0  # absent
    torch.testing.assert_close(network(seen._replace(pictures=changed)), answer)
    changed[:, 1] += 1.0
    assert not torch.allclose(network(seen._replace(pictures=changed)).strips, answer.strips)


@pytest.mark.parametrize(
    ("algorithm", "encoder"),
    [("gradient", "spectrogram"), ("gradient", "recurrent"), ("cloning", "spectrogram")],
)
def test_a_run_with_pictures_goes_on_and_leaves_a_mixer(
    songs, short_run, tmp_path, goes_on, weights_of, algorithm, encoder
):
    adam = {"batch_size": 3, "learning_rate": 0.01, "warm_up_steps": 6}
    values = {
        **short_run,
        "algorithm": algorithm,
        "environment": {**short_run["environment"], "id": "mixgym/MixingLevels-v0"},
        algorithm: adam | ({"evaluations": 40} if algorithm == "cloning" else {}),
        "policy": {"width": 16, "blocks": 1, "encoder": encoder},
        "validation": {**short_run["validation"], "rendered": 1},
        "total_steps": 12,
    }
    path = tmp_path / "run.yaml"
    path.write_text(yaml.safe_dump(values))
    assert goes_on(read_settings(path), 2).steps == 6
    assert any("picture" in name for name in weights_of(tmp_path / "whole/last.npz"))
    policy = TrainedPolicy(tmp_path / "whole/last.npz")
    with read_song(sorted(songs[1].iterdir())[0]) as song:
        assert policy.mix(song, load_reward()).strips.shape[0] == 5


def test_environments_show_no_pictures(config, refused, tmp_path):
    path = config({"policy": {"encoder": "spectrogram"}})
    refused("train", path, "--out", tmp_path / "run", words=["policy.encoder", "spectrogram"])
