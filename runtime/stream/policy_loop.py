"""The control thread: asks a mixer about what has been heard, about ten times a second."""

from __future__ import annotations

import threading
import time
from typing import Protocol

from ...console.mix import Mix, Mixer
from .engine import Stream
from .levels import Levels
from .listeners import Listener, MixerListener

PERIOD_S = 0.1


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

    Each step brings the levels up to date and asks for a mix of what was heard lately; a stem that
    was silent keeps its settings. `step` may be called by hand instead of starting the thread.

    Args:
        stream: what is steered.
        mix: the settings it began with.
        levels: what they refer to.
        ask: a listener, or a mixer `ask(song, budget) -> Mix`, which is asked about the last
            `window_s` seconds as they came in; None keeps the mix.
        period_s: from one step to the next; a step that takes longer is followed by the next one.
        window_s: for a mixer, at most what the stream's history holds.
    """

    def __init__(
        self,
        stream: Stream,
        mix: Mix,
        levels: LevelSource,
        ask: Listener | Mixer | None = None,
        *,
        period_s: float = PERIOD_S,
        window_s: float = 10.0,
    ) -> None:
        self._stream, self._levels, self._period_s = stream, levels, period_s
        self._listener = (
            ask if ask is None or isinstance(ask, Listener) else MixerListener(ask, window_s)
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mixgym policy", daemon=True)
        self._error: BaseException | None = None
        self.mix, self.steps, self.step_s = mix, 0, 0.0

    def step(self) -> None:
        """Listen, ask, and hand the new targets over."""
        began = time.perf_counter()
        if self._listener is not None:
            self.mix = self._listener.listen(self._stream, self.mix)
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
