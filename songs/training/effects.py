"""What spoils audio, or makes it raw again. Pure functions over (channels, frames), float32."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Audio = NDArray[np.float32]
Effect = Mapping[str, Any]
"""`type`, one of the functions' names, and its parameters."""

_OCTAVES_HZ = (62.5, 125.0, 250.0, 500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0)
_MOST_FLATTENING_DB = 9.0
_HEARD_DB = 40.0  # below the strongest octave; what is weaker stays as it is


def apply_effects(audio: Audio, effects: list[dict[str, Any]], sample_rate: int) -> Audio:
    """Apply effects in order.

    Args:
        audio: (channels, frames).
        effects: of a recipe.
        sample_rate: in Hz.

    Raises:
        KeyError: an effect that there is not.
    """
    for effect in effects:
        parameters = {name: value for name, value in effect.items() if name != "type"}
        audio = EFFECTS[effect["type"]](audio, sample_rate, **parameters)
    return audio


def gain(audio: Audio, sample_rate: int, *, gain_db: float) -> Audio:
    """Louder or softer."""
    return audio * np.float32(10.0 ** (gain_db / 20.0))


def polarity(audio: Audio, sample_rate: int) -> Audio:
    """Upside down, as a microphone from behind."""
    return -audio


def mono(audio: Audio, sample_rate: int) -> Audio:
    """Both sides in the middle, (1, frames)."""
    return np.asarray(audio.mean(axis=0, keepdims=True, dtype=np.float32))


def equalise(
    audio: Audio,
    sample_rate: int,
    *,
    low_hz: float,
    low_db: float,
    bell_hz: float,
    bell_db: float,
    bell_q: float,
    high_hz: float,
    high_db: float,
) -> Audio:
    """A low shelf, a bell and a high shelf."""
    import pedalboard

    top_hz = 0.45 * sample_rate
    return _through(
        audio,
        sample_rate,
        pedalboard.LowShelfFilter(min(low_hz, top_hz), low_db),
        pedalboard.PeakFilter(min(bell_hz, top_hz), bell_db, bell_q),
        pedalboard.HighShelfFilter(min(high_hz, top_hz), high_db),
    )


def compress(
    audio: Audio, sample_rate: int, *, below_rms_db: float, ratio: float, release_ms: float
) -> Audio:
    """Squeeze what lies above a threshold `below_rms_db` under the stem's own RMS level."""
    import pedalboard

    threshold_db = _rms_dbfs(audio) - below_rms_db
    return _through(audio, sample_rate, pedalboard.Compressor(threshold_db, ratio, 5.0, release_ms))


def expand(
    audio: Audio, sample_rate: int, *, below_rms_db: float, ratio: float, release_ms: float
) -> Audio:
    """Give dynamics back: what lies under a threshold falls away faster."""
    import pedalboard

    threshold_db = _rms_dbfs(audio) - below_rms_db
    return _through(audio, sample_rate, pedalboard.NoiseGate(threshold_db, ratio, 2.0, release_ms))


def flatten(audio: Audio, sample_rate: int, *, share: float) -> Audio:
    """Undo equalisation: move each octave towards the straight line through all of them.

    Octaves more than 40 dB under the strongest stay as they are, and none moves by more than 9 dB.
    After the normalisation of stems in Martínez-Ramírez et al., "Automatic music mixing with deep
    learning and out-of-domain data" (ISMIR 2022), with octave bells for long filters.
    """
    import pedalboard

    octaves_hz = np.array([hz for hz in _OCTAVES_HZ if hz < 0.35 * sample_rate])
    levels_db = _octave_levels_db(audio, sample_rate, octaves_hz)
    heard = levels_db > levels_db.max() - _HEARD_DB
    if heard.sum() < 3:
        return audio
    x = np.log2(octaves_hz)
    line = np.polyval(np.polyfit(x[heard], levels_db[heard], 1), x)
    gains_db = np.clip(share * (line - levels_db), -_MOST_FLATTENING_DB, _MOST_FLATTENING_DB)
    bells = [
        pedalboard.PeakFilter(float(hz), float(db), 1.4)
        for hz, db in zip(octaves_hz[heard], gains_db[heard], strict=True)
    ]
    return _through(audio, sample_rate, *bells)


def noise(
    audio: Audio, sample_rate: int, *, below_rms_db: float, tilt_db: float, seed: int
) -> Audio:
    """Add noise `below_rms_db` under the stem's RMS level; `tilt_db` is of its highs."""
    import pedalboard

    hiss = np.random.default_rng(seed).standard_normal(audio.shape).astype(np.float32)
    hiss = _through(hiss, sample_rate, pedalboard.HighShelfFilter(0.05 * sample_rate, tilt_db))
    level_db = _rms_dbfs(audio) - below_rms_db - _rms_dbfs(hiss)
    return audio + gain(hiss, sample_rate, gain_db=level_db)


def double(audio: Audio, sample_rate: int, *, late_ms: float, side: float) -> Audio:
    """A second take, late and to one side (-1 left, 1 right); (2, frames)."""
    late = round(late_ms / 1000.0 * sample_rate)
    take = np.zeros((2, audio.shape[1]), np.float32)
    gains = np.sqrt(np.array([[1.0 - side], [1.0 + side]], np.float32))
    take[:, late:] = gains * audio[:, : audio.shape[1] - late].mean(axis=0)
    return take


def resonate(audio: Audio, sample_rate: int, *, hz: float, gain_db: float, q: float) -> Audio:
    """A bell."""
    import pedalboard

    hz = min(hz, 0.45 * sample_rate)
    return _through(audio, sample_rate, pedalboard.PeakFilter(hz, gain_db, q))


def widen(audio: Audio, sample_rate: int, *, width: float) -> Audio:
    """The side times `width`; a single channel stays as it is."""
    if len(audio) == 1:
        return audio
    mid = 0.5 * (audio[0] + audio[1])
    side = np.float32(0.5 * width) * (audio[0] - audio[1])
    return np.stack((mid + side, mid - side))


def wander(audio: Audio, sample_rate: int, *, depth_db: float, every_s: float, seed: int) -> Audio:
    """Up and down by at most `depth_db`, to somewhere else every so many seconds."""
    time_s = np.arange(audio.shape[1]) / sample_rate
    points = int(time_s[-1] / every_s) + 2
    to_db = np.random.default_rng(seed).uniform(-depth_db, depth_db, points)
    gain_db = np.interp(time_s, every_s * np.arange(points), to_db)
    return audio * (10.0 ** (gain_db / 20.0)).astype(np.float32)


def clip(audio: Audio, sample_rate: int, *, above_rms_db: float) -> Audio:
    """Cut off what is more than `above_rms_db` above the RMS level."""
    most = np.float32(10.0 ** ((_rms_dbfs(audio) + above_rms_db) / 20.0))
    return np.clip(audio, -most, most)


EFFECTS: dict[str, Callable[..., Audio]] = {
    effect.__name__: effect
    for effect in (
        *(gain, polarity, mono, equalise, compress, expand, flatten, noise, double),
        *(resonate, widen, wander, clip),
    )
}


def _through(audio: Audio, sample_rate: int, *plugins: Any) -> Audio:
    import pedalboard

    return np.ascontiguousarray(pedalboard.Pedalboard(list(plugins))(audio, sample_rate))


def _rms_dbfs(audio: Audio) -> float:
    power = float(np.mean(np.square(audio, dtype=np.float64)))
    return 10.0 * float(np.log10(max(power, 1e-20)))


def _octave_levels_db(
    audio: Audio, sample_rate: int, octaves_hz: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Level of each octave, (octaves,)."""
    power = np.square(np.abs(np.fft.rfft(audio, axis=1))).sum(axis=0)
    frequency_hz = np.fft.rfftfreq(audio.shape[1], 1.0 / sample_rate)
    edges = np.searchsorted(frequency_hz, [octaves_hz / np.sqrt(2.0), octaves_hz * np.sqrt(2.0)])
    total = np.concatenate([[0.0], np.cumsum(power)])
    return np.asarray(10.0 * np.log10(np.maximum(total[edges[1]] - total[edges[0]], 1e-20)))
