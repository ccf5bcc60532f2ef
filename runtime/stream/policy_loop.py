"""The control thread: asks a mixer about what has been heard, about ten times a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from ...console.levels import stem_levels
from ...console.mix import Budget, Mix
from ...errors import MixgymError
from ...songs import Song
from .engine import Stream
from .levels import Levels

PERIOD_S = 0.1
LEAST_S = 1.0  # heard before a mixer is asked for the first time


class LevelSource(Protocol):
    """What gives levels for a mix: `Following`, or something fixed."""

    def update(self, mix: Mix) -> Levels:
        """The levels that hold now."""
        ...


class FixedLevels:
    """Levels measured beforehand, for whatever mix."""

    def __init__(self, levels: Levels) -> None:
        self._levels = levels

    def update(self, mix: Mix) -> Levels:
        """The same as ever."""
        return self._levels


class PolicyLoop:
    """Keeps a stream's targets up to date.

    Each step brings the levels up to date and, with a mixer, asks it for a mix of the last
    `window_s` seconds as they came in. A stem that was silent all that time keeps its settings;
    where the mixer refuses the audio, every stem does. `step` may be called by hand instead of
    starting the thread.

    Args:
        stream: what is steered.
        mix: the settings it began with.
        levels: what they refer to.
        ask: `ask(song, budget) -> Mix`, such as a rule or a learned policy; None keeps the mix.
        period_s: from one step to the next; a step that takes longer is followed by the next one.
        window_s: at most what the stream's history holds.
    """

    def __init__(
        self,
        stream: Stream,
        mix: Mix,
        levels: LevelSource,
        ask: Callable[[Song, Budget], Mix] | None = None,
        *,
        period_s: float = PERIOD_S,
        window_s: float = 10.0,
    ) -> None:
        self._stream, self._levels, self._ask = stream, levels, ask
        self._period_s, self._window = period_s, round(window_s * stream.sample_rate)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mixgym policy", daemon=True)
        self._error: BaseException | None = None
        self.mix, self.steps, self.step_s = mix, 0, 0.0

    def step(self) -> None:
        """Listen, ask, and hand the new targets over."""
        began = time.perf_counter()
        if self._ask is not None:
            self.mix = self._asked(self._ask)
        self._stream.set(self.mix, self._levels.update(self.mix))
        self.steps += 1
        self.step_s += time.perf_counter() - began

    def start(self) -> None:
        """Go on stepping in a thread of its own until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread.

        Raises:
            BaseException: what a step failed with.
        """
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                due = time.perf_counter() + self._period_s
                self.step()
                self._stop.wait(max(0.0, due - time.perf_counter()))
        except BaseException as error:
            self._error = error

    def _asked(self, ask: Callable[[Song, Budget], Mix]) -> Mix:
        stream = self._stream
        heard = stream.heard
        frames = min(heard, self._window)
        if frames < LEAST_S * stream.sample_rate:
            return self.mix
        audio = stream.recall(heard - frames, frames)
        if audio is None:
            return self.mix
        song = Song.from_arrays(
            {
                name: audio[2 * i : 2 * i + stream.channels[i]]
                for i, name in enumerate(stream.stems)
            },
            stream.sample_rate,
            title="what was heard",
            roles=dict(zip(stream.stems, stream.roles, strict=True)),
        )
        try:
            asked = ask(song, Budget())
            silent = [i for i, level in enumerate(stem_levels(song)) if level.silent]
        except MixgymError:
            return self.mix
        strips = asked.strips.copy()
        strips[silent] = self.mix.strips[silent]
        return replace(asked, strips=strips)
