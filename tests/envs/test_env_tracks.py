"""Finished tracks and their spoiled versions."""

import gymnasium as gym
import numpy as np
import pytest
import soundfile

from mixgym.envs import repertoire
from mixgym.songs.training.excerpts import Track, write_excerpt
from mixgym.songs.training.manifest import MANIFEST, write_manifest

RATE, SECONDS = 24_000, 4.0


@pytest.fixture(scope="module")
def tracks(songs, tmp_path_factory):
    """A folder of two files."""
    home = tmp_path_factory.mktemp("tracks")
    for number in range(2):
        audio = songs[number].stems[0].read(0, songs[number].frames)
        soundfile.write(home / f"track {number}.wav", audio.T / 4, RATE)
    return home


def made(songs, **options):
    env = gym.make("mixgym/Mastering-v0", songs=songs, seconds=SECONDS, sample_rate=RATE, **options)
    return env.unwrapped.episodes.repertoire


def audio(songs, number):
    stems = songs.song(number).stems
    assert [stem.role for stem in stems] == [stems[0].role]
    return stems[0].read(0, stems[0].frames)


def test_spoiled_versions_follow_the_track_itself(tracks):
    plain, both = made(tracks), made(tracks, spoiled=2)
    assert both.titles == [
        *("track 0", "track 0, spoiled 1", "track 0, spoiled 2"),
        *("track 1", "track 1, spoiled 1", "track 1, spoiled 2"),
    ]
    np.testing.assert_array_equal(audio(both, 0), audio(plain, 0))
    np.testing.assert_array_equal(audio(both, 3), audio(plain, 1))


def test_versions_differ_and_are_the_same_every_time(tracks):
    one, again = made(tracks, spoiled=2), made(tracks, spoiled=3)
    heard = [audio(one, number) for number in range(3)]
    assert len({part.tobytes() for part in heard}) == 3
    for number in range(3):
        np.testing.assert_array_equal(audio(again, number), heard[number])


def test_stems_are_mixed_by_the_console_before_they_are_spoiled(songs):
    played = made(songs[0], spoiled=2)
    sums = [audio(played, number) for number in range(3)]
    assert [part.shape for part in sums] == [(2, round(SECONDS * RATE))] * 3
    assert all(np.isfinite(part).all() and np.abs(part).max() > 1e-4 for part in sums)
    assert not np.allclose(sums[1], sums[2], atol=1e-3)


def test_versions_of_a_set_are_made_once(songs, tmp_path, monkeypatch):
    tracks = [Track("track", "other", songs[0].stems[0].read(0, songs[0].frames))]
    row = write_excerpt(
        tmp_path, "one", RATE, tracks, kind="track", source="x", song="One", split="train"
    )
    write_manifest(tmp_path / MANIFEST, [row])
    monkeypatch.setattr(repertoire, "_OPENED", repertoire._Opened())
    made(tmp_path, spoiled=2).listeners([0, 1, 2])
    monkeypatch.setattr(repertoire, "_OPENED", repertoire._Opened())
    monkeypatch.setattr("mixgym.envs.sources.read_song", None)  # would be a TypeError
    made(tmp_path, spoiled=2).listeners([0, 1, 2])
    with pytest.raises(TypeError):
        made(tmp_path, spoiled=3).listeners([3])


def test_only_tracks_are_spoiled(songs, tracks):
    with pytest.raises(ValueError, match=r"MixingLevels-v0 takes no spoiled; mixgym/Mastering-v0"):
        gym.make("mixgym/MixingLevels-v0", songs=songs[0], sample_rate=RATE, spoiled=1)
    with pytest.raises(ValueError, match="spoiled is -1"):
        made(tracks, spoiled=-1)
