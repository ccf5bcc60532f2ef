"""Studies that are stopped: that they go on to the same trials, wherever it was."""

import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from mixgym.experiments.arena.pieces import Piece
from mixgym.experiments.mapper import InlineMapper
from mixgym.experiments.tuning.searchers import TunedSearch
from mixgym.experiments.tuning.settings import SearchTuning

optuna = pytest.importorskip("optuna", reason="needs the extra `search`")

from mixgym.experiments.tuning import searchers, storage, study  # noqa: E402


class Killed(BaseException):
    """What ends a study in this process."""


def synthetic(tuning, threads, piece, seed, options):
    """A gain with its best at swap 0.7, and noise of its own for every seed and song."""
    noise = np.random.default_rng((seed, piece.excerpt)).normal(0, 0.3)
    drawn = int(1e9 * options["swap"])
    noise += np.random.default_rng((seed, piece.excerpt, drawn)).normal(0, 0.01)
    return noise - (options["swap"] - 0.7) ** 2 - 0.01 * options["blocks"]


def run_synthetic(folder, trials, tuning, *, dies_after=None):
    """Trials of a study with synthetic gains."""
    place = storage.Place("synthetic", folder / "synthetic.journal")
    pieces = tuple(
        Piece(song="s", artist=None, split="train", excerpt=i, folder=folder, start_s=i, seconds=4)
        for i in range(3)
    )
    left = [dies_after]

    def dying(*given):
        if left[0] is not None:
            left[0] -= 1
            if left[0] < 0:
                raise Killed
        return synthetic(*given)

    tunable = TunedSearch(tuning, pieces)
    defaults = tunable.defaults()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(searchers, "search_gain", dying)
        with storage.kept(place):
            found = study.run_study(
                place, tunable, defaults, trials, InlineMapper(), lambda what, share: None
            )
    return [(t.user_attrs, t.state, t.value, t.params, dict(t.intermediate_values)) for t in found]


@pytest.fixture(scope="module")
def tuning(study_values):
    """A study with synthetic gains, of four seeds."""
    return SearchTuning.model_validate(study_values | {"songs": ["nowhere"], "seeds": 4})


@pytest.fixture(scope="module")
def whole(tuning, tmp_path_factory):
    """Trials of a synthetic study that nothing stopped."""
    return run_synthetic(tmp_path_factory.mktemp("whole"), 14, tuning)


@limits(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(deaths=st.lists(st.integers(0, 60), min_size=1, max_size=3))
def test_a_study_goes_on_wherever_it_was_stopped(whole, tuning, deaths):
    with tempfile.TemporaryDirectory() as folder:
        for death in deaths:
            try:
                run_synthetic(Path(folder), 14, tuning, dies_after=death)
            except Killed:
                continue
        assert run_synthetic(Path(folder), 14, tuning) == whole


def test_trials_depend_on_the_seed_and_bad_ones_are_stopped(whole, tuning, tmp_path):
    states = [state for _, state, *_ in whole]
    assert states[0] == optuna.trial.TrialState.COMPLETE
    assert optuna.trial.TrialState.PRUNED in states
    other = run_synthetic(tmp_path, 14, tuning.model_copy(update={"sampler_seed": 1}))
    assert other[0] == whole[0]
    assert other[1:] != whole[1:]


def test_a_study_grows_by_what_is_new(whole, tuning, tmp_path):
    few = run_synthetic(tmp_path, 5, tuning)
    assert few == whole[:5]
    assert run_synthetic(tmp_path, 14, tuning) == whole
    assert run_synthetic(tmp_path, 3, tuning) == whole


def test_a_half_written_line_is_cut_off(whole, tuning, tmp_path):
    run_synthetic(tmp_path, 5, tuning)
    journal = tmp_path / "synthetic.journal"
    with journal.open("ab") as file:
        file.write(b'{"op_code":8,"worker_id":"x","tri')
    Path(f"{journal}.lock").touch()  # of a process that was killed while it wrote
    started = time.monotonic()
    assert run_synthetic(tmp_path, 14, tuning) == whole
    assert time.monotonic() - started < 20


def test_a_full_disk_ends_in_a_sentence_and_is_gone_on_from(whole, tuning, tmp_path):
    resource = pytest.importorskip("resource", reason="needs limits on the size of files")
    run_synthetic(tmp_path, 3, tuning)
    journal = tmp_path / "synthetic.journal"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (journal.stat().st_size + 1000, hard))
    try:
        with pytest.raises(storage.MixgymError, match=r"disk of .* is full; .* goes on"):
            run_synthetic(tmp_path, 14, tuning)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not journal.read_bytes().endswith(b"\n")
    assert run_synthetic(tmp_path, 14, tuning) == whole
