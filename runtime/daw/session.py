"""What a project of a workstation is made from: tracks, settings and measured levels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...console.levels import stem_levels
from ...console.parameters import BUSES, MASTER, NOMINAL_LUFS, SEND_OFF_DB, STRIP

if TYPE_CHECKING:
    from ...console.mix import Mix
    from ...console.render import Rendering
    from ...songs import Song

BUS_NAMES = ("reverb", "delay")


@dataclass(frozen=True, slots=True)
class Track:
    """One stem.

    Attributes:
        name: unique among the tracks.
        channels: 1 or 2.
        duration_s: its own length.
        settings: values of the strip's table by name.
        loudness_lufs: as recorded; None where it is silent and left out of the mix.
        side_chain: index of the track that drives its compressor, if any.
        key_gain: what brings that track to this one's loudness, linear.
        moves: points of its fader's automation, in seconds and linear gain on top of the fader.
    """

    name: str
    channels: int
    duration_s: float
    settings: Mapping[str, float]
    loudness_lufs: float | None
    side_chain: int | None
    key_gain: float
    moves: Sequence[tuple[float, float]] = ()

    @property
    def trim_db(self) -> float:
        """What brings the stem to the nominal loudness; 0 where it is silent."""
        return 0.0 if self.loudness_lufs is None else NOMINAL_LUFS - self.loudness_lufs

    def send(self, bus: str) -> float:
        """Linear level of its send to "reverb" or "delay"; 0 where it is closed."""
        level_db = self.settings[f"{bus}_send_db"]
        return 10 ** (level_db / 20) if level_db > SEND_OFF_DB else 0.0


@dataclass(frozen=True, slots=True)
class Session:
    """A mixed song.

    Attributes:
        title, sample_rate, tempo_bpm: the song's; the rate in Hz, the tempo None where unknown.
        tracks: in the song's order.
        buses, master: values of the tables by name.
        bus_lufs: integrated loudness of the mix bus.
        drive_db: gain ahead of the limiter.
        margin_db: how far below its ceiling the limiter is to work.
    """

    title: str
    sample_rate: int
    tempo_bpm: float | None
    tracks: tuple[Track, ...]
    buses: Mapping[str, float]
    master: Mapping[str, float]
    bus_lufs: float
    drive_db: float
    margin_db: float

    @property
    def buses_in_use(self) -> tuple[str, ...]:
        """ "reverb", "delay", both or neither."""
        return tuple(bus for bus in BUS_NAMES if any(track.send(bus) for track in self.tracks))


def make_session(song: Song, mix: Mix, rendering: Rendering) -> Session:
    """The session of a mix that was rendered.

    Raises:
        MixgymError: a stem cannot be read.
    """
    levels = [level.loudness_lufs for level in stem_levels(song)]
    tracks = []
    for number, (stem, row, key_name, lufs) in enumerate(
        zip(song.stems, mix.strips, mix.side_chains, levels, strict=True)
    ):
        key = mix.stems.index(key_name) if key_name is not None else None
        if key is not None and math.isinf(levels[key]):
            key = None
        tracks.append(
            Track(
                name=stem.name,
                channels=stem.channels,
                duration_s=stem.frames / song.sample_rate,
                settings=STRIP.settings(row),
                loudness_lufs=None if math.isinf(lufs) else lufs,
                side_chain=None if math.isinf(lufs) else key,
                key_gain=10 ** ((lufs - levels[key]) / 20) if key is not None else 1.0,
                moves=mix.moves.points(number) if mix.moves else (),
            )
        )
    delivered = rendering.delivered
    return Session(
        title=song.title,
        sample_rate=song.sample_rate,
        tempo_bpm=song.tempo_bpm,
        tracks=tuple(tracks),
        buses=BUSES.settings(mix.buses),
        master=MASTER.settings(mix.master),
        bus_lufs=rendering.bus_lufs,
        drive_db=delivered.drive_db - delivered.lowered_db,
        margin_db=delivered.margin_db + delivered.lowered_db,
    )
