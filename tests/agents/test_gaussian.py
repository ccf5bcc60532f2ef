"""The masked Gaussian against the closed form, on the cells that are there."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from mixgym.agents.gaussian import MaskedGaussian, held


def made(seed, batch=3, rows=4, columns=5):
    torch.manual_seed(seed)
    mean = torch.randn(batch, rows, columns)
    log_std = torch.randn(rows, columns) * 0.5
    return MaskedGaussian(mean, log_std, torch.rand(batch, rows, columns) > 0.4)


@given(st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
def test_density_and_entropy_are_those_of_the_cells_that_are_there(seed):
    distribution = made(seed)
    actions = torch.randn(3, 4, 5)
    for i in range(3):
        cells = distribution.cells[i]
        normal = norm(distribution.mean[i][cells], distribution.log_std.exp()[cells])
        expected = normal.logpdf(actions[i][cells]).sum()
        assert distribution.log_prob(actions)[i].item() == pytest.approx(expected, abs=1e-4)
        assert distribution.entropy()[i].item() == pytest.approx(normal.entropy().sum(), abs=1e-4)


def test_samples_have_the_mean_and_deviation_that_they_should():
    mean, log_std = torch.full((20_000, 1, 2), 0.3), torch.log(torch.tensor([[0.1, 0.4]]))
    torch.manual_seed(0)
    drawn = MaskedGaussian(mean, log_std, torch.ones(1, dtype=torch.bool)).sample()
    np.testing.assert_allclose(drawn.mean(dim=0)[0], 0.3, atol=0.02)
    np.testing.assert_allclose(drawn.std(dim=0)[0], [0.1, 0.4], rtol=0.03)


def test_cells_that_are_not_there_are_zero_and_get_no_gradient():
    distribution = made(1)
    distribution.mean.requires_grad_()
    assert not distribution.sample()[~distribution.cells].any()
    assert not distribution.mode()[~distribution.cells].any()
    distribution.log_prob(torch.randn(3, 4, 5)).sum().backward()
    assert not distribution.mean.grad[~distribution.cells].any()
    assert distribution.mean.grad[distribution.cells].all()


@pytest.mark.parametrize(
    ("value", "wanted", "moves"), [(1.5, 2.0, 0), (1.5, 0.0, 1), (-1.5, -2.0, 0), (0.5, 2.0, 1)]
)
def test_what_is_outside_of_the_range_can_only_come_back(value, wanted, moves):
    raw = torch.tensor([value], requires_grad=True)
    (held(raw) - wanted).square().sum().backward()
    assert held(raw).item() == min(max(value, -1.0), 1.0)
    assert bool(raw.grad.any()) == bool(moves)
