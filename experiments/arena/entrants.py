"""Mixers by their names: rules, policies, searches, and searches from another mixer's mix.

plain_sum, equal_loudness, roles
random, ga, cma_es, sep_cma, nsga2, map_elites      from where `search_excerpt` begins
gradient                                            ascent through the differentiable twin
FILE.py:NAME                                        an agent of one's own, see `agent`
policy                                              the one that comes along
policy:FILE                                         .onnx, or .npz as `mixgym train` writes
START+SEARCH                                        policy:FILE+cma_es, plain_sum+ga
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ...console.mix import Budget, Mix
from ...console.rules import MIXERS as RULES
from ...console.rules import mixer_by_rule
from ...console.styles import STYLES
from ...errors import MixgymError
from ...evolution.mixers import SEARCHERS, Choice, search_excerpt
from ...runtime.mixers import POLICIES
from .agent import AgentMix, agent_file, load_agent, play_agent
from .policy import load_policy, looks

if TYPE_CHECKING:
    from ...agents.twin.ascend import Ascended
    from ...rewards import Reward
    from ...songs import Song

POLICY = "policy:"
GRADIENT = "gradient"
UNSEARCHED = "equal_loudness"  # what a search comes to without any evaluation

SEARCHES = (*SEARCHERS, GRADIENT)
Begin = Callable[["Song", "Reward"], Mix]


class Played(NamedTuple):
    """A mix, and how many evaluations it took."""

    mix: Mix
    evaluations: int


@dataclass(frozen=True, slots=True)
class Entrant:
    """A mixer that competes.

    Attributes:
        name: as it was given.
        start: who makes the mix that it begins with; None leaves it to the search.
        search: which searcher, or agent, goes on from there; None if none does.
        policy: the policy's file, if one is the start.
    """

    name: str
    start: str | None
    search: str | None
    policy: Path | None

    @property
    def cost(self) -> int:
        """Evaluations that the start takes: a policy looks at a mix or several."""
        return looks(self.policy) if self.policy else 0

    @property
    def files(self) -> tuple[Path, ...]:
        """Files that it is made of: a policy's, an agent's."""
        return tuple(path for path in (self.policy, agent_file(self.search or "")) if path)

    @property
    def draws(self) -> bool:
        """Whether another seed may be another mix."""
        return self.search is not None

    def budgets(self, budgets: tuple[int, ...]) -> tuple[int, ...]:
        """Those that it is run with: what draws nothing is run once, at the least that it needs."""
        within = tuple(budget for budget in budgets if budget >= self.cost)
        return within if self.draws else within[:1]

    def play(
        self, begin: Begin, excerpt: Song, reward: Reward, budget: int, seed: int, style: str
    ) -> Played:
        """Mix an excerpt; with no more than the start takes, by the start alone.

        Args:
            begin: the start, from `beginner`.
            excerpt: what to mix.
            reward: what is searched for.
            budget: evaluations, at least `cost`.
            seed: of what is drawn.
            style: that rules lean to, if it is one.

        Raises:
            MixgymError: the policy cannot be used, or a stem cannot be read.
        """
        left = budget - self.cost
        if self.search is None or left == 0:
            return Played(begin(excerpt, reward), self.cost)
        choice = searching(self.search)(
            excerpt,
            Budget(left),
            reward=reward,
            seed=seed,
            start=begin(excerpt, reward) if self.start else None,
            lean=STYLES.get(style),
        )
        return Played(choice.mix, self.cost + choice.evaluations)

    def beginner(self, style: str) -> Begin:
        """What makes the mix that it begins with.

        Args:
            style: that rules lean to, if it is one.

        Raises:
            MixgymError: the policy cannot be used.
        """
        if self.policy is not None:
            return load_policy(self.policy)
        rule = mixer_by_rule(self.start or UNSEARCHED, STYLES.get(style))
        return lambda excerpt, reward: rule(excerpt, Budget())


def searching(name: str) -> Callable[..., Choice | Ascended | AgentMix]:
    """What searches an excerpt: `search(excerpt, budget, reward=, seed=, start=, lean=)`.

    Raises:
        MixgymError: it needs PyTorch, which is not installed, or an agent that cannot be used.
    """
    if agent_file(name):
        load_agent(name)
        return partial(play_agent, name)
    if name != GRADIENT:
        return lambda excerpt, budget, **given: search_excerpt(excerpt, name, budget, **given)
    try:
        from ...agents.twin.ascend import ascend_excerpt
    except ImportError as error:
        raise MixgymError(
            f"{GRADIENT} needs PyTorch: install it with pip install 'mixgym[train]'."
        ) from error
    return ascend_excerpt


def entrant(name: str) -> Entrant:
    """The mixer of a name.

    Raises:
        MixgymError: there is none, or no file of that policy.
    """
    file = agent_file(name)
    if name in SEARCHES or (file and (file.is_file() or "+" not in name)):
        return Entrant(name, None, name, None)
    start, _, search = name.rpartition("+")
    if search not in SEARCHES and not agent_file(search):
        start, search = name, ""
    if start == POLICY.rstrip(":"):
        start = f"{POLICY}{POLICIES / 'mixing.onnx'}"
    if start.startswith(POLICY):
        path = Path(start.removeprefix(POLICY))
        if not path.is_file():
            raise MixgymError(f"There is no policy {path}; name an .onnx or .npz file.")
        return Entrant(name, start, search or None, path.resolve())
    if start not in RULES:
        known = ", ".join((*RULES, *SEARCHES, "policy"))
        raise MixgymError(
            f"There is no mixer {name!r}; choose from {known}, policy:FILE, FILE.py:NAME, or "
            "START+SEARCH."
        )
    return Entrant(name, start, search or None, None)
