"""Bad input ends in one clear sentence and status 2, and leaves the disk as it was."""

import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

RATE = 44_100
MIXGYM = [sys.executable, "-m", "mixgym"]
TONE = (0.3 * np.sin(np.arange(RATE) / 20)).astype(np.float32)
posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX")


# Folders and files


def test_missing_folder(refused, tmp_path):
    refused("mix", tmp_path / "no", "-o", tmp_path / "m.wav", words=[tmp_path / "no", "not exist"])


def test_empty_folder(refused, tmp_path):
    (tmp_path / "song").mkdir()
    refused("mix", tmp_path / "song", "-o", tmp_path / "m.wav", words=["song", "no audio"])


def test_folder_without_audio(refused, tmp_path):
    (tmp_path / "song").mkdir()
    (tmp_path / "song/lyrics.txt").write_text("la la")
    refused("mix", tmp_path / "song", "-o", tmp_path / "m.wav", words=["song", "no audio"])


@pytest.mark.parametrize(
    ("content", "word"),
    [(b"", "empty"), (b"this is not audio" * 50, "not an audio file"), (None, "cut short")],
    ids=["empty", "text", "truncated"],
)
def test_broken_file(refused, folder, tmp_path, content, word):
    if content is None:
        content = (folder / "good.wav").read_bytes()[:20_000]
    (folder / "bad.wav").write_bytes(content)
    refused("mix", folder, "-o", tmp_path / "m.wav", words=["bad.wav", word])


def test_no_samples(refused, folder, tmp_path):
    sf.write(folder / "bad.wav", np.zeros(0), RATE)
    refused("mix", folder, "-o", tmp_path / "m.wav", words=["bad.wav", "no audio"])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("command", ["mix", "master", "measure"])
def test_samples_that_are_no_numbers(refused, folder, tmp_path, value, command):
    bad = TONE.copy()
    bad[30_000] = value
    sf.write(folder / "bad.wav", bad, RATE, subtype="FLOAT")
    source = folder if command == "mix" else folder / "bad.wav"
    output = [] if command == "measure" else ["-o", tmp_path / "m.wav"]
    refused(command, source, *output, words=["bad.wav", "NaN", "0.680 s"])


def test_three_channels(refused, folder, tmp_path):
    sf.write(folder / "bad.wav", np.tile(TONE[:, None], (1, 3)), RATE)
    refused("mix", folder, "-o", tmp_path / "m.wav", words=["bad.wav", "3 channels"])


@pytest.mark.parametrize("rate", [4_000, 384_000])
def test_rate_out_of_range(refused, folder, tmp_path, rate):
    sf.write(folder / "bad.wav", TONE, rate)
    refused("mix", folder, "-o", tmp_path / "m.wav", words=["bad.wav", rate, "192000"])


def test_300_stems(refused, tmp_path):
    (tmp_path / "song").mkdir()
    sf.write(tmp_path / "song/0.wav", TONE[:2000], RATE)
    for i in range(1, 300):
        os.link(tmp_path / "song/0.wav", tmp_path / f"song/{i}.wav")
    refused("mix", tmp_path / "song", "-o", tmp_path / "m.wav", words=["300 stems", "256"])


def test_silent_song(refused, tmp_path):
    (tmp_path / "song").mkdir()
    for name in "ab":
        sf.write(tmp_path / f"song/{name}.wav", 0 * TONE, RATE)
    refused("mix", tmp_path / "song", "-o", tmp_path / "m.wav", words=["song", "silent"])


def test_silent_track(refused, tmp_path):
    sf.write(tmp_path / "quiet.wav", 0 * TONE, RATE)
    refused("master", tmp_path / "quiet.wav", "-o", tmp_path / "m.wav", words=["quiet.wav"])


def test_silent_stem_is_kept_and_named(mixgym, folder, tmp_path):
    sf.write(folder / "nothing.wav", 0 * TONE, RATE)
    output = tmp_path / "m.wav"
    ran = mixgym("mix", folder, "-o", output, "--stems-out", tmp_path / "out", "--json")
    assert ran.status == 0
    result = json.loads(ran.out)
    assert "nothing" in result["stem_names"]
    assert any("nothing is silent" in note for note in result["notes"])
    assert sf.info(next((tmp_path / "out").glob("*nothing*"))).frames == sf.info(output).frames


@posix
def test_link_loops_do_not_hang(mixgym, refused, folder, tmp_path, check_sentence):
    (folder / "loop").symlink_to(folder)
    (folder / "snake.wav").symlink_to(folder / "snake.wav")
    ran = mixgym("mix", folder, "-o", tmp_path / "m.wav", "-q")
    if ran.status:  # a link to nothing is worth a word, not a hang or a traceback
        check_sentence(ran.err, ["snake.wav"])
    refused("mix", folder / "snake.wav", "-o", tmp_path / "n.wav", words=["snake.wav"])
    (folder / "good.wav").unlink()
    (folder / "snake.wav").unlink()
    refused("mix", folder, "-o", tmp_path / "n.wav", words=["song", "no audio"])


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root reads everything")
def test_unreadable(refused, folder, tmp_path):
    sf.write(folder / "secret.wav", TONE, RATE)
    (folder / "secret.wav").chmod(0)
    refused("mix", folder, "-o", tmp_path / "m.wav", words=["secret.wav"])


# Outputs


@pytest.mark.parametrize("option", ["-o", "--save-preset", "--report"])
def test_existing_output(refused, folder, tmp_path, option):
    (tmp_path / "there.wav").write_bytes(b"precious")
    outputs = {"-o": tmp_path / "m.wav"} | {option: tmp_path / "there.wav"}
    arguments = [word for pair in outputs.items() for word in pair]
    refused("mix", folder, *arguments, words=["there.wav", "--overwrite"])


def test_existing_stems(refused, folder, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/other.txt").write_text("precious")
    for more in ([], ["--overwrite"]):
        refused(
            "mix", folder, "-o", tmp_path / "m.wav", "--stems-out", tmp_path / "out", *more,
            words=["out", "other things"],
        )  # fmt: skip


@pytest.mark.parametrize("option", ["-o", "--save-preset", "--report", "--stems-out"])
def test_output_into_a_missing_folder(refused, folder, tmp_path, option):
    outputs = {"-o": tmp_path / "m.wav"} | {option: tmp_path / "no/there.wav"}
    arguments = [word for pair in outputs.items() for word in pair]
    refused("mix", folder, *arguments, words=[tmp_path / "no", "does not exist", "create"])


def test_output_is_a_folder(refused, folder, tmp_path):
    (tmp_path / "m.wav").mkdir()
    refused("mix", folder, "-o", tmp_path / "m.wav", "--overwrite", words=["m.wav is a folder"])


def test_outputs_that_collide(refused, folder, tmp_path):
    output = tmp_path / "m.wav"
    refused("mix", folder, "-o", output, "--report", output, words=["m.wav", "twice"])
    refused("mix", folder, "-o", output, "--stems-out", output, words=["m.wav", "twice"])
    (tmp_path / "out").mkdir()
    arguments = ["-o", tmp_path / "out/m.wav", "--stems-out", tmp_path / "out"]
    refused("mix", folder, *arguments, words=["m.wav lies in the folder", "out"])


def test_output_is_an_input(refused, folder, tmp_path):
    stem = folder / "good.wav"
    for command in ("mix", "master"):
        refused(command, stem, "-o", stem, "--overwrite", words=["good.wav", "another output"])
    refused("mix", folder, "-o", stem, "--overwrite", words=["good.wav"])
    refused("mix", stem, "-o", tmp_path / "m.wav", "--report", stem, "--overwrite", words=["good"])
    (tmp_path / "link.wav").symlink_to(stem)
    refused("mix", stem, "-o", tmp_path / "link.wav", "--overwrite", words=["link.wav"])
    refused(
        "mix", folder, "-o", tmp_path / "m.wav", "--stems-out", folder, "--overwrite",
        words=["song", "another output"],
    )  # fmt: skip


def test_reference_is_not_replaced(refused, folder, tmp_path):
    sf.write(tmp_path / "ref.wav", TONE, RATE)
    reference = tmp_path / "ref.wav"
    refused(
        "master", folder / "good.wav", "--reference", reference, "-o", reference, "--overwrite",
        words=["ref.wav", "another output"],
    )  # fmt: skip


def test_mix_among_its_stems(refused, folder):
    refused("mix", folder, "-o", folder / "mix.wav", words=["mix.wav", "another folder"])


@pytest.mark.parametrize("name", ["m.xyz", "m", "m.wav.zip"])
def test_unknown_suffix(refused, folder, tmp_path, name):
    refused("mix", folder, "-o", tmp_path / name, words=[name, ".wav"])


def test_name_too_long(refused, folder, tmp_path):
    refused("mix", folder, "-o", tmp_path / f"{'m' * 300}.wav", words=["mmm", "too long"])


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root writes everywhere")
def test_folder_that_cannot_be_written(refused, folder, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    refused("mix", folder, "-o", tmp_path / "locked/m.wav", words=["locked", "cannot be written"])


@posix
@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a read-only file system")
def test_read_only_file_system(refused, folder):
    refused("mix", folder, "-o", "/proc/m.wav", words=["/proc"])


# Values


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--lufs", "-31"),
        ("--lufs", "-5"),
        ("--lufs", "nan"),
        ("--lufs", "loud"),
        ("--true-peak", "0.1"),
        ("--true-peak", "-9.5"),
        ("--amount", "1.1"),
        ("--amount", "-0.1"),
        ("--amount", "nan"),
        ("--eq", "2"),
        ("--dynamics", "2"),
        ("--pan", "2"),
        ("--space", "2"),
        ("--master", "2"),
        ("--sample-rate", "7999"),
        ("--sample-rate", "192001"),
        ("--threads", "0"),
        ("--threads", "many"),
    ],
)
def test_option_out_of_range(refused, folder, tmp_path, option, value):
    refused("mix", folder, "-o", tmp_path / "m.wav", option, value, words=[option])


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--bit-depth", "20", ["20", "16, 24 or 32"]),
        ("--style", "loudest", ["loudest", "balanced"]),
        ("--mixer", "rolls", ["rolls", "equal_loudness"]),
        ("--nonsense", "1", ["--nonsense"]),
    ],
)
def test_option_unknown(refused, folder, tmp_path, option, value, words):
    refused("mix", folder, "-o", tmp_path / "m.wav", option, value, words=words)


def test_formats_that_cannot_hold_it(refused, folder, tmp_path):
    refused("mix", folder, "-o", tmp_path / "m.flac", "--bit-depth", 32, words=["m.flac", "32"])
    refused("mix", folder, "-o", tmp_path / "m.mp3", "--sample-rate", 96000, words=["MP3", 96000])


def test_options_that_exclude_each_other(refused, folder, tmp_path):
    output = ["-o", tmp_path / "m.wav"]
    preset = ["--preset", tmp_path / "p.json"]
    refused("mix", folder, *output, *preset, "--mixer", "roles", words=["--preset and --mixer"])
    refused("mix", folder, *output, *preset, "--style", "warm", words=["--style"])
    refused("mix", folder, *output, "--mixer", "plain_sum", "--style", "warm", words=["--style"])


# Presets


@pytest.fixture
def preset(mixgym, folder, tmp_path):
    """The text of a good preset."""
    path = tmp_path / "good.json"
    output = tmp_path / "first.wav"
    assert mixgym("mix", folder, "-o", output, "--save-preset", path, "-q").status == 0
    output.unlink()
    return json.loads(path.read_text())


def test_presets(refused, folder, tmp_path, preset):
    cases = {
        "newer": ({**preset, "version": 99}, ["newer", "upgrade"]),
        "version": ({**preset, "version": "new"}, ["version"]),
        "format": ({**preset, "format": "other"}, ["format"]),
        "key": ({**preset, "mastre": {}}, ["mastre"]),
        "list": ([preset], ["no mixgym preset"]),
        "name": ({**preset, "master": {"target_luvs": -14}}, ["target_luvs", "target_lufs"]),
        "range": ({**preset, "master": {"target_lufs": 3}}, ["target_lufs is 3", "-30 to -6"]),
        "type": ({**preset, "master": {"target_lufs": "loud"}}, ["target_lufs"]),
    }
    path = tmp_path / "p.json"
    for content, words in cases.values():
        path.write_text(json.dumps(content))
        refused("mix", folder, "-o", tmp_path / "m.wav", "--preset", path, words=["p.json", *words])
    path.write_text(json.dumps(preset).replace("-14.0", "NaN"))
    refused("mix", folder, "-o", tmp_path / "m.wav", "--preset", path, words=["p.json"])
    path.write_text("{ fader: 3")
    refused("mix", folder, "-o", tmp_path / "m.wav", "--preset", path, words=["p.json", "JSON"])


def test_preset_that_is_no_file(refused, folder, tmp_path):
    for path in (folder, tmp_path / "no.json"):
        refused("mix", folder, "-o", tmp_path / "m.wav", "--preset", path, words=[path])


# Names


def test_names_from_hell(mixgym, folder, tmp_path):
    names = ["[bold]x[red]", "\N{DRUM WITH DRUMSTICKS} drum", "esc\x1b[2J", "a\nb", "l" * 250]
    for name in names:
        sf.write(folder / f"{name}.wav", TONE, RATE)
    output = ["-o", tmp_path / "m.wav", "--stems-out", tmp_path / "out"]
    ran = mixgym("mix", folder, *output)
    assert ran.status == 0, ran.err
    assert "[bold]x[red]" in ran.out
    assert "\x1b" not in ran.out
    assert len(list((tmp_path / "out").glob("*.wav"))) >= len(names) + 1
    ran = mixgym("mix", folder, *output, "--overwrite", "--json")
    assert set(names) <= set(json.loads(ran.out)["stem_names"])


def test_name_with_control_characters_stays_one_line(refused, tmp_path):
    name = tmp_path / "no\nsuch\x1b[31m file"
    refused("mix", name, "-o", tmp_path / "m.wav", words=["does not exist"])


@posix
def test_name_that_is_not_utf_8(mixgym, folder, tmp_path):
    path = os.fsencode(folder) + b"/caf\xe9.wav"
    try:
        shutil.copy(folder / "good.wav", path)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    ran = mixgym("mix", folder, "-o", tmp_path / "m.wav")
    assert ran.status == 0, ran.err
