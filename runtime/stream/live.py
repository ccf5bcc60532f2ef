"""A song's stems through a stream: to a file, or to a sound device."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...console.buses import DelayBus, ReverbBus
from ...console.levels import stem_levels
from ...console.mix import Mix, Mixer
from ...console.parameters import BUSES, SEND_OFF_DB, STRIP
from ...console.render import render
from ...errors import MixgymError
from ..output import AudioWriter, choose_format
from ..staging import Staged, refuse_existing
from .engine import Stream, check_block
from .following import Following
from .levels import expected_levels, measured_levels
from .policy_loop import PERIOD_S, FixedLevels, LevelSource, PolicyLoop
from .timing import BlockTimes

if TYPE_CHECKING:
    from ...console.mix import Mix, Mixer
    from ...console.render import Progress
    from ...songs import Song
    from .listeners import Listener

SWITCH_S = 0.0005  # after which a thread of Python's lets the sound device's go first


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """How to play.

    Attributes:
        block_frames: of one block.
        ask: who is asked about what was heard; None plays `mix` as it is.
        measure_first: take nominal gain and drive from a render of the first mix, not from what
            is heard.
        window_s: what a mixer hears.
        every_s: how often the targets are brought up to date, in seconds of the song.
        bit_depth, overwrite: of the file, as `runtime.mixing.MixOptions`.
    """

    block_frames: int = 256
    ask: Listener | Mixer | None = None
    measure_first: bool = False
    window_s: float = 10.0
    every_s: float = PERIOD_S
    bit_depth: int = 24
    overwrite: bool = False


class Session:
    """One song on its way through a stream.

    Raises:
        MixgymError: a block length that cannot be streamed, or stems that cannot be read.
    """

    def __init__(self, song: Song, mix: Mix, options: LiveOptions) -> None:
        check_block(options.block_frames, song.sample_rate)
        levels = stem_levels(song)
        if all(level.silent for level in levels):
            raise MixgymError(f"Every stem of {song.title!r} is silent: there is nothing to mix.")
        lufs = tuple(level.loudness_lufs for level in levels)
        first, fixed = expected_levels(mix, lufs), options.measure_first
        if fixed:
            with render(song, mix) as rendering:
                first = measured_levels(song, rendering)
        channels = [stem.channels for stem in song.stems]
        self.stream = Stream(mix, first, channels, song.sample_rate, history_s=options.window_s)
        source: LevelSource = FixedLevels(first) if fixed else Following(self.stream, first, lufs)
        self.loop = PolicyLoop(
            self.stream,
            mix,
            source,
            options.ask,
            period_s=options.every_s,
            window_s=options.window_s,
        )
        self.times = BlockTimes(options.block_frames / song.sample_rate)
        self._song, self._frames = song, options.block_frames

    @property
    def rate(self) -> int:
        """In Hz."""
        return self.stream.sample_rate

    def read(self, start: int, frames: int, out: NDArray[np.float32]) -> None:
        """Stems from `start` on to out (stems, 2, frames)."""
        for i, stem in enumerate(self._song.stems):
            out[i, : stem.channels] = stem.read(start, frames)

    def report(self) -> dict[str, Any]:
        """Block times, latency and what the control loop did."""
        loop, latency = self.loop, self.stream.latency
        return {
            "sample_rate": self.rate,
            "stems": len(self.stream.stems),
            "block_frames": self._frames,
            "latency_ms": (latency + self._frames) / self.rate * 1000,
            "times": self.times.to_json(),
            "control_steps": loop.steps,
            "control_step_ms": 1000 * loop.step_s / loop.steps if loop.steps else None,
        }


def play_to_file(
    song: Song, mix: Mix, output: Path, options: LiveOptions, progress: Progress | None = None
) -> dict[str, Any]:
    """Stream a song to a file, as fast as it goes.

    The control loop steps once every `every_s` of audio, between blocks: the same input gives the
    same file. The stream's latency is cut off; reverb and delay of the first mix ring out.

    Raises:
        MixgymError: the output is in the way, or the audio cannot be streamed.
    """
    refuse_existing((output,), options.overwrite, inputs=[stem.path for stem in song.stems])
    form = choose_format(output, song.sample_rate, options.bit_depth)
    session = Session(song, mix, options)
    stream, block = session.stream, options.block_frames
    wanted = song.frames + round(_tail_s(mix, song.sample_rate) * song.sample_rate)
    every = max(1, round(options.every_s * song.sample_rate / block))
    inputs = np.zeros((len(song.stems), 2, block), dtype=np.float32)
    out = np.zeros((2, block), dtype=np.float32)
    with (
        Staged() as staged,
        AudioWriter(staged.file(output), song.sample_rate, form, wanted) as writer,
    ):
        for number, start in enumerate(range(0, wanted + stream.latency, block)):
            if number and number % every == 0:
                session.loop.step()
                if progress:
                    progress("Playing", min(1.0, start / wanted))
            session.read(start, block, inputs)
            began = time.perf_counter_ns()
            stream.process(inputs, out)
            session.times.add(time.perf_counter_ns() - began)
            first = max(0, stream.latency - start)
            last = min(block, wanted + stream.latency - start)
            if last > first:
                writer.write(np.ascontiguousarray(out[:, first:last]))
    return {"output": str(output), **session.report()}


def _tail_s(mix: Mix, sample_rate: int) -> float:
    """How long reverb and delay ring out, as in the offline render."""
    settings, tail_s = BUSES.settings(mix.buses), 0.0
    for name, bus in (("reverb_send_db", ReverbBus), ("delay_send_db", DelayBus)):
        if (mix.strips[:, STRIP.index(name)] > SEND_OFF_DB).any():
            tail_s = max(tail_s, bus(settings, sample_rate).tail_s)
    return tail_s


def play_to_device(
    song: Song,
    mix: Mix,
    options: LiveOptions,
    device: str | int | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Play a song through a sound device, the control loop in a thread of its own.

    Raises:
        MixgymError: there is no sound device, or it does not take the song's rate.
    """
    from .device import Player, open_output

    session = Session(song, mix, options)
    switch_s = sys.getswitchinterval()
    player = Player(session.stream, session.times, session.read, song.frames, options.block_frames)
    output = open_output(player, session.rate, options.block_frames, device)
    player.start()
    try:
        sys.setswitchinterval(SWITCH_S)
        session.loop.start()
        with output:
            while not player.finished.wait(PERIOD_S):
                if progress:
                    progress("Playing", min(1.0, session.stream.heard / song.frames))
    finally:
        sys.setswitchinterval(switch_s)
        session.loop.stop()
        player.stop()
    return {
        "device_latency_ms": float(output.latency) * 1000,
        "gaps": player.gaps,
        **session.report(),
    }
