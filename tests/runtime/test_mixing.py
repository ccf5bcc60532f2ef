"""`mixgym mix`: what every option does to the files."""

import json
import shutil

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given
from hypothesis import strategies as st

from mixgym.console.parameters import STRIP
from mixgym.runtime.measuring import measure_file
from mixgym.runtime.mixing import safe_name
from mixgym.runtime.output import decoded_true_peak_dbtp
from mixgym.runtime.results import finite

RATE = 44_100


@pytest.fixture
def mix(mixgym, stems, tmp_path):
    """Mix the stems; returns the result and the audio, shape (2, frames)."""

    def run(*options, source=stems, name="m.wav"):
        output = tmp_path / name
        ran = mixgym("mix", source, "-o", output, "--overwrite", "--json", *options)
        assert ran.status == 0, ran.err
        audio, rate = sf.read(output, dtype="float32", always_2d=True)
        result = json.loads(ran.out)
        assert result["sample_rate"] == rate
        assert result["audio"] == str(output)
        return result, audio.T

    return run


def test_defaults(mix, stems, tmp_path):
    result, audio = mix()
    names = [stem["name"] for stem in json.loads((stems / "song.json").read_text())["stems"]]
    assert result["stem_names"] == names
    assert result["made_by"] == "policy mixing.onnx"
    assert result["title"] == "demo-3"
    assert sf.info(tmp_path / "m.wav").subtype == "PCM_24"
    measured = measure_file(tmp_path / "m.wav")
    assert measured.integrated_lufs == pytest.approx(-14, abs=0.1)
    assert measured.integrated_lufs == pytest.approx(result["loudness_lufs"], abs=0.02)
    assert measured.true_peak_dbtp <= -1 + 0.05
    assert result["duration_s"] == pytest.approx(audio.shape[1] / RATE)
    assert result["realtime_factor"] == pytest.approx(result["seconds"] / result["duration_s"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.wav"]


@pytest.mark.parametrize(("lufs", "ceiling"), [(-23, -1), (-16, -2), (-10, -0.5)])
def test_target_and_ceiling(mix, tmp_path, lufs, ceiling):
    result, _ = mix("--lufs", lufs, "--true-peak", ceiling)
    measured = measure_file(tmp_path / "m.wav")
    assert measured.integrated_lufs == pytest.approx(lufs, abs=0.1)
    assert measured.true_peak_dbtp <= ceiling + 0.05
    assert (result["target_lufs"], result["ceiling_dbtp"]) == (lufs, ceiling)


def test_target_out_of_reach_is_told(mix, tmp_path):
    result, _ = mix("--lufs", -6, "--true-peak", -9)
    measured = measure_file(tmp_path / "m.wav")
    assert measured.true_peak_dbtp <= -9 + 0.05
    assert measured.integrated_lufs < -7
    assert any("not the target of -6.0" in note for note in result["notes"])
    assert any("limiter" in note for note in result["notes"])


def test_preset_gives_the_same_audio(mix, tmp_path):
    preset = tmp_path / "p.json"
    result, audio = mix("--save-preset", preset, "--style", "loud")
    again, same = mix("--preset", preset)
    np.testing.assert_array_equal(audio, same)
    assert result["preset"] == str(preset)
    assert again["notes"] == result["notes"]
    mix("--preset", preset, "--save-preset", preset)
    _, same = mix("--preset", preset)
    np.testing.assert_array_equal(audio, same)


def test_preset_of_other_stems_tells_what_went_where(mix, stems, tmp_path):
    preset = tmp_path / "p.json"
    mix("--save-preset", preset)
    other = tmp_path / "other"
    other.mkdir()
    kick = next(stems.glob("*Kick*"))
    shutil.copy(kick, other / "BD.wav")
    shutil.copy(kick, other / "Weird.wav")
    result, _ = mix("--preset", preset, source=other)
    assert "BD: settings from Kick (by role kick)." in result["notes"]
    assert "Weird: settings from defaults." in result["notes"]


def settings_of(path):
    return [stem["settings"] for stem in json.loads(path.read_text())["stems"]]


@pytest.mark.parametrize(
    ("option", "components"),
    [
        ("--eq", {"eq"}),
        ("--dynamics", {"dynamics"}),
        ("--pan", {"pan"}),
        ("--space", {"space"}),
        ("--amount", {"level", "eq", "dynamics", "pan", "space"}),
    ],
)
def test_strengths(mix, tmp_path, option, components):
    full, none = tmp_path / "full.json", tmp_path / "none.json"
    mix("--save-preset", full)
    mix("--save-preset", none, option, 0)
    for before, after in zip(settings_of(full), settings_of(none), strict=True):
        for parameter in STRIP:
            if parameter.component not in components or parameter.neutral is None:
                assert after[parameter.name] == before[parameter.name]
            else:
                assert after[parameter.name] == parameter.neutral


def test_master_strength(mix, tmp_path):
    preset = tmp_path / "p.json"
    mix("--save-preset", preset, "--master", 0, "--style", "loud")
    master = json.loads(preset.read_text())["master"]
    switches = {name: value for name, value in master.items() if name.endswith("_on")}
    assert {name for name, value in switches.items() if value} == {"loudness_on", "limiter_on"}
    assert master["target_lufs"] == -9


def test_no_amount_is_equal_loudness(mix):
    _, nothing = mix("--amount", 0)
    _, equal = mix("--mixer", "equal_loudness")
    np.testing.assert_array_equal(nothing, equal)


def test_styles_and_mixers_differ(mix):
    made = [mix("--mixer", name)[1] for name in ("plain_sum", "equal_loudness", "roles")]
    made += [mix("--style", name)[1] for name in ("warm", "bright", "spacious")]
    for i, one in enumerate(made):
        for other in made[:i]:
            frames = min(one.shape[1], other.shape[1])
            assert np.abs(one[:, :frames] - other[:, :frames]).max() > 1e-3


def sum_of(folder):
    return sum(sf.read(path, dtype="float64")[0].T for path in sorted(folder.glob("*.wav")))


def test_stems_and_returns_sum_to_the_mix(mix, tmp_path):
    """With the chain and the limiter off the master is the mix bus, up to one gain."""
    preset, out = tmp_path / "p.json", tmp_path / "out"
    mix("--mixer", "roles", "--save-preset", preset, "--master", 0)
    text = json.loads(preset.read_text())
    text["master"] |= {"limiter_on": 0.0, "loudness_on": 0.0}
    preset.write_text(json.dumps(text))
    result, audio = mix("--preset", preset, "--bit-depth", 32, "--stems-out", out)
    total = sum_of(out)
    gain = (audio * total).sum() / (total * total).sum()
    assert np.abs(audio - gain * total).max() < 1e-5 * np.abs(audio).max()
    names = [path.name for path in sorted(out.glob("*.wav"))]
    assert len(names) == len(result["stem_names"]) + 2
    assert {"return_reverb.wav", "return_delay.wav"} <= set(names)
    assert names[0].startswith("1_")


def test_stems_may_be_replaced_only_on_request(mixgym, mix, stems, tmp_path):
    out = tmp_path / "out"
    mix("--stems-out", out)
    before = {path.name for path in out.iterdir()}
    ran = mixgym("mix", stems, "-o", tmp_path / "n.wav", "--stems-out", out)
    assert ran.status == 2
    assert "--overwrite" in ran.err
    mix("--stems-out", out, "--space", 0)
    assert {path.name for path in out.iterdir()} == before - {
        "return_reverb.wav",
        "return_delay.wav",
    }


def test_tail(mix, stems):
    song_frames = sf.info(next(stems.glob("*.wav"))).frames
    _, without = mix("--mixer", "roles", "--no-tail")
    _, with_tail = mix("--mixer", "roles", "--tail")
    assert without.shape[1] == song_frames
    assert with_tail.shape[1] > song_frames + RATE / 2
    assert np.abs(with_tail[:, song_frames : song_frames + RATE // 2]).max() > 1e-4
    assert np.abs(with_tail[:, -100:]).max() < 1e-2


@pytest.mark.parametrize("rate", [22_050, 48_000, 96_000])
def test_sample_rate(mix, tmp_path, rate):
    result, audio = mix("--sample-rate", rate, "--no-tail")
    assert result["sample_rate"] == rate
    assert audio.shape[1] == pytest.approx(5.0 * rate, abs=1)
    measured = measure_file(tmp_path / "m.wav")
    assert measured.integrated_lufs == pytest.approx(-14, abs=0.1)
    assert measured.true_peak_dbtp <= -1 + 0.05


@pytest.mark.parametrize(("bits", "subtype"), [(16, "PCM_16"), (24, "PCM_24"), (32, "FLOAT")])
def test_bit_depth(mix, tmp_path, bits, subtype):
    _, exact = mix("--bit-depth", 32)
    _, audio = mix("--bit-depth", bits)
    assert sf.info(tmp_path / "m.wav").subtype == subtype
    step = 0 if bits == 32 else 2.0 ** (1 - bits)
    assert np.abs(audio - exact).max() <= 1.5 * step + 2.0**-24


@pytest.mark.parametrize("style", ["balanced", "loud"])
@pytest.mark.parametrize("name", ["m.flac", "m.aiff", "m.ogg", "m.mp3"])
def test_formats(mix, tmp_path, name, style):
    result, _ = mix("--style", style, name=name)
    assert decoded_true_peak_dbtp(tmp_path / name) <= -1 + 0.05
    measured = measure_file(tmp_path / name)
    assert measured.integrated_lufs == pytest.approx(result["loudness_lufs"], abs=0.2)


def test_threads_do_not_change_the_result(mix):
    _, one = mix("--threads", 1)
    _, many = mix("--threads", 5)
    np.testing.assert_array_equal(one, many)


def test_files_instead_of_a_folder(mixgym, stems, tmp_path):
    files = sorted(stems.glob("*.wav"))[:2]
    ran = mixgym("mix", *files, "-o", tmp_path / "m.wav", "--json")
    assert ran.status == 0, ran.err
    assert len(json.loads(ran.out)["stem_names"]) == 2


def test_very_short_song(mixgym, tmp_path):
    (tmp_path / "song").mkdir()
    click = 0.5 * np.sin(np.arange(3000) / 5)
    sf.write(tmp_path / "song/click.wav", click, RATE)
    ran = mixgym("mix", tmp_path / "song", "-o", tmp_path / "m.wav", "--no-tail", "--json")
    assert ran.status == 0, ran.err
    json.loads(ran.out)
    assert sf.info(tmp_path / "m.wav").frames == 3000


@given(st.text(max_size=300))
def test_safe_names(name):
    safe = safe_name(name)
    assert safe
    assert len(safe.encode()) <= 240
    assert not set(safe) & set('/\\:*?"<>|\0\n')
    assert safe not in (".", "..")


def test_finite():
    assert finite(-14.0) == -14.0
    assert finite(float("-inf")) is None
    assert finite(float("nan")) is None
