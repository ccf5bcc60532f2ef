"""Where an environment's songs come from."""

import gymnasium as gym
import numpy as np
import pytest
import soundfile

from mixgym.agents.validation import validate
from mixgym.envs import repertoire
from mixgym.envs.episodes import Episodes
from mixgym.envs.options import MIXING, EnvOptions
from mixgym.envs.sources import find_sources
from mixgym.envs.tracks import tracks_at
from mixgym.errors import MixgymError
from mixgym.songs import Song
from mixgym.songs.generate import write_song
from mixgym.songs.training.excerpts import Track, write_excerpt
from mixgym.songs.training.manifest import MANIFEST, write_manifest

RATE, SECONDS = 24_000, 4.0


@pytest.fixture(scope="module")
def folders(songs, tmp_path_factory):
    """A folder of two song folders."""
    home = tmp_path_factory.mktemp("folders")
    for song in (songs[0], songs[2]):
        write_song(song, home / song.title)
    return home


@pytest.fixture(scope="module")
def training_set(songs, tmp_path_factory):
    """A set with one song in each split."""
    home = tmp_path_factory.mktemp("set")
    rows = []
    for song, split in zip(songs, ("train", "validation", "test"), strict=True):
        tracks = [Track(s.name, s.role, s.read(0, s.frames)) for s in song.stems[:5]]
        row = write_excerpt(
            home, song.title, RATE, tracks, kind="generator", source="seed", song=song.title,
            split=split,
        )  # fmt: skip
        rows.append(row)
    write_manifest(home / MANIFEST, rows)
    return home


def titles(songs, name="mixgym/Mixing-v0", **options):
    env = gym.make(name, songs=songs, seconds=SECONDS, sample_rate=RATE, **options)
    env.reset(seed=0)
    env.step(env.action_space.sample())
    return env.unwrapped.episodes.repertoire.titles


def test_folder_of_stems(folders):
    assert titles(folders / "demo-0") == ["demo-0"]
    assert titles(str(folders / "demo-0")) == ["demo-0"]


def test_folder_of_folders(folders):
    assert titles(folders) == ["demo-0", "demo-2"]
    assert titles([folders / "demo-2", folders / "demo-0"]) == ["demo-2", "demo-0"]


def test_songs_in_memory(songs):
    assert titles(songs[0]) == ["demo-0"]
    assert titles([songs[1], songs[0]]) == ["demo-1", "demo-0"]


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_training_set(training_set, split):
    wanted = {"train": "demo-0", "validation": "demo-1", "test": "demo-2"}[split]
    assert titles(training_set, split=split) == [wanted]
    assert titles(training_set / MANIFEST, split=split) == [wanted]


def test_excerpts_of_a_set_are_read_once(training_set, monkeypatch):
    monkeypatch.setattr(repertoire, "_OPENED", repertoire._Opened())
    titles(training_set)
    monkeypatch.setattr(repertoire, "_OPENED", repertoire._Opened())
    monkeypatch.setattr("mixgym.envs.sources.read_song", None)  # would be a TypeError
    titles(training_set)
    titles(training_set, max_stems=5)


def test_few_songs_are_open_at_once(songs, monkeypatch):
    opened = repertoire._Opened()
    monkeypatch.setattr(repertoire, "_OPENED", opened)
    monkeypatch.setattr(repertoire, "MOST_BYTES", 1)
    env = gym.make("mixgym/Mixing-v0", songs=songs, seconds=SECONDS, sample_rate=RATE)
    first = env.reset(options={"song": 0})
    for number in (1, 2, 0):
        env.reset(options={"song": number})
        env.step(env.action_space.sample())
        assert len(opened._songs) == 1
    np.testing.assert_array_equal(env.reset(options={"song": 0})[0]["mix"], first[0]["mix"])


def test_longer_songs_are_cut_to_where_most_happens():
    quiet = np.zeros((1, 6 * RATE), np.float32)
    noise = np.random.default_rng(0).normal(0, 0.1, (2, 3 * RATE)).astype(np.float32)
    arrays = {"Kick": quiet.copy(), "Bass": quiet.copy()}
    arrays["Kick"][:, 3 * RATE :], arrays["Bass"][:, 3 * RATE :] = noise[:1], noise[1:]
    song = Song.from_arrays(arrays, RATE)
    env = gym.make(
        "mixgym/Mixing-v0", songs=song, seconds=2.0, sample_rate=RATE, render_mode="audio"
    )
    env.reset()
    audio = env.render()
    assert audio.shape == (2, 2 * RATE)
    assert np.abs(audio[:, : RATE // 2]).max() > 0.01


def test_shorter_songs_end_in_silence(songs):
    env = gym.make("mixgym/Mixing-v0", songs=[songs[0]], seconds=6.0, sample_rate=RATE,
                   render_mode="audio")  # fmt: skip
    env.reset()
    audio = env.render()
    assert audio.shape == (2, 6 * RATE)
    assert np.abs(audio[:, 5 * RATE :]).max() < 1e-3


def test_finished_tracks(songs, tmp_path):
    audio = songs[0].stems[0].read(0, songs[0].frames)
    for number in range(2):
        soundfile.write(tmp_path / f"track {number}.wav", audio.T * (number + 1) / 4, RATE)
    assert titles(tmp_path, "mixgym/Mastering-v0") == ["track 0", "track 1"]
    assert titles(tmp_path / "track 1.wav", "mixgym/Mastering-v0") == ["track 1"]


def test_stems_are_summed_to_a_track(songs, training_set):
    env = gym.make("mixgym/Mastering-v0", songs=songs[0], seconds=SECONDS, sample_rate=RATE)
    env.reset()
    track = env.unwrapped.episodes.repertoire.song(0)
    assert [stem.channels for stem in track.stems] == [2]
    assert titles(training_set, "mixgym/Mastering-v0") == ["demo-0"]


def test_same_audio_in_other_roles_is_another_song(songs):
    arrays = {stem.name: stem.read(0, stem.frames) for stem in songs[0].stems}
    scores = []
    for role in ("pad", "lead_vocal"):
        song = Song.from_arrays(arrays, RATE, roles=dict.fromkeys(arrays, role))
        env = gym.make("mixgym/Mixing-v0", songs=song, seconds=SECONDS, sample_rate=RATE)
        scores.append(env.reset()[0]["stems"])
    assert (scores[0] != scores[1]).any()


@pytest.mark.parametrize(
    ("songs", "error", "words"),
    [
        ("no such folder", MixgymError, "does not exist"),
        ([], ValueError, "songs is empty"),
        ([3], ValueError, "songs holds 3"),
    ],
)
def test_songs_that_are_not_there(songs, error, words):
    with pytest.raises(error, match=words):
        gym.make("mixgym/Mixing-v0", songs=songs)


def test_songs_that_cannot_be_used(songs, training_set, tmp_path):
    with pytest.raises(MixgymError, match="24000 Hz, not 44100 Hz: pass sample_rate=24000"):
        gym.make("mixgym/Mixing-v0", songs=songs[0])
    with pytest.raises(ValueError, match="no split 'dev': choose from train"):
        titles(training_set, split="dev")
    with pytest.raises(MixgymError, match="no audio files"):
        titles(tmp_path)
    silent = Song.from_arrays({"Pad": np.zeros((1, 4 * RATE), np.float32)}, RATE, title="Hush")
    with pytest.raises(MixgymError, match="'Hush' is silent"):
        titles(silent)
    with pytest.raises(ValueError, match="has 6 stems, more than max_stems=3: raise it"):
        titles(songs[1], max_stems=3)


def test_songs_of_one_name_are_told_apart(songs, tmp_path):
    for folder, song in (("one", songs[0]), ("other", songs[2])):
        write_song(song, tmp_path / folder / "song")
        write_song(songs[1], tmp_path / folder / f"of {folder}")
    both = [tmp_path / "one", tmp_path / "other"]
    assert titles(both) == ["of one", "song", "of other", "song (2)"]
    episodes = Episodes(MIXING, EnvOptions(songs=both, seconds=SECONDS, sample_rate=RATE), 4)
    policy = np.zeros((4, *episodes.action_mask.shape), np.float32)
    assert len(validate(episodes, lambda seen: policy)) == 4


def test_excerpts_of_one_song_have_one_origin(training_set, songs):
    named = (training_set, training_set / MANIFEST, [training_set], [str(training_set)])
    for way in named:
        sources = find_sources(way, "train", SECONDS, RATE)
        assert [source.origin for source in sources] == ["seed"]
    bounced, spoiled = tracks_at(find_sources(songs[0], "train", SECONDS, RATE), 1)
    assert bounced.origin == spoiled.origin
