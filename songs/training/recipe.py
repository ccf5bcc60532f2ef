"""How a new excerpt is made of training excerpts: drawn from a generator, kept in the manifest."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from .keys import UNPITCHED, semitones_between
from .manifest import ManifestRow, ManifestStem

_TEMPO_TOLERANCE = 0.06
_MOST_SHIFT = 2  # semitones
_SLOWEST = 0.9
_LEAST_STEMS = 3
_SINGLE = frozenset({"drums", "bass", "kick", "snare", "hats", "lead_vocal"})
"""Roles that one song should fill: stems of one that are lent take the place of the base's own."""


class RecipePart(BaseModel):
    """One stem of the new excerpt.

    Attributes:
        parent: id of the excerpt that it is taken from.
        file: of the stem, in that excerpt's folder.
        name: of the new stem.
        speed: at most 1, so that nothing ends early.
        semitones: upwards.
        effects: see `effects.EFFECTS`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    parent: str
    file: str
    name: str
    role: str
    speed: float = Field(gt=0.4, le=1.0)
    semitones: float = Field(ge=-12, le=12)
    effects: list[dict[str, Any]]


class Recipe(BaseModel):
    """A new excerpt.

    Attributes:
        base: id of the parent whose song, length and beat it keeps; the others' stems are delayed
            until their onsets fall in with its own.
        tempo_bpm: of the result, None where unknown.
        semitones: how far the base was moved.
        parts: at least one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    base: str
    tempo_bpm: float | None
    semitones: int
    parts: list[RecipePart] = Field(min_length=1)

    def parents(self) -> list[str]:
        """Every excerpt it is made of, the base first."""
        return list(dict.fromkeys([self.base, *(part.parent for part in self.parts)]))


def draw_recipe(rng: np.random.Generator, pool: Sequence[ManifestRow]) -> Recipe:
    """Draw a recipe.

    Half of the excerpts borrow stems from one or two other songs whose tempo is within 6 % (or
    double, or half) and whose key is at most 2 semitones away; unpitched stems fit any key. Half
    are slowed down and moved in pitch as a whole. Stems are dropped and doubled, and each is left
    as it is, made raw again, or spoiled.

    Args:
        rng: consumed.
        pool: training excerpts, in an order that does not change.
    """
    base = pool[int(rng.integers(len(pool)))]
    semitones = int(rng.integers(-_MOST_SHIFT, _MOST_SHIFT + 1)) if rng.random() < 0.5 else 0
    slowing = float(rng.uniform(_SLOWEST, 1.0)) if rng.random() < 0.5 else 1.0
    lenders = _lenders(rng, base, pool) if rng.random() < 0.5 else []
    tempi = [base.tempo_bpm or 0.0, *(_folded(lender, base) for lender in lenders)]
    tempo_bpm = slowing * min(tempi)
    lent: list[RecipePart] = []
    taken: set[str] = set()
    for lender in lenders:
        shift = _shift(base, lender)
        speed = tempo_bpm / _folded(lender, base)
        fitting = [s for s in lender.stems if shift is not None or s.role in UNPITCHED]
        for stem in _some(rng, fitting, int(rng.integers(1, 5))):
            if not (stem.role in _SINGLE and stem.role in taken):
                taken.add(stem.role)
                lent.append(_part(rng, lender.id, stem, speed, semitones + (shift or 0)))
    own = [stem for stem in base.stems if not (stem.role in _SINGLE and stem.role in taken)]
    if rng.random() < 0.4:
        least = min(max(len(own) // 2, _LEAST_STEMS - len(lent)), len(own))
        own = _some(rng, own, int(rng.integers(least, len(own) + 1)))
    speed = tempo_bpm / base.tempo_bpm if base.tempo_bpm else slowing
    parts = [_part(rng, base.id, stem, speed, semitones) for stem in own] + lent
    if rng.random() < 0.3:
        parts.append(_doubled(rng, parts[int(rng.integers(len(parts)))]))
    return Recipe(base=base.id, tempo_bpm=tempo_bpm or None, semitones=semitones, parts=parts)


def _lenders(
    rng: np.random.Generator, base: ManifestRow, pool: Sequence[ManifestRow]
) -> list[ManifestRow]:
    """Up to two excerpts of other songs that go with the base."""
    fitting = [
        row
        for row in pool
        if row.source != base.source
        and row.seconds >= base.seconds
        and row.sample_rate == base.sample_rate
        and base.tempo_bpm
        and row.tempo_bpm
        and abs(_folded(row, base) / base.tempo_bpm - 1.0) <= _TEMPO_TOLERANCE
        and (_shift(base, row) is not None or any(s.role in UNPITCHED for s in row.stems))
    ]
    many = min(int(rng.integers(1, 3)), len(fitting))
    return [fitting[index] for index in rng.choice(len(fitting), many, replace=False).tolist()]


def _folded(row: ManifestRow, base: ManifestRow) -> float:
    """A tempo, doubled or halved where that is nearer to the base's."""
    tempo, wanted = row.tempo_bpm or 0.0, base.tempo_bpm or 0.0
    return min((tempo, 2.0 * tempo, 0.5 * tempo), key=lambda bpm: abs(bpm - wanted))


def _shift(base: ManifestRow, row: ManifestRow) -> int | None:
    """Semitones that bring an excerpt into the base's key; None where that is too far."""
    if base.key is None or row.key is None:
        return None
    shift = semitones_between(base.key, row.key)
    return shift if abs(shift) <= _MOST_SHIFT else None


def _some(rng: np.random.Generator, stems: Sequence[ManifestStem], many: int) -> list[ManifestStem]:
    """At most that many of the stems, in their order."""
    chosen = rng.choice(len(stems), min(many, len(stems)), replace=False)
    return [stems[index] for index in sorted(chosen.tolist())]


def _part(
    rng: np.random.Generator, parent: str, stem: ManifestStem, speed: float, semitones: float
) -> RecipePart:
    return RecipePart(
        parent=parent,
        file=stem.file,
        name=stem.name,
        role=stem.role,
        speed=min(round(speed, 6), 1.0),
        semitones=0.0 if stem.role in UNPITCHED else semitones,
        effects=_draw_effects(rng),
    )


def _doubled(rng: np.random.Generator, part: RecipePart) -> RecipePart:
    """The same stem once more: a little out of tune, late, and to one side."""
    detuned = 0.0 if part.role in UNPITCHED else _uniform(rng, 0.04, 0.15)
    double = {
        "type": "double",
        "late_ms": _uniform(rng, 8.0, 35.0),
        "side": float(rng.choice([-1.0, 1.0])) * _uniform(rng, 0.3, 1.0),
    }
    return part.model_copy(
        update={
            "name": f"{part.name} double",
            "semitones": part.semitones + detuned,
            "effects": [*part.effects, double],
        }
    )


def _draw_effects(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Nothing but a level, the way back to a raw track, or what happens to bad recordings."""
    recording = ("untouched", "raw", "spoiled")[int(rng.choice(3, p=[0.4, 0.25, 0.35]))]
    effects: list[dict[str, Any]] = []
    if recording == "raw":
        effects.append({"type": "flatten", "share": _uniform(rng, 0.4, 1.0)})
        effects.append(_dynamics(rng, "expand", below_rms_db=(0.0, 10.0), ratio=(1.2, 2.5)))
        if rng.random() < 0.5:
            effects.append({"type": "mono"})
    elif recording == "spoiled":
        if rng.random() < 0.8:
            effects.append(_equaliser(rng))
        if rng.random() < 0.5:
            effects.append(_dynamics(rng, "compress", below_rms_db=(-3.0, 12.0), ratio=(2.0, 8.0)))
        if rng.random() < 0.25:
            effects.append({"type": "polarity"})
        if rng.random() < 0.3:
            effects.append(
                {
                    "type": "noise",
                    "below_rms_db": _uniform(rng, 25.0, 55.0),
                    "tilt_db": _uniform(rng, -18.0, 3.0),
                    "seed": int(rng.integers(2**31)),
                }
            )
    effects.append({"type": "gain", "gain_db": _uniform(rng, -12.0, 6.0)})
    return effects


def _dynamics(
    rng: np.random.Generator,
    kind: str,
    *,
    below_rms_db: tuple[float, float],
    ratio: tuple[float, float],
) -> dict[str, Any]:
    return {
        "type": kind,
        "below_rms_db": _uniform(rng, *below_rms_db),
        "ratio": _uniform(rng, *ratio),
        "release_ms": _uniform(rng, 60.0, 300.0),
    }


def _equaliser(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "type": "equalise",
        "low_hz": _uniform(rng, 60.0, 300.0),
        "low_db": _uniform(rng, -9.0, 9.0),
        "bell_hz": round(float(np.exp(rng.uniform(np.log(200.0), np.log(7000.0)))), 1),
        "bell_db": _uniform(rng, -9.0, 9.0),
        "bell_q": _uniform(rng, 0.5, 3.0),
        "high_hz": _uniform(rng, 4000.0, 12000.0),
        "high_db": _uniform(rng, -9.0, 9.0),
    }


def _uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Four decimals are enough to set a knob, and to read."""
    return round(float(rng.uniform(low, high)), 4)
