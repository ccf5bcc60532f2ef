"""What each part of a generated song plays: a score in, notes out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from ._score import STEPS_PER_BAR, Bar, Note, Score

Part = Callable[[Score], list[Note]]

# One bar in sixteenths: X accent, x stroke, - ghost stroke, o open hi-hat.
_VELOCITY = {"X": 1.0, "x": 0.8, "o": 0.85, "-": 0.4}
_LAST_CHORD = "X..............."
_DRUMS: dict[str, dict[str, tuple[str, ...]]] = {
    "backbeat": {
        "kick": ("X.......x.x.....", "X.....x.X.......", "X......xx.x.....", "X..x....X......."),
        "snare": ("....X.......X...", "....X..-.-..X...", "....X.......X..-"),
        "hats": ("X.x.X.x.X.x.X.x.", "X.x.X.x.X.x.X.o.", "X-x-X-x-X-x-X-x-"),
    },
    "four": {
        "kick": ("X...X...X...X...", "X...X...X...X..x", "X...X...X.x.X..."),
        "snare": ("....X.......X...", "....X.......X.-."),
        "hats": ("..o...o...o...o.", "x-o-x-o-x-o-x-o-", "..X.-.X.-.X.-.X."),
    },
    "sixteenths": {
        "kick": ("X..x..x...x.....", "X.....x..xX.....", "X..X..X.....x..."),
        "snare": ("....X..-.-..X..-", "....X..-....X-.."),
        "hats": ("X-x-X-x-X-x-X-x-", "X.xxX.xxX.xxX.o.", "XxxxXxxxXxxxXxxx"),
    },
    "half_time": {
        "kick": ("X.........x.....", "X..x......x.....", "X.....x......x.."),
        "snare": ("........X.......", "........X.....-."),
        "hats": ("X.x.x.x.X.x.x.x.", "X...x...X...x...", "X.x.x.xxX.x.x.o."),
    },
}
_PERCUSSION = ("x-X-x-X-x-X-x-X-", "x..x..x...x.x...", "..X...X...X...X.", "X..-x.X.-.x-X.x.")
_COMPING = ("X...............", "X.......x.......", "X..x..x...x.x...", "..X...X...X...X.")
_STRUMMING = ("X...x.x...x.x.x.", "X.......x.......", "X..x..X..x..X.x.", "x.x.x.x.x.x.x.x.")

OPEN, CRASH = 1.0, 2.0  # how a hi-hat or cymbal stroke differs from a closed one (0)


def _hits(pattern: str) -> Iterator[tuple[int, str, float]]:
    """Step, symbol and velocity of every stroke of a pattern."""
    for step, symbol in enumerate(pattern):
        if symbol in _VELOCITY:
            yield step, symbol, _VELOCITY[symbol]


def _held(pattern: str) -> Iterator[tuple[int, float, int]]:
    """Step, velocity and length in steps of strokes that last until the next one."""
    hits = list(_hits(pattern))
    ends = [step for step, _, _ in hits[1:]] + [STEPS_PER_BAR]
    for (step, _, velocity), end in zip(hits, ends, strict=True):
        yield step, velocity, end - step


def _pick(rng: np.random.Generator, patterns: Sequence[str]) -> str:
    return patterns[int(rng.integers(len(patterns)))]


def _kick_pattern(score: Score) -> str:
    return _pick(score.rng("kick pattern"), _DRUMS[score.feel]["kick"])


def _stroke(score: Score, bar: Bar, step: float, velocity: float, sound: float = 0.0) -> Note:
    return Note(score.time_s(bar.index, step), score.step_s, sound, velocity * bar.intensity)


def kick(score: Score) -> list[Note]:
    """The bass drum, on the first beat of every bar it plays in."""
    pattern = _kick_pattern(score)
    return [
        _stroke(score, bar, step, velocity)
        for bar in score.bars_with("kick")
        for step, _, velocity in _hits(_LAST_CHORD if bar.section == "end" else pattern)
    ]


def snare(score: Score) -> list[Note]:
    """Backbeats, ghost strokes, and a fill that leads into the next section."""
    rng = score.rng("snare pattern")
    pattern = _pick(rng, _DRUMS[score.feel]["snare"])
    fill = _pick(rng, ("x.xx", "xxxx", "x.x.", "-xxX"))
    notes = []
    for bar in score.bars_with("snare"):
        bar_pattern = pattern[:12] + fill if bar.last else pattern
        notes += [_stroke(score, bar, step, velocity) for step, _, velocity in _hits(bar_pattern)]
    return notes


def hats(score: Score) -> list[Note]:
    """Hi-hats, closed and open, and a crash where a section with drums begins."""
    pattern = _pick(score.rng("hats pattern"), _DRUMS[score.feel]["hats"])
    notes = []
    for bar in score.bars_with("hats"):
        crash = bar.first and bar.section in ("chorus", "end")
        if crash:
            notes.append(_stroke(score, bar, 0, 1.0, CRASH))
        if bar.section == "end":
            continue
        notes += [
            _stroke(score, bar, step, velocity, OPEN if symbol == "o" else 0.0)
            for step, symbol, velocity in _hits(pattern)
            if not (crash and step == 0)
        ]
    return notes


def percussion(score: Score) -> list[Note]:
    """One hand percussion pattern; two sounds, low and high."""
    rng = score.rng("percussion pattern")
    pattern = _pick(rng, _PERCUSSION)
    sounds = rng.integers(2, size=STEPS_PER_BAR)
    return [
        _stroke(score, bar, step, velocity, float(sounds[step]))
        for bar in score.bars_with("percussion")
        for step, _, velocity in _hits(pattern)
    ]


def bass(score: Score) -> list[Note]:
    """Roots with fifths and octaves, in eighths, long notes or with the kick."""
    rng = score.rng("bass pattern")
    pattern = _pick(rng, ("X.x.X.x.X.x.X.x.", "X...............", *[_kick_pattern(score)] * 2))
    leaps = rng.choice([0, 0, 0, 12, 7], size=STEPS_PER_BAR)
    leaps[0] = 0
    gate = rng.uniform(0.6, 0.95)
    notes = []
    for bar in score.bars_with("bass"):
        root = 28 + (score.pitch(score.chord(bar.index)) - 28) % 12
        for step, velocity, steps in _held(_LAST_CHORD if bar.section == "end" else pattern):
            notes.append(
                Note(
                    score.time_s(bar.index, step),
                    steps * score.step_s * gate,
                    float(root + leaps[step]),
                    velocity * bar.intensity,
                )
            )
    return notes


def keys(score: Score) -> list[Note]:
    """Chords between E3 and E4 (MIDI 52), sometimes with sevenths."""
    rng = score.rng("keys pattern")
    pattern = _pick(rng, _COMPING)
    seventh = bool(rng.random() < 0.4)
    return _chords(score, "keys", pattern, lowest=52, seventh=seventh, gate=0.9, strum_s=0.004)


def guitar(score: Score) -> list[Note]:
    """Strummed chords, or the same chords picked one string at a time."""
    rng = score.rng("guitar pattern")
    if rng.random() < 0.6:
        strum_s = float(rng.uniform(0.008, 0.02))
        pattern = _pick(rng, _STRUMMING)
        return _chords(score, "guitar", pattern, lowest=48, gate=1.0, strum_s=strum_s, octave=True)
    order = rng.permutation(4)[[0, 1, 2, 3, 1, 2, 3, 2]]
    notes = []
    for bar in score.bars_with("guitar"):
        chord = _octave_doubled(score.voicing(bar.index, 48))
        for i, string in enumerate(order):
            start_s = score.time_s(bar.index, 2 * i)
            velocity = (0.9 if i % 4 == 0 else 0.65) * bar.intensity
            notes.append(Note(start_s, 5 * score.step_s, float(chord[string]), velocity))
    return notes


def pad(score: Score) -> list[Note]:
    """One held chord a bar."""
    return _chords(score, "pad", _LAST_CHORD, lowest=55, gate=1.0, octave=True)


def arp(score: Score) -> list[Note]:
    """The chord broken over two octaves in sixteenths or eighths."""
    rng = score.rng("arp pattern")
    stride = 1 if score.tempo_bpm < 125 and rng.random() < 0.6 else 2
    order = np.array(
        ([0, 1, 2, 3, 4, 5, 4, 3], [0, 2, 1, 3, 2, 4, 3, 5], [5, 4, 3, 2, 1, 0, 1, 2])
    )[rng.integers(3)]
    notes = []
    for bar in score.bars_with("arp"):
        chord = score.voicing(bar.index, 60)
        ladder = [*chord, *(pitch + 12 for pitch in chord)]
        for i, step in enumerate(range(0, STEPS_PER_BAR, stride)):
            velocity = (0.9 if step % 4 == 0 else 0.65) * bar.intensity
            pitch = float(ladder[order[i % len(order)]])
            notes.append(
                Note(score.time_s(bar.index, step), 0.8 * stride * score.step_s, pitch, velocity)
            )
    return notes


def _octave_doubled(chord: list[int]) -> list[int]:
    return [*chord, chord[0] + 12]


def _chords(
    score: Score,
    part: str,
    pattern: str,
    *,
    lowest: int,
    gate: float,
    seventh: bool = False,
    octave: bool = False,
    strum_s: float = 0.0,
) -> list[Note]:
    """Chords on a pattern; `strum_s` parts the strings, downwards on the beat, upwards off it."""
    notes = []
    for bar in score.bars_with(part):
        chord = score.voicing(bar.index, lowest, seventh=seventh)
        if octave:
            chord = _octave_doubled(chord)
        for step, velocity, steps in _held(_LAST_CHORD if bar.section == "end" else pattern):
            strings = chord if step % 4 == 0 else chord[::-1]
            for i, pitch in enumerate(strings):
                notes.append(
                    Note(
                        score.time_s(bar.index, step) + i * strum_s,
                        gate * steps * score.step_s,
                        float(pitch),
                        velocity * bar.intensity * (1.0 if step % 4 == 0 else 0.85),
                    )
                )
    return notes


def humanised(notes: list[Note], rng: np.random.Generator, timing_s: float = 0.003) -> list[Note]:
    """Notes with small errors of time (standard deviation `timing_s`) and of velocity (6 %)."""
    late = np.clip(rng.normal(0.0, timing_s, len(notes)), -2.5 * timing_s, 2.5 * timing_s)
    force = np.clip(rng.normal(1.0, 0.06, len(notes)), 0.8, 1.2)
    return [
        replace(note, start_s=max(0.0, note.start_s + dt), velocity=min(1.0, note.velocity * k))
        for note, dt, k in zip(notes, late.tolist(), force.tolist(), strict=True)
    ]
