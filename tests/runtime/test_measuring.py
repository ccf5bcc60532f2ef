"""`mixgym measure`: every meter, of one file or of many, as a table or as JSON."""

import json

import numpy as np
import pytest
import soundfile as sf

from mixgym.errors import MixgymError
from mixgym.runtime.measuring import Track, measure_file, open_track

RATE = 48_000


@pytest.fixture
def sine(tmp_path):
    """A stereo sine of 997 Hz at -20 dBFS, which reads -20 LUFS in stereo (BS.1770)."""
    path = tmp_path / "sine.wav"
    wave = 0.1 * np.sin(2 * np.pi * 997 / RATE * np.arange(5 * RATE))
    sf.write(path, np.stack([wave, wave], axis=1), RATE, subtype="FLOAT")
    return path


def test_sine(sine):
    shares = []
    readings = measure_file(sine, shares.append)
    assert readings.integrated_lufs == pytest.approx(-20, abs=0.05)
    assert readings.true_peak_dbtp == pytest.approx(-20, abs=0.05)
    assert readings.correlation == pytest.approx(1)
    assert readings.duration_s == 5
    assert shares == sorted(shares) and shares[-1] == 1.0


def test_table_of_a_file(mixgym, sine):
    ran = mixgym("measure", sine)
    assert ran.status == 0
    rows = {line.rsplit(maxsplit=2)[0].strip(): line.split()[-2:] for line in ran.out.splitlines()}
    assert rows["loudness"] == ["-20.00", "LUFS"]
    assert rows["true peak"] == ["-20.00", "dBTP"]


def test_table_of_many_files_has_a_row_each(mixgym, sine, tmp_path):
    files = []
    for i in range(8):
        files.append(tmp_path / f"{i}.wav")
        files[-1].write_bytes(sine.read_bytes())
    ran = mixgym("measure", *files)
    assert ran.status == 0
    assert ran.out.count("-20.00") >= 2 * len(files)


def test_json(mixgym, sine, tmp_path):
    silence = tmp_path / "silence.flac"
    sf.write(silence, np.zeros(RATE), RATE)
    ran = mixgym("measure", sine, silence, "--json")
    assert ran.status == 0

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    result = json.loads(ran.out, parse_constant=refuse)
    assert set(result) == {str(sine), str(silence)}
    assert result[str(sine)]["integrated_lufs"] == pytest.approx(-20, abs=0.05)
    assert result[str(silence)]["integrated_lufs"] is None
    assert len(result[str(sine)]["spectrum_db"]) == len(result[str(sine)]["spectrum_hz"])


def test_silence_in_the_table(mixgym, tmp_path):
    sf.write(tmp_path / "silence.wav", np.zeros(RATE), RATE)
    ran = mixgym("measure", tmp_path / "silence.wav")
    assert ran.status == 0
    assert "inf" not in ran.out and "nan" not in ran.out


def test_quiet(mixgym, sine):
    assert mixgym("measure", sine, "-q") == (0, "", "")


def test_what_is_no_track(tmp_path):
    with pytest.raises(MixgymError, match="is a folder"):
        open_track(tmp_path)
    with pytest.raises(MixgymError, match="does not exist"):
        open_track(tmp_path / "no.wav")


def test_mono_track_reads_as_stereo(tmp_path):
    wave = np.random.default_rng(0).uniform(-0.5, 0.5, 1000).astype(np.float32)
    sf.write(tmp_path / "mono.wav", wave, RATE, subtype="FLOAT")
    with open_track(tmp_path / "mono.wav") as song:
        track = Track(song.stems[0])
        np.testing.assert_array_equal(track.read(-5, 2000)[:, 5:1005], np.stack([wave, wave]))
        assert (track.frames, track.sample_rate) == (1000, RATE)
