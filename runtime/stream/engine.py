"""The stream: blocks of stems in, blocks of the master out, settings from any thread."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...console.control import control_hop
from ...console.mix import Mix
from ...console.parameters import MASTER
from ...errors import MixgymError
from ._block import run_block
from ._desk import desk_table
from .handover import Handover
from .levels import Levels
from .make_desk import look_ahead_slots, make_desk, saturation_latency
from .targets import target_vector

GLIDE_MS = 30.0
SMALLEST_BLOCK, LARGEST_BLOCK = 64, 1024
HISTORY_MARGIN_S = 1.0  # kept beyond what may be asked for, while it is being copied


class Stream:
    """Mixes and masters stems block by block.

    What it gives is what `console.render` gives, later by `latency` frames, as long as the
    settings stay; new ones are approached with a time constant of `GLIDE_MS`. `process` belongs
    to one thread, takes no lock and allocates nothing; everything else may be called from any
    thread at any time.

    The limiter's look-ahead is the first mix's for good: it is part of the latency.

    Args:
        mix: the first settings.
        levels: what they refer to.
        channels: of each stem, 1 or 2.
        sample_rate: in Hz.
        history_s: how much of what was heard can be looked back on.

    Raises:
        MixgymError: levels or channels of another number of stems than the mix's.
    """

    def __init__(
        self,
        mix: Mix,
        levels: Levels,
        channels: Sequence[int],
        sample_rate: int,
        *,
        history_s: float = 10.0,
    ) -> None:
        self.stems, self.channels, self.sample_rate = mix.stems, tuple(channels), sample_rate
        self.roles = mix.roles
        first = self._vector(mix, levels)
        self._hop = hop = control_hop(sample_rate)
        look_ahead_ms = MASTER.settings(mix.master)["limiter_look_ahead_ms"]
        history_hops = round((history_s + HISTORY_MARGIN_S) * sample_rate / hop)
        self._desk = make_desk(
            first,
            len(mix.stems),
            sample_rate,
            look_ahead_slots(look_ahead_ms, sample_rate),
            GLIDE_MS,
            history_hops * hop,
        )
        self._table = desk_table(self._desk)
        self._desk_address = self._table.ctypes.data
        self._handover = Handover(first)
        self.latency = int(self._desk.waits[0]) + saturation_latency(sample_rate)
        self._warm_up()

    def set(self, mix: Mix, levels: Levels) -> None:
        """Go for other settings, from the next block on.

        Raises:
            MixgymError: the mix or the levels belong to other stems.
        """
        self._handover.give(self._vector(mix, levels))

    def process(self, inputs: NDArray[np.float32], out: NDArray[np.float32]) -> None:
        """The next block.

        Args:
            inputs: shape (stems, 2, frames), float32, frames a multiple of the control hop (64 at
                44.1 and 48 kHz); a mono stem in the first channel, the second zero.
            out: written, shape (2, frames).

        Raises:
            ValueError: an array of another shape or type, or one that is not C-contiguous.
        """
        frames = out.shape[1]
        if not (
            inputs.shape == (len(self.stems), 2, frames)
            and out.shape[0] == 2
            and frames % self._hop == 0
            and inputs.dtype == out.dtype == np.float32
            and inputs.flags.c_contiguous
            and out.flags.c_contiguous
            and out.flags.writeable
        ):
            raise ValueError("process wants C-contiguous float32 in whole hops, as documented")
        targets = self._handover.take()
        run_block(
            inputs.ctypes.data, out.ctypes.data, frames, targets.ctypes.data, self._desk_address
        )

    @property
    def heard(self) -> int:
        """Frames processed so far."""
        return int(self._desk.heard[0])

    def recall(self, start: int, frames: int) -> NDArray[np.float32] | None:
        """What was heard, from frame `start` on.

        Returns:
            A copy, shape (2 stems + 4, frames): every stem as it came in, left and right, then
            the mix bus and the master before its drive; None where that is no longer kept.
        """
        history = self._desk.history
        length = history.shape[1]
        first = start % length
        head = min(frames, length - first)
        out = np.empty((len(history), frames), dtype=np.float32)
        out[:, :head] = history[:, first : first + head]
        out[:, head:] = history[:, : frames - head]
        kept_from = self.heard + LARGEST_BLOCK - length
        return out if start >= kept_from and start + frames <= self.heard else None

    def _vector(self, mix: Mix, levels: Levels) -> NDArray[np.float64]:
        if mix.stems != self.stems:
            raise MixgymError(
                f"The mix is for the stems {', '.join(mix.stems)}, not for "
                f"{', '.join(self.stems)}: apply it as a preset to match them."
            )
        if not len(mix.stems) == len(levels.stem_lufs) == len(self.channels):
            raise MixgymError(
                f"The stream has {len(mix.stems)} stems, but {len(levels.stem_lufs)} levels and "
                f"{len(self.channels)} numbers of channels: give one for each."
            )
        return target_vector(mix, levels, self.channels, self.sample_rate)

    def _warm_up(self) -> None:
        """Compile, or load what was compiled: on no samples, so that nothing has been heard."""
        nothing = np.zeros((len(self.stems), 2, 0), dtype=np.float32)
        self.process(nothing, nothing[0])


def check_block(block_frames: int, sample_rate: int) -> None:
    """Refuse blocks that a stream cannot process.

    Raises:
        MixgymError: naming the lengths that it can.
    """
    hop = control_hop(sample_rate)
    if not SMALLEST_BLOCK <= block_frames <= LARGEST_BLOCK or block_frames % hop:
        raise MixgymError(
            f"A block of {block_frames} frames cannot be streamed at {sample_rate} Hz: give a "
            f"multiple of {hop} from {max(hop, SMALLEST_BLOCK)} to {LARGEST_BLOCK}."
        )
