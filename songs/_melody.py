"""Sung lines of a generated song: two-bar phrases with rests between, and the voices under them."""

from dataclasses import dataclass

import numpy as np

from ._score import STEPS_PER_BAR, Note, Score

_PHRASE_STEPS = 2 * STEPS_PER_BAR


@dataclass(frozen=True, slots=True)
class _Motif:
    """Rhythm and contour of a phrase, in sixteenths and scale steps."""

    onsets: tuple[int, ...]
    lengths: tuple[int, ...]
    moves: tuple[int, ...]


def lead(score: Score) -> list[Note]:
    """The lead line: phrases A A B A', chord notes where it matters, higher in the chorus."""
    return _line(score, "lead_vocal", above=0)


def backing(score: Score) -> list[list[Note]]:
    """Two lines: thirds under and over the lead, or long chord notes."""
    if score.rng("backing style").random() < 0.5:
        return [_line(score, "backing_vocal", above=2), _line(score, "backing_vocal", above=-3)]
    chords = [(bar, score.voicing(bar.index, 57)) for bar in score.bars_with("backing_vocal")]
    bar_s = STEPS_PER_BAR * score.step_s
    return [
        [
            Note(score.time_s(bar.index, 0), 0.95 * bar_s, float(chord[voice]), 0.7)
            for bar, chord in chords
        ]
        for voice in (0, 2)
    ]


def _line(score: Score, part: str, above: int) -> list[Note]:
    """The melody where `part` sings, moved by `above` scale steps and back onto the scale."""
    rng = score.rng("melody")
    motifs = [_motif(rng), _motif(rng)]
    centre_pitch = float(rng.choice([55.0, 65.0]))
    centre = min(range(-14, 14), key=lambda degree: abs(score.pitch(degree) - centre_pitch))
    singing = {bar.index: bar for bar in score.bars_with(part)}
    notes = []
    for first_bar in range(0, len(score.bars), 2):
        phrase = first_bar // 2
        motif = motifs[1 if phrase % 4 == 2 else 0]
        chorus = score.bars[first_bar].section == "chorus"
        degree = _nearest_chord_degree(centre + (2 if chorus else 0), score.chord(first_bar))
        for i, (onset, length, move) in enumerate(
            zip(motif.onsets, motif.lengths, motif.moves, strict=True)
        ):
            index = first_bar + onset // STEPS_PER_BAR
            if index not in singing:
                continue
            degree = _kept_near(degree + move, centre)
            if onset % 8 == 0 or length >= 4 or i == len(motif.onsets) - 1:
                degree = _nearest_chord_degree(degree, score.chord(index))
            notes.append(
                Note(
                    score.time_s(index, onset % STEPS_PER_BAR),
                    0.92 * length * score.step_s,
                    float(score.pitch(degree + above)),
                    (0.95 if onset % 8 == 0 else 0.8) * singing[index].intensity,
                )
            )
    return notes


def _motif(rng: np.random.Generator) -> _Motif:
    """A phrase that starts near the bar line and leaves its last beats silent."""
    onsets, lengths = [], []
    step = int(rng.choice([0, 0, 2, 4]))
    end = int(rng.integers(20, 27))
    while step < end:
        length = int(rng.choice([2, 2, 2, 3, 4, 4, 6]))
        if step + length >= end:
            length = int(rng.integers(4, 7))
        onsets.append(step)
        lengths.append(min(length, _PHRASE_STEPS - 2 - step))
        step += length
    moves = rng.choice([-2, -1, -1, 0, 1, 1, 2], size=len(onsets))
    return _Motif(tuple(onsets), tuple(lengths), tuple(int(move) for move in moves))


def _nearest_chord_degree(degree: int, chord: int) -> int:
    """The degree nearest to `degree` (the lower of two) that is root, third or fifth."""
    candidates = (d for d in range(degree - 2, degree + 3) if (d - chord) % 7 in (0, 2, 4))
    return min(candidates, key=lambda d: (abs(d - degree), d))


def _kept_near(degree: int, centre: int) -> int:
    """A degree within a sixth of the centre, reflected where it goes too far."""
    offset = degree - centre
    if abs(offset) > 5:
        offset = int(np.sign(offset)) * 10 - offset
    return centre + offset
