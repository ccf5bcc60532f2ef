"""What settings cost while a policy learns."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mixgym.agents.costs import Costs
from mixgym.errors import MixgymError

FREE = ("fader_db", "pan", "width")
BY_NAME = {"pan": 0.25, "width": 0.5}


def batch(seed: int, songs: int, stems: int, heard: int):
    """Actions and neutral settings, of which `heard` stems of each song sound."""
    rng = np.random.default_rng(seed)
    shape = (songs, stems + 1, 5)
    actions, neutral = (torch.from_numpy(rng.uniform(-1, 1, shape)) for _ in range(2))
    mask = torch.zeros(songs, stems, dtype=actions.dtype)
    mask[:, :heard] = 1.0
    return actions, {"settings": neutral, "mask": mask}


@given(seed=st.integers(0, 100), songs=st.integers(1, 3), stems=st.integers(1, 6), data=st.data())
def test_a_cost_is_the_mean_over_stems_that_sound_of_distances_from_neutral(
    seed, songs, stems, data
):
    heard = data.draw(st.integers(1, stems))
    actions, observations = batch(seed, songs, stems, heard)
    paid = Costs(BY_NAME, FREE).paid(actions, observations)
    distances = (actions - observations["settings"]).abs()[:, :heard]
    expected = 0.25 * distances[..., 1] + 0.5 * distances[..., 2]
    np.testing.assert_allclose(paid, expected.mean(dim=1), rtol=1e-6)


def test_neutral_settings_and_songs_of_no_stems_cost_nothing():
    actions, observations = batch(0, 2, 3, 3)
    costs = Costs(BY_NAME, FREE)
    assert not costs.paid(observations["settings"], observations).any()
    silent = observations | {"mask": torch.zeros(2, 3)}
    assert not costs.paid(actions, silent).any()


def test_where_nothing_costs_tracks_need_no_mask():
    track = torch.ones(4, 44)
    assert not Costs({}, ()).paid(track, {"settings": -track}).any()


@pytest.mark.parametrize("free", [FREE, ()])
def test_a_cost_of_no_free_setting_is_refused(free):
    with pytest.raises(MixgymError, match=r"gradient\.costs: 'pam' is no free setting"):
        Costs({"pam": 0.1}, free)
