"""A person's mistake gets one sentence that names the file, never a traceback."""

import errno
import json
import os

import numpy as np
import pytest
import soundfile as sf
from mixgym.errors import MixgymError
from mixgym.songs import read_song
from test_songs_decode import write_aac  # noqa: E402

RATE = 44_100
NOISE = np.random.default_rng(0).uniform(-0.5, 0.5, (50_000, 2))


def refused(paths, *words, **options):
    with pytest.raises(MixgymError) as caught:
        read_song(paths, **options)
    for word in words:
        assert str(word) in str(caught.value)
    assert "\n" not in str(caught.value)
