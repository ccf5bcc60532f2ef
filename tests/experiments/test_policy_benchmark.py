"""The benchmark of policies, on songs of a few seconds."""

import json

import numpy as np
import pytest
import torch

from mixgym.agents.network import Sizes, TrackSetNetwork
from mixgym.agents.weights import About, save_weights, table_digest
from mixgym.console.space import Space
from mixgym.experiments.policy_red_team import CASES, spoiled
from mixgym.experiments.policy_spread import Seen, spread
from mixgym.rewards import features
from mixgym.songs import Song
from mixgym.songs.generate import generate_song, write_song

RATE = 24_000


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("songs")
    for seed in range(3):
        with generate_song(seed, 4.0, RATE, 3) as song:
            write_song(song, folder / f"song {seed}")
    return folder


@pytest.fixture
def policy(tmp_path):
    """A policy that moves everything a little, by what it hears."""
    space = Space()
    torch.manual_seed(0)
    sizes = Sizes(
        stem=features.size(features.STEM) + features.size(features.STEM_IN_MIX),
        mix=features.size(features.MIX) + 1,
        strip=len(space.strip),
        bus=len(space.buses) + len(space.master),
        width=8, blocks=1, heads=2, encoder="features",
    )  # fmt: skip
    network = TrackSetNetwork(sizes)
    for head in (network.strip_head, network.bus_head):
        torch.nn.init.normal_(head.weight, std=0.02)
    about = About(
        strip=space.strip, buses=space.buses, master=space.master, table=table_digest(space),
        sizes=sizes, control="absolute", step_size=0.25, episode_steps=1, styles=("balanced",),
        steps=0,
    )  # fmt: skip
    path = tmp_path / "policy.npz"
    weights = network.state_dict().items()
    save_weights(path, {f"network.{name}": values.numpy() for name, values in weights}, about)
    return path


@pytest.mark.slow
def test_a_policy_is_tried_on_songs_swaps_and_odd_ones(
    mixgym, refused, songs, policy, tmp_path, monkeypatch
):
    monkeypatch.setattr("mixgym.experiments.bench_policy.SIZES", (2, 8))
    out = tmp_path / "policy.json"
    given = ["bench", "policy", policy, "--songs", songs, "--excerpts", 1]
    ran = mixgym(*given, "--split", "all", "--json", out)
    assert ran.status == 0
    assert "Red team" in ran.out and "swaps that lose" in ran.out
    found = json.loads(out.read_text())
    assert len(found["songs"]) == 3
    assert found["gains"]["all"]["songs"] == 3
    low, high = found["gains"]["all"]["over_equal_loudness"]["interval"]
    assert low <= found["gains"]["all"]["over_equal_loudness"]["mean"] <= high
    assert found["gains"]["unknown_roles"]["excerpts"] == 3
    assert found["swaps"]["pairs"] == 6
    assert set(found["red_team"]["cases"]) == set(CASES)
    assert all(len(case) == 3 for case in found["red_team"]["cases"].values())
    rows = [row for case in found["red_team"]["cases"].values() for row in case.values()]
    assert all(row["true_peak_dbtp"] <= -0.95 for row in rows)
    refused(*given, "--split", "nothing", words=["split"])
    refused("bench", "policy", songs / "none.npz", "--songs", songs, words=["none.npz"])


@pytest.mark.parametrize("case", CASES)
def test_odd_songs_keep_their_length_and_differ(case):
    rng = np.random.default_rng(0)
    audio = {name: rng.standard_normal((2, RATE)).astype(np.float32) / 9 for name in ("Kick", "A")}
    song = Song.from_arrays(audio, RATE)
    odd, again = spoiled(song, case, 1), spoiled(song, case, 1)
    assert odd.frames == song.frames
    for one, other in zip(odd.stems, again.stems, strict=True):
        np.testing.assert_array_equal(one.read(0, RATE), other.read(0, RATE))
    same = [stem.name for stem in odd.stems] == list(audio) and all(
        np.array_equal(stem.read(0, RATE), audio[stem.name]) for stem in odd.stems
    )
    assert not same


def test_what_features_explain_is_told_from_what_they_do_not():
    rng = np.random.default_rng(0)
    parameters = len(Space().strip)
    slopes = rng.standard_normal((5, parameters))
    seen = []
    for song in range(12):
        stems = rng.standard_normal((6, 5))
        strips = stems @ slopes
        strips[:, 0] = rng.standard_normal(6)
        seen.append(Seen(str(song), stems, rng.integers(3, size=6), strips))
    rows = spread(seen)
    first, second = Space().strip[:2]
    assert rows[second]["explained"] > 0.8
    assert rows[first]["explained"] < 0.2
    assert rows["all"]["explained_by_role"] < 0.2
    assert rows["all"]["sd"] == pytest.approx(
        np.mean([row["sd"] for n, row in rows.items() if n != "all"])
    )
