"""Genomes of one song: vectors in [-1, 1] and the settings they stand for."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..console.mix import Mix
from ..console.space import Space

if TYPE_CHECKING:
    from ..rewards import Evaluator, Scores

Values = NDArray[np.float64]


@dataclass(frozen=True)
class SongSpace:
    """What is free in the mixes of a song.

    Attributes:
        stems: of the song.
        space: which settings are free.
        around: the mix that gives what is not free; neutral if None.
    """

    stems: int
    space: Space = field(default_factory=Space)
    around: Mix | None = None

    @cached_property
    def genes(self) -> int:
        """Length of a genome."""
        return self.space.genes(self.stems)

    @cached_property
    def neutral(self) -> Values:
        """The genome that does nothing, (genes,)."""
        return self.space.rest(self.stems)

    @cached_property
    def spread(self) -> Values:
        """Standard deviations of the priors, (genes,)."""
        return self.space.spread(self.stems)

    @cached_property
    def blocks(self) -> list[list[int]]:
        """Genes that belong together, a processor each."""
        return self.space.blocks(self.stems)

    def sample(self, rng: np.random.Generator, count: int) -> Values:
        """Genomes drawn from the priors, (count, genes)."""
        return self.space.sample(rng, count, self.stems)

    def decode(self, genomes: Values) -> tuple[Values, Values, Values]:
        """Strips, buses and master that genomes stand for: see `Space.decode`."""
        mix = self.around
        around = None if mix is None else (mix.strips, mix.buses, mix.master)
        return self.space.decode(genomes, self.stems, around)

    def scores(self, evaluator: Evaluator, genomes: Values) -> Scores:
        """What genomes are worth, with the side chains of the mix that they are set in.

        Raises:
            MixgymError: a stem cannot be read.
        """
        return evaluator.evaluate(*self.decode(genomes), self.side_chains)

    @cached_property
    def side_chains(self) -> NDArray[np.int64] | None:
        """The stem that drives each compressor, (stems,); None where each drives its own."""
        if self.around is None or not any(self.around.side_chains):
            return None
        names = self.around.stems
        return np.array(
            [i if c is None else names.index(c) for i, c in enumerate(self.around.side_chains)]
        )

    def encode(self, mix: Mix) -> Values:
        """The genome of a mix, as far as it is free, (genes,)."""
        parts = (mix.strips[None], mix.buses[None], mix.master[None])
        return np.asarray(self.space.encode(*parts)[0])
