"""The plan of a generated song: tempo, key, chords, groove and form, all drawn from one seed."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

STEPS_PER_BAR = 16

_MAJOR = (0, 2, 4, 5, 7, 9, 11)
_MINOR = (0, 2, 3, 5, 7, 8, 10)
_PROGRESSIONS = {  # scale degrees from 0, one chord a bar
    _MAJOR: (
        (0, 4, 5, 3),
        (5, 3, 0, 4),
        (0, 5, 3, 4),
        (0, 3, 4, 3),
        (1, 4, 0, 5),
        (0, 2, 3, 4),
        (3, 0, 4, 5),
    ),
    _MINOR: (
        (0, 5, 2, 6),
        (0, 3, 5, 4),
        (0, 6, 5, 6),
        (0, 3, 6, 2),
        (0, 4, 5, 3),
        (5, 6, 0, 0),
        (0, 2, 6, 3),
    ),
}

# Which parts play in a section, and after what fraction of it each comes in.
_ENTRIES: dict[str, dict[str, float]] = {
    "intro": {"keys": 0.0, "pad": 0.0, "guitar": 0.5, "hats": 0.5, "percussion": 0.5},
    "verse": dict.fromkeys(
        ("kick", "snare", "hats", "bass", "keys", "guitar", "lead_vocal", "percussion"), 0.0
    ),
    "chorus": dict.fromkeys(
        (
            *("kick", "snare", "hats", "percussion", "bass", "keys", "guitar", "pad", "arp"),
            *("lead_vocal", "backing_vocal"),
        ),
        0.0,
    ),
    "break": {"pad": 0.0, "keys": 0.0, "lead_vocal": 0.0, "arp": 0.5, "percussion": 0.5},
    "end": dict.fromkeys(("kick", "hats", "bass", "keys", "guitar", "pad"), 0.0),
}
_INTENSITY = {"intro": 0.6, "verse": 0.8, "chorus": 1.0, "break": 0.65, "end": 1.0}


@dataclass(frozen=True, slots=True)
class Note:
    """One sounding event. Drums read `pitch` as which of their sounds is struck."""

    start_s: float
    duration_s: float
    pitch: float  # MIDI note number
    velocity: float  # 0..1


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the song, numbered from 0, and the section it belongs to."""

    index: int
    section: str
    first: bool  # of its section
    last: bool  # of its section

    @property
    def intensity(self) -> float:
        """How hard players play here, 0..1."""
        return _INTENSITY[self.section]


@dataclass(frozen=True)
class Score:
    """What every part of one song agrees on."""

    seed: int
    duration_s: float
    tempo_bpm: float
    swing: float  # delay of every second sixteenth, in sixteenths
    tonic: int  # pitch class, 0 = C
    scale: tuple[int, ...]
    progression: tuple[int, ...]
    feel: str

    @property
    def step_s(self) -> float:
        """A sixteenth, in seconds."""
        return 15.0 / self.tempo_bpm

    def rng(self, part: str) -> np.random.Generator:
        """A generator of the part's own, so that no part's choices depend on another's."""
        return np.random.default_rng([self.seed, zlib.crc32(part.encode())])

    def time_s(self, bar: int, step: float) -> float:
        """When a sixteenth of a bar sounds, with swing."""
        late = self.swing if step % 2 == 1 else 0.0
        return (bar * STEPS_PER_BAR + step + late) * self.step_s

    def chord(self, bar: int) -> int:
        """Scale degree the bar's chord stands on; the song ends on the tonic."""
        if self.bars[bar].section == "end":
            return 0
        return self.progression[bar % len(self.progression)]

    def pitch(self, degree: int) -> int:
        """MIDI note of a scale degree counted from the tonic in the octave of middle C."""
        octave, index = divmod(degree, len(self.scale))
        return 60 + self.tonic + 12 * octave + self.scale[index]

    def voicing(self, bar: int, lowest: int, *, seventh: bool = False) -> list[int]:
        """The bar's chord in the octave that starts at MIDI note `lowest`, low to high.

        Keeping one octave makes the smallest moves from chord to chord.
        """
        degrees = (0, 2, 4, 6) if seventh else (0, 2, 4)
        pitches = (self.pitch(self.chord(bar) + degree) for degree in degrees)
        return sorted(lowest + (pitch - lowest) % 12 for pitch in pitches)

    @cached_property
    def bars(self) -> tuple[Bar, ...]:
        """Every bar of the song in order."""
        out: list[Bar] = []
        for section, length in _form(self.duration_s / (STEPS_PER_BAR * self.step_s)):
            out += [Bar(len(out) + i, section, i == 0, i == length - 1) for i in range(length)]
        return tuple(out)

    def bars_with(self, part: str) -> Iterator[Bar]:
        """The bars in which a part plays."""
        start = 0
        for bar in self.bars:
            if bar.first:
                start = bar.index
            entry = _ENTRIES[bar.section].get(part)
            if entry is None:
                continue
            length = next(b.index for b in self.bars[bar.index :] if b.last) - start + 1
            if bar.index - start >= entry * length:
                yield bar


def compose(seed: int, duration_s: float) -> Score:
    """Draw a song's plan. The same seed gives the same song, cut or extended to `duration_s`."""
    rng = np.random.default_rng([seed, zlib.crc32(b"score")])
    tempo_bpm = float(rng.integers(70, 151))
    feels = ("backbeat", "half_time") if tempo_bpm > 135 else ("backbeat", "four", "sixteenths")
    scale = _MAJOR if rng.random() < 0.5 else _MINOR
    progressions = _PROGRESSIONS[scale]
    return Score(
        seed=seed,
        duration_s=duration_s,
        tempo_bpm=tempo_bpm,
        swing=float(rng.uniform(0.1, 0.35)) if rng.random() < 0.4 else 0.0,
        tonic=int(rng.integers(12)),
        scale=scale,
        progression=progressions[rng.integers(len(progressions))],
        feel=feels[rng.integers(len(feels))],
    )


def _form(bars: float) -> Iterator[tuple[str, int]]:
    """Sections and their lengths: a sparse start, a fuller verse, everything, and a last chord."""
    whole = int(bars - 0.25)  # the last chord rings for a quarter of a bar at least
    if whole < 4:
        yield "chorus", int(np.ceil(bars))
        return
    intro = 4 if whole >= 12 else 2 if whole >= 6 else 1
    yield "intro", intro
    left = whole - intro
    if left <= 16:
        verse = left // 4 * 2
        if verse:
            yield "verse", verse
        yield "chorus", left - verse
    else:
        cycle = (("verse", 8), ("chorus", 8), ("break", 4))
        turn = 0
        while left > 0:
            section, length = cycle[turn % len(cycle)]
            yield section, min(length, left)
            left -= length
            turn += 1
    yield "end", 1
