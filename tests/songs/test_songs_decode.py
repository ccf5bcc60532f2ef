"""Every format that can be written here comes back as the audio it was."""

import gc
import itertools
import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st

from mixgym.errors import MixgymError
from mixgym.songs import read_song

RATE = 44_100


def tone(channels, frames, rate=RATE, hz=440.0):
    """A faded sine, another frequency in each channel, (channels, frames)."""
    t = np.arange(frames) / rate
    return (
        0.5 * np.hanning(frames) * np.sin(2 * np.pi * hz * np.arange(1, channels + 1)[:, None] * t)
    )


def write_aac(path, audios, rate=RATE, codec="aac"):
    """Write one audio stream for each array (channels, frames)."""
    with av.open(str(path), "w") as container:
        streams = [
            container.add_stream(codec, rate=rate, layout=("mono", "stereo")[len(a) - 1])
            for a in audios
        ]
        for stream, audio in zip(streams, audios, strict=True):
            stream.bit_rate = 256_000
            form = "s16p" if codec == "alac" else "fltp"
            data = audio.astype(np.float32)
            if codec == "alac":
                data = np.round(audio * 32767).astype(np.int16)
            size = stream.codec_context.frame_size or 1024
            for start in range(0, data.shape[1], size):
                block = np.ascontiguousarray(data[:, start : start + size])
                frame = av.AudioFrame.from_ndarray(block, form, ("mono", "stereo")[len(data) - 1])
                frame.sample_rate = rate
                frame.pts, frame.time_base = start, Fraction(1, rate)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))


def chord(channels, frames):
    """A faded chord of many partials, which lossy encoders take better than a sine."""
    return sum(tone(channels, frames, hz=110.0 * k) / k for k in range(1, 20)) / 2


def error_db(got, want):
    return 10 * np.log10(np.mean((got - want) ** 2) / np.mean(want**2) + 1e-20)


def open_files():
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def one_stem(path, **options):
    song = read_song(path, **options)
    assert len(song.stems) == 1
    return song.stems[0]


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    ("name", "form", "subtype", "step"),
    [
        ("Pad.wav", "WAV", "PCM_U8", 2**-7),
        ("Pad.wav", "WAV", "PCM_16", 2**-15),
        ("Pad.wav", "WAV", "PCM_24", 2**-23),
        ("Pad.wav", "WAV", "PCM_32", 2**-24),
        ("Pad.wav", "WAV", "FLOAT", 2**-24),
        ("Pad.wav", "WAV", "DOUBLE", 2**-24),
        ("Pad.wav", "WAV", "ULAW", 2**-5),
        ("Pad.wav", "WAVEX", "PCM_24", 2**-23),
        ("Pad.wav", "RF64", "PCM_24", 2**-23),
        ("Pad.w64", "W64", "PCM_16", 2**-15),
        ("Pad.caf", "CAF", "PCM_24", 2**-23),
        ("Pad.aiff", "AIFF", "PCM_S8", 2**-7),
        ("Pad.aif", "AIFF", "PCM_24", 2**-23),
        ("Pad.aiff", "AIFF", "FLOAT", 2**-24),
        ("Pad.flac", "FLAC", "PCM_16", 2**-15),
        ("Pad.flac", "FLAC", "PCM_24", 2**-23),
    ],
)
def test_exact_formats_are_right_to_one_step(tmp_path, name, form, subtype, step, channels):
    want = tone(channels, 30_000)
    path = tmp_path / name
    sf.write(path, want.T, RATE, format=form, subtype=subtype)
    stem = one_stem(path)
    assert (stem.name, stem.role, stem.path) == ("Pad", "pad", path)
    assert (stem.channels, stem.frames, stem.sample_rate) == (channels, 30_000, RATE)
    assert np.max(np.abs(stem.read(0, 30_000) - want)) <= step * 1.01


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    ("name", "form", "subtype"),
    [("a.ogg", "OGG", "VORBIS"), ("a.mp3", "MP3", "MPEG_LAYER_III")],
)
def test_lossy_formats_of_libsndfile(tmp_path, name, form, subtype, channels):
    want = chord(channels, 30_000)
    sf.write(tmp_path / name, want.T, RATE, format=form, subtype=subtype)
    stem = one_stem(tmp_path / name)
    assert (stem.channels, stem.frames, stem.sample_rate) == (channels, 30_000, RATE)
    assert error_db(stem.read(0, 30_000), want) < -20


def test_opus(tmp_path):
    want = tone(2, 48_000, 48_000)
    sf.write(tmp_path / "a.opus", want.T, 48_000, format="OGG", subtype="OPUS")
    stem = one_stem(tmp_path / "a.opus")
    assert (stem.frames, stem.sample_rate) == (48_000, 48_000)
    assert error_db(stem.read(0, 48_000), want) < -15


@pytest.mark.parametrize("name", ["a.m4a", "a.mp4", "a.mov"])
@pytest.mark.parametrize("channels", [1, 2])
def test_aac_starts_where_it_should(tmp_path, name, channels):
    want = chord(channels, 40_960)
    write_aac(tmp_path / name, [want])
    stem = one_stem(tmp_path / name)
    assert (stem.channels, stem.frames) == (channels, 40_960)
    got = stem.read(0, 40_960)
    assert error_db(got, want) < -25
    assert all(error_db(np.roll(got, lag), want) > error_db(got, want) for lag in (-2, -1, 1, 2))


def test_alac(tmp_path):
    want = tone(2, 40_960)
    write_aac(tmp_path / "a.m4a", [want], codec="alac")
    stem = one_stem(tmp_path / "a.m4a")
    assert stem.frames == 40_960
    assert error_db(stem.read(0, 40_960), want) < -85


def moov_first(path):
    """Write the file again with its index in front, as streaming services do."""
    out = path.with_name("front.m4a")
    with (
        av.open(str(path)) as source,
        av.open(str(out), "w", options={"movflags": "faststart"}) as sink,
    ):
        stream = sink.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = stream
                sink.mux(packet)
    return out


@pytest.mark.parametrize("index_in_front", [True, False])
@pytest.mark.parametrize("kept", [0.98, 0.5])
def test_cut_m4a_is_refused(tmp_path, index_in_front, kept):
    path = tmp_path / "a.m4a"
    write_aac(path, [chord(2, 100_000)])
    if index_in_front:
        path = moov_first(path)
    assert one_stem(path).channels == 2
    data = path.read_bytes()
    path.write_bytes(data[: int(kept * len(data))])
    with pytest.raises(MixgymError, match=r"\.m4a.* (cut short|damaged)"):
        read_song(path)


def test_content_counts_more_than_the_ending(tmp_path):
    write_aac(tmp_path / "a.m4a", [tone(1, 8192)])
    (tmp_path / "a.m4a").rename(tmp_path / "a.wav")
    sf.write(tmp_path / "b.wav", tone(1, 8192).T, RATE)
    (tmp_path / "b.wav").rename(tmp_path / "b.mp4")
    assert one_stem(tmp_path / "a.wav").channels == 1
    assert one_stem(tmp_path / "b.mp4").frames == 8192


@pytest.mark.parametrize("suffix", ["wav", "flac"])
@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(0, 5000), max_size=8))
def test_any_pieces_make_the_whole(tmp_path_factory, suffix, cuts):
    path = tmp_path_factory.getbasetemp() / f"pieces.{suffix}"
    if not path.exists():
        sf.write(path, tone(2, 5000).T, RATE, subtype="PCM_24")
    with read_song(path) as song:
        stem = song.stems[0]
        edges = sorted({0, 5000, *cuts})
        spans = list(itertools.pairwise(edges))
        pieces = [stem.read(a, b - a) for a, b in spans]
        np.testing.assert_array_equal(np.concatenate(pieces, axis=1), stem.read(0, 5000))
        for (a, b), piece in reversed(list(zip(spans, pieces, strict=True))):
            np.testing.assert_array_equal(stem.read(a, b - a), piece)


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_threads_read_at_the_same_time(tmp_path, suffix):
    want = np.random.default_rng(0).integers(-1000, 1000, (20_000, 2)).astype(np.int16)
    sf.write(tmp_path / f"a.{suffix}", want, RATE)
    stem = one_stem(tmp_path / f"a.{suffix}")
    wrong = []

    def work(seed):
        for start in np.random.default_rng(seed).integers(0, 19_000, 200):
            got = stem.read(int(start), 1000) * 32768
            if not np.array_equal(got, want[start : start + 1000].T):
                wrong.append(start)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize(
    ("from_hz", "to_hz"),
    [(44_100, 48_000), (48_000, 44_100), (24_000, 48_000), (96_000, 44_100), (8_000, 192_000)],
)
def test_a_resampled_sine_is_the_same_sine(tmp_path, from_hz, to_hz):
    frames = from_hz * 2 + 7
    sf.write(tmp_path / "a.wav", tone(2, frames, from_hz).T, from_hz, subtype="FLOAT")
    stem = one_stem(tmp_path / "a.wav", sample_rate=to_hz)
    assert (stem.sample_rate, stem.frames) == (to_hz, round(frames * to_hz / from_hz))
    t = np.arange(stem.frames) / to_hz
    window = 0.5 - 0.5 * np.cos(2 * np.pi * t * from_hz / (frames - 1))
    want = 0.5 * window * np.sin(2 * np.pi * 440.0 * np.array([[1], [2]]) * t)
    assert error_db(stem.read(0, stem.frames), want) < -60


def test_rates_and_lengths_are_brought_together(tmp_path):
    sf.write(tmp_path / "a.wav", tone(1, 48_000, 48_000).T, 48_000)
    sf.write(tmp_path / "b.wav", tone(2, 44_100, 44_100).T, 44_100)
    sf.write(tmp_path / "c.flac", tone(1, 96_000, 48_000).T, 48_000)
    song = read_song(tmp_path)
    assert (song.sample_rate, song.frames) == (48_000, 96_000)
    assert [stem.frames for stem in song.stems] == [48_000, 48_000, 96_000]
    assert not song.stems[0].read(48_000, 48_000).any()


def test_the_higher_of_equally_common_rates(tmp_path):
    sf.write(tmp_path / "a.wav", tone(1, 4410).T, 44_100)
    sf.write(tmp_path / "b.wav", tone(1, 4800).T, 48_000)
    assert read_song(tmp_path).sample_rate == 48_000


def test_leading_silence_is_kept(tmp_path):
    data = np.zeros(20_000)
    data[15_000] = 0.5
    sf.write(tmp_path / "a.flac", data, RATE)
    assert int(np.argmax(one_stem(tmp_path / "a.flac").read(0, 20_000))) == 15_000


def test_progress_rises_to_one(tmp_path):
    for name in "abc":
        sf.write(tmp_path / f"{name}.flac", tone(1, 200_000).T, RATE)
    seen = []
    read_song(tmp_path, progress=seen.append)
    assert seen == sorted(seen) and seen[-1] == 1.0 and len(seen) >= 6
    seen.clear()
    sf.write(tmp_path / "only.wav", tone(1, 1000).T, RATE)
    read_song(tmp_path / "only.wav", progress=seen.append)
    assert seen == [1.0]


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
def test_nothing_stays_open_or_on_disk(tmp_path, monkeypatch):
    spool = tmp_path / "spool"
    spool.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(spool))
    sf.write(tmp_path / "a.flac", tone(1, 10_000).T, RATE)
    sf.write(tmp_path / "b.wav", tone(1, 10_000).T, RATE)
    gc.collect()
    before = open_files()
    song = read_song(tmp_path)
    assert open_files() == before + 2
    assert list(spool.iterdir()) == []
    song.close()
    song.close()
    assert open_files() == before
    read_song(tmp_path)
    gc.collect()
    assert open_files() == before
