"""Automation: faders that move between the sections of a song, as far as that sounds better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..console.carry import carry
from ..console.levels import stem_levels
from ..console.mix import Mix
from ..console.moves import FaderMoves
from ..console.parameters import STRIP
from ..console.sections import find_sections
from ..console.windows import activity
from ..rewards import Evaluator, load_reward
from .policy.sounding import sounding

if TYPE_CHECKING:
    from ..songs import Song
    from .policy.mixer import PolicyMixer

WINDOW_S, MOST_WINDOWS = 10, 3  # that a section is judged by
MOST_DB = 4.0  # that a fader moves
RAMP_S = 2.0  # around the border of two sections
SHARES = (0.25, 0.5, 0.75, 1.0)  # of the way to the policy's mix of a section
LEAST_GAIN = 0.002  # of the score, below which a section stays as it is
PLAYS = 0.02  # activity, summed over windows, below which a stem does not play
FADER = STRIP.index("fader_db")


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a song in which other stems play than before.

    Attributes:
        start_s, end_s: where it is.
        static, moved: score in `simulate` without and with the moves; NaN where it is silent.
        gains_db: of every fader, (stems,).
    """

    start_s: float
    end_s: float
    static: float
    moved: float
    gains_db: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Automated:
    """A mix whose faders may move.

    Attributes:
        mix: with moves; without, where no section gains by them.
        sections: of the song.
    """

    mix: Mix
    sections: tuple[Section, ...]

    @property
    def scores(self) -> tuple[float, float]:
        """Without and with moves, means over sections that sound, weighted by their lengths."""
        sounding = [section for section in self.sections if not np.isnan(section.static)]
        lengths = [section.end_s - section.start_s for section in sounding]
        pairs = [(section.static, section.moved) for section in sounding]
        static, moved = np.average(pairs, axis=0, weights=lengths)
        return float(static), float(moved)

    @property
    def note(self) -> str:
        """What came of it, for a person."""
        if not self.sections:
            return "Automation: the same stems play throughout, so no fader moves."
        better = sum(section.moved > section.static for section in self.sections)
        if not better:
            return (
                f"Automation: no fader moves; none of {len(self.sections)} sections would sound "
                "better by the score."
            )
        static, moved = self.scores
        return (
            f"Automation: faders move in {better} of {len(self.sections)} sections; their score "
            f"goes from {static:.4f} to {moved:.4f}."
        )


def automate(policy: PolicyMixer, song: Song, mix: Mix, style: str = "balanced") -> Automated:
    """Let the faders of a mix follow a song's sections.

    In up to three windows of ten seconds of each section the policy says where it would have the
    faders. Those of the mix go a quarter, half, three quarters of the way there or all of it, by
    at most 4 dB: whichever scores best in `simulate`, unless they had better stay. All faders of a
    section are then moved together so that its loudness stays: what moves is the balance, not the
    arc of the song. Where a stem does not play, it is already where it will come in.

    Args:
        policy: for mixing.
        song: with the stems of the mix.
        mix: whose faders move.
        style: of the reward.

    Raises:
        MixgymError: no such style, or a stem cannot be read.
    """
    levels = stem_levels(song, threads=policy.threads)
    plays = [activity(level) for level in levels]
    found = find_sections(levels)
    if len(found) < 2:
        return Automated(replace(mix, moves=None), ())
    sections = [_section(policy, song, mix, style, plays, start, end) for start, end in found]
    gains_db = _settled(np.array([section.gains_db for section in sections]))
    if not gains_db.any():
        return Automated(replace(mix, moves=None), tuple(sections))
    sections = [replace(s, gains_db=row) for s, row in zip(sections, gains_db, strict=True)]
    return Automated(replace(mix, moves=_joined(sections, song.duration_s)), tuple(sections))


def _section(
    policy: PolicyMixer,
    song: Song,
    mix: Mix,
    style: str,
    plays: Sequence[NDArray[np.float64]],
    start: int,
    end: int,
) -> Section:
    length = min(WINDOW_S, end - start)
    plays_in = {s: [row[s : s + length].mean() for row in plays] for s in _windows(start, end)}
    starts = [s for s, activities in plays_in.items() if any(activities)]
    listened = sounding(
        (song.excerpt(s, min(length, song.duration_s - s)) for s in starts), policy.threads
    )
    end_s = min(end, song.duration_s)
    if not listened:
        return Section(start, end_s, np.nan, np.nan, np.full(len(plays), np.nan))
    activities = np.array([plays_in[starts[place]] for place, _, _ in listened])
    played = activities.sum(axis=0) > PLAYS
    excerpts = [excerpt for _, excerpt, _ in listened]
    statics = [carry(mix, song, e, otherwise=Mix.neutral(e)) for e in excerpts]
    wishes = np.array(
        [
            policy.mix(excerpt, load_reward(style), analysis).strips[:, FADER]
            - static.strips[:, FADER]
            for (_, excerpt, analysis), static in zip(listened, statics, strict=True)
        ]
    )
    weights = np.where(played, activities, 1.0)
    wish = np.where(played, (wishes * weights).sum(axis=0) / weights.sum(axis=0), 0.0)
    wish[played] -= wish[played].mean()
    gains_db = np.outer((0.0, *SHARES), np.clip(wish, -MOST_DB, MOST_DB))
    outcomes = [
        _heard(Evaluator(excerpt, load_reward(style), threads=policy.threads), static, gains_db)
        for excerpt, static in zip(excerpts, statics, strict=True)
    ]
    scores, louder_db = np.mean(outcomes, axis=0)
    best = int(np.argmax(scores))
    if scores[best] < scores[0] + LEAST_GAIN:
        best = 0
    settled = np.where(played, gains_db[best] - louder_db[best], np.nan)
    return Section(start, end_s, float(scores[0]), float(scores[best]), settled)


def _windows(start: int, end: int) -> list[int]:
    """First seconds of up to three windows, evenly spread over a section."""
    count = min(MOST_WINDOWS, max(1, (end - start) // WINDOW_S))
    spare = max(0, end - start - count * WINDOW_S)
    return [start + k * WINDOW_S + round(spare * (k + 0.5) / count) for k in range(count)]


def _heard(
    evaluator: Evaluator, static: Mix, gains_db: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scores of moved faders, (moves,), and by how much the mix bus is louder than without."""
    count = len(gains_db)
    strips = np.repeat(static.strips[None], count, axis=0)
    low, high = STRIP["fader_db"].low, STRIP["fader_db"].high
    strips[..., FADER] = np.clip(strips[..., FADER] + gains_db, low, high)
    buses = np.repeat(static.buses[None], count, axis=0)
    master = np.repeat(static.master[None], count, axis=0)
    names = static.stems
    keys = np.array([names.index(key) if key else i for i, key in enumerate(static.side_chains)])
    readings = evaluator.read(strips, buses, master, keys)
    scores = evaluator.reward(readings, evaluator.scene(strips, master)).score
    return scores, np.asarray(readings.bus_lufs - readings.bus_lufs[0], dtype=np.float64)


def _settled(gains_db: NDArray[np.float64]) -> NDArray[np.float64]:
    """(sections, stems), where a stem that does not play (NaN) is at what it plays at next.

    Behind the last section in which it plays it stays; one that is never heard does not move.
    """
    settled = gains_db.copy()
    for row in settled.T:
        known = np.flatnonzero(~np.isnan(row))
        if not known.size:
            row[:] = 0.0
            continue
        following = known[np.minimum(np.searchsorted(known, np.arange(row.size)), known.size - 1)]
        row[:] = row[following]
    return settled


def _joined(sections: Sequence[Section], duration_s: float) -> FaderMoves:
    """Gains of sections with ramps around their borders."""
    gains_db = np.array([section.gains_db for section in sections]).T
    borders_s = np.array([section.start_s for section in sections[1:]])
    times_s = np.stack((borders_s - RAMP_S / 2, borders_s + RAMP_S / 2), axis=1).ravel()
    columns = np.repeat(np.arange(len(sections)), 2)[1:-1]
    return FaderMoves(times_s, gains_db[:, columns], duration_s)
