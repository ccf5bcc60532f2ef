"""What every searcher is: ask for genomes, tell what they are worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Genomes = NDArray[np.float64]  # (batch, genes), each gene in [-1, 1]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a batch of genomes came to.

    Attributes:
        score: what to maximise, shape (batch,).
        objectives: scores of the groups of terms that stand against each other, (batch, groups).
        measures: where a mix lies on the map of different mixes, (batch, axes).
    """

    score: NDArray[np.float64]
    objectives: NDArray[np.float64]
    measures: NDArray[np.float64]

    def first(self, count: int) -> Outcome:
        """Of the first genomes alone."""
        return Outcome(self.score[:count], self.objectives[:count], self.measures[:count])

    def joined(self, other: Outcome) -> Outcome:
        """Of these genomes and then the others."""
        return Outcome(
            np.concatenate((self.score, other.score)),
            np.concatenate((self.objectives, other.objectives)),
            np.concatenate((self.measures, other.measures)),
        )


class Searcher(Protocol):
    """Proposes genomes and learns from what they are worth.

    A searcher draws on its own seeded generator and on what it is told, and on nothing else: the
    same seed and the same outcomes make the same proposals, so that its whole state at any time is
    its seed and the outcomes so far.
    """

    def ask(self) -> Genomes:
        """The next batch, shape (batch, genes)."""
        ...

    def tell(self, genomes: Genomes, outcome: Outcome) -> None:
        """What the genomes last asked for came to; all of them, in their order."""
        ...
