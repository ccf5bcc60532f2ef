"""Songs made from a seed: deterministic, in time, in key, and each stem sounding like its role."""

import json
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import signal

from mixgym.errors import MixgymError
from mixgym.songs import ROLES, Song, guess_role, read_song
from mixgym.songs._melody import backing, lead
from mixgym.songs._parts import arp, bass, guitar, keys, pad
from mixgym.songs._score import compose
from mixgym.songs.generate import generate_song, write_song

EVERY_STEM = 11
SEEDS = (0, 1, 2)


@cache
def full_song(seed: int) -> Song:
    return generate_song(seed, duration_s=12.0, stems=EVERY_STEM)


@cache
def default_song() -> Song:
    return generate_song()


def audio_of(song: Song, role: str) -> np.ndarray:
    (stem,) = (stem for stem in song.stems if stem.role == role)
    return stem.read(0, stem.frames)


def share_of_energy(audio: np.ndarray, sample_rate: int, low_hz: float, high_hz: float) -> float:
    power = np.sum(np.abs(np.fft.rfft(audio.astype(float))) ** 2, axis=0)
    frequency = np.fft.rfftfreq(audio.shape[-1], 1.0 / sample_rate)
    return float(power[(frequency >= low_hz) & (frequency < high_hz)].sum() / power.sum())


def onsets_s(audio: np.ndarray, sample_rate: int) -> np.ndarray:
    """Attacks of a drum: where the energy above 1 kHz jumps."""
    sos = signal.butter(4, 1000.0, "highpass", fs=sample_rate, output="sos")
    hop = round(0.002 * sample_rate)
    high = signal.sosfilt(sos, audio.astype(float).sum(axis=0))
    energy = np.add.reduceat(high**2, np.arange(0, high.size, hop))
    before = np.array([energy[max(0, i - 10) : i].max(initial=0.0) for i in range(energy.size)])
    rising = np.flatnonzero((energy > 4.0 * before) & (energy > 0.02 * energy.max()))
    firsts = rising[np.insert(np.diff(rising) > 25, 0, True)]
    return firsts * hop / sample_rate


def test_the_same_seed_gives_the_same_samples():
    one, other = (generate_song(5, duration_s=6.0) for _ in range(2))
    assert [s.name for s in one.stems] == [s.name for s in other.stems]
    for a, b in zip(one.stems, other.stems, strict=True):
        np.testing.assert_array_equal(a.read(0, a.frames), b.read(0, b.frames))


def test_another_seed_gives_other_samples():
    for role in ("kick", "bass", "lead_vocal"):
        assert not np.array_equal(audio_of(full_song(0), role), audio_of(full_song(1), role))


def test_a_stem_does_not_depend_on_the_others():
    few = generate_song(0, duration_s=12.0, stems=3)
    many = full_song(0)
    for stem in few.stems:
        np.testing.assert_array_equal(stem.read(0, stem.frames), audio_of(many, stem.role))


def test_the_default_song_is_what_the_documentation_says():
    song = default_song()
    assert song.title == "demo-0"
    assert song.sample_rate == 44100
    assert song.duration_s == 24.0
    assert 7 <= len(song.stems) <= 10
    assert {"kick", "snare", "hats", "bass", "lead_vocal"} <= {stem.role for stem in song.stems}


@settings(max_examples=6, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    duration_s=st.floats(4.0, 9.0),
    sample_rate=st.sampled_from([8000, 16000, 22050, 48000]),
    stems=st.one_of(st.none(), st.integers(1, EVERY_STEM)),
)
@example(seed=102, duration_s=5.0, sample_rate=8000, stems=EVERY_STEM)  # a tambourine, at 8 kHz
def test_every_song_is_sound(seed, duration_s, sample_rate, stems):
    song = generate_song(seed, duration_s, sample_rate, stems)
    assert len(song.stems) == stems if stems else 7 <= len(song.stems) <= 10
    assert 70.0 <= song.tempo_bpm <= 150.0
    for stem in song.stems:
        audio = stem.read(0, stem.frames)
        assert stem.role in ROLES
        assert audio.dtype == np.float32
        assert audio.shape == (stem.channels, round(duration_s * sample_rate))
        assert np.isfinite(audio).all()
        peak = np.abs(audio).max()
        assert 0.001 < peak <= 0.901, stem.name
        assert np.abs(audio.mean(axis=1)).max() < 1e-3 * peak, stem.name


def test_names_read_as_the_roles_they_have():
    for stem in full_song(0).stems:
        assert guess_role(stem.name) == stem.role


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("role", "low_hz", "high_hz", "share"),
    [
        ("kick", 20.0, 150.0, 0.6),
        ("snare", 120.0, 12000.0, 0.9),
        ("hats", 5000.0, 22050.0, 0.7),
        ("bass", 30.0, 500.0, 0.7),
        ("keys", 100.0, 5000.0, 0.9),
        ("guitar", 80.0, 8000.0, 0.9),
        ("pad", 120.0, 4000.0, 0.95),
        ("lead_vocal", 100.0, 3500.0, 0.9),
        ("lead_vocal", 300.0, 3500.0, 0.4),
        ("backing_vocal", 100.0, 3500.0, 0.9),
    ],
)
def test_each_role_has_its_energy_where_it_should(seed, role, low_hz, high_hz, share):
    song = full_song(seed)
    assert share_of_energy(audio_of(song, role), song.sample_rate, low_hz, high_hz) > share


@pytest.mark.parametrize("seed", SEEDS)
def test_kicks_fall_on_the_grid_and_on_first_beats(seed):
    song = full_song(seed)
    step_s = 15.0 / song.tempo_bpm
    onsets = onsets_s(audio_of(song, "kick"), song.sample_rate)
    assert onsets.size >= 4
    late = (onsets + 0.012) % step_s - 0.012
    assert late.max() < 0.35 * step_s + 0.012  # swing delays a sixteenth by 0.35 of one at most
    bar_s = 16 * step_s
    first_bar, last_bar = round(onsets[0] / bar_s), int(onsets[-1] / bar_s + 0.01)
    for bar in range(first_bar, last_bar + 1):
        assert np.abs(onsets - bar * bar_s).min() < 0.012


@pytest.mark.parametrize("seed", SEEDS)
def test_chords_are_in_tune_with_a4_at_440_hz(seed):
    song = full_song(seed)
    audio = audio_of(song, "keys").astype(float).sum(axis=0)
    power = np.abs(np.fft.rfft(audio * np.hanning(audio.size))) ** 2
    frequency = np.fft.rfftfreq(audio.size, 1.0 / song.sample_rate)
    band = (frequency > 150.0) & (frequency < 700.0)
    semitones = 12.0 * np.log2(frequency[band] / 440.0)
    off_cents = 100.0 * np.abs(semitones - np.round(semitones))
    assert power[band][off_cents < 25.0].sum() > 0.85 * power[band].sum()


@given(seed=st.integers(0, 10_000), duration_s=st.floats(4.0, 240.0))
@settings(max_examples=30, deadline=None)
def test_every_pitched_part_stays_in_key(seed, duration_s):
    score = compose(seed, duration_s)
    in_key = {(score.tonic + interval) % 12 for interval in score.scale}
    chords_and_tunes = [*keys(score), *guitar(score), *pad(score), *arp(score), *lead(score)]
    sung_behind = [note for line in backing(score) for note in line]
    assert {note.pitch % 12 for note in (*chords_and_tunes, *sung_behind)} <= in_key
    roots = {score.pitch(score.chord(bar.index)) % 12 for bar in score.bars}
    leaps = {0, 7}  # a fifth over a diminished chord's root may leave the key, as it does on a bass
    assert {note.pitch % 12 for note in bass(score)} <= {
        (root + leap) % 12 for root in roots for leap in leaps
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_the_lead_sings_one_note_at_a_time_with_rests(seed):
    score = compose(seed, 30.0)
    notes = lead(score)
    gaps = [later.start_s - (note.start_s + note.duration_s) for note, later in pairwise(notes)]
    assert min(gaps) >= 0.0
    assert sum(gap > 2 * score.step_s for gap in gaps) >= 2
    pitches = [note.pitch for note in notes]
    assert len(set(pitches)) >= 3
    assert min(pitches) >= 45
    assert max(pitches) <= 84
    assert max(abs(np.diff(pitches))) <= 16


@pytest.mark.parametrize("seed", SEEDS)
def test_the_lead_vocal_is_voiced(seed):
    song = full_song(seed)
    rate = song.sample_rate
    audio = audio_of(song, "lead_vocal")[0].astype(float)
    frames = audio[: audio.size // 4096 * 4096].reshape(-1, 4096)
    energy = np.mean(frames**2, axis=1)
    periodicity = []
    for frame in frames[energy > 0.1 * energy.max()]:
        spectrum = np.abs(np.fft.rfft(frame * np.hanning(4096), 8192)) ** 2
        correlation = np.fft.irfft(spectrum)
        periodicity.append(correlation[int(rate / 900) : int(rate / 80)].max() / correlation[0])
    assert np.median(periodicity) > 0.7


def test_the_song_starts_sparse_and_gets_fuller():
    song = default_song()
    second = song.sample_rate
    playing = [
        sum(np.abs(stem.read(at * second, second)).max() > 1e-4 for stem in song.stems)
        for at in range(23)
    ]
    assert 1 <= playing[0] <= len(song.stems) // 2
    assert max(playing) == len(song.stems)


def test_seeds_vary_tempo_key_groove_levels_and_width():
    scores = [compose(seed, 12.0) for seed in range(60)]
    assert len({score.tempo_bpm for score in scores}) > 30
    assert len({score.tonic for score in scores}) == 12
    assert len({score.scale for score in scores}) == 2
    assert len({score.progression for score in scores}) > 8
    assert len({score.feel for score in scores}) == 4
    assert 0 < sum(score.swing > 0 for score in scores) < 60

    songs = [generate_song(seed, 4.0, 16000) for seed in range(12)]
    assert len({tuple(stem.name for stem in song.stems) for song in songs}) > 6
    stems = [stem for song in songs for stem in song.stems]
    assert {stem.channels for stem in stems} == {1, 2}
    levels_db = [10.0 * np.log10(np.mean(stem.read(0, stem.frames) ** 2)) for stem in stems]
    assert 15.0 < np.percentile(levels_db, 95) - np.percentile(levels_db, 5) < 35.0


def test_stereo_stems_are_not_two_equal_channels():
    stereo = [stem for seed in SEEDS for stem in full_song(seed).stems if stem.channels == 2]
    assert stereo
    for stem in stereo:
        left, right = stem.read(0, stem.frames)
        assert not np.allclose(left, right, atol=0.01 * np.abs(left).max()), stem.name


def test_a_longer_song_keeps_playing():
    song = generate_song(3, duration_s=75.0, sample_rate=8000, stems=6)
    for second in range(0, 74):
        assert any(np.abs(s.read(second * 8000, 8000)).max() > 1e-3 for s in song.stems)


def test_written_stems_read_back_the_same(tmp_path):
    song = generate_song(2, duration_s=4.0)
    folder = tmp_path / "songs" / "demo"
    write_song(song, folder)

    about = json.loads((folder / "song.json").read_text(encoding="utf-8"))
    assert about["title"] == "demo-2"
    assert about["tempo_bpm"] == song.tempo_bpm
    assert about["stems"][0] == {"file": "01_Kick.wav", "name": "Kick", "role": "kick"}
    assert len(about["stems"]) == len(list(folder.glob("*.wav"))) == len(song.stems)
    for entry, stem in zip(about["stems"], song.stems, strict=True):
        info = soundfile.info(folder / entry["file"])
        assert (info.subtype, info.channels, info.frames) == ("PCM_24", stem.channels, stem.frames)

    with read_song(folder) as back:
        assert back.title == song.title
        assert back.tempo_bpm == song.tempo_bpm
        assert [s.name for s in back.stems] == [s.name for s in song.stems]
        assert [s.role for s in back.stems] == [s.role for s in song.stems]
        for a, b in zip(song.stems, back.stems, strict=True):
            np.testing.assert_allclose(a.read(0, a.frames), b.read(0, b.frames), atol=2.0**-23)


def test_writing_the_same_song_twice_gives_the_same_bytes(tmp_path):
    for folder in ("a", "b"):
        write_song(generate_song(7, duration_s=4.0, stems=4), tmp_path / folder)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(files) == 5
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_folder_with_something_in_it_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("keep me")
    with pytest.raises(MixgymError, match="not an empty folder"):
        write_song(full_song(0), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_empty_folder_is_used(tmp_path):
    song = generate_song(0, 4.0, 8000, 1)
    write_song(song, tmp_path)
    file = f"01_{song.stems[0].name}.wav"
    assert sorted(path.name for path in tmp_path.iterdir()) == [file, "song.json"]


def test_a_failed_write_leaves_nothing_behind(tmp_path, monkeypatch):
    written = []

    def write_two_then_fail(path: Path, *args: object, **options: object) -> None:
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        written.append(path)
        path.write_bytes(b"audio")

    monkeypatch.setattr(soundfile, "write", write_two_then_fail)
    with pytest.raises(MixgymError, match="No space left"):
        write_song(full_song(0), tmp_path / "new")
    assert len(written) == 2
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"seed": -1}, "-1"),
        ({"duration_s": 3.9}, "3.9"),
        ({"duration_s": 1e9}, "1000000000"),
        ({"duration_s": float("nan")}, "nan"),
        ({"sample_rate": 4000}, "4000"),
        ({"stems": 0}, "0 stems"),
        ({"stems": 12}, "12 stems"),
    ],
)
def test_arguments_out_of_range_are_named(arguments, named):
    with pytest.raises(MixgymError, match=named):
        generate_song(**arguments)
