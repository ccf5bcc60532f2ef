"""Audio files: formats, dither, and peaks that survive lossy coding."""

import itertools

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st

from mixgym.errors import MixgymError
from mixgym.runtime._dither import quantise
from mixgym.runtime.output import (
    AudioWriter,
    Format,
    choose_format,
    decoded_true_peak_dbtp,
    write_audio,
    write_master,
)

RATE = 44_100
FADE = (0.5 * np.linspace(1, 0, 2 * RATE) ** 2 * np.sin(np.arange(2 * RATE) / 9)).astype(np.float32)


def dithered(audio, bits, start=0):
    words = np.empty(audio.T.shape, np.int32)
    quantise(audio, start, bits, words)
    return words >> (32 - bits)


@pytest.mark.parametrize(
    ("name", "bits", "container", "subtype"),
    [
        ("m.wav", 16, "WAV", "PCM_16"),
        ("m.WAV", 24, "WAV", "PCM_24"),
        ("m.wav", 32, "WAV", "FLOAT"),
        ("m.aif", 24, "AIFF", "PCM_24"),
        ("m.aiff", 32, "AIFF", "FLOAT"),
        ("m.flac", 16, "FLAC", "PCM_16"),
        ("m.flac", 24, "FLAC", "PCM_24"),
        ("m.ogg", 24, "OGG", "VORBIS"),
        ("m.mp3", 24, "MP3", "MPEG_LAYER_III"),
    ],
)
def test_formats(tmp_path, name, bits, container, subtype):
    path = tmp_path / name
    form = choose_format(path, RATE, bits)
    stereo = np.stack([FADE, -FADE])
    blocks = [stereo[:, start : start + 10_000] for start in range(0, len(FADE), 10_000)]
    write_audio(path, blocks, RATE, form, len(FADE))
    info = sf.info(path)
    assert (info.format, info.subtype, info.samplerate, info.channels) == (
        container, subtype, RATE, 2,
    )  # fmt: skip
    read, _ = sf.read(path, dtype="float32")
    if not form.lossy:
        assert len(read) == len(FADE)
        step = 0.0 if form.bits is None else 2.0 ** (1 - form.bits)
        assert np.abs(read.T - stereo).max() <= 1.5 * step


@pytest.mark.parametrize("rate", [8_000, 22_050, 96_000, 192_000])
@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
def test_rates(tmp_path, rate, suffix):
    path = tmp_path / f"m{suffix}"
    write_audio(path, [np.stack([FADE, FADE])], rate, choose_format(path, rate), len(FADE))
    assert sf.info(path).samplerate == rate


def test_formats_that_are_refused(tmp_path):
    for name, rate, bits in (("a.xyz", RATE, 24), ("a.mp3", 96_000, 24), ("a.flac", RATE, 32)):
        with pytest.raises(MixgymError, match=name):
            choose_format(tmp_path / name, rate, bits)
    with pytest.raises(MixgymError, match="20"):
        choose_format(tmp_path / "a.wav", RATE, 20)


@pytest.mark.parametrize("bits", [16, 24])
def test_dither_of_a_fade_is_white_and_centred(bits):
    """Triangular dither: total error of variance 1/4 step^2, free of the signal, without tones.

    Each bound is 5 standard errors of its estimate.
    """
    steps = 2.0 ** (bits - 1)
    audio = np.stack([FADE, FADE]) / np.float32(2 ** (bits - 16))
    error = dithered(audio, bits) - audio.T.astype(np.float64) * steps
    n = len(error)
    assert np.abs(error).max() <= 1.5
    assert abs(error.mean()) < 5 * 0.5 / np.sqrt(2 * n)
    assert error.var() == pytest.approx(0.25, rel=0.02)
    for channel in error.T:
        power = np.abs(np.fft.rfft(channel)[1:-1]) ** 2 / n
        bands = power[: len(power) // 32 * 32].reshape(32, -1)
        assert np.abs(bands.mean(axis=1) / 0.25 - 1).max() < 5 / np.sqrt(bands.shape[1])
        assert power.max() < 0.25 * (np.log(len(power)) + 7)
        assert abs(np.corrcoef(channel, FADE)[0, 1]) < 5 / np.sqrt(n)
    assert abs(np.corrcoef(error.T)[0, 1]) < 5 / np.sqrt(n)


def test_dither_keeps_what_lies_below_a_step():
    """A constant of a third of a step comes out right on average; without dither it would be 0."""
    audio = np.full((2, 200_000), 2.0**-15 / 3, np.float32)
    assert dithered(audio, 16).mean() == pytest.approx(1 / 3, abs=5 * 0.5 / np.sqrt(400_000))


@settings(deadline=None, max_examples=30)
@given(
    cuts=st.lists(st.integers(0, 3000), max_size=5),
    bits=st.sampled_from([16, 24]),
)
def test_dither_is_the_same_however_it_is_cut(cuts, bits):
    audio = np.stack([FADE, -FADE])[:, :3000]
    whole = dithered(audio, bits)
    edges = [0, *sorted(cuts), 3000]
    parts = [dithered(audio[:, a:b], bits, a) for a, b in itertools.pairwise(edges)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("bits", [16, 24])
def test_beyond_full_scale_is_clipped(bits):
    audio = np.array([[1.5, 1.0, -1.0, -7.0]] * 2, np.float32)
    words = dithered(audio, bits)
    top = 2 ** (bits - 1)
    assert (words[0] == top - 1).all()
    assert (words[3] == -top).all()
    assert words.max() <= top - 1 and words.min() >= -top


def test_large_wav_becomes_rf64(tmp_path):
    path = tmp_path / "m.wav"
    with AudioWriter(path, RATE, Format("WAV", "PCM_24", 24), frames=10**9) as writer:
        writer.write(np.stack([FADE, FADE]))
    assert path.read_bytes()[:4] == b"RF64"
    assert sf.info(path).frames == len(FADE)


class Master:
    """Loud noise with clicks: what lossy coders overshoot on."""

    sample_rate = RATE
    frames = 3 * RATE

    def __init__(self, peak):
        noise = np.random.default_rng(5).normal(0, 1, (2, self.frames))
        noise[:, :: RATE // 7] = 9
        self._audio = (peak * np.clip(noise, -1, 1)).astype(np.float32)

    def blocks(self):
        for start in range(0, self.frames, 32_768):
            yield self._audio[:, start : start + 32_768]


@pytest.mark.parametrize("suffix", [".ogg", ".mp3"])
@pytest.mark.parametrize("ceiling_dbtp", [-1.0, -6.0])
def test_decoded_lossy_file_keeps_the_ceiling(tmp_path, suffix, ceiling_dbtp):
    path = tmp_path / f"m{suffix}"
    master = Master(10 ** (ceiling_dbtp / 20))
    turned_down_db = write_master(path, master, choose_format(path, RATE), ceiling_dbtp)
    assert turned_down_db > 0.1
    assert decoded_true_peak_dbtp(path) <= ceiling_dbtp
    assert decoded_true_peak_dbtp(path) > ceiling_dbtp - 1.0


@pytest.mark.parametrize(("suffix", "ceiling_dbtp"), [(".wav", -1.0), (".mp3", None)])
def test_nothing_is_turned_down_without_need(tmp_path, suffix, ceiling_dbtp):
    path = tmp_path / f"m{suffix}"
    assert write_master(path, Master(0.9), choose_format(path, RATE), ceiling_dbtp) == 0.0
