"""The benchmark of searchers, on songs of a few seconds."""

import json

import numpy as np
import pytest

from mixgym.errors import MixgymError
from mixgym.experiments.bench_search import GOALS, STEMS, bench_search
from mixgym.experiments.tables import print_table
from mixgym.songs.generate import generate_song, write_song


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("songs")
    for seed, stems in enumerate((10, 3)):
        with generate_song(seed, 4.0, 22_050, stems) as song:
            write_song(song, folder / f"song {seed}")
    return folder


def test_goals_and_curves(songs, capsys):
    result = bench_search(songs, 2, 4.0, ("ga", "random"), long=400, short=200)
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert [row["stems"] for row in result["songs"].values()] == [STEMS, 3]
    assert result["marks"] == [100, 200]
    for name, medians in result["searchers"].items():
        assert medians["evaluations"] == sorted(medians["evaluations"]), name
        assert medians["seconds"] == sorted(medians["seconds"]), name
    ga, random = (result["searchers"][name]["evaluations"][-1] for name in ("ga", "random"))
    assert ga > random
    for row in result["songs"].values():
        assert row["start"] < row["long"] <= 1
        assert 0 < row["score_at_2_s"] <= 1
        assert row["evaluations_to_99"] <= 400
    for name, goal in result["goals"].items():
        values = [row[name] for row in result["songs"].values()]
        assert goal["value"] == pytest.approx(np.median(values))
        assert goal["met"] == (goal["value"] >= GOALS[name])
    print_table(result)
    printed = capsys.readouterr().out
    assert "ga" in printed and "song 0" in printed


@pytest.mark.parametrize(
    ("searchers", "words"), [(("ga", "annealing"), "annealing"), (("ga",), "no folders")]
)
def test_refusals(tmp_path, searchers, words):
    with pytest.raises(MixgymError, match=words):
        bench_search(tmp_path, searchers=searchers)
