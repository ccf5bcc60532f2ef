"""The command line as a whole: help, version, silence, JSON, and what a person reads."""

import json
import os
import subprocess
import sys
import time

import pytest

from mixgym import __version__
from mixgym._options import Lufs, TruePeak
from mixgym._terminal import print_json
from mixgym._text import printable
from mixgym.console.parameters import MASTER

COMMANDS = ("mix", "master", "measure", "demo", "bench")
HEAVY = ("numpy", "numba", "scipy", "torch", "soundfile", "av", "pedalboard", "matplotlib")


def run_module(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "mixgym", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "100"},
    )


def test_help_is_quick():
    """Goal 1 s on an idle machine; the bound leaves room for a busy one."""
    best = float("inf")
    for _ in range(3):
        started = time.perf_counter()
        ran = run_module("--help")
        best = min(best, time.perf_counter() - started)
        assert ran.returncode == 0
    assert best < 2.0
    for command in COMMANDS:
        assert command in ran.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["mix", "--help"], ["--version"]])
def test_nothing_heavy_is_imported_for_help(arguments):
    code = (
        "import sys\n"
        "from mixgym.cli import main\n"
        f"sys.argv = ['mixgym', *{arguments!r}]\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as end:\n"
        "    assert not end.code, end.code\n"
        f"found = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "assert not found, found\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_version():
    ran = run_module("--version")
    assert (ran.returncode, ran.stdout) == (0, f"mixgym {__version__}\n")


@pytest.mark.parametrize("command", [[], ["bench"]])
def test_no_arguments_show_help_and_nothing_else(mixgym, command):
    ran = mixgym(*command)
    assert "Usage: mixgym" in ran.out
    assert ran.err == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command(mixgym, command):
    ran = mixgym(command, "--help")
    assert ran.status == 0
    assert f"mixgym {command}" in ran.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["mx"], "Did you mean 'mix'? See"),
        (["mix"], "Missing argument 'stems'. See"),
        (["mix", "song"], "Missing option '--output' / '-o'. See"),
        (["mix", "song", "-o"], "'-o'"),
        (["master"], "Missing argument 'tracks'"),
        (["measure"], "Missing argument 'files'"),
    ],
)
def test_usage_errors(mixgym, arguments, words):
    ran = mixgym(*arguments)
    assert ran.status == 2
    assert words in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(("option", "name"), [(Lufs, "target_lufs"), (TruePeak, "ceiling_dbtp")])
def test_ranges_agree_with_the_parameter_table(option, name):
    info = option.__metadata__[0]
    assert (info.min, info.max) == (MASTER[name].low, MASTER[name].high)


def test_styles_are_listed(mixgym):
    from mixgym.console.styles import STYLES

    ran = mixgym("mix", "--styles")
    assert ran.status == 0
    assert [line.split()[0] for line in ran.out.splitlines()] == list(STYLES)


def test_summary_of_a_mix(mixgym, stems, tmp_path):
    output, preset = tmp_path / "m.wav", tmp_path / "p.json"
    ran = mixgym("mix", stems, "-o", output, "--save-preset", preset, "--mixer", "roles")
    assert ran.status == 0
    assert ran.err == ""
    for words in ("Lead Vocal", "fader +3.0 dB", "-14.0 LUFS", "true peak", "m.wav", "p.json"):
        assert words in ran.out


@pytest.mark.parametrize("command", ["mix", "master"])
def test_quiet_and_json(mixgym, stems, tmp_path, command):
    source = stems if command == "mix" else next(stems.glob("*.wav"))
    assert mixgym(command, source, "-o", tmp_path / "a.wav", "--quiet") == (0, "", "")
    ran = mixgym(command, source, "-o", tmp_path / "b.wav", "--json")
    result = json.loads(ran.out)
    assert (ran.status, ran.err) == (0, "")
    assert result["loudness_lufs"] == pytest.approx(-14, abs=0.1)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


@pytest.mark.parametrize("command", ["mix", "master"])
def test_report(mixgym, stems, tmp_path, command):
    source = stems if command == "mix" else next(stems.glob("*.wav"))
    page = tmp_path / "report.html"
    ran = mixgym(command, source, "-o", tmp_path / "m.wav", "--report", page)
    assert ran.status == 0, ran.err
    assert str(page) in ran.out.replace("\n", "")
    text = page.read_text()
    assert text.lstrip().lower().startswith("<!doctype html>")
    assert "-14.0" in text.replace("−", "-")


def test_as_a_module(stems, tmp_path):
    ran = run_module("mix", str(stems), "-o", str(tmp_path / "m.wav"), "--json")
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    assert json.loads(ran.stdout)["audio"] == str(tmp_path / "m.wav")


def test_terminal_that_lacks_the_characters(stems, tmp_path):
    ran = subprocess.run(
        [sys.executable, "-m", "mixgym", "mix", str(stems), "-o", str(tmp_path / "m.wav")],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert ran.returncode == 0, ran.stderr
    assert b"LUFS" in ran.stdout


def test_json_refuses_what_json_lacks():
    with pytest.raises(ValueError):
        print_json({"loudness": float("-inf")})


def test_printable():
    assert printable("Ld Vox \N{DRUM WITH DRUMSTICKS} é") == "Ld Vox \N{DRUM WITH DRUMSTICKS} é"
    assert not set(printable("a\x1b[31m\n\r\t\x00\udce9")) & set("\x1b\n\r\t\x00\udce9")
