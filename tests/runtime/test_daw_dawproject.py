"""DAWproject files: valid by the format's schema, with every track and its audio."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from lxml import etree

from mixgym.console.mix import Mix
from mixgym.console.mixbus import MixBus
from mixgym.console.moves import FaderMoves
from mixgym.runtime.mixing import MixOptions, mix_song
from mixgym.runtime.results import Outputs
from mixgym.songs import Song, read_song

RATE = 16_000
SCHEMAS = Path(__file__).parents[1] / "data" / "dawproject"


def opened(path):
    """Both documents, valid by their schemas, and the names of the audio files."""
    documents = []
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        for name, schema in (("project.xml", "Project.xsd"), ("metadata.xml", "MetaData.xsd")):
            document = etree.fromstring(archive.read(name))
            etree.XMLSchema(etree.parse(SCHEMAS / schema)).assertValid(document)
            documents.append(document)
        audio = [name for name in archive.namelist() if name.startswith("audio/")]
    return *documents, audio


def noise(seed, channels=1, frames=8192):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 0.1, (channels, frames)).astype(np.float32)


NAMES = ("Kick", "Bäss & <Sub> \"x\" 'y'", "V\x00x\x1b[31m", "Nothing")


@pytest.fixture
def song():
    arrays = {name: noise(i, 1 + i % 2) for i, name in enumerate(NAMES[:3])}
    with Song.from_arrays({**arrays, "Nothing": noise(9) * 0}, RATE, title="A < B & C") as made:
        yield made


def busy(song, budget=None):
    mix = Mix.neutral(song)
    mix = mix.with_strip("Kick", pan=-0.5, fader_db=3, reverb_send_db=-20, delay_send_db=-30)
    mix = mix.with_strip(
        NAMES[1], eq_on=1, bell_1_db=-4, bell_1_q=2, high_shelf_db=3, high_pass_on=1,
        high_pass_hz=50, compressor_on=1, compressor_ratio=4, compressor_threshold_db=-8,
    )  # fmt: skip
    return mix.with_master(master_eq_on=1, master_bell_2_db=2, bus_compressor_on=1)


def write(song, path, mixer=busy):
    options = MixOptions(mixer=mixer, bit_depth=32, tail=False)
    return mix_song(song, Outputs(path.with_suffix(".wav"), dawproject=path), options)


def tracks(project):
    return {track.get("name"): track for track in project.iter("Track")}


def value(element, path):
    return float(element.find(path).get("value"))


def test_volumes_that_move(song, tmp_path):
    moves = FaderMoves(np.array([0.1, 0.3]), np.array([[0.0, 6.0], *[[0.0, 0.0]] * 3]), 0.512)
    write(song, tmp_path / "p.dawproject", lambda song, budget: replace(busy(song), moves=moves))
    project, _, _ = opened(tmp_path / "p.dawproject")
    (points,) = project.iter("Points")
    kick = tracks(project)["Kick"]
    volume = kick.find("Channel/Volume")
    assert points.get("track") == kick.get("id") and points.get("unit") == "linear"
    assert points.find("Target").get("parameter") == volume.get("id")
    at = [(float(p.get("time")), float(p.get("value"))) for p in points.iter("RealPoint")]
    still = float(volume.get("value"))
    assert at[0] == (0.0, pytest.approx(still))
    assert at[-1] == (pytest.approx(0.3), pytest.approx(still * 10 ** (6 / 20)))


def test_names_order_and_title(song, tmp_path):
    write(song, tmp_path / "p.dawproject")
    project, metadata, _ = opened(tmp_path / "p.dawproject")
    bad = "\N{REPLACEMENT CHARACTER}"
    assert list(tracks(project)) == [
        "Kick", NAMES[1], f"V{bad}x{bad}[31m", "Nothing", "Reverb return", "Delay return",
        "Reverb", "Delay", "Master",
    ]  # fmt: skip
    assert metadata.findtext("Title") == "A < B & C"


def test_levels_pans_and_sends(song, tmp_path):
    write(song, tmp_path / "p.dawproject")
    project, _, _ = opened(tmp_path / "p.dawproject")
    found = tracks(project)
    channel = found["Kick"].find("Channel")
    assert value(channel, "Pan") == pytest.approx(0.25)
    bus = found["Reverb"].find("Channel").get("id")
    sends = {s.get("destination"): value(s, "Volume") for s in channel.iter("Send")}
    assert sends[bus] == pytest.approx(0.1)
    assert channel.get("destination") == found["Master"].find("Channel").get("id")
    muted = {
        name: track.find("Channel/Mute").get("value") == "true" for name, track in found.items()
    }
    assert [name for name, is_muted in muted.items() if is_muted] == ["Nothing", "Reverb", "Delay"]


def test_the_sum_of_its_tracks_is_the_mix_at_nominal_loudness(song, tmp_path):
    """Without devices: faders, centred mono files at -3 dB a side, and the returns' audio."""

    def dry(song, budget=None):
        return Mix.neutral(song).with_strip("Kick", fader_db=4, reverb_send_db=-10)

    write(song, tmp_path / "p.dawproject", dry)
    project, _, _ = opened(tmp_path / "p.dawproject")
    bus = MixBus(song, dry(song), tail=False)
    expected = np.concatenate([block.total for block in bus.blocks()], axis=1)
    found = {track.get("id"): track.find("Channel") for track in project.iter("Track")}
    total = np.zeros_like(expected, dtype=np.float64)
    with zipfile.ZipFile(tmp_path / "p.dawproject") as archive:
        for clips in project.iter("Clips"):
            with archive.open(clips.find("Clip/Audio/File").get("path")) as file:
                audio = sf.read(file, always_2d=True)[0].T
            if len(audio) == 1:
                audio = np.repeat(audio, 2, axis=0) * np.sqrt(0.5)
            channel = found[clips.get("track")]
            if channel.find("Mute").get("value") == "false":
                total += value(channel, "Volume") * audio
    level = np.sum(total * expected) / np.sum(expected**2)
    assert np.abs(total - level * expected).max() < 1e-4 * np.abs(total).max()
    meter_lufs = write(song, tmp_path / "q.dawproject", dry).source_lufs
    assert 20 * np.log10(level) == pytest.approx(-23 - meter_lufs, abs=0.01)


def test_devices(song, tmp_path):
    result = write(song, tmp_path / "p.dawproject")
    project, _, _ = opened(tmp_path / "p.dawproject")
    devices = tracks(project)[NAMES[1]].find("Channel/Devices")
    assert [device.tag for device in devices] == ["Equalizer", "Compressor"]
    bands = [(b.get("type"), value(b, "Freq")) for b in devices.iter("Band")]
    assert bands == [("highPass", 50), ("bell", 500), ("highShelf", 8000)]
    bell = devices.findall("Equalizer/Band")[1]
    assert (value(bell, "Gain"), value(bell, "Q")) == (-4, 2)
    assert value(devices, "Compressor/Ratio") == pytest.approx(75)
    assert value(devices, "Compressor/OutputGain") > 0
    master = tracks(project)["Master"].find("Channel/Devices")
    assert [device.tag for device in master] == ["Compressor", "Equalizer", "Limiter"]
    assert value(master, "Limiter/Threshold") == pytest.approx(-1, abs=0.5)
    assert result.ceiling_dbtp == -1


def test_every_clip_has_its_audio(stems, tmp_path):
    path = tmp_path / "p.dawproject"
    with read_song(stems) as song:
        options = MixOptions(mixer=lambda song, budget: Mix.neutral(song))
        mix_song(song, Outputs(tmp_path / "m.wav", dawproject=path), options)
        frames = [stem.frames for stem in song.stems]
    project, _, audio = opened(path)
    named = [file.get("path") for file in project.iter("File")]
    assert sorted(named) == sorted(audio)
    clips = list(project.iter("Clip"))
    for clip, count in zip(clips, frames, strict=False):
        assert float(clip.get("duration")) == pytest.approx(count / song.sample_rate)
    with zipfile.ZipFile(path) as archive:
        for file, stem in zip(named, song.stems, strict=False):
            assert archive.read(file) == stem.path.read_bytes()


def test_no_limiter(song, tmp_path):
    write(song, tmp_path / "p.dawproject", lambda song, _: busy(song).with_master(limiter_on=0))
    project, _, _ = opened(tmp_path / "p.dawproject")
    master = tracks(project)["Master"].find("Channel")
    assert "Limiter" not in {device.tag for device in master.find("Devices")}
    assert value(master, "Volume") > 1.5


def test_command_and_bad_input(mixgym, refused, folder, tmp_path):
    mix = ("mix", folder, "-o", tmp_path / "m.wav")
    refused(*mix, "--dawproject", tmp_path / "p.zip", words=["p.zip", ".dawproject"])
    refused(*mix, "--dawproject", tmp_path / "no/p.dawproject", words=["no", "does not exist"])
    (tmp_path / "taken.dawproject").write_text("mine")
    refused(*mix, "--dawproject", tmp_path / "taken.dawproject", words=["--overwrite"])
    path = tmp_path / "p.dawproject"
    ran = mixgym(*mix, "--dawproject", path, "--json")
    assert ran.status == 0, ran.err
    assert json.loads(ran.out)["dawproject"] == str(path)
    opened(path)


def test_a_full_disk_leaves_nothing(refused, folder, tmp_path, monkeypatch):
    import errno

    def full(*arguments, **more):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    refused(
        "mix", folder, "-o", tmp_path / "m.wav", "--dawproject", tmp_path / "p.dawproject",
        "--rpp", tmp_path / "p.rpp", words=["disk", "full"],
    )  # fmt: skip
