"""The songs that environments play, opened when first needed and bounded in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Lock

import numpy as np

from ..console.analysis import Analysis
from ..console.analysis_cache import VERSION, cached_analysis, named_analysis
from ..console.insert import Insert
from ..errors import MixgymError
from ..rewards.listeners import Listener, RenderedSong, SimulatedSong
from ..rewards.scene import role_indices
from ..songs import ROLES, Song
from .sources import Source

OPENED_AT_ONCE = 4
MOST_BYTES = 4 * 10**9  # of opened songs in one process; 8 stems x 10 s take 2 MB


class _Opened:
    """Opened songs of this process; those that went unused for longest are closed first."""

    def __init__(self) -> None:
        self._songs: OrderedDict[Hashable, tuple[Listener, int]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], tuple[Listener, int]]) -> Listener:
        with self._lock:
            if key in self._songs:
                self._songs.move_to_end(key)
                return self._songs[key][0]
        listener, size = make()
        with self._lock:
            if key not in self._songs:
                self._songs[key] = (listener, size)
                self._bytes += size
            while self._bytes > MOST_BYTES and len(self._songs) > 1:
                self._bytes -= self._songs.popitem(last=False)[1][1]
        return listener


_OPENED = _Opened()


class Repertoire:
    """Songs of one length and rate, by number.

    Args:
        sources: where they come from.
        seconds, sample_rate: of every excerpt.
        rendered: whether mixes are rendered rather than simulated.
        insert: in every strip, if any.

    Attributes:
        titles: of the songs, no two alike.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        seconds: float,
        sample_rate: int,
        *,
        rendered: bool = False,
        insert: Insert | None = None,
    ) -> None:
        self.sources = list(sources)
        self.titles = distinct([source.title for source in sources])
        self.seconds, self.sample_rate = seconds, sample_rate
        self.rendered, self.insert = rendered, insert

    def __len__(self) -> int:
        """How many songs there are."""
        return len(self.sources)

    def most_stems(self) -> int:
        """Of any song."""
        return max(source.stems for source in self.sources)

    def song(self, number: int) -> Song:
        """The excerpt itself, in memory.

        Raises:
            MixgymError: it cannot be read.
        """
        return self.sources[number].open(self.seconds, self.sample_rate)

    def listener(self, number: int) -> Listener:
        """What reads mixes of a song.

        Raises:
            MixgymError: the song cannot be read, or nothing sounds in it.
        """
        source = self.sources[number]
        insert = None if self.insert is None else id(self.insert)
        key = (source, self.seconds, self.sample_rate, self.rendered, insert)
        return _OPENED.get(key, lambda: self._open(source))

    def listeners(self, numbers: Sequence[int]) -> dict[int, Listener]:
        """What reads mixes of several songs, opened side by side; errors as `listener`."""
        if len(numbers) == 1:
            return {numbers[0]: self.listener(numbers[0])}
        with ThreadPoolExecutor(OPENED_AT_ONCE) as pool:
            return dict(zip(numbers, pool.map(self.listener, numbers), strict=True))

    def analysis(self, listener: Listener) -> Analysis:
        """The analysis of a song, however its mixes are read."""
        if isinstance(listener, SimulatedSong):
            return listener.analysis
        assert isinstance(listener, RenderedSong)
        return cached_analysis(listener.song)

    def _open(self, source: Source) -> tuple[Listener, int]:
        listener: Listener
        if self.rendered:
            song = source.open(self.seconds, self.sample_rate)
            listener = RenderedSong(song, role_indices(song), self.insert)
            size = sum(4 * stem.channels * stem.frames for stem in song.stems)
        else:
            listener = self._simulated(source)
            size = _size(listener.analysis)
        if not listener.present.any():
            raise MixgymError(
                f"Every stem of {source.title!r} is silent for the {self.seconds:g} s that are "
                "played: leave the song out."
            )
        return listener, size

    def _simulated(self, source: Source) -> SimulatedSong:
        if source.known is None:
            song = source.open(self.seconds, self.sample_rate)
            return SimulatedSong(cached_analysis(song), role_indices(song))
        digest, roles = source.known
        name = f"{digest}-{round(self.seconds * self.sample_rate)}-{self.sample_rate}-{VERSION}"
        analysis = named_analysis(name, lambda: source.open(self.seconds, self.sample_rate))
        return SimulatedSong(analysis, np.array([ROLES.index(role) for role in roles]))


def distinct(names: Sequence[str]) -> list[str]:
    """Names of which those that were there before are numbered, from 2 on."""
    found: dict[str, None] = {}
    for name in names:
        ways = (f"{name} ({number})" if number > 1 else name for number in count(1))
        found[next(way for way in ways if way not in found)] = None
    return list(found)


def _size(analysis: Analysis) -> int:
    """Bytes that simulating takes, about."""
    arrays = (analysis.fine, analysis.slots, analysis.samples, analysis.crosses)
    return round(1.4 * sum(array.nbytes for array in arrays))
