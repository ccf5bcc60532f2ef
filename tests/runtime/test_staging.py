"""Outputs appear together or not at all, and what was there before survives a failure."""

import errno
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from mixgym.errors import MixgymError
from mixgym.runtime.staging import MARKER, Staged, refuse_among_stems, refuse_existing

KEPT = {"a.txt": "a.txt", "stems": "stems/{}.txt"}
KILLED = """
import os
import signal
import sys
from pathlib import Path

from mixgym.runtime import staging
from mixgym.runtime.staging import MARKER, Staged

place, moment = Path(sys.argv[1]), sys.argv[2]


def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)


def moves(before):
    def replace(self, target, real=Path.replace):
        return die() if target.name == before else real(self, target)

    Path.replace = replace


with Staged() as staged:
    staged.file(place / "a.txt").write_text("new")
    stems = staged.folder(place / "stems")
    (stems / MARKER).touch()
    (stems / "new.txt").write_text("new")
    if moment == "writing":
        die()
    elif moment == "moving":
        moves(before="stems")
    else:
        staging.HeldFolder.close = die
"""


def names(folder):
    return sorted(path.name for path in folder.rglob("*"))


def test_everything_appears_when_the_block_ends(tmp_path):
    with Staged() as staged:
        staged.file(tmp_path / "a.txt").write_text("a")
        (staged.folder(tmp_path / "b") / "c.txt").write_text("c")
        assert not (tmp_path / "a.txt").exists()
        assert not (tmp_path / "b").exists()
    assert names(tmp_path) == ["a.txt", "b", "c.txt"]
    assert (tmp_path / "b/c.txt").read_text() == "c"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_nothing_appears_when_it_fails(tmp_path, error):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(error), Staged() as staged:
        staged.file(tmp_path / "a.txt").write_text("new")
        (staged.folder(tmp_path / "b") / "c.txt").write_text("c")
        raise error
    assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_what_was_there_is_replaced(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    (tmp_path / "b").mkdir()
    (tmp_path / "b/old.txt").write_text("old")
    with Staged() as staged:
        staged.file(tmp_path / "a.txt").write_text("new")
        (staged.folder(tmp_path / "b") / "new.txt").write_text("new")
    assert names(tmp_path) == ["a.txt", "b", "new.txt"]
    assert (tmp_path / "a.txt").read_text() == "new"


def test_failure_while_moving_puts_the_old_back(tmp_path):
    (tmp_path / "a.txt").write_text("old a")
    with pytest.raises(FileNotFoundError), Staged() as staged:
        staged.file(tmp_path / "a.txt").write_text("new a")
        staged.file(tmp_path / "b.txt").write_text("new b")
        staged.file(tmp_path / "c.txt").unlink()
    assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old a"


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
@pytest.mark.parametrize("there", [True, False], ids=["replaced", "new"])
@pytest.mark.parametrize(
    ("moment", "moved"), [("writing", []), ("moving", ["a.txt"]), ("moved", ["a.txt", "stems"])]
)
def test_killed_it_leaves_what_was_there_or_the_whole(tmp_path, moment, moved, there):
    if there:
        (tmp_path / "a.txt").write_text("old")
        with Staged() as staged:
            stems = staged.folder(tmp_path / "stems")
            (stems / MARKER).touch()
            (stems / "old.txt").write_text("old")
    ran = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), moment])
    assert ran.returncode == -9
    assert all(path.name[0] == "." for path in tmp_path.iterdir() if path.name not in KEPT)
    refuse_existing((tmp_path / "a.txt",), True, folder=tmp_path / "stems")
    expected = {}
    for name, file in KEPT.items():
        if name in moved or there:
            expected[name] = (file.format("new" if name in moved else "old"), name in moved)
    assert {path.name for path in tmp_path.iterdir()} == set(expected)
    for file, is_new in expected.values():
        assert (tmp_path / file).read_text() == ("new" if is_new else "old")


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX")
def test_what_others_are_writing_is_left_alone(tmp_path):
    with Staged() as first:
        slow = first.file(tmp_path / "a.txt")
        slow.write_text("a")
        with Staged() as second:
            second.file(tmp_path / "b.txt").write_text("b")
        assert slow.read_text() == "a"
    assert names(tmp_path) == ["a.txt", "b.txt"]


def test_a_place_that_takes_nothing_is_named(tmp_path):
    with pytest.raises(MixgymError, match=rf"{tmp_path}/no cannot be written"), Staged() as staged:
        staged.file(tmp_path / "no/a.txt")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_full_disk_in_one_sentence(tmp_path, number):
    with pytest.raises(MixgymError, match=rf"{tmp_path} is full"), Staged() as staged:
        staged.file(tmp_path / "a.txt")
        raise OSError(number, os.strerror(number))
    assert names(tmp_path) == []


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions")
def test_permissions_follow_the_umask(tmp_path):
    mask = os.umask(0o027)
    try:
        with Staged() as staged:
            staged.file(tmp_path / "a.txt")
            staged.folder(tmp_path / "b")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o750


def test_link_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "target").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with Staged() as staged:
        staged.file(tmp_path / "link").write_text("new")
    assert (tmp_path / "target").read_text() == "mine"
    assert (tmp_path / "link").read_text() == "new"


def test_files_that_may_be_written(tmp_path):
    (tmp_path / "a").write_text("")
    (tmp_path / "empty").mkdir()
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / MARKER).touch()
    refuse_existing((tmp_path / "new", None), overwrite=False, folder=tmp_path / "empty")
    refuse_existing((tmp_path / "a",), overwrite=True, folder=tmp_path / "ours")
    with pytest.raises(MixgymError, match="--overwrite"):
        refuse_existing((), overwrite=False, folder=tmp_path / "ours")
    with pytest.raises(MixgymError, match="is a file"):
        refuse_existing((), overwrite=True, folder=tmp_path / "a")


def test_the_same_file_by_two_names(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(MixgymError, match="twice"):
        refuse_existing((tmp_path / "real/a", tmp_path / "link/a"), overwrite=True)


def test_mix_beside_stems_that_were_named_one_by_one(tmp_path):
    stem = tmp_path / "a.wav"
    stem.touch()
    refuse_among_stems(tmp_path / "mix.wav", [stem], [stem])


@pytest.mark.parametrize("place", ["mix.wav", "Drums/mix.wav"])
def test_mix_among_stems_of_a_folder(tmp_path, place):
    (tmp_path / "Drums").mkdir()
    stem = tmp_path / "Drums/kick.wav"
    with pytest.raises(MixgymError, match="among the stems"):
        refuse_among_stems(tmp_path / place, [tmp_path], [stem, None])
    (tmp_path / "mixes").mkdir()
    with pytest.raises(MixgymError, match="among the stems"):  # a group, to the next who looks
        refuse_among_stems(tmp_path / "mixes/mix.wav", [tmp_path], [stem, None])
    refuse_among_stems(tmp_path / "mixes/mix.wav", [tmp_path], [tmp_path / "kick.wav"])


def test_a_folder_is_replaced_only_with_what_it_came_with(tmp_path):
    place = tmp_path / "ours"
    with Staged() as staged:
        made = staged.folder(place)
        (made / MARKER).touch()
        (made / "inner").mkdir()
        (made / "inner/a.wav").write_text("a")
    refuse_existing((), True, folder=place)
    (place / ".DS_Store").touch()
    refuse_existing((), True, folder=place)
    (place / "inner/mine.wav").write_text("mine")
    with pytest.raises(MixgymError, match=r"holds inner/mine\.wav, which mixgym did not write"):
        refuse_existing((), True, folder=place)
    (place / "inner/mine.wav").unlink()
    (place / "takes").symlink_to(tmp_path)
    with pytest.raises(MixgymError, match="holds takes"):
        refuse_existing((), True, folder=place)
    for odd in ("[[", "{}", "3"):
        (place / MARKER).write_text(odd)
        with pytest.raises(MixgymError, match="did not write"):
            refuse_existing((), True, folder=place)


def test_folders_that_cannot_be_replaced(tmp_path, monkeypatch):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.chdir(tmp_path / "real")
    for path in (Path(), Path(".."), tmp_path / "link", Path("/")):
        with pytest.raises(MixgymError, match="cannot be replaced"):
            refuse_existing((), True, folder=path)


def test_the_fullest_disk_is_named(tmp_path, monkeypatch):
    free = {tmp_path / "roomy": 9, tmp_path / "full": 0, Path(tempfile.gettempdir()): 5}
    for folder in list(free)[:2]:
        folder.mkdir()
    monkeypatch.setattr(
        "mixgym.runtime.staging.shutil.disk_usage",
        lambda place: SimpleNamespace(free=free[Path(place)]),
    )
    monkeypatch.setattr("mixgym.runtime.staging._disk", list(free).index)
    for place, words in (("full", f"{tmp_path / 'full'} is full"), ("roomy", "TMPDIR")):
        with pytest.raises(MixgymError, match=words), Staged() as staged:
            staged.file(tmp_path / "roomy" / "a.txt")
            staged.file(tmp_path / place / "b.txt")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_outputs_are_named_when_temporary_files_share_their_disk(tmp_path, monkeypatch):
    free = iter(range(9, 0, -1))
    monkeypatch.setattr(
        "mixgym.runtime.staging.shutil.disk_usage", lambda place: SimpleNamespace(free=next(free))
    )
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path.parent))
    with pytest.raises(MixgymError, match=rf"{tmp_path} is full"), Staged() as staged:
        staged.file(tmp_path / "a.txt")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
