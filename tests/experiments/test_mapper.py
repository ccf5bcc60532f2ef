"""Mappers: the same results from one process, several, and a cluster, whatever gets lost."""

import sys

import pytest

from mixgym.console.rules import equal_loudness, roles
from mixgym.errors import MixgymError
from mixgym.experiments.arena.pieces import Piece, open_piece
from mixgym.experiments.mapper import ATTEMPTS, make_mapper
from mixgym.experiments.mapper_evaluator import MappedEvaluator
from mixgym.rewards import Evaluator
from mixgym.songs.generate import generate_song, write_song

WORK = """
import os
import time
from pathlib import Path

from mixgym.errors import MixgymError


def square(number):
    return number * number


def refuse_3(number):
    if number == 3:
        raise MixgymError("3 is refused; give another.")
    return number


def die_first(task):
    folder, number = task
    try:
        (Path(folder) / str(number)).touch(exist_ok=False)
    except FileExistsError:
        return number * number
    if number % 4 == 1:
        os._exit(9)
    return number * number


def die(number):
    os._exit(9)


def square_on_a_cluster(task):
    import ray

    folder, doomed, number = Path(task[0]), task[1], task[2]
    if ray.get_runtime_context().get_node_id() == doomed:
        (folder / f"begun {number}").touch()
        time.sleep(600)
    while not list(folder.iterdir()):
        time.sleep(0.05)
    (folder / f"done {number}").touch()
    return number * number
"""


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A module that other processes find too."""
    (tmp_path / "mapper_work.py").write_text(WORK)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))  # read by the nodes of a cluster
    import mapper_work

    yield mapper_work
    del sys.modules["mapper_work"]


@pytest.fixture
def marks(tmp_path):
    (tmp_path / "marks").mkdir()
    return tmp_path / "marks"


@pytest.mark.parametrize("name", ["inline", "processes:2"])
def test_every_chunk_comes_back_once_with_its_index(work, name):
    with make_mapper(name) as mapper:
        results = list(mapper.map(work.square, range(9)))
        again = dict(mapper.map(work.square, [7]))
        nothing = list(mapper.map(work.square, []))
    assert sorted(results) == [(n, n * n) for n in range(9)]
    assert again == {0: 49}
    assert nothing == []


@pytest.mark.parametrize("name", ["inline", "processes:2"])
def test_a_refusal_reaches_the_caller_as_it_is(work, name):
    with (
        make_mapper(name) as mapper,
        pytest.raises(MixgymError, match=r"^3 is refused; give another\.$"),
    ):
        list(mapper.map(work.refuse_3, range(6)))


def test_the_chunk_of_a_lost_process_is_done_again(work, marks):
    tasks = [(str(marks), number) for number in range(6)]
    with make_mapper("processes:2") as mapper:
        results = list(mapper.map(work.die_first, tasks))
    assert sorted(results) == [(n, n * n) for n in range(6)]


def test_a_chunk_that_kills_whoever_takes_it_is_given_up(work):
    with (
        make_mapper("processes:1") as mapper,
        pytest.raises(MixgymError, match=f"lost {ATTEMPTS} times.*fewer at work"),
    ):
        list(mapper.map(work.die, [1]))


@pytest.mark.parametrize("name", ["threads", "processes:0", "processes:x", "inline:2", ""])
def test_unknown_mappers_are_refused(name):
    with pytest.raises(MixgymError, match="There is no mapper"):
        make_mapper(name)


@pytest.mark.parametrize("mapper", ["inline", "processes:2"])
def test_a_population_shared_out_scores_as_in_one_place(tmp_path, monkeypatch, mapper):
    monkeypatch.setenv("MIXGYM_CACHE", str(tmp_path / "cache"))
    with generate_song(1, 5.0, 24_000, stems=3) as song:
        write_song(song, tmp_path / "song")
    piece = Piece(
        song="song", artist=None, split="train", excerpt=0, folder=tmp_path / "song",
        start_s=0.5, seconds=4.0,
    )  # fmt: skip
    excerpt = open_piece(piece)
    mixes = [equal_loudness(excerpt), roles(excerpt), equal_loudness(excerpt).with_strip(
        excerpt.stems[0].name, fader_db=6.0
    )]  # fmt: skip
    with make_mapper(mapper) as workers:
        for fidelity in ("simulate", "render"):
            shared = MappedEvaluator(workers, piece, fidelity=fidelity)
            scores = shared.evaluate_mixes(mixes)
            expected = Evaluator(excerpt, fidelity=fidelity).evaluate_mixes(mixes)
            assert scores.score.tolist() == expected.score.tolist()
            assert shared.evaluations == 3
    assert len(set(scores.score.tolist())) == 3


@pytest.mark.slow
def test_a_cluster_that_loses_a_node_half_way_does_all_of_it(work, marks, cluster):
    ray_cluster, other = cluster
    tasks = [(str(marks), other.node_id, number) for number in range(8)]
    results = []
    with make_mapper(f"ray:{ray_cluster.address}") as mapper:
        assert mapper.workers == 2
        for result in mapper.map(work.square_on_a_cluster, tasks):
            results.append(result)
            if len(results) == 3:
                ray_cluster.remove_node(other, allow_graceful=False)
        with pytest.raises(MixgymError, match="3 is refused"):
            list(mapper.map(work.refuse_3, range(6)))
    assert sorted(results) == [(n, n * n) for n in range(8)]
    begun = {mark.name.split()[1] for mark in marks.glob("begun *")}
    assert begun  # on the node that was lost
    assert begun <= {mark.name.split()[1] for mark in marks.glob("done *")}
