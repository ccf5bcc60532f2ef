"""Spaces of free settings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixgym.console.parameters import BUSES, MASTER, STRIP
from mixgym.console.space import CHAIN_PARAMETERS, LEVEL_PARAMETERS, Space
from mixgym.errors import MixgymError

SPACES = [
    Space(),
    Space(LEVEL_PARAMETERS, (), ()),
    Space((), (), CHAIN_PARAMETERS),
    Space(("fader_db", "eq_on", "bell_1_db"), ("reverb_size",), ("saturation_on",)),
]


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(SPACES), st.integers(1, 5), st.integers(0, 1000))
def test_encode_and_decode_are_inverse(space: Space, stems: int, seed: int) -> None:
    genomes = np.random.default_rng(seed).uniform(-1, 1, (3, space.genes(stems)))
    mixes = space.decode(genomes, stems)
    again = space.decode(space.encode(*mixes), stems)
    for one, other in zip(mixes, again, strict=True):
        assert np.allclose(one, other, rtol=1e-9)


@pytest.mark.parametrize("space", SPACES)
def test_only_what_is_free_moves(space: Space) -> None:
    genomes = np.random.default_rng(0).uniform(-1, 1, (8, space.genes(2)))
    tables = (STRIP, BUSES, MASTER)
    free = (space.strip, space.buses, space.master)
    for table, names, values in zip(tables, free, space.decode(genomes, 2), strict=True):
        spread = np.ptp(values.reshape(-1, len(table)), axis=0)
        assert {table.names[i] for i in np.flatnonzero(spread > 0)} == set(names)


def test_at_rest_what_is_free_is_switched_on_and_does_nothing() -> None:
    strips, _, master = Space().decode(Space().rest(2)[None], 2)
    strip = STRIP.settings(strips[0, 1])
    assert strip["eq_on"] == strip["compressor_on"] == strip["high_pass_on"] == 1
    assert strip["bell_1_db"] == pytest.approx(0)
    assert strip["compressor_ratio"] == pytest.approx(1)
    assert strip["reverb_send_db"] == -60
    settings_ = MASTER.settings(master[0])
    assert settings_["bus_compressor_on"] == 1
    assert settings_["bus_compressor_ratio"] == pytest.approx(1)
    assert settings_["multiband_on"] == 0


def test_what_is_switched_off_stays_at_rest() -> None:
    space = Space()
    strips = np.tile(STRIP.vector({"compressor_ratio": 5, "bell_1_db": 6, "eq_on": 1}), (1, 2, 1))
    genomes = space.encode(strips, BUSES.defaults[None], MASTER.defaults[None])
    strip = STRIP.settings(space.decode(genomes, 2)[0][0, 0])
    assert strip["compressor_ratio"] == pytest.approx(1)
    assert strip["bell_1_db"] == pytest.approx(6)


def test_what_is_not_free_comes_from_the_mix_around() -> None:
    space = Space(("fader_db", "bell_1_db"), (), ())
    strips = np.tile(STRIP.vector({"pan": 0.3, "bell_1_hz": 900}), (2, 1))
    master = MASTER.vector({"target_lufs": -9})
    genomes = np.zeros((4, space.genes(2)))
    found = space.decode(genomes, 2, (strips, BUSES.defaults, master))
    strip = STRIP.settings(found[0][3, 1])
    assert (strip["pan"], strip["bell_1_hz"], strip["fader_db"]) == (0.3, 900, -6)
    assert strip["eq_on"] == 1
    assert found[2][0, MASTER.index("target_lufs")] == -9


def test_blocks_share_out_all_genes() -> None:
    space = Space()
    blocks = space.blocks(3)
    assert sorted(gene for block in blocks for gene in block) == list(range(space.genes(3)))
    assert len(blocks) == 3 * len({STRIP[name].processor for name in space.strip}) + 3


def test_samples_follow_the_priors() -> None:
    space = Space(("fader_db",), (), ())
    genomes = space.sample(np.random.default_rng(1), 4000, 1)
    faders = space.decode(genomes, 1)[0][:, 0, STRIP.index("fader_db")]
    assert faders.mean() == pytest.approx(-2, abs=0.5)
    assert space.spread(1) == pytest.approx([0.3])


def test_refusals() -> None:
    with pytest.raises(MixgymError, match="no parameter 'fadr'"):
        Space(("fadr",))
    with pytest.raises(MixgymError, match="at least one"):
        Space((), (), ())
    with pytest.raises(ValueError, match=r"not \(mixes, "):
        Space().decode(np.zeros((2, 3)), 2)
