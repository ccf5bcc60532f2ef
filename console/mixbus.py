"""The mix bus: every stem through its strip, the sends through reverb and delay, and the sum."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import MixgymError
from ._kernels import accumulate
from .buses import DelayBus, ReverbBus
from .control import whole_quanta
from .insert import MakeInsert
from .levels import stem_levels
from .mix import Mix
from .parameters import BUSES, SEND_OFF_DB, STRIP
from .strip import Strip

if TYPE_CHECKING:
    from ..songs import Song

BLOCK_FRAMES = 32_768
StripAudio = NDArray[np.float32] | None  # None where a stem is silent


@dataclass(frozen=True, slots=True)
class BusBlock:
    """One block of the mix bus.

    Attributes:
        start: first frame in the song.
        total: the mix bus, shape (2, frames).
        strips: what each stem adds to it, (2, frames) each, or None where silent.
        returns: "reverb" and "delay" where they are in use, (2, frames) each. Strips and
            returns add up to `total`.
    """

    start: int
    total: NDArray[np.float32]
    strips: list[StripAudio]
    returns: dict[str, NDArray[np.float32]]


def _sends(mix: Mix, name: str) -> NDArray[np.float32]:
    level_db = mix.strips[:, STRIP.index(name)]
    return np.where(level_db > SEND_OFF_DB, 10 ** (level_db / 20), 0.0).astype(np.float32)


class MixBus:
    """Streams a song through a mix.

    Args:
        song: the stems.
        mix: settings for exactly these stems.
        threads: how many strips are processed at once.
        tail: let reverb and delay ring out behind the last stem.
        insert: makes a plug-in for each strip.

    Raises:
        MixgymError: the mix belongs to other stems, or every stem is silent.
    """

    def __init__(
        self,
        song: Song,
        mix: Mix,
        *,
        threads: int = 2,
        tail: bool = True,
        insert: MakeInsert | None = None,
    ) -> None:
        names = tuple(stem.name for stem in song.stems)
        if names != mix.stems:
            raise MixgymError(
                f"The mix is for the stems {', '.join(mix.stems)}, not for {', '.join(names)}: "
                "apply it as a preset to match them."
            )
        levels = stem_levels(song, threads=threads)
        if all(level.silent for level in levels):
            raise MixgymError(f"Every stem of {song.title!r} is silent: there is nothing to mix.")
        self._song, self._threads = song, threads
        self._strips = [
            None
            if level.silent
            else Strip(
                STRIP.settings(row),
                level.loudness_lufs,
                stem.channels,
                song.sample_rate,
                insert(i) if insert else None,
            )
            for i, (stem, level, row) in enumerate(zip(song.stems, levels, mix.strips, strict=True))
        ]
        self._side_chains = [
            None if name is None or levels[names.index(name)].silent else names.index(name)
            for name in mix.side_chains
        ]
        self._side_gains = [
            1.0
            if source is None
            else 10 ** ((level.loudness_lufs - levels[source].loudness_lufs) / 20)
            for level, source in zip(levels, self._side_chains, strict=True)
        ]
        self._moves = mix.moves
        buses = BUSES.settings(mix.buses)
        self._buses: dict[str, tuple[ReverbBus | DelayBus, NDArray[np.float32]]] = {}
        for name, make in (("reverb", ReverbBus), ("delay", DelayBus)):
            gains = _sends(mix, f"{name}_send_db")
            if gains.any():
                self._buses[name] = (make(buses, song.sample_rate), gains)
        tail_s = max((bus.tail_s for bus, _ in self._buses.values()), default=0.0)
        self.frames = song.frames + (round(tail_s * song.sample_rate) if tail else 0)

    def blocks(self, block_frames: int = BLOCK_FRAMES) -> Iterator[BusBlock]:
        """The whole song in blocks; the same samples whatever `block_frames` (>= 1) is."""
        step = whole_quanta(block_frames)
        with ThreadPoolExecutor(self._threads) as pool:
            strips = self._submit(pool, 0, step)
            for start in range(0, self.frames, step):
                done = [future.result() for future in strips]
                if start + step < self.frames:  # the pool goes on while this block is summed
                    strips = self._submit(pool, start + step, step)
                block = self._sum(start, done, step)
                yield block if start + step <= self.frames else _cut(block, self.frames - start)

    def _submit(
        self, pool: ThreadPoolExecutor, start: int, step: int
    ) -> list[Future[NDArray[np.float32] | None]]:
        return [pool.submit(self._strip, i, start, step) for i in range(len(self._strips))]

    def _strip(self, i: int, start: int, step: int) -> StripAudio:
        strip, source = self._strips[i], self._side_chains[i]
        if strip is None:
            return None
        key = None
        if source is not None:
            key = self._song.stems[source].read(start, step) * np.float32(self._side_gains[i])
        audio = strip.process(self._song.stems[i].read(start, step), key)
        if self._moves is not None:
            self._moves.apply(i, audio, start, self._song.sample_rate)
        return audio

    def _sum(self, start: int, strips: list[StripAudio], step: int) -> BusBlock:
        total = np.zeros((2, step), dtype=np.float32)
        for audio in strips:
            if audio is not None:
                accumulate(total, audio, np.float32(1.0))
        returns = {}
        for name, (bus, gains) in self._buses.items():
            sent = np.zeros((2, step), dtype=np.float32)
            for audio, gain in zip(strips, gains, strict=True):
                if audio is not None and gain > 0:
                    accumulate(sent, audio, gain)
            returns[name] = bus.process(sent)
        for audio in returns.values():
            accumulate(total, audio, np.float32(1.0))
        return BusBlock(start, total, strips, returns)


def _cut(block: BusBlock, frames: int) -> BusBlock:
    return BusBlock(
        block.start,
        block.total[:, :frames],
        [None if strip is None else strip[:, :frames] for strip in block.strips],
        {name: audio[:, :frames] for name, audio in block.returns.items()},
    )
