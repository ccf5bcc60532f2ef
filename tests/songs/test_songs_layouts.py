"""Small trees in the layouts that people and data sets use."""

import json
import os
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile as sf

from mixgym.songs import read_song
from mixgym.songs.layouts import WRITTEN

RATE = 8000


def put(path, level=0.1, channels=1, frames=800, rate=RATE):
    """Write a constant `level`, so that a test can tell stems and channels apart."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sf.write(path, np.full((frames, channels), level), rate)


def names(song):
    return [stem.name for stem in song.stems]


def roles(song):
    return {stem.name: stem.role for stem in song.stems}


def test_flat_folder_in_natural_order(tmp_path):
    for name in ("10_Pno", "2_SnareTop", "1_KickIn", "._1_KickIn", ".hidden"):
        put(tmp_path / "My Song" / f"{name}.wav")
    put(tmp_path / "My Song/reference/master.wav")
    put(tmp_path / "My Song/__MACOSX/1_KickIn.wav")
    (tmp_path / "My Song/notes.txt").write_text("not audio")
    song = read_song(tmp_path / "My Song")
    assert song.title == "My Song" and song.tempo_bpm is None
    assert roles(song) == {"1_KickIn": "kick", "2_SnareTop": "snare", "10_Pno": "keys"}
    assert names(song)[-1] == "10_Pno"


def test_cambridge_mt_nested_once(tmp_path):
    for name in ("01_KickIn", "02_OHL", "03_Gtr"):
        put(tmp_path / "Artist_Song" / "Artist_Song_Full" / f"{name}.wav")
    put(tmp_path / "Artist_Song/__MACOSX/x.wav")
    song = read_song(tmp_path / "Artist_Song")
    assert song.title == "Artist_Song"
    assert roles(song) == {"01_KickIn": "kick", "02_OHL": "drums", "03_Gtr": "guitar"}


def test_musdb18_hq(tmp_path):
    for name in ("bass", "drums", "mixture", "other", "vocals"):
        put(tmp_path / f"{name}.wav", channels=2)
    assert roles(read_song(tmp_path)) == {
        "bass": "bass",
        "drums": "drums",
        "other": "other",
        "vocals": "lead_vocal",
    }


def test_a_folder_of_nothing_but_a_mixture_is_that(tmp_path):
    put(tmp_path / "mixture.wav")
    assert names(read_song(tmp_path)) == ["mixture"]


def write_stem_file(path, levels):
    """Write five AAC streams, each a sine of its own level."""
    tone = np.sin(2 * np.pi * 440 * np.arange(20_480) / 44_100).astype(np.float32)
    with av.open(str(path), "w", format="mp4") as container:
        streams = [container.add_stream("aac", rate=44_100, layout="stereo") for _ in levels]
        for stream, level in zip(streams, levels, strict=True):
            for start in range(0, tone.size, 1024):
                block = np.tile(level * tone[start : start + 1024], (2, 1))
                frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), "fltp", "stereo")
                frame.sample_rate, frame.pts = 44_100, start
                frame.time_base = Fraction(1, 44_100)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))


def add_stem_names(path, payload):
    """Put a `udta/stem` box at the end of `moov`, the last box of the file."""
    data = path.read_bytes()
    at = data.rindex(b"moov") - 4
    size = struct.unpack(">I", data[at : at + 4])[0]
    assert at + size == len(data)
    stem = struct.pack(">I4s", 8 + len(payload), b"stem") + payload
    udta = struct.pack(">I4s", 8 + len(stem), b"udta") + stem
    moov = data[at + 8 :].replace(b"udta", b"free")
    path.write_bytes(data[:at] + struct.pack(">I4s", size + len(udta), b"moov") + moov + udta)


LEVELS = (0.9, 0.1, 0.2, 0.3, 0.4)


def test_stem_file_without_names(tmp_path):
    write_stem_file(tmp_path / "A - B.stem.mp4", LEVELS)
    song = read_song(tmp_path / "A - B.stem.mp4")
    assert song.title == "A - B"
    assert names(song) == ["stem 1", "stem 2", "stem 3", "stem 4"]
    for stem, level in zip(song.stems, LEVELS[1:], strict=True):
        rms = np.sqrt(np.mean(stem.read(4096, 8192) ** 2))
        assert rms == pytest.approx(level / np.sqrt(2), rel=0.05)


def test_stem_file_with_names(tmp_path):
    path = tmp_path / "song.stem.mp4"
    write_stem_file(path, LEVELS)
    stems = [{"name": n, "color": "#fff"} for n in ("Drums", "Bass", "Synth", "Vox")]
    add_stem_names(path, json.dumps({"version": 1, "stems": stems}).encode())
    assert roles(read_song(path)) == {
        "Drums": "drums",
        "Bass": "bass",
        "Synth": "synth",
        "Vox": "lead_vocal",
    }
    assert names(read_song(tmp_path)) == ["Drums", "Bass", "Synth", "Vox"]


@pytest.mark.parametrize("payload", [b"{", b"[]", b'{"stems":[{"name":"A"}]}', b"\xff\xfe"])
def test_stem_file_with_broken_names(tmp_path, payload):
    path = tmp_path / "song.stem.mp4"
    write_stem_file(path, LEVELS)
    add_stem_names(path, payload)
    assert names(read_song(path)) == ["stem 1", "stem 2", "stem 3", "stem 4"]


MEDLEYDB = """\
album: None
artist: Somebody
has_bleed: 'no'
mix_filename: S_T_MIX.wav
stems:
  S01:
    component: bass
    filename: S_T_STEM_01.wav
    instrument: electric bass
    raw:
      R01:
        filename: S_T_RAW_01_01.wav
        instrument: trumpet
  S02:
    component: melody
    filename: S_T_STEM_02.wav
    instrument: female singer
    raw: {}
  S03:
    component: ''
    filename: S_T_STEM_03.wav
    instrument: drum set
title: 'The Title'
"""


@pytest.mark.parametrize("with_metadata", [True, False])
def test_medleydb(tmp_path, with_metadata):
    for number in (1, 2, 3):
        put(tmp_path / f"S_T/S_T_STEMS/S_T_STEM_0{number}.wav", channels=2)
        put(tmp_path / f"S_T/S_T_RAW/S_T_RAW_0{number}_01.wav")
    put(tmp_path / "S_T/S_T_MIX.wav")
    if with_metadata:
        (tmp_path / "S_T/S_T_METADATA.yaml").write_text(MEDLEYDB)
    song = read_song(tmp_path / "S_T")
    if with_metadata:
        assert song.title == "The Title"
        assert roles(song) == {
            "electric bass": "bass",
            "female singer": "lead_vocal",
            "drum set": "drums",
        }
    else:
        assert song.title == "S_T"
        assert names(song) == ["S_T_STEM_01", "S_T_STEM_02", "S_T_STEM_03"]


def test_moisesdb(tmp_path):
    tracks = {
        "drums": [("d1", "kick drum"), ("d2", "overheads")],
        "other_keys": [("k1", "synth pad"), ("k2", "other sounds (hapischord, melotron etc)")],
        "bass": [("b1", "bass guitar")],
        "vocals": [("v1", "lead male singer"), ("v2", "background vocals")],
    }
    stems = []
    for group, members in tracks.items():
        for name, _ in members:
            put(tmp_path / group / f"{name}.wav", channels=2)
        listed = [{"id": i, "trackType": kind, "extension": "wav"} for i, kind in members]
        stems.append({"id": group, "stemName": group, "tracks": listed})
    data = {"song": "Tune", "artist": "A", "stems": stems}
    (tmp_path / "data.json").write_text(json.dumps(data))
    song = read_song(tmp_path)
    assert song.title == "Tune"
    assert roles(song) == {
        "kick drum": "kick",
        "overheads": "drums",
        "synth pad": "pad",
        "other sounds": "keys",
        "bass guitar": "bass",
        "lead male singer": "lead_vocal",
        "background vocals": "backing_vocal",
    }


def test_folders_by_group_without_metadata(tmp_path):
    put(tmp_path / "Drums/take1.wav")
    put(tmp_path / "Vox/take1.wav")
    assert roles(read_song(tmp_path)) == {"take1": "drums", "take1 (2)": "lead_vocal"}


@pytest.mark.parametrize(
    ("left", "right", "name"),
    [
        ("OH_L", "OH_R", "OH"),
        ("Gtr L", "Gtr R", "Gtr"),
        ("Pno.L", "Pno.R", "Pno"),
        ("pad-l", "pad-r", "pad"),
        ("Room Left", "Room Right", "Room"),
        ("OverheadL", "OverheadR", "Overhead"),
        ("05_OH_L", "06_OH_R", "05_OH"),
        ("Keys (L)", "Keys (R)", "Keys"),
    ],
)
def test_two_sides_become_one_stem(tmp_path, left, right, name):
    put(tmp_path / f"{left}.wav", 0.25, frames=800)
    put(tmp_path / f"{right}.wav", -0.5, frames=1000)
    put(tmp_path / "Zither.wav")
    song = read_song(tmp_path)
    assert names(song) == [name, "Zither"]
    pair = song.stems[0]
    assert (pair.channels, pair.frames) == (2, 1000)
    np.testing.assert_array_equal(
        pair.read(0, 801)[:, [0, 799, 800]].T, [[0.25, -0.5], [0.25, -0.5], [0.0, -0.5]]
    )


def test_sides_of_two_pairs_keep_together(tmp_path):
    for number, (side, level) in enumerate([("L", 0.1), ("R", 0.2), ("L", 0.3), ("R", 0.4)]):
        put(tmp_path / f"0{number}_Gtr_{side}.wav", level)
    song = read_song(tmp_path)
    assert names(song) == ["00_Gtr", "02_Gtr"]
    assert [stem.read(0, 1)[:, 0].tolist() for stem in song.stems] == [
        pytest.approx([0.1, 0.2], abs=1e-4),
        pytest.approx([0.3, 0.4], abs=1e-4),
    ]


def test_sides_that_are_not_a_pair_stay_apart(tmp_path):
    put(tmp_path / "Gtr_L.wav", channels=2)
    put(tmp_path / "Gtr_R.wav", channels=2)
    put(tmp_path / "OH_L.wav", rate=8000)
    put(tmp_path / "OH_R.wav", rate=16_000)
    put(tmp_path / "Pno_L.wav")
    put(tmp_path / "L.wav")
    put(tmp_path / "R.wav")
    assert names(read_song(tmp_path)) == ["Gtr_L", "Gtr_R", "L", "OH_L", "OH_R", "Pno_L", "R"]


def test_song_json(tmp_path):
    for name in ("01_a", "02_b", "03_c", "04_d"):
        put(tmp_path / f"{name}.wav")
    stems = [
        {"file": "01_a.wav", "name": "First", "role": "hihat", "peak": 1},
        {"file": "02_b", "lmms_track": "Saw Bass"},
        {"file": "03_c", "role": "backing_vocals"},
        {"file": "99_gone.wav", "role": "kick"},
    ]
    about = {"title": "Tune", "tempo_bpm": 97.5, "author": {"any": ["thing"]}, "stems": stems}
    (tmp_path / "song.json").write_text(json.dumps(about), encoding="utf-8-sig")
    song = read_song(tmp_path)
    assert (song.title, song.tempo_bpm) == ("Tune", 97.5)
    assert roles(song) == {
        "First": "hats",
        "Saw Bass": "bass",
        "03_c": "backing_vocal",
        "04_d": "other",
    }
    listed = read_song(sorted(tmp_path.glob("0*.wav")))
    assert (listed.title, listed.tempo_bpm, roles(listed)) == ("Tune", 97.5, roles(song))


def test_names_that_no_file_or_page_could_hold(tmp_path):
    for name in ("a", "b", "master", "buses"):
        put(tmp_path / f"{name}.wav")
    stems = [{"file": "a", "name": "T\ud800"}, {"file": "b", "name": "long " * 200}]
    (tmp_path / "song.json").write_text(json.dumps({"title": "\udfff" * 600, "stems": stems}))
    song = read_song(tmp_path)
    assert song.title == "?" * 400
    assert names(song) == ["T?", ("long " * 80), "buses (2)", "master (2)"]


def test_what_mixgym_wrote_is_no_group(tmp_path):
    for group, name in (("Drums", "kick"), ("Bass", "di"), ("Vox", "lead")):
        put(tmp_path / group / f"{name}.wav")
    before = names(read_song(tmp_path))
    put(tmp_path / "processed/1_kick.wav")
    (tmp_path / "processed" / WRITTEN).touch()
    assert names(read_song(tmp_path)) == before
    assert names(read_song(tmp_path / "processed")) == ["1_kick"]


def test_song_json_of_the_other_style(tmp_path):
    put(tmp_path / "a.wav")
    (tmp_path / "song.json").write_text('{"song": "Other", "bpm": 120, "stems": []}')
    song = read_song(tmp_path)
    assert (song.title, song.tempo_bpm) == ("Other", 120.0)


def test_list_of_files_from_several_places(tmp_path):
    put(tmp_path / "a/Kick.wav")
    put(tmp_path / "b/Kick.wav")
    put(tmp_path / "c/Snare.wav")
    put(tmp_path / "c/Hat.wav")
    song = read_song([tmp_path / "b/Kick.wav", str(tmp_path / "a/Kick.wav"), tmp_path / "c"])
    assert names(song) == ["Kick", "Kick (2)", "Hat", "Snare"]
    assert song.stems[0].path == tmp_path / "b/Kick.wav"


@pytest.mark.skipif("MIXGYM_DATA" not in os.environ, reason="MIXGYM_DATA is not set")
@pytest.mark.slow
def test_every_shared_song_opens():
    folders = sorted(Path(os.environ["MIXGYM_DATA"], "songs").iterdir())
    assert folders
    for folder in folders:
        with read_song(folder) as song:
            assert song.stems and all(stem.frames for stem in song.stems)
            assert not any("reference" in stem.path.parts for stem in song.stems)
