"""Covariance matrix adaptation: CMA-ES and its separable variant.

N. Hansen, "The CMA Evolution Strategy: A Tutorial", arXiv:1604.00772 (2016); R. Ros, N. Hansen,
"A Simple Modification in CMA-ES Achieving Linear Time and Space Complexity", PPSN X (2008). Both by
the library cmaes.
"""

from __future__ import annotations

import numpy as np

from .genome import SongSpace
from .searcher import Genomes, Outcome


class CmaEs:
    """Samples around a mean, and adapts the mean, a step size and a covariance.

    Genes are searched in units of their priors' spread, so that one step size suits them all, and
    are clipped to [-1, 1] where they are tried.

    Args:
        space: what is searched.
        seed: of the draws.
        start: the first mean, shape (genes,); the neutral mix if None.
        sigma: first step size, in standard deviations of the priors.
        batch: genomes per `ask`; None takes the library's 4 + 3 ln(genes).
        separable: adapt variances alone, which learns faster in many dimensions.
    """

    def __init__(
        self,
        space: SongSpace,
        seed: int = 0,
        start: Genomes | None = None,
        *,
        sigma: float = 0.1,
        batch: int | None = None,
        separable: bool = False,
    ) -> None:
        import cmaes

        class FullCovariance(cmaes.CMA):  # type: ignore[misc]
            """The library's strategy, which multiplies two matrices for every sample it draws."""

            def _sample_solution(self) -> np.ndarray:
                axes, lengths = self._eigen_decomposition()
                step = axes @ (lengths * self._rng.randn(self._n_dim))
                return np.asarray(self._mean + self._sigma * step)

        self._spread = space.spread
        mean = (space.neutral if start is None else start) / self._spread
        make = cmaes.SepCMA if separable else FullCovariance
        self._strategy = make(mean=mean, sigma=sigma, seed=seed, population_size=batch)
        self._asked: list[np.ndarray] = []

    def ask(self) -> Genomes:
        """One generation."""
        self._asked = [self._strategy.ask() for _ in range(self._strategy.population_size)]
        return np.asarray(np.clip(np.stack(self._asked) * self._spread, -1.0, 1.0))

    def tell(self, genomes: Genomes, outcome: Outcome) -> None:
        """Move on by one generation.

        A gene that left its range costs by the square of how far, so that the mean comes back.
        """
        outside = np.stack(self._asked) * self._spread - genomes
        cost = np.square(outside).mean(axis=1) - outcome.score
        self._strategy.tell(list(zip(self._asked, cost.tolist(), strict=True)))
