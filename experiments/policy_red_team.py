"""Songs that nobody would hand in, to see what a policy does with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from ..songs import Song

Audio = dict[str, NDArray[np.float32]]
Spoil = Callable[[Audio, np.random.Generator], Audio]

NOISE_RMS = 0.1
FORTY = 40


def one_stem(audio: Audio, rng: np.random.Generator) -> Audio:
    """The first stem alone."""
    name = next(iter(audio))
    return {name: audio[name]}


def identical_stems(audio: Audio, rng: np.random.Generator) -> Audio:
    """The loudest stem eight times."""
    loudest = max(audio.values(), key=lambda samples: float(np.square(samples).mean()))
    return {f"Copy {number}": loudest for number in range(1, 9)}


def forty_stems(audio: Audio, rng: np.random.Generator) -> Audio:
    """The stems again and again, each time another while into them."""
    names = list(audio)
    turned = {}
    for number in range(FORTY):
        samples = audio[names[number % len(names)]]
        turned[f"Track {number + 1}"] = np.roll(samples, rng.integers(samples.shape[1]), axis=1)
    return turned


def noise(audio: Audio, rng: np.random.Generator) -> Audio:
    """White noise in every stem's place."""
    return {name: _noise(samples.shape, rng) for name, samples in audio.items()}


def noise_added(audio: Audio, rng: np.random.Generator) -> Audio:
    """A stem of white noise beside the others."""
    frames = next(iter(audio.values())).shape[1]
    return {**audio, "Noise": _noise((2, frames), rng)}


def silence_added(audio: Audio, rng: np.random.Generator) -> Audio:
    """Two silent stems beside the others."""
    silent = np.zeros((1, next(iter(audio.values())).shape[1]), np.float32)
    return {**audio, "Empty": silent, "Empty too": silent}


def extreme_levels(audio: Audio, rng: np.random.Generator) -> Audio:
    """Stems recorded up to 80 dB apart."""
    gains_db = rng.uniform(-80.0, 0.0, len(audio))
    return {
        name: (samples * 10 ** (gain_db / 20)).astype(np.float32)
        for (name, samples), gain_db in zip(audio.items(), gains_db, strict=True)
    }


def opposite_sides(audio: Audio, rng: np.random.Generator) -> Audio:
    """Every stem with its right side the left's negative: silence in mono."""
    return {
        name: np.concatenate((samples[:1], -samples[:1])).astype(np.float32)
        for name, samples in audio.items()
    }


def short_bursts(audio: Audio, rng: np.random.Generator) -> Audio:
    """Half a second of every stem, silence else."""
    bursts = {}
    for name, samples in audio.items():
        burst = np.zeros_like(samples)
        half = min(22_050, samples.shape[1])
        start = int(np.argmax(np.abs(samples).max(axis=0)))
        start = min(start, samples.shape[1] - half)
        burst[:, start : start + half] = samples[:, start : start + half]
        bursts[name] = burst
    return bursts


CASES: Mapping[str, Spoil] = {
    case.__name__: case
    for case in (
        one_stem,
        identical_stems,
        forty_stems,
        noise,
        noise_added,
        silence_added,
        extreme_levels,
        opposite_sides,
        short_bursts,
    )
}


def spoiled(song: Song, case: str, seed: int) -> Song:
    """A song as a case has it; its stems are what they were called, or nothing that is known.

    Args:
        song: to be spoiled; read whole.
        case: one of `CASES`.
        seed: of what is drawn.

    Raises:
        MixgymError: a stem cannot be read.
    """
    audio = {stem.name: stem.read(0, stem.frames) for stem in song.stems}
    roles = {stem.name: stem.role for stem in song.stems}
    rng = np.random.default_rng((seed, *case.encode()))
    made = CASES[case](audio, rng)
    kept = {name: roles.get(name, "other") for name in made}
    return Song.from_arrays(made, song.sample_rate, title=f"{song.title} {case}", roles=kept)


def _noise(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    return (NOISE_RMS * rng.standard_normal(shape)).astype(np.float32)
