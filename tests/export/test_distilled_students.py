"""What students keep of their teachers' gain, and what pruning takes away."""

from pathlib import Path

import numpy as np
import pytest
import torch

from mixgym.agents.load import read_network
from mixgym.agents.network import Seen
from mixgym.agents.run_folder import LAST
from mixgym.errors import MixgymError
from mixgym.experiments.distilled import legs_of, prune_heads, prune_weights
from mixgym.export.kept import Comparison

TRAIN = Path(__file__).parents[2] / "experiments" / "train"


def comparison(student, teachers, groups):
    titles = tuple(f"excerpt {i}" for i in range(len(groups)))
    styles = tuple(f"style {i}" for i in range(len(student)))
    names = tuple(f"teacher {i}" for i in range(len(teachers)))
    student, teachers = np.array(student), np.array(teachers)
    return Comparison(titles, np.array(groups), styles, student, names, teachers)


def test_what_is_kept_is_a_share_of_the_best_teachers_gain():
    teachers = [[[0.2, 0.1], [0.2, 0.1]], [[0.0, 0.3], [0.0, 0.3]]]
    found = comparison([[0.1, 0.2], [0.3, 0.0]], teachers, [0, 1])
    assert found.best.tolist() == [[0.2, 0.3], [0.2, 0.3]]
    assert found.kept().share == pytest.approx(0.6)
    assert found.kept(["style 1"]).share == pytest.approx(0.3 / 0.5)
    assert found.kept(teacher="teacher 0").share == pytest.approx(1.0)


def test_the_interval_is_as_wide_as_songs_differ_and_no_wider():
    rng = np.random.default_rng(0)
    theirs = rng.uniform(0.05, 0.1, (1, 1, 60))
    even = comparison(0.9 * theirs[0], theirs, list(range(60))).kept()
    assert even == pytest.approx((0.9, 0.9, 0.9))
    ours = theirs[0] * rng.uniform(0.5, 1.1, (1, 60))
    apart = comparison(ours, theirs, list(range(60))).kept()
    assert apart.low < apart.share < apart.high < apart.low + 0.2
    few = comparison(ours, theirs, [i // 20 for i in range(60)]).kept()
    three = (values.reshape(-1, 3, 20).sum(axis=2) for values in (ours, theirs[0]))
    summed, best = three
    assert few == pytest.approx(comparison(summed, best[None], [0, 1, 2]).kept())
    assert few.share == pytest.approx(apart.share)
    assert few.high - few.low != pytest.approx(apart.high - apart.low, rel=0.1)
    assert str(apart) == f"{apart.share:.1%} ({apart.low:.1%} to {apart.high:.1%})"


def test_a_leg_begins_where_the_one_before_it_ended(monkeypatch, tmp_path):
    for name in ("MIXGYM_SET", "MIXGYM_TEACHER"):
        monkeypatch.setenv(name, str(tmp_path / name))
    further = [TRAIN / "mixing_further.yaml"] * 2
    legs = legs_of(TRAIN / "mixing_distilled.yaml", further, tmp_path, 48)
    folders = legs.folders(tmp_path)
    assert len({*folders}) == 3
    assert [leg.start for leg in (legs.first, *legs.further)] == [
        None,
        *(folder / LAST for folder in folders[:2]),
    ]
    assert {leg.policy.width for leg in (legs.first, *legs.further)} == {48}


def test_what_comes_first_is_a_distillation(monkeypatch, tmp_path):
    monkeypatch.setenv("MIXGYM_SET", str(tmp_path))
    with pytest.raises(MixgymError, match=r"mixing_further\.yaml.*distillation"):
        legs_of(TRAIN / "mixing_further.yaml", (), tmp_path, 48)


@pytest.fixture(scope="module")
def network(policy_weights):
    return read_network(policy_weights())[0]


def heard(network):
    """What it says of some songs, in one row."""
    sizes, draw = network.sizes, torch.Generator().manual_seed(0)

    def some(*shape):
        return torch.randn(shape, generator=draw)

    stems, mix = some(4, 5, sizes.stem), some(4, sizes.mix)
    seen = Seen(stems, torch.ones(4, 5), mix, some(4, 5, sizes.strip), some(4, sizes.bus))
    with torch.inference_mode():
        answer = network(seen)
    return torch.cat((answer.strips.flatten(), answer.buses.flatten()))


def test_pruning_takes_the_smallest_weights(network):
    before = torch.cat([p.abs().flatten() for p in network.parameters() if p.dim() > 1])
    pruned = prune_weights(network, 0.5)
    after = torch.cat([p.abs().flatten() for p in pruned.parameters() if p.dim() > 1])
    assert float((after == 0.0).float().mean()) >= 0.5
    assert after[after > 0].min() >= before[after == 0].max()
    assert torch.equal(heard(prune_weights(network, 0.0)), heard(network))


def test_heads_are_silenced_one_by_one(network):
    apart = [
        float((heard(prune_heads(network, share)) - heard(network)).norm())
        for share in (0.0, 0.25, 1.0)
    ]
    assert apart[0] == 0.0 < apart[1] < apart[2]
    silent = prune_heads(network, 1.0)
    for block in silent.blocks:
        assert not block.joined.weight.any()
