"""How much of a stem the others cover."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mixgym.console.masking import masked_share, spreading
from mixgym.console.meters.spectrum import third_octave_centres

CENTRES_HZ = tuple(third_octave_centres(48_000).tolist())
BANDS = len(CENTRES_HZ)
POWERS = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 5), st.just(BANDS)),
    elements=st.one_of(st.just(0.0), st.floats(np.float32(1e-9), 10.0, width=32)),
)


def test_shares_by_hand():
    powers = np.array([[1.0, 0.0, 1.0], [0.0, 2.0, 3.0], [0.0, 0.0, 0.0]], dtype=np.float32)
    assert masked_share(powers) == pytest.approx([(0.0 + 0.75) / 2, (3 * 0.25) / 5, 0.0])


def test_a_band_reaches_further_up_than_down():
    spread = spreading(CENTRES_HZ)
    tone = np.zeros((2, BANDS), dtype=np.float32)
    middle = BANDS // 2
    covered = {}
    for step in (-2, 2):
        tone[:] = 0
        tone[0, middle] = 1.0
        tone[1, middle + step] = 1e-3
        covered[step] = masked_share(tone, spread)[1]
    assert covered[2] > covered[-2]
    assert masked_share(tone)[1] == 0.0


def test_the_slopes_are_those_of_the_cochlea():
    """Between neighbours a Bark apart, 10 dB up and 25 dB down."""
    bark = np.arange(2.0, 20.0)
    hz = tuple((1960 * bark / (26.81 - bark)).tolist())
    up, down = spreading(hz)
    assert up[1:] == pytest.approx(10**-1.0, rel=1e-4)
    assert down[:-1] == pytest.approx(10**-2.5, rel=1e-4)
    assert up[0] == down[-1] == 0.0


@settings(max_examples=50, deadline=None)
@given(POWERS)
def test_shares_are_shares_and_spreading_only_adds(powers):
    plain, spread = masked_share(powers), masked_share(powers, spreading(CENTRES_HZ))
    for shares in (plain, spread):
        assert ((shares >= 0) & (shares <= 1 + 1e-6)).all()
    if len(powers) == 1:
        assert spread == pytest.approx(0.0, abs=1e-5)
    assert (spread >= plain - 1e-3).all()


@settings(max_examples=30, deadline=None)
@given(POWERS, st.integers(1, 9), st.integers(1, 3))
def test_silent_stems_and_the_batch_change_no_bit(powers, silent, mixes):
    spread = spreading(CENTRES_HZ)
    alone = masked_share(powers, spread)
    padded = np.concatenate([powers, np.zeros((silent, BANDS), dtype=np.float32)])
    batch = masked_share(np.stack([padded] * mixes), spread)
    assert np.array_equal(batch[:, : len(powers)], np.stack([alone] * mixes))
    assert (batch[:, len(powers) :] == 0).all()
