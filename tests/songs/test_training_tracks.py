"""Sets of finished tracks, and what spoils them."""

import json
from collections import Counter

import numpy as np
import pytest
import soundfile

from mixgym.errors import MixgymError
from mixgym.songs import read_song
from mixgym.songs.training import BuildOptions, build_training_set, leaks, read_manifest
from mixgym.songs.training.effects import apply_effects
from mixgym.songs.training.faults import draw_faults
from mixgym.songs.training.sources import track_sources

RATE = 16_000


def noise(seconds, channels=2, seed=0):
    drawn = np.random.default_rng(seed).normal(0.0, 0.1, (round(seconds * RATE), channels))
    return drawn.astype(np.float32)


@pytest.fixture
def tracks(tmp_path):
    """Two tracks by name, and the finished master in a song's folder."""
    home = tmp_path / "finished"
    (home / "album" / "reference").mkdir(parents=True)
    soundfile.write(home / "Impulslogik - Bass Line.wav", noise(9.0, seed=1), RATE)
    soundfile.write(home / "Socceroos - Kick.flac", noise(9.0, 1, seed=2), RATE)
    soundfile.write(home / "album" / "reference" / "master.wav", noise(5.0, seed=3), RATE)
    about = {"song": "Deep", "artist": "Greippi", "licence": "CC-BY-4.0"}
    (home / "album" / "song.json").write_text(json.dumps(about))
    return home


def options(*tracks, **more):
    given = {"seconds": 4.0, "sample_rate": RATE, "excerpts_per_song": 2, "jobs": 1, **more}
    return BuildOptions(tracks=tracks, **given)


def test_every_excerpt_of_a_track_is_its_only_stem(tracks, tmp_path):
    result = build_training_set(tmp_path / "set", options(tracks))
    rows = read_manifest(tmp_path / "set")
    assert not result["skipped"] and not leaks(rows)
    assert Counter((row.song, row.artist, row.split) for row in rows) == {
        ("Bass Line", "Impulslogik", "validation"): 2,
        ("Kick", "Socceroos", "train"): 2,
        ("Deep", "Greippi", "test"): 1,
    }
    assert {row.licence for row in rows if row.song == "Deep"} == {"CC-BY-4.0"}
    for row in rows:
        assert row.kind == "track"
        assert [(stem.name, stem.role) for stem in row.stems] == [("track", "other")]
        with read_song(row.folder) as song:
            assert song.duration_s == pytest.approx(4.0)
            assert song.stems[0].channels == (1 if row.song == "Kick" else 2)


def test_a_track_that_lies_in_the_set_twice_is_taken_once(tracks):
    found, skipped = track_sources([tracks, tracks])
    assert len(found) == 3 and len(skipped) == 3
    assert all("once more" in line for line in skipped)


def test_silence_is_left_out_by_name(tracks, tmp_path):
    soundfile.write(tracks / "Hush.wav", np.zeros((5 * RATE, 2)), RATE)
    result = build_training_set(tmp_path / "set", options(tracks))
    assert [line.rpartition("/")[2] for line in result["skipped"]] == [
        "Hush.wav: it is silent; it is left out."
    ]


@pytest.mark.parametrize("other", [{"generate": 1}, {"augment": 1}])
def test_tracks_make_a_set_of_their_own(tracks, tmp_path, other):
    with pytest.raises(MixgymError, match="Finished tracks make a set of their own"):
        build_training_set(tmp_path / "set", options(tracks, **other))
    with pytest.raises(MixgymError, match="does not exist"):
        build_training_set(tmp_path / "set", options(tmp_path / "nowhere"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(MixgymError, match="holds no audio files"):
        build_training_set(tmp_path / "set", options(tmp_path / "empty"))


# Faults


def rms_db(audio):
    return 20 * np.log10(np.sqrt(np.mean(np.square(audio))))


def test_faults_are_drawn_by_the_generator_alone():
    one, same, other = (draw_faults(np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert one == same != other


def test_every_fault_comes_and_none_is_in_every_track():
    drawn = [[fault["type"] for fault in draw_faults(np.random.default_rng(i))] for i in range(300)]
    counts = Counter(name for faults in drawn for name in faults)
    assert counts.pop("gain") == 300
    assert set(counts) == {"equalise", "resonate", "widen", "wander", "compress", "clip"}
    assert all(100 < count < 200 for count in counts.values())
    assert all(len(faults) >= 2 for faults in drawn)


@pytest.mark.parametrize("channels", [1, 2])
def test_faulty_audio_is_finite_and_as_long(channels):
    audio = noise(2.0, channels).T.copy()
    for seed in range(12):
        spoiled = apply_effects(audio, draw_faults(np.random.default_rng(seed)), RATE)
        assert spoiled.shape == audio.shape and spoiled.dtype == np.float32
        assert np.isfinite(spoiled).all()
        assert not np.allclose(spoiled, audio, atol=1e-3)


def test_what_faults_do():
    audio = noise(4.0).T.copy()
    mid, side = audio.sum(axis=0), audio[0] - audio[1]
    wide = apply_effects(audio, [{"type": "widen", "width": 2.0}], RATE)
    np.testing.assert_allclose(wide.sum(axis=0), mid, atol=1e-5)
    np.testing.assert_allclose(wide[0] - wide[1], 2 * side, atol=1e-5)

    clipped = apply_effects(audio, [{"type": "clip", "above_rms_db": 3.0}], RATE)
    assert 20 * np.log10(np.abs(clipped).max()) == pytest.approx(rms_db(audio) + 3.0, abs=0.01)

    wander = {"type": "wander", "depth_db": 6.0, "every_s": 1.0, "seed": 3}
    moved = apply_effects(audio, [wander], RATE)
    with np.errstate(divide="ignore", invalid="ignore"):
        gain_db = 20 * np.log10(np.abs(moved / audio))[np.abs(audio) > 1e-3]
    assert gain_db.max() - gain_db.min() > 3.0
    assert np.abs(gain_db).max() <= 6.01

    time_s = np.arange(2 * RATE) / RATE
    tone = (0.1 * np.sin(2 * np.pi * 1000 * time_s))[None].astype(np.float32)
    rung = apply_effects(tone, [{"type": "resonate", "hz": 1000.0, "gain_db": 6.0, "q": 3.0}], RATE)
    assert rms_db(rung[:, RATE:]) - rms_db(tone[:, RATE:]) == pytest.approx(6.0, abs=0.1)
