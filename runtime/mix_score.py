"""What a reward thinks of a mix, read while it is rendered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..console.hear import BusReader, read_rendering
from ..console.levels import stem_levels
from ..console.meters.spectrum import third_octave_centres
from ..console.mixbus import BusBlock
from ..console.parameters import MASTER
from ..console.rules import plain_sum, roles
from ..console.styles import STYLES, Style
from ..rewards.effort import effort
from ..rewards.evaluator import Evaluator
from ..rewards.reward import Scores, load_reward
from ..rewards.scene import Scene, role_indices
from ..songs import most_active_excerpt

if TYPE_CHECKING:
    from ..console.mix import Mix
    from ..console.mix_readings import MixReadings
    from ..console.render import Rendering
    from ..songs import Excerpt, Song

WINDOW_S = 20.0
DELIVERY = ("loudness_on", "target_lufs", "limiter_on", "ceiling_dbtp")


@dataclass(frozen=True, slots=True)
class MixScore:
    """Score of a mix, each figure from 0 to 1.

    Attributes:
        style: whose reward.
        score: weighted mean of the terms times all gates.
        terms, gates: by name.
        start_s, duration_s: the part of the song that was read.
    """

    style: str
    score: float
    terms: dict[str, float]
    gates: dict[str, float]
    start_s: float
    duration_s: float


class ScoreReader:
    """Reads a part of a mix and the stems in it; loudness, peak and limiter are the song's.

    Args:
        song: the stems.
        mix: of them.
        lean: the style whose reward scores it; balanced if None.
        window: what part to read; its most active twenty seconds if None.

    Raises:
        MixgymError: a stem cannot be read.
    """

    def __init__(
        self, song: Song, mix: Mix, lean: Style | None, window: Excerpt | None = None
    ) -> None:
        self._song, self._mix, self._lean = song, mix, lean
        self._style = next((name for name, style in STYLES.items() if style == lean), "balanced")
        window = window or most_active_excerpt(song, WINDOW_S)
        self._window = window
        self._present = np.array([[not level.silent for level in stem_levels(window)]])
        self._start = round(window.start_s * song.sample_rate)
        self._end = self._start + window.frames
        self._bus = BusReader(window)

    def push(self, block: BusBlock) -> None:
        """Hear a block of the mix bus."""
        part = self._part(block.start, block.total.shape[1])
        if part is not None:
            strips = [None if audio is None else audio[:, part] for audio in block.strips]
            total = np.ascontiguousarray(block.total[:, part])
            self._bus.push(BusBlock(block.start + part.start, total, strips, {}))

    def audio(self, rendering: Rendering) -> NDArray[np.float32]:
        """The part as it was delivered, shape (2, frames)."""
        pieces, position = [], 0
        for block in rendering.blocks():
            part = self._part(position, block.shape[1])
            if part is not None:
                pieces.append(block[:, part].copy())
            position += block.shape[1]
        return np.concatenate(pieces, axis=1)

    def readings(self, rendering: Rendering) -> MixReadings:
        """What was delivered, and the stems in it, once all blocks were heard; a batch of one."""
        return read_rendering(self._bus, rendering, self.audio(rendering))

    def score(self, readings: MixReadings) -> MixScore:
        """Score what was read."""
        scene = Scene(
            role_indices(self._song)[None],
            self._present,
            third_octave_centres(self._song.sample_rate),
            effort(self._mix.strips[None], self._mix.master[None], self._present),
        )
        return self._scored(load_reward(self._style)(readings, scene), 0)

    def baselines(self) -> dict[str, MixScore]:
        """What the plain sum and the rules by role score.

        Each is rendered as if the part were all, to the loudness and ceiling of the mix itself.
        """
        master = MASTER.settings(self._mix.master)
        delivery = {name: master[name] for name in DELIVERY}
        mixes = {
            "plain sum": plain_sum(self._window).with_master(**delivery),
            "rules by role": roles(self._window, lean=self._lean).with_master(**delivery),
        }
        evaluator = Evaluator(self._window, load_reward(self._style), fidelity="render")
        scores = evaluator.evaluate_mixes(list(mixes.values()))
        return {name: self._scored(scores, number) for number, name in enumerate(mixes)}

    def _scored(self, scores: Scores, number: int) -> MixScore:
        """One mix's of several scores."""
        return MixScore(
            style=self._style,
            score=float(scores.score[number]),
            terms={name: float(values[number]) for name, values in scores.terms.items()},
            gates={name: float(values[number]) for name, values in scores.gates.items()},
            start_s=self._start / self._song.sample_rate,
            duration_s=(self._end - self._start) / self._song.sample_rate,
        )

    def _part(self, start: int, frames: int) -> slice | None:
        """Which of a block's frames are read."""
        first, last = max(self._start - start, 0), min(self._end - start, frames)
        return slice(first, last) if first < last else None
