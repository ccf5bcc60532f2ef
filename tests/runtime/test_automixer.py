"""Mixing from Python: one call, a mixer that is used again, and many threads at once."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile as sf

import mixgym as package
from mixgym import AutoMixer, mix
from mixgym.console.mix import Budget, Mix
from mixgym.console.preset import load_preset
from mixgym.errors import MixgymError
from mixgym.runtime.measuring import measure_file
from mixgym.songs import Song, read_song
from mixgym.songs.generate import generate_song


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MIXGYM_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def quiet(stems):
    """A mix by rule, for what does not depend on the mixer."""
    with mix(stems, mixer="equal_loudness") as result:
        yield result


def test_a_folder_to_a_file(stems, tmp_path, mixgym):
    result = mix(str(stems))
    result.save(str(tmp_path / "mix.wav"))
    assert mixgym("mix", stems, "-o", tmp_path / "same.wav").status == 0
    assert (tmp_path / "mix.wav").read_bytes() == (tmp_path / "same.wav").read_bytes()
    assert result.title == "demo-3"
    assert "policy" in result.mix.made_by


def test_what_a_mix_says_of_itself_is_what_the_file_measures(quiet, tmp_path):
    audio = quiet.audio()
    quiet.save(tmp_path / "m.wav", bit_depth=32)
    written, rate = sf.read(tmp_path / "m.wav", dtype="float32")
    np.testing.assert_array_equal(written.T, audio)
    measured, readings = measure_file(tmp_path / "m.wav"), quiet.readings()
    assert rate == quiet.sample_rate
    assert quiet.duration_s == pytest.approx(audio.shape[1] / rate)
    assert measured.integrated_lufs == pytest.approx(readings.integrated_lufs, abs=1e-6)
    assert measured.integrated_lufs == pytest.approx(quiet.delivered.loudness_lufs, abs=0.02)
    assert measured.integrated_lufs == pytest.approx(-14, abs=0.1)


def test_wishes_are_kept(stems, tmp_path):
    with mix(stems, mixer="roles", target_lufs=-20, ceiling_dbtp=-3, amount=0.5) as result:
        readings = result.readings()
        assert readings.integrated_lufs == pytest.approx(-20, abs=0.1)
        assert readings.true_peak_dbtp <= -3 + 0.05
        with mix(stems, mixer="roles") as whole:
            assert abs(result.mix.strips - whole.mix.strips).max() > 0
        result.save_preset(tmp_path / "p.json")
    with mix(stems, preset=load_preset(tmp_path / "p.json")) as again:
        np.testing.assert_allclose(again.mix.strips, result.mix.strips)
        assert again.readings().integrated_lufs == pytest.approx(readings.integrated_lufs, abs=0.01)


def test_settings_that_were_changed_are_heard(stems, quiet):
    name = quiet.mix.stems[0]
    changed = quiet.mix.with_strip(name, fader_db=-12)
    with AutoMixer(mixer="roles").render(stems, changed) as result:
        assert result.mix is changed
        assert np.abs(result.audio() - quiet.audio()).max() > 0.01


def test_a_mixer_of_ones_own(stems):
    def half_left(song: Song, budget: Budget) -> Mix:
        return Mix.neutral(song).with_strip(song.stems[0].name, pan=-1)

    with AutoMixer(mixer=half_left).mix(stems) as result:
        assert result.mix.strip(result.mix.stems[0])["pan"] == -1


def test_a_song_that_was_given_open_stays_open(stems):
    with read_song(stems) as song, AutoMixer(mixer="plain_sum").mix(song):
        assert song.stems[0].read(0, 4).shape[1] == 4


def test_files_are_kept(quiet, stems, tmp_path):
    kept = tmp_path / "kept.wav"
    kept.write_bytes(b"mine")
    stem = next(stems.glob("*.wav"))
    before = stem.read_bytes()
    for path, words in (
        (kept, "overwrite"),
        (stem, "made from"),
        (tmp_path / "no" / "m.wav", "not exist"),
        (tmp_path / "m.xyz", "unknown kind"),
    ):
        with pytest.raises(MixgymError, match=words):
            quiet.save(path, overwrite=path == stem)
    assert (kept.read_bytes(), stem.read_bytes()) == (b"mine", before)
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == ["kept.wav"]
    quiet.save(kept, overwrite=True)
    assert measure_file(kept).integrated_lufs == pytest.approx(-14, abs=0.1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mixer": "rolls"}, "rolls"),
        ({"style": "icy"}, "icy"),
        ({"policy": "none.onnx"}, "none.onnx"),
        ({"policy": "none.onnx", "mixer": "roles"}, "of its own"),
        ({"mixer": "roles", "amount": 2.0}, "amount"),
        ({"mixer": "roles", "target_lufs": 3.0}, "target_lufs"),
    ],
)
def test_what_cannot_be_done_is_refused(stems, options, words):
    with pytest.raises(MixgymError, match=words):
        mix(stems, **options)


def test_eight_threads_at_once_make_what_one_makes():
    songs = [generate_song(seed, 4.0, 32_000, 4) for seed in (1, 2)]
    mixer = AutoMixer(threads=1)

    def audio_of(song):
        with mixer.mix(song) as result:
            return result.audio()

    alone = [audio_of(song) for song in songs]
    together = AutoMixer(threads=1)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda i: together.mix(songs[i % 2]).audio(), range(8)))
    for i, audio in enumerate(made):
        np.testing.assert_array_equal(audio, alone[i % 2])


def test_the_package_stays_light():
    code = (
        "import sys, mixgym\n"
        "heavy = {'numba', 'scipy', 'torch', 'onnxruntime', 'soundfile'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "from mixgym import mix\n"
        "assert callable(mix) and 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_names_that_the_package_lacks():
    with pytest.raises(AttributeError, match="mixer"):
        package.mixer  # noqa: B018
