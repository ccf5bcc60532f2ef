"""Panning and width."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixgym.console.pan import pan_matrix

PAN, WIDTH = st.floats(-1, 1), st.floats(0, 1.5)


@given(pan=PAN, width=WIDTH, gain=st.floats(0.01, 4))
def test_a_mono_stem_keeps_its_power_wherever_it_is(pan: float, width: float, gain: float) -> None:
    matrix = pan_matrix(pan, width, 1, gain)
    assert matrix.shape == (2, 1)
    assert matrix.dtype == np.float32
    assert (matrix >= -1e-7).all()
    assert float(np.square(matrix, dtype=np.float64).sum()) == pytest.approx(gain**2, rel=1e-6)


@given(pan=PAN)
def test_a_balanced_stereo_stem_keeps_the_power_of_its_channels(pan: float) -> None:
    matrix = pan_matrix(pan, 1.0, 2)
    assert float(np.square(matrix, dtype=np.float64).sum()) == pytest.approx(2, rel=1e-6)


@pytest.mark.parametrize("channels", [1, 2])
@given(pan=PAN, width=WIDTH)
def test_mirrored_pan_is_mirrored_sound(channels: int, pan: float, width: float) -> None:
    mirrored = pan_matrix(-pan, width, channels)[::-1, ::-1]
    np.testing.assert_allclose(pan_matrix(pan, width, channels), mirrored, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 2])
@given(width=WIDTH)
def test_hard_pan_silences_the_other_side(channels: int, width: float) -> None:
    left, right = pan_matrix(-1, width, channels), pan_matrix(1, width, channels)
    assert np.abs(left[1]).max() < 1e-7
    assert np.abs(right[0]).max() < 1e-7
    assert np.abs(left[0]).max() > 0.7


def test_the_centre_leaves_a_stereo_stem_as_it_is() -> None:
    np.testing.assert_allclose(pan_matrix(0, 1, 2), np.eye(2), atol=1e-7)


def test_the_centre_of_a_mono_stem_is_3_db_down_on_either_side() -> None:
    np.testing.assert_allclose(pan_matrix(0, 1, 1), math.sqrt(0.5), rtol=1e-6)


@given(width=WIDTH)
def test_width_scales_the_side_and_leaves_the_mid(width: float) -> None:
    matrix = pan_matrix(0, width, 2)
    np.testing.assert_allclose(matrix @ [1, 1], [1, 1], atol=1e-6)
    np.testing.assert_allclose(matrix @ [1, -1], [width, -width], atol=1e-6)


@given(pan=PAN)
def test_no_width_is_mono_before_it_is_balanced(pan: float) -> None:
    matrix = pan_matrix(pan, 0, 2)
    np.testing.assert_allclose(matrix[:, 0], matrix[:, 1], atol=1e-7)
