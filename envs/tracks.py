"""Finished tracks: files, sums of stems, and spoiled versions of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from ..console.levels import stem_levels
from ..console.mixbus import MixBus
from ..console.parameters import BUSES, STRIP
from ..console.rules import RULES, roles
from ..songs import Song
from ..songs.training.effects import apply_effects
from ..songs.training.faults import draw_faults
from .sources import PathSource, Source, holds_audio, is_audio

SPOILING = 1  # version; what is kept of tracks that were spoiled otherwise is not read
OFF_RULE = 0.15  # standard deviation of settings about the rules', which range from -1 to 1


@dataclass(frozen=True)
class BouncedSource:
    """The stems of another source summed to one track, each at the level of its role."""

    source: Source
    stems: int = 1

    @property
    def title(self) -> str:
        """See `Source.title`."""
        return self.source.title

    @property
    def origin(self) -> str:
        """See `Source.origin`."""
        return self.source.origin

    @property
    def known(self) -> tuple[str, tuple[str, ...]] | None:
        """See `Source.known`."""
        known = self.source.known
        return None if known is None else (f"{known[0]}-bounced", ("other",))

    def open(self, seconds: float, sample_rate: int) -> Song:
        """See `Source.open`."""
        song = self.source.open(seconds, sample_rate)
        if len(song.stems) == 1:
            return song
        total = np.zeros((2, song.frames), dtype=np.float32)
        for stem, level in zip(song.stems, stem_levels(song), strict=True):
            if not level.silent:
                gain_db = RULES[stem.role].level_db - level.loudness_lufs - 40.0
                total += stem.read(0, song.frames) * np.float32(10 ** (gain_db / 20))
        return Song.from_arrays({"track": total}, sample_rate, title=song.title)


@dataclass(frozen=True)
class SpoiledSource:
    """A track with faults, drawn by its title and a number.

    Stems are mixed by the console before: by the rules of their roles, every setting a little off.
    """

    source: Source
    number: int
    stems: int = 1

    @property
    def title(self) -> str:
        """See `Source.title`."""
        return f"{self.source.title}, spoiled {self.number}"

    @property
    def origin(self) -> str:
        """See `Source.origin`."""
        return self.source.origin

    @property
    def known(self) -> tuple[str, tuple[str, ...]] | None:
        """See `Source.known`."""
        known = self.source.known
        if known is None:
            return None
        title = crc32(self.source.title.encode())
        return f"{known[0]}-spoiled-{SPOILING}-{title:08x}-{self.number}", ("other",)

    def open(self, seconds: float, sample_rate: int) -> Song:
        """See `Source.open`."""
        rng = np.random.default_rng((crc32(self.source.title.encode()), self.number))
        song = self.source.open(seconds, sample_rate)
        alone = len(song.stems) == 1
        track = song.stems[0].read(0, song.frames) if alone else _mixed(song, rng)
        track = apply_effects(track, draw_faults(rng), sample_rate)
        return Song.from_arrays({"track": track}, sample_rate, title=self.title)


def tracks_at(sources: Sequence[Source], spoiled: int = 0) -> list[Source]:
    """Finished tracks: every file of a folder of files, and of any other song its stems' sum.

    Args:
        sources: songs, files and folders.
        spoiled: so many versions with faults follow each.
    """
    found: list[Source] = []
    for source in sources:
        if isinstance(source, PathSource) and source.path.is_dir() and holds_audio(source.path):
            files = sorted(path for path in source.path.iterdir() if is_audio(path))
            found.extend(PathSource(file) for file in files)
        else:
            found.append(source)
    tracks: list[Source] = []
    for source in found:
        tracks.append(BouncedSource(source))
        tracks.extend(SpoiledSource(source, number) for number in range(1, spoiled + 1))
    return tracks


def _mixed(song: Song, rng: np.random.Generator) -> NDArray[np.float32]:
    """The mix bus of a mix near the rules', (2, frames)."""
    mix = roles(song)
    strips, buses = STRIP.encode(mix.strips), BUSES.encode(mix.buses)
    mix = replace(
        mix,
        strips=STRIP.decode(strips + OFF_RULE * rng.standard_normal(strips.shape)),
        buses=BUSES.decode(buses + OFF_RULE * rng.standard_normal(buses.shape)),
    )
    bus = MixBus(song, mix, threads=1, tail=False)
    return np.concatenate([block.total for block in bus.blocks()], axis=1)
