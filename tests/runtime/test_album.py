"""Albums: one loudness for the whole, distances between tracks kept, all files or none."""

import json
import math

import numpy as np
import pytest
import soundfile as sf

from mixgym.console.meters import LoudnessMeter
from mixgym.console.parameters import MASTER
from mixgym.runtime.album_delivery import joined_master
from mixgym.runtime.measuring import measure_file
from mixgym.songs.generate import generate_song, write_song

RATE = 32_000
GAINS_DB = {"First": 0.0, "Second, slow": -9.0, "Third": -4.0}


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("MIXGYM_CACHE", str(tmp_path_factory.mktemp("cache")))


def plain_sum(song):
    total = np.zeros((2, song.frames), np.float32)
    for stem in song.stems:
        total += stem.read(0, song.frames)
    return total


def integrated_lufs(audio, rate):
    meter = LoudnessMeter(rate, 2)
    meter.push(np.ascontiguousarray(audio))
    return meter.integrated_lufs


def as_one_lufs(paths):
    """Loudness of files of one rate, one after another."""
    read = [sf.read(path, dtype="float32") for path in paths]
    assert len({rate for _, rate in read}) == 1
    return integrated_lufs(np.concatenate([audio.T for audio, _ in read], axis=1), read[0][1])


@pytest.fixture(scope="module")
def tracks(tmp_path_factory):
    """Three finished tracks of several lengths and levels."""
    folder = tmp_path_factory.mktemp("tracks")
    paths = []
    for seed, (name, gain_db) in enumerate(GAINS_DB.items(), start=1):
        with generate_song(seed, 4.0 + 2 * seed, RATE, 4) as song:
            audio = plain_sum(song)
        audio *= np.float32(0.5 * 10 ** (gain_db / 20) / np.abs(audio).max())
        paths.append(folder / f"{name}.wav")
        sf.write(paths[-1], audio.T, RATE, subtype="FLOAT")
    return paths


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """Two folders of stems, the second's 10 dB quieter."""
    folder = tmp_path_factory.mktemp("songs")
    paths = []
    for seed, gain in ((4, 1.0), (6, 0.316)):
        with generate_song(seed, 5.0, RATE, 4) as song:
            write_song(song, folder / f"song {seed}")
        paths.append(folder / f"song {seed}")
        for path in paths[-1].glob("*.wav"):
            audio, rate = sf.read(path, dtype="float32")
            sf.write(path, audio * gain, rate, subtype="FLOAT")
    return paths


@pytest.fixture
def album(mixgym, tmp_path):
    """Make an album: `album(command, paths, *options)` gives its JSON and the files."""

    def run(command, paths, *options):
        folder = tmp_path / "album"
        ran = mixgym(command, *paths, "--album", "-o", folder, "--json", *options)
        assert ran.status == 0, ran.err
        made = json.loads(ran.out)
        assert made["folder"] == str(folder)
        files = [folder / f"{track['title']}.wav" for track in made["tracks"]]
        assert [track["audio"] for track in made["tracks"]] == [str(path) for path in files]
        return made, files

    return run


@pytest.mark.parametrize("options", [(), ("--mixer", "rules", "--lufs", "-16")], ids=str)
def test_masters_keep_their_distances(album, tracks, tmp_path, options):
    made, files = album("master", tracks, *options)
    target_lufs = -16 if options else made["target_lufs"]
    assert as_one_lufs(files) == pytest.approx(target_lufs, abs=0.15)
    assert made["loudness_lufs"] == pytest.approx(as_one_lufs(files), abs=0.05)
    before_lufs = as_one_lufs(tracks)
    for path, track, output in zip(tracks, made["tracks"], files, strict=True):
        readings = measure_file(output)
        distance_lu = measure_file(path).integrated_lufs - before_lufs
        assert readings.integrated_lufs - as_one_lufs(files) == pytest.approx(distance_lu, abs=0.2)
        assert track["distance_lu"] == pytest.approx(distance_lu, abs=0.2)
        assert readings.true_peak_dbtp <= -1 + 0.05
    visible = [path.name for path in (tmp_path / "album").iterdir() if path.name[0] != "."]
    assert sorted(visible) == [f"{name}.wav" for name in sorted(GAINS_DB)]
    assert [path.name for path in tmp_path.iterdir()] == ["album"]


def test_where_the_ceiling_allows_no_more_all_come_down(album, tracks):
    made, files = album("master", tracks, "--lufs", "-7", "--true-peak", "-6", "--mixer", "rules")
    assert made["loudness_lufs"] < -8
    assert any("not to -7.0" in note for note in made["notes"])
    distances = [
        measure_file(output).integrated_lufs - measure_file(path).integrated_lufs
        for path, output in zip(tracks, files, strict=True)
    ]
    assert max(distances) - min(distances) <= 0.3
    assert max(measure_file(path).true_peak_dbtp for path in files) <= -6 + 0.05


def test_tracks_of_several_rates_become_one_album(album, tracks, tmp_path):
    audio, _ = sf.read(tracks[1], dtype="float32")
    sf.write(tmp_path / "high.wav", audio, 48_000, subtype="FLOAT")
    paths = [tracks[0], tmp_path / "high.wav"]
    made, files = album("master", paths, "--mixer", "rules")
    assert [sf.info(path).samplerate for path in files] == [RATE, 48_000]
    before, after = (
        [measure_file(path).integrated_lufs for path in group] for group in (paths, files)
    )
    assert after[0] - after[1] == pytest.approx(before[0] - before[1], abs=0.2)
    assert made["loudness_lufs"] == pytest.approx(made["target_lufs"], abs=0.15)


def test_mixes_keep_the_distance_of_their_plain_sums_within_6_lu(album, songs):
    made, files = album("mix", songs)
    assert as_one_lufs(files) == pytest.approx(made["target_lufs"], abs=0.15)
    sums, lufs = [], []
    for path in songs:
        stems = [sf.read(stem, dtype="float32", always_2d=True)[0].T for stem in path.glob("*.wav")]
        sums.append(sum(np.broadcast_to(stem, (2, stem.shape[1])) for stem in stems))
        lufs.append(integrated_lufs(sums[-1], sf.info(next(path.glob("*.wav"))).samplerate))
    rate = sf.info(next(songs[0].glob("*.wav"))).samplerate
    whole = integrated_lufs(np.concatenate(sums, axis=1), rate)
    wanted = [min(max(one - whole, -6.0), 6.0) for one in lufs]
    got = [measure_file(path).integrated_lufs for path in files]
    assert got[0] - got[1] == pytest.approx(wanted[0] - wanted[1], abs=0.2)
    assert max(measure_file(path).true_peak_dbtp for path in files) <= -1 + 0.05
    assert all(track["made_by"] for track in made["tracks"])


def test_the_joined_chain_is_the_mean_of_what_is_on():
    bright = MASTER.vector(
        {"master_eq_on": 1, "master_high_shelf_db": 3, "master_high_shelf_hz": 5000}
    )
    dark = MASTER.vector(
        {"master_eq_on": 1, "master_high_shelf_db": -1, "master_high_shelf_hz": 9800}
    )
    settings = MASTER.settings(joined_master([bright, dark], [1, 1]))
    assert settings["master_high_shelf_db"] == pytest.approx(1)
    assert settings["master_high_shelf_hz"] == pytest.approx(math.sqrt(5000 * 9800))
    rest = MASTER.vector({"master_high_shelf_hz": 9800, "ceiling_dbtp": -3})
    settings = MASTER.settings(joined_master([bright, rest], [1, 2]))
    assert settings["master_eq_on"] == 1
    assert settings["master_high_shelf_db"] == pytest.approx(1)
    assert settings["master_high_shelf_hz"] == pytest.approx(5000)
    assert settings["ceiling_dbtp"] == pytest.approx((-1 - 2 * 3) / 3)
    np.testing.assert_allclose(joined_master([bright, bright], [3, 5]), bright)


def test_an_album_is_replaced_only_when_told(mixgym, tracks, tmp_path, contents):
    command = ("master", tracks[0], "--album", "-o", tmp_path / "album", "--mixer", "rules", "-q")
    assert mixgym(*command).status == 0
    before = contents(tmp_path)
    refused = mixgym(*command)
    assert (refused.status, contents(tmp_path)) == (2, before)
    assert "--overwrite" in refused.err
    assert mixgym(*command, "--overwrite").status == 0
