"""Mixers by rule: plain sum, equal loudness, and levels, panning, EQ, dynamics and space by role.

The numbers of `RULES` follow a few principles, so that they can be argued with:

- The lead carries the song: it sits 3 dB above the pieces of the rhythm section and 2 dB above a
  whole kit in one stem; these sit above the accompaniment, and that above colour (pads, effects,
  metallic percussion).
- Several stems of one role share its place: n of them are turned down by 10 log10(n), so that
  ten backing vocals together are as loud as one would be.
- What carries the low end or the lead stays in the centre; the rest is spread so that the sides
  weigh the same, stems of one role on opposite sides. Stereo stems keep the image they came with.
- A high-pass takes what lies below an instrument's lowest useful note, well under it.
- Compression is gentle (2 to 3 dB at the stem's loud moments) and only where levels wander:
  voices, bass, plucked strings, drums.
- Sends follow distance: the further back a role stands, the more reverb; low ends get none.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .describe import value_text
from .levels import stem_levels
from .meters import SpectrumMeter
from .mix import Budget, Mix, Mixer
from .parameters import BUSES, MASTER, SEND_OFF_DB, STRIP
from .styles import Style, style

if TYPE_CHECKING:
    from ..songs import Song, Stem

NO_BUDGET = Budget()
NO_HIGH_PASS = 20.0
BALANCED_MASTER = {
    "bus_compressor_on": 1,
    "bus_compressor_threshold_db": -3,
    "bus_compressor_ratio": 1.5,
    "image_on": 1,
    "mono_below_hz": 100,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """How stems of one role are treated.

    Attributes:
        level_db: fader around equal loudness.
        high_pass_hz: 20 is none.
        spread: how far from the centre a mono stem goes, 0..1.
        ratio, threshold_db, attack_ms, release_ms: of the compressor; ratio 1 is none.
        reverb_db, delay_db: sends; -60 is none.
        why: the level's reason, for the report.
    """

    level_db: float
    high_pass_hz: float = NO_HIGH_PASS
    spread: float = 0.0
    ratio: float = 1.0
    threshold_db: float = -4.0
    attack_ms: float = 15.0
    release_ms: float = 150.0
    reverb_db: float = SEND_OFF_DB
    delay_db: float = SEND_OFF_DB
    why: str = ""


RULES: dict[str, Rule] = {
    "lead_vocal": Rule(
        3, 80, ratio=2.5, threshold_db=-5, attack_ms=8, release_ms=120, reverb_db=-20, delay_db=-28,
        why="the lead is what people listen to",
    ),
    "backing_vocal": Rule(
        -3, 120, 0.5, ratio=2.5, threshold_db=-5, attack_ms=8, release_ms=120, reverb_db=-16,
        why="backing voices stand behind the lead",
    ),
    "kick": Rule(0, 25, why="the kick carries the beat with the bass"),
    "snare": Rule(
        -1, 70, ratio=2, threshold_db=-3, attack_ms=25, release_ms=120, reverb_db=-22,
        why="the snare answers the kick",
    ),
    "hats": Rule(-9, 250, 0.3, reverb_db=-34, why="bright metal is heard at low levels"),
    "toms": Rule(-3, 50, 0.4, reverb_db=-22, why="fills speak without taking over"),
    "percussion": Rule(-7, 120, 0.45, reverb_db=-26, why="percussion decorates the beat"),
    "drums": Rule(
        1, 25, 0.0, ratio=1.8, threshold_db=-3, attack_ms=30, release_ms=120, reverb_db=-32,
        why="a drum bus holds the whole kit",
    ),
    "bass": Rule(
        -1, 30, ratio=2.5, threshold_db=-5, attack_ms=25, release_ms=200,
        why="the bass is the floor that the rest stands on",
    ),
    "guitar": Rule(
        -4, 80, 0.6, ratio=1.8, threshold_db=-4, attack_ms=20, release_ms=200, reverb_db=-26,
        why="accompaniment leaves room for the lead",
    ),
    "keys": Rule(-4, 60, 0.35, reverb_db=-24, why="accompaniment leaves room for the lead"),
    "synth": Rule(
        -3, 60, 0.35, reverb_db=-24, delay_db=-32, why="a synth line is second to the lead"
    ),
    "pad": Rule(-7, 120, 0.5, reverb_db=-20, why="a pad fills the background"),
    "strings": Rule(-5, 100, 0.4, reverb_db=-16, why="strings sit back in the room"),
    "brass": Rule(-4, 80, 0.3, reverb_db=-20, why="brass cuts through at modest levels"),
    "winds": Rule(-4, 90, 0.3, reverb_db=-20, why="winds cut through at modest levels"),
    "fx": Rule(-7, 60, 0.5, reverb_db=-24, why="effects are colour"),
    "other": Rule(-3, 30, 0.3, reverb_db=-28, why="nothing is known about its role"),
}  # fmt: skip


def plain_sum(song: Song, budget: Budget = NO_BUDGET) -> Mix:
    """The stems as they came, nothing done to them.

    The fader of the loudest stands at the top of its range and the rest below it by as much as
    they are quieter; a stem more than the fader's range below the loudest is raised to that.
    """
    del budget
    mix = replace(Mix.neutral(song), made_by="plain_sum")
    levels = [level.loudness_lufs for level in stem_levels(song)]
    loudest = max(levels)
    fader = STRIP["fader_db"]
    strips = mix.strips.copy()
    for i, lufs in enumerate(levels):
        if math.isfinite(lufs):
            strips[i, STRIP.index("fader_db")] = max(fader.low, fader.high + lufs - loudest)
    return replace(mix, strips=strips)


def equal_loudness(song: Song, budget: Budget = NO_BUDGET) -> Mix:
    """Every stem at the same integrated loudness, nothing else done."""
    del budget
    return replace(Mix.neutral(song), made_by="equal_loudness")


def roles(song: Song, budget: Budget = NO_BUDGET, *, lean: Style | None = None) -> Mix:
    """Levels, panning, high-pass, gentle compression and sends by role."""
    del budget
    lean = lean or style("balanced")
    mix = Mix.neutral(song)
    levels = stem_levels(song)
    audible = [
        stem.role for stem, level in zip(song.stems, levels, strict=True) if not level.silent
    ]
    strips: list[NDArray[np.float64]] = []
    reasons: dict[str, tuple[str, ...]] = {}
    for stem, level, pan in zip(song.stems, levels, _pans(song), strict=True):
        values: dict[str, float] = {}
        why = ["silent: left alone"]
        if not level.silent:
            values, why = _treatment(stem, audible.count(stem.role), pan, lean)
        strips.append(STRIP.vector(values))
        reasons[stem.name] = tuple(why)
    reasons["master"] = (lean.about,)
    return replace(
        mix,
        strips=np.array(strips),
        buses=BUSES.vector(_echo(song.tempo_bpm)),
        master=MASTER.vector({**BALANCED_MASTER, **lean.master}),
        made_by="roles",
        reasons=reasons,
    )


MIXERS: dict[str, Callable[..., Mix]] = {
    "plain_sum": plain_sum,
    "equal_loudness": equal_loudness,
    "roles": roles,
}


def mixer_by_rule(name: str, lean: Style | None = None) -> Mixer:
    """The mixer of that name, bound to a style where it takes one.

    Raises:
        KeyError: there is none.
    """
    mixer = MIXERS[name]
    if mixer is roles:
        return lambda song, budget: roles(song, budget, lean=lean)
    return mixer


def _treatment(
    stem: Stem, sharing: int, pan: float, lean: Style
) -> tuple[dict[str, float], list[str]]:
    """What differs from a neutral strip, and why; `sharing` stems have this one's role."""
    rule, fader = RULES[stem.role], STRIP["fader_db"]
    why = [f"level {value_text(fader, rule.level_db)}: {rule.why}"]
    high_pass_hz = rule.high_pass_hz
    if stem.role == "other":
        high_pass_hz, found = _unknown(stem)
        why.append(found)
    share_db = -10 * math.log10(sharing)
    if sharing > 1:
        why.append(f"{value_text(fader, share_db)}: one of {sharing} stems with this role")
    level_db = rule.level_db + share_db + lean.levels_db.get(stem.role, 0.0)
    values = {
        "fader_db": min(max(level_db, fader.low), fader.high),
        "pan": pan,
        "reverb_send_db": _send(rule.reverb_db, lean.reverb_db),
        "delay_send_db": rule.delay_db,
    }
    if high_pass_hz > NO_HIGH_PASS:
        values |= {"high_pass_on": 1.0, "high_pass_hz": high_pass_hz}
        why.append(f"high-pass: nothing of use lies below {high_pass_hz:g} Hz")
    if rule.ratio > 1:
        values |= {
            "compressor_on": 1.0,
            "compressor_ratio": rule.ratio,
            "compressor_threshold_db": rule.threshold_db,
            "compressor_attack_ms": rule.attack_ms,
            "compressor_release_ms": rule.release_ms,
        }
        why.append("compressor: evens out a part whose level wanders")
    if pan:
        why.append(f"pan {value_text(STRIP['pan'], pan)}: keeps the sides even")
    return values, why


def _send(level_db: float, lean_db: float) -> float:
    if level_db <= SEND_OFF_DB:
        return SEND_OFF_DB
    return min(max(level_db + lean_db, SEND_OFF_DB), 0.0)


def _echo(tempo_bpm: float | None) -> dict[str, float]:
    """A dotted eighth where the tempo is known, brought into range by octaves of time."""
    if tempo_bpm is None or not 0 < tempo_bpm < math.inf:
        return {}
    time_ms, limits = 0.75 * 60_000 / tempo_bpm, BUSES["delay_time_ms"]
    while time_ms > limits.high:
        time_ms /= 2
    while time_ms < limits.low:
        time_ms *= 2
    return {"delay_time_ms": time_ms}


def _pans(song: Song) -> list[float]:
    """Pan per stem: each mono stem goes to the side that weighs less so far."""
    weight = 0.0
    last_side: dict[str, float] = {}
    result = []
    for stem, level in zip(song.stems, stem_levels(song), strict=True):
        rule = RULES[stem.role]
        if level.silent or stem.channels == 2 or rule.spread == 0.0:
            result.append(0.0)
            continue
        side = -last_side[stem.role] if stem.role in last_side else (-1.0 if weight > 0 else 1.0)
        last_side[stem.role] = side
        pan = side * rule.spread
        weight += pan * 10 ** (rule.level_db / 20)
        result.append(pan)
    return result


SAMPLES = 12  # blocks that are listened to, to place a stem of unknown role
SAMPLE_FRAMES = 32_768


def _unknown(stem: Stem) -> tuple[float, str]:
    """High-pass for a stem of unknown role, from where its energy begins."""
    spread = [i * max(0, stem.frames - SAMPLE_FRAMES) // SAMPLES for i in range(SAMPLES)]
    for starts in (spread, range(0, stem.frames, SAMPLE_FRAMES)):
        meter = SpectrumMeter(stem.sample_rate, stem.channels)
        for start in starts:
            meter.push(stem.read(start, SAMPLE_FRAMES))
        power = 10 ** (meter.levels_db / 10)
        if power.sum() > 0:  # else it plays between the samples
            break
    share = np.cumsum(power) / power.sum()
    lowest_hz = float(meter.centres_hz[np.searchsorted(share, 0.02)])
    if lowest_hz < 80:
        return 25.0, "role unknown, it reaches low: its bass is left alone"
    limits = STRIP["high_pass_hz"]
    cut_hz = min(max(round(lowest_hz / 2.5, -1), limits.low), limits.high)
    return cut_hz, f"role unknown, its energy begins near {lowest_hz:.0f} Hz"
