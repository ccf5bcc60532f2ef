"""The benchmarks of `simulate`, on songs of a few seconds."""

import importlib.util
import json
import math
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mixgym.errors import MixgymError
from mixgym.experiments import bench_speed as speed_module
from mixgym.experiments.bench_fidelity import MASTER_GOALS, MIX_GOALS, bench_fidelity
from mixgym.experiments.bench_speed import bench_speed
from mixgym.experiments.fidelity import nearness, overall
from mixgym.experiments.tables import print_table
from mixgym.songs.generate import generate_song

needs_pyloudnorm = pytest.mark.skipif(
    importlib.util.find_spec("pyloudnorm") is None, reason="pyloudnorm is not installed"
)


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("songs")
    for seed in range(2):
        (folder / f"song {seed}").mkdir()
        with generate_song(seed, 5.0, 24_000) as song:
            for stem in song.stems[:3]:
                audio = stem.read(0, stem.frames).T
                soundfile.write(folder / f"song {seed}" / f"{stem.name}.wav", audio, 24_000)
    return folder


def test_nearness() -> None:
    reading = nearness([(1.0, 1.5), (2.0, 2.5), (3.0, 3.0), (math.inf, 0.0), (0.0, math.nan)])
    assert reading["mae"] == pytest.approx(1 / 3)
    assert reading["bias"] == pytest.approx(1 / 3)
    assert reading["worst"] == pytest.approx(0.5)
    assert reading["spearman"] == pytest.approx(1.0)
    opposite = [(1.0, 3.0), (2.0, 2.0), (3.0, 1.0)]
    assert nearness(opposite, [(1.0, 1.0), (2.0, 2.0), (3.0, 3.0)])["spearman"] == 0.0
    assert nearness([(1.0, 1.0)] * 5)["spearman"] is None
    assert nearness([]) == {"mae": None, "bias": None, "spearman": None, "worst": None}


def test_overall() -> None:
    songs = [
        {"meter": {"mae": mae, "bias": 0.0, "spearman": rank, "worst": 2 * mae}}
        for mae, rank in ((0.1, 0.9), (0.2, 1.0), (0.6, None))
    ]
    reading = overall(songs, ["meter"])["meter"]
    assert reading["mae"] == pytest.approx(0.3)
    assert reading["spearman_median"] == pytest.approx(0.95)
    assert reading["worst"] == pytest.approx(1.2)


@pytest.mark.slow
def test_fidelity_benchmark(
    songs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[float] = []
    result = bench_fidelity(
        songs, 4, 1, 4.0, tmp_path / "plots", (), lambda what, share: told.append(share)
    )
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert set(result["overall"]) == set(MIX_GOALS)
    assert set(result["songs"]) == {"song 0", "song 1"}
    assert set(result["mastering"]["overall"]) == set(MASTER_GOALS)
    for meter, reading in result["overall"].items():
        each = [song[meter]["mae"] for song in result["songs"].values()]
        assert reading["mae"] == pytest.approx(np.mean(each))
        assert set(reading) == {"mae", "spearman_median", "worst"}
    assert result["overall"]["integrated_lufs"]["mae"] < 0.5
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert {path.name for path in (tmp_path / "plots").iterdir()} == {
        f"{meter}.png" for meter in MIX_GOALS
    }
    print_table(result)
    assert "integrated_lufs" in capsys.readouterr().out


@pytest.mark.slow
@needs_pyloudnorm
def test_speed_benchmark(
    songs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in {
        "STEMS": 3, "SECONDS": 4.0, "BATCH": 4, "SLOW_STEPS": 1, "STEM_COUNTS": (1, 3),
        "LENGTHS_S": (4.0,), "BATCHES": (1, 4),
    }.items():  # fmt: skip
        monkeypatch.setattr(speed_module, name, value)
    result = bench_speed(songs, 1, tmp_path / "plots")
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert result["ratio"] == pytest.approx(result["simulate"] / result["pipeline"])
    assert result["simulate"] > result["render"] > 0
    assert (result["dasp"] is None) == (importlib.util.find_spec("dasp_pytorch") is None)
    assert set(result["scaling"]["stems"]) == {"1", "3"}
    assert (tmp_path / "plots" / "speed.png").exists()
    print_table(result)
    assert f"{result['ratio']:.0f}" in capsys.readouterr().out


@pytest.mark.slow
def test_fidelity_without_a_processor(songs: Path) -> None:
    off = ("high_pass", "eq", "compressor", "reverb_send", "delay_send")
    dry = bench_fidelity(songs, 3, 1, 4.0, off=off)["overall"]
    assert dry["stem_lufs"]["mae"] < 0.05
    with pytest.raises(MixgymError, match="no processor 'flanger'"):
        bench_fidelity(songs, 3, 1, 4.0, off=("flanger",))


@pytest.mark.parametrize("bench", [bench_fidelity, bench_speed])
def test_no_songs(bench: object, tmp_path: Path) -> None:
    assert callable(bench)
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(MixgymError, match="song folders"):
            bench(folder)
