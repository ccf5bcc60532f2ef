"""What a study needs of whatever it tunes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, Self

from .dimensions import Value

if TYPE_CHECKING:
    from ..mapper import Mapper
    from ..statistics import Scores
    from .settings import Tuning

Options = Mapping[str, Value]
Tell = Callable[[str, float], None]
Report = Callable[[float], None]


class Tunable(Protocol):
    """Something with hyperparameters, and what it is judged on; can be pickled."""

    @property
    def tuning(self) -> Tuning:
        """The study."""
        ...

    @property
    def about(self) -> str:
        """What is tuned and how it is judged, a sentence for each."""
        ...

    @property
    def measure(self) -> str:
        """What a value is, in a sentence."""
        ...

    @property
    def songs(self) -> list[str]:
        """What it is judged on, in words."""
        ...

    @property
    def per_seed(self) -> int:
        """Reports of one seed."""
        ...

    def defaults(self) -> dict[str, Value]:
        """Of what is tuned.

        Raises:
            MixgymError: it cannot be tuned over the study's space.
        """
        ...

    def identity(self) -> dict[str, Any]:
        """What values depend on, wherever the songs lie."""
        ...

    def judge(self, seed: int, options: Options, threads: int | None, report: Report) -> None:
        """Report how one seed does, `per_seed` times; `report` may raise to stop it.

        Args:
            seed: of all draws.
            options: hyperparameters.
            threads: of the simulator; None takes all processors.
            report: told values that can be compared with those of other options, one by one.

        Raises:
            MixgymError: a song cannot be read.
        """
        ...

    def gains(self, reports: Sequence[float]) -> Scores:
        """What counts of a trial's reports, (seeds, parts); its value is their interquartile mean.

        Args:
            reports: of all seeds, one after another.
        """
        ...

    def confirm(self, seed: int, options: Options, threads: int | None) -> list[float]:
        """Gains of a seed that no trial was judged by, one for each part; errors as `judge`."""
        ...

    def elsewhere(self, mapper: Mapper, tell: Tell) -> Self:
        """The same, judged on other songs where there are any.

        Raises:
            MixgymError: a song cannot be read.
        """
        ...
