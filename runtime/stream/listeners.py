"""Who is asked while a stream plays: any mixer, or a policy that follows what it heard."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...console.levels import stem_levels
from ...console.mix import Budget, Mix, Mixer
from ...console.rolling import RollingAnalysis
from ...console.tidy import tidied
from ...errors import MixgymError
from ...songs import Song
from .engine import Stream

if TYPE_CHECKING:
    from ..policy.mixer import PolicyMixer

LEAST_S = 1.0  # heard before anybody is asked
STEP_S = 0.5  # of history that is taken at once


class Listener(ABC):
    """Sets a stream's targets by what it heard lately, from one thread that is not the audio's."""

    @abstractmethod
    def listen(self, stream: Stream, mix: Mix) -> Mix:
        """The mix to go for.

        Stems that were silent keep their settings.

        Args:
            stream: what is listened to, always the same.
            mix: what it goes for now.
        """


class MixerListener(Listener):
    """Asks a mixer about the last seconds, each time anew.

    Where the mixer refuses the audio, every stem keeps its settings.

    Args:
        mixer: `mixer(song, budget)`.
        window_s: at most what the stream's history holds.
    """

    def __init__(self, mixer: Mixer, window_s: float = 10.0) -> None:
        self._mixer, self._window_s = mixer, window_s

    def listen(self, stream: Stream, mix: Mix) -> Mix:
        """The mixer's mix of what was heard."""
        frames = min(stream.heard, round(self._window_s * stream.sample_rate))
        if frames < LEAST_S * stream.sample_rate:
            return mix
        audio = stream.recall(stream.heard - frames, frames)
        if audio is None:
            return mix
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
            asked = self._mixer(song, Budget())
            silent = np.array([level.silent for level in stem_levels(song)])
        except MixgymError:
            return mix
        return replace(asked, strips=np.where(silent[:, None], mix.strips, asked.strips))


class PolicyListener(Listener):
    """Asks a policy about the last seconds, whenever there is half a second more to read.

    Args:
        policy: for mixing.
        style: of the reward that it is shown.
        delivery: settings of the master, whatever the policy says of them.
        window_s: of the past.
    """

    def __init__(
        self,
        policy: PolicyMixer,
        style: str = "balanced",
        delivery: Mapping[str, float] | None = None,
        window_s: float = 10.0,
    ) -> None:
        self._policy, self._style, self._window_s = policy, style, window_s
        self._delivery = dict(delivery or {})
        self._rolling: RollingAnalysis | None = None
        self._next = self._asked = 0  # sample that was not heard yet, frame that was asked about
        self._names: Song | None = None

    def listen(self, stream: Stream, mix: Mix) -> Mix:
        """The policy's mix of the window."""
        rolling, names = self._heard(stream)
        if rolling.frames_read == self._asked:
            return mix
        self._asked = rolling.frames_read
        analysis = rolling.analysis()
        if analysis is None or analysis.frames < LEAST_S * stream.sample_rate:
            return mix
        sounding = np.isfinite(analysis.loudness_lufs)
        if not sounding.any():
            return mix
        asked = tidied(self._policy.mix(names, self._style, analysis), sounding)
        strips = np.where(sounding[:, None], asked.strips, mix.strips)
        return replace(asked, strips=strips).with_master(**self._delivery)

    def _heard(self, stream: Stream) -> tuple[RollingAnalysis, Song]:
        """What is known of the stems, all that is new included, and a song of their names."""
        if self._rolling is None or self._names is None:
            self._rolling = RollingAnalysis(stream.channels, stream.sample_rate, self._window_s)
            self._names = Song.from_arrays(
                {name: np.zeros((1, 1)) for name in stream.stems},
                stream.sample_rate,
                title="what was heard",
                roles=dict(zip(stream.stems, stream.roles, strict=True)),
            )
        step = round(STEP_S * stream.sample_rate)
        while (frames := min(step, stream.heard - self._next)) > 0:
            audio = stream.recall(self._next, frames)
            if audio is not None:  # what the history no longer holds is skipped
                self._rolling.push(
                    [audio[2 * i : 2 * i + count] for i, count in enumerate(stream.channels)]
                )
            self._next += frames
        return self._rolling, self._names
