"""The analysis of the last seconds, read piece by piece, beside that of the same audio at once."""

import numpy as np
import pytest

from mixgym.console.analysis import analyse
from mixgym.console.rolling import CONTEXT, RollingAnalysis
from mixgym.songs import Song
from mixgym.songs.generate import generate_song

RATE, WINDOW_S = 22_050, 4.0


@pytest.fixture(scope="module")
def song():
    with generate_song(4, 12.0, RATE, stems=4) as made:
        yield made


def pushed(song, seconds, piece=2205):
    rolling = RollingAnalysis([stem.channels for stem in song.stems], RATE, WINDOW_S)
    end = round(seconds * RATE)
    for start in range(0, end, piece):
        rolling.push([stem.read(start, min(piece, end - start)) for stem in song.stems])
    return rolling


def window(song, seconds):
    """What a rolling analysis has read by then: half a second is still to come."""
    return song.excerpt(seconds - CONTEXT / 10 - WINDOW_S, WINDOW_S)


def test_bands_are_those_of_the_window_read_at_once(song):
    rolling, whole = pushed(song, 9.5).analysis(), analyse(window(song, 9.5))
    for name in ("fine", "slots", "samples"):
        assert getattr(rolling, name).shape == getattr(whole, name).shape
    assert rolling.frames == whole.frames
    sounding = np.isfinite(whole.loudness_lufs) & np.isfinite(rolling.loudness_lufs)
    assert sounding.sum() >= 3
    # Loudness is of a window half a second later: take it out.
    offset_db = (rolling.loudness_lufs - whole.loudness_lufs)[sounding]
    ours, theirs = (
        10 * np.log10(part.fine[sounding, :2].sum(axis=(1, 3)) + 1e-9) for part in (rolling, whole)
    )
    ours = ours + offset_db[:, None]
    heard = (theirs > theirs.max(axis=1, keepdims=True) - 25) & (whole.band_hz > 50)
    assert np.abs(ours - theirs)[heard].max() < 1.5
    assert np.median(np.abs(ours - theirs)[heard]) < 0.2
    total_db = [
        10 * np.log10(part.slots[sounding].sum(axis=(1, 2, 3))) for part in (rolling, whole)
    ]
    np.testing.assert_allclose(total_db[0] + offset_db, total_db[1], atol=0.05)


def test_interference_is_of_the_same_stems(song):
    rolling, whole = pushed(song, 9.5).analysis(), analyse(window(song, 9.5))
    ours, theirs = (set(map(tuple, part.pairs.tolist())) for part in (rolling, whole))
    assert len(ours & theirs) >= len(theirs) // 2


@pytest.mark.parametrize("piece", [441, 11_025, 33_075])
def test_pieces_hardly_matter(song, piece):
    once, other = (pushed(song, 6.0, size).analysis() for size in (2205, piece))
    octaves = [
        np.add.reduceat(part.fine[:, :2].sum(axis=(1, 3)), part.edges[:-1], axis=1)
        for part in (once, other)
    ]
    loud = octaves[0] > octaves[0].max(axis=1, keepdims=True) * 1e-2
    np.testing.assert_allclose(*(10 * np.log10(part[loud]) for part in octaves), atol=0.5)
    np.testing.assert_allclose(once.loudness_lufs, other.loudness_lufs, atol=0.3)


def test_a_stem_that_fell_silent_is_silent():
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.1, (1, RATE)).astype(np.float32)
    rolling = RollingAnalysis((1, 1), RATE, 2.0)
    assert rolling.analysis() is None
    for second in range(5):
        rolling.push([noise, noise * (second < 1)])
    analysis = rolling.analysis()
    assert np.isfinite(analysis.loudness_lufs[0]) and np.isinf(analysis.loudness_lufs[1])
    assert analysis.fine[0].any() and not analysis.fine[1].any()


def test_it_keeps_no_more_than_its_window():
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.1, (2, RATE)).astype(np.float32)
    rolling = RollingAnalysis((2,), RATE, 2.0)
    for _ in range(6):
        rolling.push([noise])
    assert rolling.analysis().fine.shape[-1] == 20
    assert rolling._audio[0].shape[1] <= RATE * 1.2 and len(rolling._energies[0]) == 200


def test_rates_without_whole_samples_in_a_frame():
    rate = 11_025
    rng = np.random.default_rng(0)
    with Song.from_arrays({"a": rng.normal(0, 0.1, 5 * rate)}, rate) as song:
        rolling = RollingAnalysis((1,), rate, 2.0)
        for start in range(0, song.frames, 1000):
            rolling.push([song.stems[0].read(start, min(1000, song.frames - start))])
        analysis = rolling.analysis()
    assert analysis.fine.shape[-1] == 20
    power = analysis.fine[0, 0].sum(axis=0)
    assert power.max() < 3 * power.min()  # no frame was read twice or left out
