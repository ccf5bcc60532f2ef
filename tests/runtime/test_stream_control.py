"""Who steers a stream, from which threads, and what it goes by."""

import threading
import time
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from mixgym.console.analysis import analyse
from mixgym.console.levels import stem_levels
from mixgym.console.mix import Budget, Mix
from mixgym.console.parameters import MASTER, STRIP
from mixgym.console.render import render
from mixgym.console.tidy import tidied
from mixgym.errors import MixgymError
from mixgym.runtime.mixers import open_policy
from mixgym.runtime.stream.engine import Stream
from mixgym.runtime.stream.following import Following
from mixgym.runtime.stream.handover import Handover
from mixgym.runtime.stream.levels import Levels, expected_levels, measured_levels
from mixgym.runtime.stream.listeners import PolicyListener
from mixgym.runtime.stream.policy_loop import FixedLevels, PolicyLoop
from mixgym.runtime.stream.timing import BlockTimes
from mixgym.songs import Song
from mixgym.songs.generate import generate_song

BLOCK = 256
FADER = STRIP.index("fader_db")


@cache
def generated() -> Song:
    return generate_song(5, 6.0, 24_000, stems=4)


def levels_of(song: Song) -> Levels:
    return Levels(tuple(level.loudness_lufs for level in stem_levels(song)), 0.0, 9.0)


def started(song: Song) -> Stream:
    channels = [stem.channels for stem in song.stems]
    return Stream(Mix.neutral(song), levels_of(song), channels, song.sample_rate)


def play(stream: Stream, song: Song, first: int = 0, frames: int | None = None) -> np.ndarray:
    """Blocks of the song from a frame on; what comes out, (2, frames)."""
    blocks = (song.frames if frames is None else frames) // BLOCK
    inputs = np.zeros((len(song.stems), 2, BLOCK), dtype=np.float32)
    out, heard = np.zeros((2, BLOCK), dtype=np.float32), []
    for number in range(blocks):
        for i, stem in enumerate(song.stems):
            inputs[i, : stem.channels] = stem.read(first + number * BLOCK, BLOCK)
        stream.process(inputs, out)
        heard.append(out.copy())
    return np.concatenate(heard, axis=1)


# From thread to thread


def test_the_newest_is_taken() -> None:
    handover = Handover(np.zeros(3))
    assert np.array_equal(handover.take(), np.zeros(3))
    for value in range(1, 20):
        handover.give(np.full(3, float(value)))
        if value % 3:
            assert np.array_equal(handover.take(), np.full(3, float(value)))


def test_what_is_being_read_is_left_alone() -> None:
    handover = Handover(np.zeros(3))
    handover.give(np.ones(3))
    taken = handover.take()
    for value in range(2, 10):
        handover.give(np.full(3, float(value)))
        assert np.array_equal(taken, np.ones(3))


def test_the_reader_never_waits() -> None:
    handover = Handover(np.zeros(3))
    reader = threading.Thread(target=handover.take, daemon=True)
    with handover._writers:
        reader.start()
        reader.join(5.0)
        assert not reader.is_alive()


def test_many_writers_never_tear_what_is_read() -> None:
    handover = Handover(np.zeros(2048))
    done = threading.Event()

    def write(offset: int) -> None:
        value = offset
        while not done.is_set():
            value += 10
            handover.give(np.full(2048, float(value)))

    writers = [threading.Thread(target=write, args=(i,), daemon=True) for i in range(3)]
    for writer in writers:
        writer.start()
    newest = [0.0, 0.0, 0.0]
    until = time.perf_counter() + 1.0
    while time.perf_counter() < until:
        taken = handover.take()
        first = taken[0]
        time.sleep(0)
        assert (taken == first).all()
        writer_number = int(first) % 10
        assert first >= newest[writer_number]
        newest[writer_number] = first
    done.set()
    for writer in writers:
        writer.join()
    assert min(newest) > 0


def test_settings_from_other_threads_while_it_plays() -> None:
    song = generated()
    stream, levels = started(song), levels_of(song)
    done = threading.Event()
    failures: list[BaseException] = []

    def steer(seed: int) -> None:
        rng = np.random.default_rng(seed)
        mix = Mix.neutral(song)
        try:
            while not done.is_set():
                stream.set(replace(mix, strips=STRIP.sample(rng, (len(song.stems),))), levels)
                stream.recall(max(0, stream.heard - 1000), 1000)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=steer, args=(seed,), daemon=True) for seed in range(2)]
    for thread in threads:
        thread.start()
    heard = play(stream, song)
    done.set()
    for thread in threads:
        thread.join()
    assert not failures
    assert np.isfinite(heard).all()
    assert 0.01 < np.abs(heard).max() <= 1.0
    stream.set(Mix.neutral(song), levels)
    play(stream, song, 0, 24_000)
    settled = play(stream, song, 24_000, 48_000)
    fresh = started(song)
    play(fresh, song, 0, 24_000)
    expected = play(fresh, song, 24_000, 48_000)
    level_db = 10 * np.log10(np.square(settled).mean() / np.square(expected).mean())
    assert abs(level_db) < 0.1


# The loop


def test_the_mixer_hears_the_last_seconds_as_they_came_in() -> None:
    song = generated()
    stream = started(song)
    asked: list[Song] = []

    def ask(heard: Song, budget: Budget) -> Mix:
        asked.append(heard)
        return Mix.neutral(heard).with_strip(heard.stems[0].name, fader_db=-12)

    loop = PolicyLoop(stream, Mix.neutral(song), FixedLevels(levels_of(song)), ask, window_s=2.0)
    loop.step()
    assert not asked
    play(stream, song, 0, 72_192)
    loop.step()
    [heard] = asked
    assert [stem.name for stem in heard.stems] == [stem.name for stem in song.stems]
    assert [stem.role for stem in heard.stems] == [stem.role for stem in song.stems]
    assert heard.frames == 48_000
    for ours, theirs in zip(heard.stems, song.stems, strict=True):
        assert np.array_equal(ours.read(0, 48_000), theirs.read(72_192 - 48_000, 48_000))
    assert loop.mix.strips[0, FADER] == -12
    assert loop.steps == 2


def test_a_new_mix_is_heard() -> None:
    song = generated()
    stream = started(song)

    def mute(heard: Song, budget: Budget) -> Mix:
        mix = Mix.neutral(heard)
        strips = mix.strips.copy()
        strips[:, FADER] = -24
        return replace(mix, strips=strips)

    loop = PolicyLoop(stream, Mix.neutral(song), FixedLevels(levels_of(song)), mute)
    before = play(stream, song, 0, 72_192)[:, -24_000:]
    loop.step()
    play(stream, song, 72_192, 12_032)
    after = play(stream, song, 72_192 - 24_000, 24_064)
    assert 10 * np.log10(np.square(after).mean() / np.square(before).mean()) < -15


def test_a_silent_stem_keeps_its_settings() -> None:
    song = generated()
    stream = started(song)
    begun = Mix.neutral(song).with_strip(song.stems[1].name, fader_db=-5)

    def ask(heard: Song, budget: Budget) -> Mix:
        mix = Mix.neutral(heard)
        strips = mix.strips.copy()
        strips[:, FADER] = 3
        return replace(mix, strips=strips)

    loop = PolicyLoop(stream, begun, FixedLevels(levels_of(song)), ask)
    inputs = np.zeros((4, 2, BLOCK), dtype=np.float32)
    out = np.zeros((2, BLOCK), dtype=np.float32)
    for start in range(0, 48_000, BLOCK):
        inputs[0, 0] = song.stems[0].read(start, BLOCK)[0]
        stream.process(inputs, out)
    loop.step()
    assert loop.mix.strips[:, FADER].tolist() == [3, -5, 0, 0]


def test_a_mixer_that_refuses_leaves_the_mix_as_it_is() -> None:
    song = generated()
    stream = started(song)

    def ask(heard: Song, budget: Budget) -> Mix:
        raise MixgymError("nothing to mix")

    begun = Mix.neutral(song).with_strip(song.stems[0].name, fader_db=-7)
    loop = PolicyLoop(stream, begun, FixedLevels(levels_of(song)), ask)
    play(stream, song, 0, 48_000)
    loop.step()
    assert loop.mix is begun


def test_the_thread_steps_until_it_is_stopped_and_tells_what_went_wrong() -> None:
    song = generated()
    stream = started(song)
    loop = PolicyLoop(stream, Mix.neutral(song), FixedLevels(levels_of(song)), None, period_s=0.01)
    loop.start()
    time.sleep(0.5)
    loop.stop()
    steps = loop.steps
    assert 2 <= steps <= 51
    time.sleep(0.05)
    assert loop.steps == steps

    def ask(heard: Song, budget: Budget) -> Mix:
        raise ZeroDivisionError("a mixer's mistake")

    play(stream, song, 0, 48_000)
    broken = PolicyLoop(stream, Mix.neutral(song), FixedLevels(levels_of(song)), ask)
    broken.start()
    with pytest.raises(ZeroDivisionError, match="mistake"):
        time.sleep(0.3)
        broken.stop()


# Levels


def followed(stem_lufs: tuple[float, ...] | None) -> tuple[Levels, Levels]:
    """What a render measures, and what is found while the song plays."""
    song = generated()
    mix = Mix.neutral(song).with_master(bus_compressor_on=1, multiband_on=1)
    with render(song, mix, tail=False) as rendering:
        expected = measured_levels(song, rendering)
    first = expected_levels(mix, stem_lufs or (-23.0,) * 4)
    stream = Stream(mix, first, [stem.channels for stem in song.stems], song.sample_rate)
    following = Following(stream, first, stem_lufs)
    assert following.update(mix) == first
    for start in range(0, song.frames - 2048, 2048):
        play(stream, song, start, 2048)
        stream.set(mix, following.update(mix))
    return expected, following.update(mix)


def test_levels_are_followed_to_what_a_render_measures() -> None:
    known = tuple(level.loudness_lufs for level in stem_levels(generated()))
    expected, found = followed(known)
    assert found.stem_lufs == known
    assert found.input_gain_db == pytest.approx(expected.input_gain_db, abs=0.3)
    assert found.drive_db == pytest.approx(expected.drive_db, abs=1.0)


def test_stems_are_followed_where_nothing_is_known_of_them() -> None:
    expected, found = followed(None)
    assert found.stem_lufs == pytest.approx(expected.stem_lufs, abs=0.3)


def test_a_stream_begins_near_to_where_it_will_be() -> None:
    song = generated()
    mix = Mix.neutral(song)
    with render(song, mix, tail=False) as rendering:
        measured = measured_levels(song, rendering)
    expected = expected_levels(mix, measured.stem_lufs)
    assert expected.input_gain_db == pytest.approx(measured.input_gain_db, abs=3)
    assert expected.drive_db == pytest.approx(measured.drive_db, abs=2)
    silent = expected_levels(mix, (-np.inf,) * 4)
    assert silent.input_gain_db == 0.0


def test_no_target_loudness_no_drive() -> None:
    song = generated()
    stream = started(song)
    play(stream, song, 0, 48_000)
    mix = Mix.neutral(song).with_master(loudness_on=0)
    assert Following(stream, levels_of(song)).update(mix).drive_db == 0.0


def test_block_times() -> None:
    times = BlockTimes(0.005, most=100)
    assert times.to_json() == {"blocks": 0, "block_ms": 5.0}
    for _ in range(150):
        times.add(1_000_000)
    times.add(6_000_000)
    read = times.to_json()
    assert read["blocks"] == 151
    assert read["median_ms"] == 1.0
    assert read["longest_ms"] == 6.0
    assert read["late"] == 1
    assert read["share"] == pytest.approx(1.05 / 5)


def test_a_policy_hears_what_is_new_and_says_the_same():
    """Beside the policy's mix of the same seconds, analysed at once."""
    policy = open_policy(None, 1)
    with generate_song(6, 8.0, 22_050, stems=4) as song:
        mix = Mix.neutral(song)
        channels = [stem.channels for stem in song.stems]
        stream = Stream(mix, levels_of(song), channels, song.sample_rate)
        listener = PolicyListener(policy, "warm", {"target_lufs": -20.0}, window_s=4.0)
        block = 32 * 8  # whole hops
        inputs, out = np.zeros((4, 2, block), np.float32), np.zeros((2, block), np.float32)
        for start in range(0, round(7.5 * song.sample_rate), block):
            for i, stem in enumerate(song.stems):
                inputs[i, : stem.channels] = stem.read(start, block)
            stream.process(inputs, out)
            if start == 0:
                assert listener.listen(stream, mix) is mix  # too little to say anything
                heard = mix
            if start // block % 9 == 0:
                heard = listener.listen(stream, heard)
        excerpt = song.excerpt(3.0, 4.0)
        at_once = tidied(policy.mix(excerpt, "warm", analyse(excerpt)))
    np.testing.assert_allclose(heard.strips[:, FADER], at_once.strips[:, FADER], atol=1.0)
    assert heard.master[MASTER.index("target_lufs")] == -20.0
