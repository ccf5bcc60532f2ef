"""An evaluator whose batches are shared out by a mapper."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..console.mix_readings import MixReadings, join_readings
from ..rewards.evaluator import Evaluator, Fidelity
from ..rewards.reward import Reward
from .arena.pieces import Piece, open_piece, open_song
from .mapper import Mapper

if TYPE_CHECKING:
    from ..songs import Song

Values = NDArray[np.float64]


class Batch(NamedTuple):
    """Mixes of one excerpt, as `Evaluator.read` takes them."""

    piece: Piece
    fidelity: Fidelity
    strips: Values
    buses: Values
    master: Values
    side_chains: NDArray[np.int64] | None


class MappedEvaluator(Evaluator):
    """Scores mixes of one excerpt, a part of every batch with each worker of a mapper.

    Workers are sent where the excerpt lies and arrays of settings, and send back readings. Scores
    are those of an `Evaluator`, to the last bit on machines of one kind.

    Args:
        mapper: who works.
        piece: the excerpt.
        reward: `load_reward()` if None.
        fidelity: as `Evaluator`.

    Raises:
        MixgymError: the song cannot be read.
    """

    def __init__(
        self,
        mapper: Mapper,
        piece: Piece,
        reward: Reward | None = None,
        *,
        fidelity: Fidelity = "simulate",
    ) -> None:
        super().__init__(open_piece(piece), reward, fidelity=fidelity, threads=1)
        self._mapper, self._piece = mapper, piece

    def read(
        self,
        strips: Values,
        buses: Values,
        master: Values,
        side_chains: NDArray[np.int64] | None = None,
    ) -> MixReadings:
        """As `Evaluator.read`."""
        with self._lock:
            self.evaluations += len(strips)
        shares = np.array_split(np.arange(len(strips)), min(self._mapper.workers, len(strips)))
        batches = [
            Batch(self._piece, self.fidelity, strips[s], buses[s], master[s], side_chains)
            for s in shares
        ]
        parts = dict(self._mapper.map(read_batch, batches))
        return join_readings([parts[index] for index in range(len(batches))])


def read_batch(batch: Batch) -> MixReadings:
    """What the mixes of a batch read.

    Raises:
        MixgymError: the song cannot be read.
    """
    evaluator = _evaluator(open_song(batch.piece.folder), batch.piece, batch.fidelity)
    return evaluator.read(batch.strips, batch.buses, batch.master, batch.side_chains)


@lru_cache(maxsize=1)
def _evaluator(song: Song, piece: Piece, fidelity: Fidelity) -> Evaluator:
    return Evaluator(song.excerpt(piece.start_s, piece.seconds), fidelity=fidelity, threads=1)
