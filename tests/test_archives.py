"""Archives of arrays from strangers."""

import struct
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mixgym.archives import ArchiveError, ArchiveTooLargeError, read_arrays

MOST = 1_000_000
HELD = {
    "rows": np.arange(12.0).reshape(3, 4),
    "columns": np.asfortranarray(np.arange(6, dtype=np.float16).reshape(2, 3)),
    "text": np.array('{"a": "ä"}'),
    "none": np.empty((0, 3), np.float32),
    "one": np.array(True),
}


@pytest.fixture(params=[np.savez, np.savez_compressed], ids=["stored", "deflated"])
def archive(request, tmp_path):
    path = tmp_path / "held.npz"
    request.param(path, **HELD)
    return path


def assert_same(arrays):
    assert list(arrays) == list(HELD)
    for name, array in HELD.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype and arrays[name].flags.writeable


def test_what_numpy_wrote_is_read(archive):
    assert_same(read_arrays(archive, MOST))


@example(changes=[(0.99609375, 1)])
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), min_size=1, max_size=4))
def test_changed_bytes_are_refused_or_make_no_difference(archive, changes):
    data = bytearray(archive.read_bytes())
    for place, change in changes:
        data[min(len(data) - 1, int(place * len(data)))] ^= change
    odd = archive.with_name("odd.npz")
    odd.write_bytes(data)
    try:
        arrays = read_arrays(odd, MOST)
    except ArchiveError:
        return
    for name in set(arrays) & set(HELD):  # names lie outside of the checksums
        np.testing.assert_array_equal(arrays[name], HELD[name])


def header(shape):
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


@pytest.mark.parametrize("shape", ["(2**50,)", f"({2**50},)", "(-1,)", "(-2, -1)", "(3,)"])
def test_a_header_that_says_something_else_than_is_there(shape, tmp_path):
    path = tmp_path / "odd.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", header(shape) + bytes(16))
    with pytest.raises(ArchiveError):
        read_arrays(path, MOST)


def test_objects_are_not_unpickled(tmp_path):
    path = tmp_path / "odd.npz"
    np.savez(path, x=np.array([print], dtype=object))
    with pytest.raises(ArchiveError):
        read_arrays(path, MOST)


def test_an_encrypted_entry_and_one_packed_in_another_way(archive):
    data = bytearray(archive.read_bytes())
    entry = data.find(b"PK\x01\x02")
    for place, value in ((8, 1), (10, 99)):
        changed = bytearray(data)
        changed[entry + place] = value
        odd = archive.with_name("odd.npz")
        odd.write_bytes(changed)
        with pytest.raises(ArchiveError):
            read_arrays(odd, MOST)


def test_what_is_too_large(archive, tmp_path):
    with pytest.raises(ArchiveTooLargeError):
        read_arrays(archive, 100)
    bomb = tmp_path / "bomb.npz"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("x.npy", header(f"({2 * MOST // 8},)") + bytes(2 * MOST))
    data = bytearray(bomb.read_bytes())
    place = data.find(b"PK\x01\x02") + 24  # what the directory says of the size
    data[place : place + 4] = struct.pack("<I", 1000)
    bomb.write_bytes(data)
    with pytest.raises(ArchiveError):
        read_arrays(bomb, MOST)


def test_other_files(tmp_path):
    other = tmp_path / "other.npz"
    other.write_bytes(b"hello")
    with pytest.raises(ArchiveError):
        read_arrays(other, MOST)
    with pytest.raises(FileNotFoundError):
        read_arrays(tmp_path / "missing.npz", MOST)
