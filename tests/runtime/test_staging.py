"""Outputs appear together or not at all, and what was there before survives a failure."""

import errno
import os
import stat

import pytest

from mixgym.errors import MixgymError
from mixgym.runtime.staging import MARKER, Staged, refuse_among_stems, refuse_existing


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
    refuse_among_stems(tmp_path / "mixes/mix.wav", [tmp_path], [stem, None])
