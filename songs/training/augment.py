"""A recipe carried out."""

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from .alignment import beat_delay_s, delayed
from .effects import apply_effects
from .excerpts import Take, Track
from .manifest import EXCERPTS
from .recipe import Recipe, RecipePart

_SLOWEST_BEAT_S = 1.0


def carry_out(recipe: Recipe, home: Path, sample_rate: int, frames: int) -> Take:
    """Make the excerpt that a recipe describes.

    Args:
        recipe: its parents lie in the training set.
        home: the training set's folder.
        sample_rate: of the set, in Hz.
        frames: of the result; its base has as many.

    Raises:
        OSError: a parent cannot be read.
    """
    played = [_played(part, home, sample_rate, frames) for part in recipe.parts]
    own = [audio for part, audio in zip(recipe.parts, played, strict=True) if _own(part, recipe)]
    beat_s = 60.0 / recipe.tempo_bpm if recipe.tempo_bpm else _SLOWEST_BEAT_S
    late: dict[str, int] = {}
    for parent in recipe.parents()[1:]:
        lent = [a for part, a in zip(recipe.parts, played, strict=True) if part.parent == parent]
        delay_s = beat_delay_s(lent, own, sample_rate, beat_s) if own else 0.0
        late[parent] = round(delay_s * sample_rate)
    tracks = [
        Track(
            part.name,
            part.role,
            apply_effects(delayed(audio, late.get(part.parent, 0)), part.effects, sample_rate),
        )
        for part, audio in zip(recipe.parts, played, strict=True)
    ]
    return Take(0.0, recipe.tempo_bpm, tracks)


def _own(part: RecipePart, recipe: Recipe) -> bool:
    return part.parent == recipe.base


def _played(part: RecipePart, home: Path, sample_rate: int, frames: int) -> NDArray[np.float32]:
    """A parent's stem at the part's speed and pitch, (channels, frames)."""
    audio, _ = soundfile.read(
        home / EXCERPTS / part.parent / part.file, dtype="float32", always_2d=True
    )
    stem: NDArray[np.float32] = np.ascontiguousarray(audio.T)
    if part.speed != 1.0 or part.semitones != 0.0:
        import pedalboard

        stem = pedalboard.time_stretch(
            stem,
            sample_rate,
            stretch_factor=part.speed,
            pitch_shift_in_semitones=part.semitones,
            high_quality=False,
        )
    out = np.zeros((len(stem), frames), np.float32)
    out[:, : min(stem.shape[1], frames)] = stem[:, :frames]
    return out
