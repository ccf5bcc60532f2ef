"""Search by a person's ear: which of two mixes is better, and no number at all.

Direct search compares and never measures: R. Hooke, T. A. Jeeves, "'Direct Search' Solution of
Numerical and Statistical Problems", Journal of the ACM 8 (1961). Its coordinates are what a person
hears as one thing: how loud the voices are, how bright it all is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..console.mix import Mix
from ..console.parameters import MASTER, SEND_OFF_DB, STRIP

FAMILIES = {
    "voices": ("lead_vocal", "backing_vocal"),
    "drums": ("kick", "snare", "hats", "toms", "percussion", "drums"),
    "bass": ("bass",),
    "harmony": ("keys", "synth", "pad", "strings", "guitar", "brass", "winds"),
    "rest": ("fx", "other"),
}
DRY = ("kick", "bass")  # roles that reverb would only muddy
OPENED_DB = -36.0  # a closed send, once it is raised
GROWTH, SHRINKAGE = 1.5, 0.5  # of a step that won, or lost both ways
FINEST = 0.2  # of a first step: a person would hear no difference

Places = NDArray[np.float64]  # (axes,), each in its axis' unit


@dataclass(frozen=True, slots=True)
class Axis:
    """One thing that a person hears.

    Attributes:
        name: of it.
        unit: of `step` and `limit`.
        step: the first.
        limit: how far either way.
        applied: a mix with so much more of it.
    """

    name: str
    unit: str
    step: float
    limit: float
    applied: Callable[[Mix, float], Mix]


def axes_of(mix: Mix, present: Sequence[bool]) -> list[Axis]:
    """What can be heard of a mix: levels of families of stems, lows, highs, reverb, width.

    Args:
        mix: to begin with.
        present: which stems sound, in its order.
    """
    levels = []
    for family, roles in FAMILIES.items():
        rows = [i for i, role in enumerate(mix.roles) if role in roles and present[i]]
        if rows:
            levels.append(Axis(f"{family} level", "dB", 2.0, 10.0, _raised(rows)))
    if len(levels) == 1:
        levels = []  # louder than nothing else: delivery would undo it
    wet = [i for i, role in enumerate(mix.roles) if role not in DRY and present[i]]
    reverb = [Axis("reverb", "dB", 6.0, 24.0, _wetter(wet))] if wet else []
    return [
        *levels,
        Axis("lows", "dB", 2.0, 6.0, _shelved("low")),
        Axis("highs", "dB", 2.0, 6.0, _shelved("high")),
        *reverb,
        Axis("width", "octaves", 0.25, 0.75, _wider),
    ]


class PairwiseSearch:
    """Proposes a challenger to the best so far, and learns which of the two was better.

    Along an axis it goes on while challengers win, tries the other way when the first loses, and
    takes smaller steps there when both lose.

    Args:
        axes: what is searched.
        seed: of the order of axes.

    Attributes:
        best: the best so far, (axes,); all zeros is where it began.
        answers: how many were given.
    """

    def __init__(self, axes: Sequence[Axis], seed: int = 0) -> None:
        self._axes, self._rng = axes, np.random.default_rng(seed)
        self._steps = np.array([axis.step for axis in axes])
        self._limits = np.array([axis.limit for axis in axes])
        self._order: list[int] = []
        self._at, self._sign = 0, 1.0
        self._won = self._turned = False
        self.best: Places = np.zeros(len(axes))
        self.answers = 0
        self._turn_to_next()

    @property
    def axis(self) -> Axis:
        """Along which the challenger differs."""
        return self._axes[self._at]

    @property
    def settled(self) -> bool:
        """Whether steps have become too small to hear on every axis."""
        first = np.array([axis.step for axis in self._axes])
        return bool((self._steps < FINEST * first).all())

    @property
    def challenger(self) -> Places:
        """What is to be heard beside the best, (axes,)."""
        place = self.best.copy()
        limit = self._limits[self._at]
        moved = place[self._at] + self._sign * self._steps[self._at]
        place[self._at] = min(max(moved, -limit), limit)
        return place

    def tell(self, better: bool) -> None:
        """Whether the challenger was better; no difference counts as not."""
        self.answers += 1
        if better:
            self.best = self.challenger
            self._won = True
            self._steps[self._at] = min(
                GROWTH * self._steps[self._at], 2 * self._axes[self._at].step
            )
        else:
            self._lost()
        while np.array_equal(self.challenger, self.best):
            self._lost()  # an end of the axis is nothing to be heard

    def _lost(self) -> None:
        if self._won or self._turned:
            self._steps[self._at] *= SHRINKAGE
            self._turn_to_next()
        else:
            self._turned, self._sign = True, -self._sign

    def _turn_to_next(self) -> None:
        if not self._order:
            self._order = self._rng.permutation(len(self._axes)).tolist()
        self._at = self._order.pop()
        self._sign = float(self._rng.choice((-1.0, 1.0)))
        self._won = self._turned = False


def moved(mix: Mix, axes: Sequence[Axis], place: Places) -> Mix:
    """The mix with so much more of everything."""
    for axis, amount in zip(axes, place.tolist(), strict=True):
        if amount:
            mix = axis.applied(mix, amount)
    return mix


def _raised(rows: Sequence[int]) -> Callable[[Mix, float], Mix]:
    def applied(mix: Mix, amount_db: float) -> Mix:
        return _strips_with(mix, rows, "fader_db", lambda fader_db: fader_db + amount_db)

    return applied


def _wetter(rows: Sequence[int]) -> Callable[[Mix, float], Mix]:
    def applied(mix: Mix, amount_db: float) -> Mix:
        floor_db = OPENED_DB if amount_db > 0 else SEND_OFF_DB
        return _strips_with(
            mix, rows, "reverb_send_db", lambda send_db: np.maximum(send_db, floor_db) + amount_db
        )

    return applied


def _shelved(which: str) -> Callable[[Mix, float], Mix]:
    name = f"master_{which}_shelf_db"

    def applied(mix: Mix, amount_db: float) -> Mix:
        was_on = mix.master[MASTER.index("master_eq_on")] > 0
        before_db = mix.master[MASTER.index(name)] if was_on else 0.0
        shelf = MASTER[name]
        after_db = min(max(before_db + amount_db, shelf.low), shelf.high)
        return mix.with_master(**{"master_eq_on": 1.0, name: after_db})

    return applied


def _wider(mix: Mix, octaves: float) -> Mix:
    width = MASTER["master_width"]
    was_on = mix.master[MASTER.index("image_on")] > 0
    before = mix.master[MASTER.index("master_width")] if was_on else 1.0
    after = min(max(before * 2**octaves, width.low), width.high)
    return mix.with_master(image_on=1.0, master_width=after)


def _strips_with(
    mix: Mix, rows: Sequence[int], name: str, change: Callable[[Places], Places]
) -> Mix:
    strips, parameter = mix.strips.copy(), STRIP[name]
    column = STRIP.index(name)
    strips[rows, column] = np.clip(change(strips[rows, column]), parameter.low, parameter.high)
    return replace(mix, strips=strips)
