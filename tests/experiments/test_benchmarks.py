"""The benchmarks on songs of a few seconds."""

import importlib.util
import json
import statistics
import tempfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mixgym.errors import MixgymError
from mixgym.experiments import bench_render as render_module
from mixgym.experiments.bench_mastering import METRICS, bench_mastering, draw_pairs, find_tracks
from mixgym.experiments.bench_render import bench_render
from mixgym.experiments.cost import Cost, median_cost, run_apart
from mixgym.experiments.independent import integrated_lufs, true_peak_dbtp
from mixgym.experiments.long_stems import check_space, write_long_stems
from mixgym.experiments.machine import describe_machine
from mixgym.experiments.tables import print_table
from mixgym.songs.generate import generate_song, write_song

TINY_MINUTES = 0.1
needs_matchering = pytest.mark.skipif(
    importlib.util.find_spec("matchering") is None,
    reason="matchering is a benchmark-only dependency: pip install mixgym[bench]",
)
needs_pyloudnorm = pytest.mark.skipif(
    importlib.util.find_spec("pyloudnorm") is None, reason="pyloudnorm is not installed"
)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that this process and its children use for temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def tracks(tmp_path: Path) -> Path:
    folder = tmp_path / "tracks" / "artist"
    folder.mkdir(parents=True)
    for seed, rate in enumerate((44_100, 48_000)):
        with generate_song(seed, 6.0, rate) as song:
            total = np.zeros((2, song.stems[0].frames), dtype=np.float32)
            for stem in song.stems:
                total += stem.read(0, stem.frames)
        soundfile.write(folder / f"{seed}.flac", 0.7 * (total / np.abs(total).max()).T, rate)
    (folder / "licence.txt").write_text("CC0")
    (folder / ".hidden.wav").write_bytes(b"x")
    return folder.parent


@pytest.mark.slow
@needs_pyloudnorm
def test_render_benchmark(temporary: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told: list[tuple[str, float]] = []
    result = bench_render(
        2, TINY_MINUTES, 2, 2, TINY_MINUTES, lambda what, share: told.append((what, share))
    )
    assert list(temporary.iterdir()) == []
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    speed, memory = result["speed"], result["memory"]
    assert speed["seconds"] == statistics.median(speed["all_seconds"])
    assert speed["baseline"]["seconds"] == statistics.median(speed["baseline_all_seconds"])
    assert speed["ratio"] == pytest.approx(speed["baseline"]["seconds"] / speed["seconds"])
    assert speed["realtime_factor"] == pytest.approx(speed["seconds"] / 6.0)
    for figures in (speed, speed["baseline"]):
        assert 0 < figures["seconds"] < figures["process_seconds"]
        assert figures["cpu_seconds"] > 0
        assert 50 < figures["peak_mb"] < 2000
    assert memory["stems"] == 2
    for name, value in (
        ("realtime_factor", speed["realtime_factor"]),
        ("peak_mb", memory["peak_mb"]),
    ):
        goal = result["goals"][name]
        assert goal["value"] == value
        assert goal["met"] == (value <= goal["goal"])
    assert told[-1] == ("Reading memory", 1.0)
    print_table(result)
    shown = capsys.readouterr().out
    assert f"{speed['ratio']:.2f}" in shown
    assert f"{memory['peak_mb']:.0f} MB" in shown


def test_render_benchmark_leaves_nothing_when_a_run_fails(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render_module, "OURS", "run_nothing")
    with pytest.raises(MixgymError, match=r"run_nothing failed: .*No module named"):
        bench_render(1, TINY_MINUTES, 1, 0)
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
@needs_pyloudnorm
@needs_matchering
def test_mastering_benchmark(
    tracks: Path, temporary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = bench_mastering(tracks, 2, 0)
    assert list(temporary.iterdir()) == []
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert len(result["pairs"]) == 2
    assert {pair["track"] for pair in result["pairs"]} == {"artist/0.flac", "artist/1.flac"}
    for who in ("ours", "matchering"):
        assert tuple(result[who]) == METRICS
        for metric in METRICS:
            values = [pair[who][metric] for pair in result["pairs"]]
            assert result[who][metric]["median"] == statistics.median(values)
            assert result[who][metric]["worst"] == max(values)
    assert tuple(result["ahead"]) == METRICS
    for pair in result["pairs"]:
        assert pair["track"] != pair["reference"]
        assert pair["ours"]["loudness_error_lu"] < 0.1
        assert pair["ours"]["other_true_peak_dbtp"] <= -1.0 + 0.05
    assert result["largest_meter_difference"]["loudness_lu"] < 0.1
    print_table(result)
    assert "matchering" in capsys.readouterr().out


def test_mastering_benchmark_says_what_to_install(
    tracks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, package=None: None if name == "matchering" else find(name, package),
    )
    with pytest.raises(MixgymError, match=r"needs matchering: .*mixgym\[bench\]"):
        bench_mastering(tracks)


def test_tracks_are_found_without_papers_and_hidden_files(tracks: Path, tmp_path: Path) -> None:
    assert [path.name for path in find_tracks(tracks)] == ["0.flac", "1.flac"]
    with pytest.raises(MixgymError, match="not a folder"):
        find_tracks(tmp_path / "nowhere")
    (tracks / "artist" / "1.flac").unlink()
    with pytest.raises(MixgymError, match="holds 1 track"):
        find_tracks(tracks)


def test_pairs_are_different_and_follow_the_seed() -> None:
    tracks = [Path(str(number)) for number in range(5)]
    every = draw_pairs(tracks, 1000, 3)
    assert len(every) == len(set(every)) == 20
    assert all(track != reference for track, reference in every)
    assert draw_pairs(tracks, 6, 3) == every[:6]
    assert draw_pairs(tracks, 6, 4) != every[:6]


def test_long_stems_differ_and_do_not_repeat(tmp_path: Path) -> None:
    write_long_stems(tmp_path / "stems", 2, 26.0)
    audio = []
    for path in sorted((tmp_path / "stems").iterdir()):
        info = soundfile.info(path)
        assert (info.samplerate, info.channels, info.subtype) == (48_000, 2, "PCM_24")
        assert info.frames == 26 * 48_000
        audio.append(soundfile.read(path)[0])
    assert not np.allclose(audio[0], audio[1])
    loop = 12 * 48_000
    for stem in audio:
        assert np.abs(stem).max() > 0.01
        assert not np.allclose(stem[:loop], stem[loop : 2 * loop], rtol=0.01, atol=1e-3)


def test_too_little_space_is_said_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(MixgymError, match=r"GB free .* TMPDIR"):
        check_space(tmp_path, 64, 1e9)


def test_cost_is_read_from_a_process_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "burn.py").write_text(
        "import sys, time\n"
        "from mixgym.experiments.cost import report\n"
        "def work():\n"
        "    held = bytearray(200_000_000)\n"
        "    held[::4096] = b'1' * len(held[::4096])\n"
        "    time.sleep(float(sys.argv[1]))\n"
        "print('chatter')\n"
        "report(work)\n"
    )
    monkeypatch.chdir(tmp_path)
    held = bytearray(400_000_000)
    held[::4096] = b"1" * len(held[::4096])
    cost = run_apart("burn", 0.2)
    assert 0.2 <= cost.seconds < cost.process_seconds
    assert cost.cpu_seconds < cost.process_seconds
    assert 200 < cost.peak_mb < 300
    del held


def test_medians_are_taken_figure_by_figure() -> None:
    costs = [Cost(1, 2, 9, 100), Cost(3, 4, 5, 300), Cost(2, 9, 7, 200)]
    assert median_cost(costs) == Cost(2, 4, 7, 200)


def test_machine_is_described() -> None:
    machine = describe_machine()
    assert machine["cpu"]
    assert machine["cores"] >= 1
    assert machine["libraries"]["numpy"] == np.__version__
    json.dumps(machine, allow_nan=False)


class TestIndependentMeters:
    def test_a_sine_between_samples(self, tmp_path: Path) -> None:
        rate, frames = 48_000, 600_000
        phase = np.pi / 4 + np.pi / 2 * np.arange(frames)
        ramp = np.minimum(1, np.arange(frames) / 4800)
        sine = 0.5 * np.sin(phase) * ramp * ramp[::-1]
        soundfile.write(tmp_path / "sine.wav", np.stack([sine, sine], 1), rate, subtype="FLOAT")
        assert true_peak_dbtp(tmp_path / "sine.wav") == pytest.approx(-6.02, abs=0.02)

    @needs_pyloudnorm
    def test_loudness_of_a_sine(self, tmp_path: Path) -> None:
        time_s = np.arange(480_000) / 48_000
        sine = 0.1 * np.sin(2 * np.pi * 997 * time_s)
        soundfile.write(tmp_path / "sine.wav", np.stack([sine, sine], 1), 48_000, subtype="FLOAT")
        assert integrated_lufs(tmp_path / "sine.wav") == pytest.approx(-20.0, abs=0.1)


def test_every_song_of_a_folder_is_mixed_to_target(mixgym, tmp_path: Path) -> None:
    for seed in (1, 2):
        with generate_song(seed, 6.0) as song:
            write_song(song, tmp_path / f"song-{seed}")
    ran = mixgym("bench", "songs", "--songs", tmp_path, "--json")
    assert ran.status == 0, ran.err
    result = json.loads(ran.out)
    assert set(result["songs"]) == {"song-1", "song-2"}
    for row in result["songs"].values():
        assert abs(row["loudness_error_lu"]) <= 0.15  # pyloudnorm's own filters read 0.04 LU apart
        assert row["true_peak_dbtp"] <= -0.95
        assert row["on_target"]
    worst = max(abs(row["loudness_error_lu"]) for row in result["songs"].values())
    assert result["overall"]["loudness_error_lu"]["worst"] == worst


def test_songs_that_are_not_there(mixgym, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        ran = mixgym("bench", "songs", "--songs", folder)
        assert ran.status == 2
        assert str(folder) in ran.err
