"""The track-set network: what the order and the number of stems, and absent ones, may change."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mixgym.agents.network import Sizes, TrackSetNetwork, look

SIZES = Sizes(stem=7, mix=5, strip=3, bus=4, width=16, blocks=2, heads=2, encoder="features")
CLOSE = {"rtol": 1e-4, "atol": 1e-5}
seeds = st.integers(0, 2**31)
counts = st.integers(2, 64)


def network(seed, sizes=SIZES):
    """With heads that say something."""
    torch.manual_seed(seed)
    made = TrackSetNetwork(sizes)
    for weights in made.parameters():
        torch.nn.init.normal_(weights, std=0.3)
    return made.eval()


def observed(batch, stems, sizes=SIZES, columns=4):
    rows = stems + (sizes.bus > 0)
    return {
        "stems": torch.randn(batch, stems, sizes.stem),
        "mask": torch.ones(batch, stems),
        "mix": torch.randn(batch, sizes.mix),
        "settings": torch.rand(batch, rows, columns) * 2 - 1,
    }


def reordered(seen, order):
    """The same stems in another order."""
    rows = torch.cat((order, torch.tensor([len(order)])))
    return {
        "stems": seen["stems"][:, order],
        "mask": seen["mask"][:, order],
        "mix": seen["mix"],
        "settings": seen["settings"][:, rows],
    }


@given(seeds, counts)
@settings(max_examples=25, deadline=None)
def test_the_order_of_stems_changes_the_order_of_rows_alone(seed, stems):
    made = network(seed)
    seen = observed(2, stems)
    seen["mask"][:, 1::3] = 0.0
    order = torch.randperm(stems)
    with torch.no_grad():
        mean, cells, value = look(made, seen, True)
        turned, turned_cells, turned_value = look(made, reordered(seen, order), True)
    torch.testing.assert_close(turned[:, :stems], mean[:, order], **CLOSE)
    torch.testing.assert_close(turned[:, stems], mean[:, stems], **CLOSE)
    torch.testing.assert_close(turned_value, value, **CLOSE)
    assert torch.equal(turned_cells[:, :stems], cells[:, order])


@given(seeds, counts, st.integers(1, 8))
@settings(max_examples=25, deadline=None)
def test_rows_of_absent_stems_change_nothing_whatever_they_hold(seed, stems, more):
    made = network(seed)
    seen = observed(2, stems + more)
    seen["mask"][:, stems:] = 0.0
    other = {name: values.clone() for name, values in seen.items()}
    other["stems"][:, stems:] = 1e6
    other["settings"][:, stems:-1] = -1.0
    rows = [*range(stems), stems + more]
    fewer = {
        "stems": seen["stems"][:, :stems],
        "mask": seen["mask"][:, :stems],
        "mix": seen["mix"],
        "settings": seen["settings"][:, rows],
    }
    with torch.no_grad():
        mean, cells, value = look(made, seen, False)
        mean_of_other, _, value_of_other = look(made, other, False)
        mean_of_fewer, cells_of_fewer, value_of_fewer = look(made, fewer, False)
    assert torch.equal(mean_of_other, mean) and torch.equal(value_of_other, value)
    torch.testing.assert_close(mean_of_fewer, mean[:, rows], **CLOSE)
    torch.testing.assert_close(value_of_fewer, value, **CLOSE)
    assert torch.equal(cells_of_fewer, cells[:, rows])
    assert not cells[:, stems:-1].any()


def test_songs_of_a_batch_know_nothing_of_one_another():
    made = network(0)
    seen = observed(3, 6)
    seen["mask"][1, 2:] = 0.0
    alone = {name: values[1:2] for name, values in seen.items()}
    with torch.no_grad():
        together, _, values = look(made, seen, True)
        mean, _, value = look(made, alone, True)
    torch.testing.assert_close(together[1:2], mean, **CLOSE)
    torch.testing.assert_close(values[1:2], value, **CLOSE)


def test_one_stem_hears_of_the_others():
    made = network(1)
    seen = observed(1, 3)
    other = {name: values.clone() for name, values in seen.items()}
    other["stems"][:, 2] += 1.0
    with torch.no_grad():
        assert not torch.allclose(
            look(made, seen, True).mean[:, 0], look(made, other, True).mean[:, 0]
        )


@pytest.mark.parametrize("absolute", [True, False])
def test_before_training_settings_stay_where_they_are(absolute):
    seen = observed(2, 5)
    mean, cells, value = look(TrackSetNetwork(SIZES), seen, absolute)
    expected = seen["settings"] if absolute else torch.zeros_like(mean)
    assert torch.equal(mean[cells], expected[cells])
    assert not value.any()


def test_cells_are_the_parameters_of_stems_that_sound_and_of_buses():
    sizes = SIZES.model_copy(update={"strip": 4, "bus": 2})
    seen = observed(1, 3, sizes)
    seen["mask"][0, 1] = 0.0
    cells = look(TrackSetNetwork(sizes), seen, True).cells[0]
    assert cells.int().tolist() == [[1, 1, 1, 1], [0, 0, 0, 0], [1, 1, 1, 1], [1, 1, 0, 0]]


def test_a_console_without_buses_has_no_row_for_them():
    sizes = SIZES.model_copy(update={"bus": 0})
    seen = observed(2, 3, sizes, columns=3)
    assert look(TrackSetNetwork(sizes), seen, True).mean.shape == (2, 3, 3)
