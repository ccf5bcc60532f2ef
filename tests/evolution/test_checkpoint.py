"""Checkpoints: exact, whole at any time, and refused where they do not belong."""

import io
import zipfile
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from mixgym.console.mix import Budget
from mixgym.errors import MixgymError
from mixgym.evolution.checkpoint import load_checkpoint, save_checkpoint
from mixgym.evolution.mixers import SEARCHERS, search_excerpt
from mixgym.evolution.search import Progress
from mixgym.evolution.searcher import Outcome
from mixgym.rewards import load_reward
from mixgym.songs.generate import generate_song


@pytest.fixture(scope="module")
def song():
    with generate_song(1, 4.0, 22_050, 4) as made:
        yield made


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("MIXGYM_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


def outcomes(*sizes: int) -> list[Outcome]:
    rng = np.random.default_rng(0)
    return [Outcome(rng.random(n), rng.random((n, 4)), rng.random((n, 3))) for n in sizes]


def same(one: Outcome, other: Outcome) -> bool:
    return all(
        np.array_equal(getattr(one, field.name), getattr(other, field.name))
        for field in fields(Outcome)
    )


def test_comes_back_bit_for_bit(tmp_path: Path) -> None:
    told = outcomes(32, 32, 7)
    save_checkpoint(tmp_path / "c.npz", "me", told)
    again = load_checkpoint(tmp_path / "c.npz", "me")
    assert all(same(one, other) for one, other in zip(told, again, strict=True))
    assert [path.name for path in tmp_path.iterdir()] == ["c.npz"]


def test_a_failed_write_leaves_the_old_one(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "c.npz"
    save_checkpoint(path, "me", outcomes(3))

    def fail(file, **arrays):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(OSError, match="No space"):
        save_checkpoint(path, "me", outcomes(3, 3))
    assert len(load_checkpoint(path, "me")) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["c.npz"]


def stop_at(evaluations: int):
    def watch(progress: Progress) -> None:
        if progress.evaluations >= evaluations:
            raise KeyboardInterrupt

    return watch


@pytest.mark.parametrize("name", SEARCHERS)
def test_an_ended_search_goes_on_to_the_same_result(song, tmp_path: Path, name: str) -> None:
    if name == "map_elites":
        pytest.importorskip("ribs")
    whole = search_excerpt(song, name, Budget(400), seed=4, refine=2)
    path = tmp_path / "c.npz"
    part = search_excerpt(
        song, name, Budget(400), seed=4, refine=2, checkpoint=path, on_batch=stop_at(100)
    )
    assert part.found.interrupted and 100 <= part.found.evaluations < 200
    rest = search_excerpt(song, name, Budget(400), seed=4, refine=2, resume=path)
    assert np.array_equal(rest.mix.strips, whole.mix.strips)
    assert np.array_equal(rest.mix.master, whole.mix.master)
    assert np.array_equal(rest.found.best, whole.found.best)
    assert np.array_equal(rest.found.curve, whole.found.curve)
    assert (rest.simulated, rest.heard) == (whole.simulated, whole.heard)
    assert rest.evaluations < whole.evaluations - 80


def test_a_larger_budget_goes_on_from_a_finished_search(song, tmp_path: Path) -> None:
    """The last batch of the smaller search was cut; what it lacks is tried, nothing twice."""
    whole = search_excerpt(song, "ga", Budget(500))
    path = tmp_path / "c.npz"
    search_excerpt(song, "ga", Budget(300), checkpoint=path)
    rest = search_excerpt(song, "ga", Budget(500), resume=path)
    assert np.array_equal(rest.found.best, whole.found.best)
    assert np.array_equal(rest.found.scores, whole.found.scores)


@pytest.mark.parametrize(
    "change", [{"seed": 5}, {"population": 16}, {"reward": load_reward("bright")}]
)
def test_another_search_is_refused(song, tmp_path: Path, change) -> None:
    path = tmp_path / "c.npz"
    search_excerpt(song, "ga", Budget(100), checkpoint=path)
    with pytest.raises(MixgymError, match="belongs to another search"):
        search_excerpt(song, "ga", Budget(100), resume=path, **change)


def archive(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


GOOD = {
    "format": np.array("mixgym-search-1"),
    "identity": np.array("me"),
    "batches": np.array([2, 1]),
    "score": np.zeros(3),
    "objectives": np.zeros((3, 4)),
    "measures": np.zeros((3, 3)),
}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no checkpoint"),
        (b"PK\x03\x04 and rubbish", "no checkpoint"),
        (archive(**GOOD)[:-40], "no checkpoint"),
        (archive(score=np.zeros(3)), "no checkpoint"),
        (archive(**GOOD | {"format": np.array("mixgym-search-9")}), "this version"),
        (archive(**GOOD | {"batches": np.array([5])}), "damaged"),
        (archive(**GOOD | {"batches": np.array([4, -1])}), "damaged"),
        (archive(**GOOD | {"batches": np.array([], dtype=np.int64)}), "damaged"),
        (archive(**GOOD | {"score": np.full(3, np.nan)}), "damaged"),
        (archive(**GOOD | {"score": np.zeros(3, np.float32)}), "damaged"),
        (archive(**GOOD | {"measures": np.zeros(3)}), "damaged"),
        (archive(**GOOD | {"score": np.array([{}, 1, 2], dtype=object)}), "no checkpoint"),
    ],
)
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "c.npz"
    path.write_bytes(content)
    with pytest.raises(MixgymError, match=words):
        load_checkpoint(path, "me")


def test_a_bomb_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "c.npz"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made,
        made.open("score.npy", "w", force_zip64=True) as file,
    ):
        for _ in range(51):
            file.write(bytes(10_000_000))
    assert path.stat().st_size < 1_000_000
    with pytest.raises(MixgymError, match="larger than"):
        load_checkpoint(path, "me")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MixgymError, match=r"nowhere\.npz cannot be read"):
        load_checkpoint(tmp_path / "nowhere.npz", "me")
