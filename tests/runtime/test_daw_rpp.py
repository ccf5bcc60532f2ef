"""Reaper projects: what they hold, and what a plain mixer makes of them.

Reaper itself is not run. `play` is a host of a few lines that follows the documented meaning of the
project's fields: items from the start, effects with their latency made up for, then fader and
balance (sine taper, -3 dB law with gain compensation), sends behind the fader or before the
effects, the folder's sum, and the master's effects.
"""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from mixgym.console.mix import Mix
from mixgym.console.moves import FaderMoves
from mixgym.console.parameters import BUSES, MASTER, STRIP
from mixgym.console.render import render
from mixgym.runtime.daw.rpp import can_be_named, quoted
from mixgym.runtime.mixing import MixOptions, mix_song
from mixgym.runtime.results import Outputs
from mixgym.songs import Song, read_song

RATE = 16_000
FRAMES = 8192


class Chunk:
    """One <NAME ... > of a project."""

    def __init__(self, head):
        self.head, self.lines, self.chunks = head, [], []

    def fields(self, name):
        """The fields of every line of that name."""
        return [line[1:] for line in self.lines if line[0] == name]

    def all(self, name):
        return [chunk for chunk in self.chunks if chunk.head[0] == name]


def split(line):
    """Fields; a mark at a field's beginning ends it."""
    found = re.findall(r"\"([^\"]*)\"|'([^']*)'|`([^`]*)`|(\S+)", line)
    return [next((part for part in parts if part), "") for parts in found]


def parse(text):
    root = Chunk(["root"])
    open_chunks = [root]
    for line in text.splitlines():
        line = line.strip()
        if line == ">":
            open_chunks.pop()
        elif line.startswith("<"):
            chunk = Chunk(split(line[1:]))
            open_chunks[-1].chunks.append(chunk)
            open_chunks.append(chunk)
        else:
            open_chunks[-1].lines.append(split(line))
    assert open_chunks == [root]
    (project,) = root.chunks
    return project


def effects(chunk, folder, rate, eel2, audio):
    """Audio through a chain of effects that lie beside the project."""
    for js in chunk.all("JS"):
        path = folder / js.head[1].replace("<Project>", "Effects")
        values = [float(value) for value in js.lines[0] if value != "-"]
        text = path.read_text()
        names = re.findall(r"^(\w+) = slider\d+;$", text, re.MULTILINE)
        assert len(js.lines[0]) == 64
        settings = dict(zip(names, values, strict=True))
        audio = eel2.Jsfx(text, rate, settings).process(audio)
    return audio


def play(path, frames, eel2):
    """The sum at the end of the master's effects, shape (2, frames)."""
    project = parse(path.read_text(encoding="utf-8"))
    rate = int(project.fields("SAMPLERATE")[0][0])
    tracks = project.all("TRACK")
    dry, wet = [], []
    for track in tracks:
        audio = np.zeros((4, frames))
        for item in track.all("ITEM"):
            (file,) = item.all("SOURCE")[0].fields("FILE")
            samples, own_rate = sf.read(path.parent / file[0], always_2d=True)
            assert own_rate == rate
            assert float(item.fields("LENGTH")[0][0]) == pytest.approx(len(samples) / rate)
            audio[:2, : len(samples)] = np.repeat(samples, 3 - samples.shape[1], axis=1).T
        dry.append(audio)
    for track, audio in zip(tracks, dry, strict=True):
        for source, mode, gain, *_, to, _, _, _, _ in track.fields("AUXRECV"):
            sent = (wet if mode == "0" else dry)[int(source)]
            audio[int(to) : int(to) + 2] += float(gain) * sent[:2]
        for chain in track.all("FXCHAIN"):
            used = int(track.fields("NCHAN")[0][0])
            audio = effects(chain, path.parent, rate, eel2, audio[:used])
        volume, pan, law, *_ = map(float, track.fields("VOLPAN")[0])
        assert law == pytest.approx(np.sqrt(2)) and track.fields("PANLAWFLAGS") == [["0"]]
        assert track.fields("PANMODE") == [["3"]]
        angle = (pan + 1) * np.pi / 4
        sides = np.array([[np.cos(angle)], [np.sin(angle)]])
        muted = track.fields("MUTESOLO")[0][0] == "1"
        for envelope in track.all("VOLENV2"):
            assert track.fields("AUTOMODE") == [["0"]] and envelope.fields("ACT")[0][0] == "1"
            points = np.array(envelope.fields("PT"), dtype=float)
            assert not points[:, 2].any()  # straight lines
            audio = audio * np.interp(np.arange(frames) / rate, points[:, 0], points[:, 1])
        wet.append(audio[:2] * (0 if muted else volume * law) * sides)
    depths = [int(depth) for track in tracks for _, depth in track.fields("ISBUS")]
    assert depths == [1, -1] and tracks[0].fields("ISBUS") and tracks[-1].fields("ISBUS")
    (chain,) = project.all("MASTERFXLIST")
    return effects(chain, path.parent, rate, eel2, sum(wet))


def noise(seed, channels=1, frames=FRAMES):
    rng = np.random.default_rng(seed)
    pulse = np.abs(np.sin(np.arange(frames) / 900 + seed)) ** 2
    return (rng.normal(0, 0.1, (channels, frames)) * pulse).astype(np.float32)


@pytest.fixture
def folder(tmp_path):
    """Stems with awkward names, one of them stereo, one silent."""
    made = tmp_path / "Änd & <song>"
    made.mkdir()
    for name, audio in {
        "1 Kick": noise(1),
        "2 \"Bass\" 'n' <Sub>": noise(2, frames=FRAMES - 100),
        "3 Vöx; & `co`": noise(3, channels=2),
        "4 Nothing": noise(4) * 0,
    }.items():
        sf.write(made / f"{name}.wav", audio.T, RATE, subtype="FLOAT")
    return made


def busy_mix(song, budget=None):
    """A mix in which everything is in use."""
    mix = Mix.neutral(song)
    names = mix.stems
    mix = mix.with_strip(names[0], fader_db=2, pan=-0.3, reverb_send_db=-20)
    mix = mix.with_strip(
        names[1], fader_db=-2, compressor_on=1, compressor_ratio=4, compressor_threshold_db=-15,
        high_pass_on=1, high_pass_hz=60, delay_send_db=-25,
    )  # fmt: skip
    mix = mix.with_strip(names[2], pan=0.6, width=0.5, eq_on=1, bell_1_db=-4, reverb_send_db=-12)
    mix = mix.with_buses(delay_time_ms=40, reverb_size=0.2)
    mix = mix.with_master(
        bus_compressor_on=1, master_eq_on=1, master_high_shelf_db=2, target_lufs=-9
    )
    return replace(mix, side_chains=(None, names[0], None, None))


def write(folder, path, mixer=busy_mix, **more):
    with read_song(folder) as song:
        options = MixOptions(mixer=mixer, bit_depth=32, tail=False, **more)
        return mix_song(song, Outputs(path.with_suffix(".wav"), rpp=path), options)


def test_a_plain_mixer_makes_the_same_of_it(eel2, folder, tmp_path):
    path = tmp_path / "out.rpp"
    result = write(folder, path)
    expected = sf.read(path.with_suffix(".wav"), always_2d=True)[0].T
    heard = play(path, expected.shape[1], eel2)
    residual = np.sum((heard - expected) ** 2) / np.sum(expected**2)
    assert 10 * np.log10(residual) < -50
    assert 20 * np.log10(heard.std() / expected.std()) == pytest.approx(0, abs=0.02)
    assert result.max_reduction_db > 0.5


def test_faders_that_move(eel2, folder, tmp_path):
    moves = FaderMoves(np.array([0.1, 0.3]), np.array([[0, 9], [4, -12], [0, 0], [0, 0]]), 0.5)
    path = tmp_path / "out.rpp"
    write(folder, path, mixer=lambda song, budget: replace(busy_mix(song), moves=moves))
    expected = sf.read(path.with_suffix(".wav"), always_2d=True)[0].T
    heard = play(path, expected.shape[1], eel2)
    assert 10 * np.log10(np.sum((heard - expected) ** 2) / np.sum(expected**2)) < -45
    envelopes = [len(track.all("VOLENV2")) for track in tracks_of(path)]
    assert envelopes == [0, 1, 1, 0, 0, 0, 0]


def tracks_of(path):
    return parse(path.read_text(encoding="utf-8")).all("TRACK")


def test_names_and_order_are_kept(folder, tmp_path):
    write(folder, tmp_path / "out.rpp")
    names = [track.fields("NAME")[0][0] for track in tracks_of(tmp_path / "out.rpp")]
    assert names == [
        "Mix bus",
        "1 Kick",
        "2 \"Bass\" 'n' <Sub>",
        "3 Vöx; & `co`",
        "4 Nothing",
        "Reverb",
        "Delay",
    ]


def test_stems_stay_where_they_are_and_paths_are_relative(folder, tmp_path):
    write(folder, tmp_path / "out.rpp")
    files = [
        chunk.fields("FILE")[0][0]
        for track in tracks_of(tmp_path / "out.rpp")
        for item in track.all("ITEM")
        for chunk in item.all("SOURCE")
    ]
    assert len(files) == 4
    assert all((tmp_path / file).is_file() and not Path(file).is_absolute() for file in files)
    assert not (tmp_path / "out_media").exists()


def test_copies_when_asked(eel2, folder, tmp_path):
    path = tmp_path / "out.rpp"
    write(folder, path, copy_stems=True)
    copies = sorted(p.name for p in (tmp_path / "out_media").glob("*.wav"))
    assert [name[:2] for name in copies] == ["1_", "2_", "3_", "4_"]
    with read_song(folder) as song:
        for stem, name in zip(song.stems, copies, strict=True):
            samples = sf.read(tmp_path / "out_media" / name, always_2d=True, dtype="float32")[0]
            np.testing.assert_array_equal(samples.T, stem.read(0, stem.frames))
    expected = sf.read(path.with_suffix(".wav"), always_2d=True)[0].T
    assert play(path, expected.shape[1], eel2).std() == pytest.approx(expected.std(), rel=0.003)


def test_what_no_single_file_holds_is_copied(tmp_path):
    """Two mono files that are one stereo stem, a lossy file, and audio in memory."""
    made = tmp_path / "song"
    made.mkdir()
    sf.write(made / "Pad L.wav", noise(1).T, RATE, subtype="FLOAT")
    sf.write(made / "Pad R.wav", noise(2).T, RATE, subtype="FLOAT")
    sf.write(made / "Bass.wav", noise(3).T, RATE)
    sf.write(made / "Vox.ogg", noise(4).T, RATE)
    write(made, tmp_path / "out.rpp", mixer=lambda song, budget: Mix.neutral(song))
    copies = sorted(p.name[2:] for p in (tmp_path / "out_media").glob("*.wav"))
    assert copies == ["Pad.wav", "Vox.wav"]
    with Song.from_arrays({"Bass": noise(1), "Vox": noise(2)}, RATE) as song:
        options = MixOptions(mixer=lambda song, budget: Mix.neutral(song))
        mix_song(song, Outputs(tmp_path / "b.wav", rpp=tmp_path / "b.rpp"), options)
    assert len(list((tmp_path / "b_media").glob("*.wav"))) == 2


def test_without_sends_there_are_no_buses(folder, tmp_path):
    write(folder, tmp_path / "out.rpp", mixer=lambda song, budget: Mix.neutral(song))
    tracks = tracks_of(tmp_path / "out.rpp")
    assert [track.fields("ISBUS") for track in tracks] == [[["1", "1"]], [], [], [], [["2", "-1"]]]


def test_the_same_mix_gives_the_same_project(folder, tmp_path):
    for name in ("a", "b"):
        write(folder, tmp_path / f"{name}.rpp")
    assert (tmp_path / "a.rpp").read_bytes() == (tmp_path / "b.rpp").read_bytes()
    assert len(list((tmp_path / "Effects").iterdir())) == 1


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("Kick", '"Kick"'),
        ('"Kick"', "'\"Kick\"'"),
        ("\"a\" 'b'", "`\"a\" 'b'`"),
        ("\"a\" 'b' `c`", "`\"a\" 'b' 'c'`"),
        ("a\nb\x00", '"a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}"'),
        ("> <", '"> <"'),
        ("", '""'),
    ],
)
def test_quoting(text, field):
    assert quoted(text) == field
    assert can_be_named(text) == (field[1:-1] == text)


def test_command(mixgym, stems, tmp_path):
    path = tmp_path / "song.RPP"
    ran = mixgym("mix", stems, "-o", tmp_path / "m.wav", "--rpp", path, "--json")
    assert ran.status == 0, ran.err
    result = json.loads(ran.out)
    assert result["rpp"] == str(path)
    names = [track.fields("NAME")[0][0] for track in tracks_of(path)][1:]
    assert names[: len(result["stem_names"])] == result["stem_names"]
    again = ("mix", stems, "-o", tmp_path / "n.wav", "--rpp", path)
    assert mixgym(*again).status == 2
    assert mixgym(*again, "--overwrite", "--copy-stems").status == 0
    assert (tmp_path / "song_media").is_dir()
    shown = mixgym("mix", stems, "-o", tmp_path / "o.wav", "--rpp", tmp_path / "o.rpp").out
    assert "o.rpp" in shown.replace("\n", "")


def test_bad_input(refused, folder, tmp_path):
    mix = ("mix", folder, "-o", tmp_path / "m.wav")
    refused(*mix, "--rpp", tmp_path / "p.txt", words=["p.txt", ".rpp"])
    refused(*mix, "--rpp", tmp_path / "no" / "p.rpp", words=["no", "does not exist"])
    refused(*mix, "--rpp", tmp_path / "m.wav", words=["m.wav", "twice"])
    (tmp_path / "taken.rpp").write_text("mine")
    refused(*mix, "--rpp", tmp_path / "taken.rpp", words=["taken.rpp", "--overwrite"])
    (tmp_path / "p_media").mkdir()
    (tmp_path / "p_media" / "holiday.jpg").write_text("mine")
    rpp = ("--rpp", tmp_path / "p.rpp")
    refused(*mix, *rpp, "--copy-stems", "--overwrite", words=["p_media", "other things"])
    (tmp_path / "Effects").write_text("mine")
    refused(*mix, *rpp, words=["Effects", "folder"])


def test_values_keep_their_meaning(folder, tmp_path):
    """Every slider of the written effects holds the mix's value under its own name."""
    write(folder, tmp_path / "out.rpp")
    with read_song(folder) as song, render(song, busy_mix(song), tail=False) as rendering:
        strips = busy_mix(song).strips
        bus_lufs = rendering.bus_lufs
    project = parse((tmp_path / "out.rpp").read_text(encoding="utf-8"))
    chains = [c for track in project.all("TRACK") for c in track.all("FXCHAIN")]
    tables = [STRIP, STRIP, STRIP, BUSES, BUSES, MASTER]
    vectors = [*strips[:3], *[busy_mix(song).buses] * 2, busy_mix(song).master]
    for chain, table, vector in zip(
        [*chains, project.all("MASTERFXLIST")[0]], tables, vectors, strict=True
    ):
        (js,) = chain.all("JS")
        text = (tmp_path / js.head[1].replace("<Project>", "Effects")).read_text()
        numbers = dict(re.findall(r"^(\w+) = slider(\d+);$", text, re.MULTILINE))
        settings = table.settings(vector)
        for name, number in numbers.items():
            value = float(js.lines[0][int(number) - 1])
            if name in settings:
                assert value == pytest.approx(settings[name], rel=1e-8)
            elif name == "mix_lufs":
                assert value == pytest.approx(bus_lufs, abs=1e-6)
