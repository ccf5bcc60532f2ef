"""Mastering a file: after a reference, by preset, by rule, and what is refused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from mixgym.console.parameters import MASTER
from mixgym.console.preset import load_preset
from mixgym.console.styles import style
from mixgym.errors import MixgymError
from mixgym.experiments.independent import true_peak_dbtp
from mixgym.runtime.mastering import MasterOptions, master_file
from mixgym.runtime.measuring import measure_file
from mixgym.runtime.results import Outputs, Result
from mixgym.songs.generate import generate_song

RATE = 44_100
Samples = NDArray[np.float32]
Write = Callable[..., Path]


def sum_of(seed: int, rate: int = RATE, duration_s: float = 8.0) -> Samples:
    with generate_song(seed, duration_s, rate) as song:
        total = np.zeros((2, song.stems[0].frames), dtype=np.float32)
        for stem in song.stems:
            total += stem.read(0, stem.frames)
    return total * np.float32(0.5 / np.abs(total).max())


@pytest.fixture(scope="module")
def music() -> Samples:
    return sum_of(1)


@pytest.fixture(scope="module")
def other_music() -> Samples:
    return sum_of(2, 48_000)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to(name: str, audio: Samples, rate: int = RATE) -> Path:
        soundfile.write(tmp_path / name, np.atleast_2d(audio).T, rate, subtype="FLOAT")
        return tmp_path / name

    return to


def mastered(track: Path, **options: object) -> tuple[Result, Path]:
    output = track.with_name("out.wav")
    chosen = MasterOptions(**{"lean": style("balanced"), "overwrite": True, **options})
    return master_file(track, Outputs(output), chosen), output


def relative_spectrum(path: Path) -> tuple[Samples, Samples]:
    readings = measure_file(path)
    return readings.spectrum_hz, readings.spectrum_db - readings.integrated_lufs


class TestReference:
    def test_loudness_and_peak_at_other_rates(
        self, write: Write, music: Samples, other_music: Samples
    ) -> None:
        reference = write("reference.wav", other_music, 48_000)
        result, output = mastered(write("track.wav", music), reference=reference)
        wanted = measure_file(reference).integrated_lufs
        readings = measure_file(output)
        assert readings.integrated_lufs == pytest.approx(wanted, abs=0.1)
        assert result.loudness_lufs == pytest.approx(readings.integrated_lufs, abs=0.02)
        assert true_peak_dbtp(output) <= -1.0 + 0.05
        assert (readings.sample_rate, result.notes) == (RATE, ())
        assert readings.duration_s == pytest.approx(music.shape[1] / RATE)

    def test_comes_much_nearer_to_the_spectrum(
        self, write: Write, music: Samples, other_music: Samples
    ) -> None:
        track, reference = write("track.wav", music), write("reference.wav", other_music, 48_000)
        _, output = mastered(track, reference=reference)
        hz, wanted = relative_spectrum(reference)
        judged = (hz > 39) & (hz < 16_500)
        before, after = (
            float(np.abs(relative_spectrum(path)[1] - wanted)[judged].mean())
            for path in (track, output)
        )
        assert after < 1.0
        assert after < before / 3

    def test_a_loud_reference_keeps_the_ceiling(
        self, write: Write, music: Samples, other_music: Samples
    ) -> None:
        loud = np.tanh(8 * other_music)
        reference = write("reference.wav", loud, 48_000)
        result, output = mastered(write("track.wav", music), reference=reference, ceiling_dbtp=-2.0)
        assert true_peak_dbtp(output) <= -2.0 + 0.05
        assert result.mean_reduction_db > 0

    def test_no_amount_leaves_the_spectrum(
        self, write: Write, music: Samples, other_music: Samples
    ) -> None:
        track = write("track.wav", music)
        reference = write("reference.wav", other_music * np.float32(0.1), 48_000)
        result, output = mastered(track, reference=reference, amount=0.0)
        assert result.max_reduction_db == 0
        before, after = relative_spectrum(track)[1], relative_spectrum(output)[1]
        loud = before > before.max() - 70
        assert after[loud] == pytest.approx(before[loud], abs=0.02)

    def test_after_itself_only_the_level_may_change(self, write: Write, music: Samples) -> None:
        track = write("track.wav", music * np.float32(0.5))
        _, output = mastered(track, reference=track)
        source, _ = soundfile.read(track)
        result, _ = soundfile.read(output)
        assert np.abs(result - source).max() < 2e-3

    def test_a_target_of_ones_own_wins(self, write: Write, music: Samples) -> None:
        track = write("track.wav", music)
        result, output = mastered(track, reference=track, target_lufs=-20.0)
        assert measure_file(output).integrated_lufs == pytest.approx(-20.0, abs=0.1)
        assert result.target_lufs == -20.0

    def test_a_reference_too_quiet_to_aim_at_is_named(self, write: Write, music: Samples) -> None:
        reference = write("soft.wav", music * np.float32(0.01))
        result, output = mastered(write("track.wav", music), reference=reference)
        assert measure_file(output).integrated_lufs == pytest.approx(-30.0, abs=0.1)
        assert any("soft.wav" in note and "-30.0" in note for note in result.notes)


class TestTrack:
    def test_mono_becomes_equal_channels(self, write: Write, music: Samples) -> None:
        result, output = mastered(write("mono.wav", music[:1]))
        audio, _ = soundfile.read(output)
        assert audio.shape == (music.shape[1], 2)
        assert np.abs(audio[:, 0] - audio[:, 1]).max() < 1e-6
        assert measure_file(output).integrated_lufs == pytest.approx(-14.0, abs=0.1)
        assert result.target_lufs == -14.0

    @pytest.mark.parametrize("silent", ["track.wav", "reference.wav"])
    def test_silence_is_refused_by_name(self, write: Write, music: Samples, silent: str) -> None:
        paths = {
            name: write(name, music * np.float32(name != silent))
            for name in ("track.wav", "reference.wav")
        }
        with pytest.raises(MixgymError, match=f"{silent} is silent"):
            mastered(paths["track.wav"], reference=paths["reference.wav"])
        assert sorted(path.name for path in paths["track.wav"].parent.iterdir()) == sorted(paths)

    @pytest.mark.parametrize("taken", ["track.wav", "reference.wav"])
    def test_what_is_read_is_never_replaced(self, write: Write, music: Samples, taken: str) -> None:
        track, reference = write("track.wav", music), write("reference.wav", music)
        before = track.with_name(taken).read_bytes()
        options = MasterOptions(style("balanced"), reference, overwrite=True)
        with pytest.raises(MixgymError, match=taken):
            master_file(track, Outputs(track.with_name(taken)), options)
        assert track.with_name(taken).read_bytes() == before

    def test_a_dull_track_gets_brighter_by_rule(self, write: Write, music: Samples) -> None:
        low_pass = butter(1, 1500, "lowpass", fs=RATE, output="sos")
        dull = write("dull.wav", sosfilt(low_pass, music, axis=1).astype(np.float32))
        _, output = mastered(dull)
        hz, before = relative_spectrum(dull)
        after = relative_spectrum(output)[1]
        high = (hz > 8000) & (hz < 14_000)
        assert (after - before)[high].mean() > 1.0


class TestPreset:
    def test_settings_saved_and_applied_again_give_the_same_file(
        self, write: Write, music: Samples, tmp_path: Path
    ) -> None:
        track = write("track.wav", music)
        outputs = Outputs(tmp_path / "a.wav", preset=tmp_path / "preset.json")
        master_file(track, outputs, MasterOptions(style("warm")))
        again = MasterOptions(style("balanced"), preset=load_preset(tmp_path / "preset.json"))
        master_file(track, Outputs(tmp_path / "b.wav"), again)
        assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()

    def test_asking_for_loudness_turns_it_on(
        self, write: Write, music: Samples, tmp_path: Path
    ) -> None:
        track = write("track.wav", music)
        outputs = Outputs(tmp_path / "a.wav", preset=tmp_path / "preset.json")
        master_file(track, outputs, MasterOptions(style("balanced")))
        preset = load_preset(tmp_path / "preset.json")
        off = preset.model_copy(
            update={"master": {**preset.master, "loudness_on": 0.0, "limiter_on": 0.0}}
        )
        _, output = mastered(track, preset=off, target_lufs=-18.0, ceiling_dbtp=-3.0)
        assert measure_file(output).integrated_lufs == pytest.approx(-18.0, abs=0.1)
        assert true_peak_dbtp(output) <= -3.0 + 0.05


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("amount", 1.5),
        ("amount", -0.1),
        ("target_lufs", MASTER["target_lufs"].high + 1),
        ("ceiling_dbtp", 1.0),
        ("bit_depth", 20),
    ],
)
def test_values_out_of_range_leave_nothing(
    write: Write, music: Samples, option: str, value: float
) -> None:
    track = write("track.wav", music)
    with pytest.raises(MixgymError):
        mastered(track, reference=track, **{option: value})
    assert [path.name for path in track.parent.iterdir()] == ["track.wav"]
