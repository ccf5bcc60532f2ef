"""A full disk, an interruption or a missing permission ends in one sentence and leaves no trace."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile as sf

RATE = 44_100
MIXGYM = [sys.executable, "-m", "mixgym"]
TONE = (0.3 * np.sin(np.arange(RATE) / 20)).astype(np.float32)
posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX")


def start(*arguments, **options):
    return subprocess.Popen(
        [*MIXGYM, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.fixture
def long_song(tmp_path):
    """Stems that take a few seconds to mix; 2 min each, one of them to be decoded."""
    made = tmp_path / "song"
    made.mkdir()
    noise = np.random.default_rng(0).normal(0, 0.1, (120 * RATE, 2)).astype(np.float32)
    sf.write(made / "a.wav", noise, RATE, subtype="PCM_16")
    sf.write(made / "b.flac", noise[::-1], RATE, subtype="PCM_16")
    for i in range(8):
        os.link(made / "a.wav", made / f"c{i}.wav")
    return made


@posix
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interruption_in_the_middle(long_song, tmp_path, number, contents, check_sentence):
    out = tmp_path / "out"
    out.mkdir()
    (out / "p.json").write_text("mine")
    spools = tmp_path / "tmp"
    spools.mkdir()
    process = start(
        "mix", long_song, "-o", out / "m.wav", "--stems-out", out / "stems", "--overwrite",
        "--save-preset", out / "p.json",
        env={**os.environ, "TMPDIR": str(spools)},
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not list(out.glob(".mixgym-*/new/stems/*.wav")) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(0.2)
    process.send_signal(number)
    sent = time.monotonic()
    _, err = process.communicate(timeout=30)
    assert process.returncode == 2
    check_sentence(err, ["Interrupted", "nothing was written"])
    assert contents(out) == {out / "p.json": b"mine"}
    assert contents(spools) == {}
    assert time.monotonic() - sent < 5


def limited(bytes_):
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, bytes_))


LIMITED = """
import resource, sys
import mixgym.runtime.mixing as mixing
from mixgym.cli import main

limit = int(sys.argv.pop(1))
write = mixing.write_master

def limited(*arguments):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    return write(*arguments)

mixing.write_master = limited
main()
"""


@posix
@pytest.mark.parametrize("missing", ["most", "end"])
@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3"])
def test_output_larger_than_files_may_be(
    mixgym, folder, tmp_path, suffix, missing, contents, check_sentence
):
    """Also where only what the coder holds back to the last does not fit."""
    stem = folder / "good.wav"
    sf.write(stem, np.random.default_rng(0).normal(0, 0.1, (2 * RATE, 2)), RATE)
    whole = tmp_path / f"whole{suffix}"
    assert mixgym("mix", stem, "-o", whole, "-q").status == 0
    limit = 10_000 if missing == "most" else whole.stat().st_size - 500
    out = tmp_path / "out"
    out.mkdir()
    command = [sys.executable, "-c", LIMITED, limit, "mix", stem, "-o", out / f"m{suffix}"]
    process = subprocess.run([*map(str, command)], capture_output=True, text=True)
    assert process.returncode == 2
    lines = process.stderr.splitlines(keepends=True)
    check_sentence(lines[-1], [out, "full"])
    assert all("Xing" in line for line in lines[:-1])  # libsndfile's MP3 decoder speaks its mind
    assert contents(out) == {}


@posix
def test_temporary_folder_full(folder, tmp_path, contents, check_sentence):
    out = tmp_path / "out"
    out.mkdir()
    process = start("mix", folder, "-o", out / "m.wav", preexec_fn=limited(100_000))
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    check_sentence(err, ["temporary folder", "full", "TMPDIR"])
    assert contents(out) == {}


@posix
@pytest.mark.slow
@pytest.mark.parametrize("place", ["output", "temporary"])
@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3"])
def test_disk_full(folder, tmp_path, place, suffix, check_sentence):
    noise = np.random.default_rng(0).normal(0, 0.1, (15 * RATE, 2))
    sf.write(folder / "noise.wav", noise, RATE)
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mounted, capture_output=True).returncode:
        pytest.skip("cannot mount a small disk here")
    try:
        out = disk if place == "output" else tmp_path
        before = set(out.iterdir())
        environment = {**os.environ, "TMPDIR": str(disk)} if place == "temporary" else None
        process = start("mix", folder / "noise.wav", "-o", out / f"m{suffix}", env=environment)
        _, err = process.communicate(timeout=120)
        assert process.returncode == 2
        check_sentence(err, [disk, "full"])
        assert set(out.iterdir()) == before
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@posix
@pytest.mark.parametrize("closed", [0, 1, 2])
def test_closed_standard_streams(folder, tmp_path, closed):
    output = tmp_path / "m.wav"
    process = start("mix", folder, "-o", output, preexec_fn=lambda: os.close(closed))
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert sf.info(output).channels == 2


@posix
def test_reader_that_went_away(folder):
    command = f"{sys.executable} -m mixgym measure {folder / 'good.wav'} --json | true"
    process = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert "Traceback" not in process.stderr


@posix
def test_more_stems_than_open_files(tmp_path):
    (tmp_path / "song").mkdir()
    for i in range(60):
        sf.write(tmp_path / f"song/{i}.wav", TONE, RATE)
    process = start(
        "mix", tmp_path / "song", "-o", tmp_path / "m.wav", "--stems-out", tmp_path / "out", "-q",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 4096)),
    )  # fmt: skip
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert len(list((tmp_path / "out").glob("*.wav"))) >= 60
