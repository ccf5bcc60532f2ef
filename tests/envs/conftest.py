"""Short songs at a low rate, kept apart from the user's cache."""

import numpy as np
import pytest

from mixgym.songs import Song
from mixgym.songs.generate import generate_song

RATE, SECONDS = 24_000, 4.0
IDS = ("mixgym/Mixing-v0", "mixgym/MixingLevels-v0", "mixgym/Mastering-v0")


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIXGYM_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def songs():
    """Three songs of 3, 5 and 2 stems; one stem of the second is silent."""
    made = [generate_song(seed, SECONDS, RATE, stems) for seed, stems in ((0, 3), (1, 5), (2, 2))]
    arrays = {stem.name: stem.read(0, stem.frames) for stem in made[1].stems}
    arrays["Nothing"] = np.zeros((1, made[1].frames), np.float32)
    roles = {stem.name: stem.role for stem in made[1].stems}
    made[1] = Song.from_arrays(arrays, RATE, title="demo-1", roles=roles)
    return made


@pytest.fixture
def short(songs):
    """Keyword arguments that make an environment of them."""
    return {"songs": songs, "seconds": SECONDS, "sample_rate": RATE}
