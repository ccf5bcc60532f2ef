"""Agents of a person's own in the arena: `FILE.py:NAME`, a function of a Python file.

It is called as `NAME(evaluator, start, budget, seed)`: `evaluator.song` is what is to be mixed,
`evaluator.evaluate_mixes` scores mixes in `simulate` and counts them, `start` is the mix that it
begins with, and `budget` is how many evaluations it may take. It gives back a mix.
"""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Callable
from functools import cache
from hashlib import blake2b
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

from ...console.mix import Budget, Mix
from ...console.parameters import BUSES, MASTER, STRIP
from ...console.rules import equal_loudness
from ...errors import MixgymError
from ...rewards import Evaluator

if TYPE_CHECKING:
    from ...console.styles import Style
    from ...rewards import Reward
    from ...songs import Song

Agent = Callable[[Evaluator, Mix, int, int], Mix]
NAMED = re.compile(r"(.+\.py):(\w+)")


class AgentMix(NamedTuple):
    """What an agent made, and how many evaluations it took."""

    mix: Mix
    evaluations: int


def agent_file(name: str) -> Path | None:
    """The file of an agent's name; None where it is no agent's."""
    match = NAMED.fullmatch(name)
    return Path(match[1]).resolve() if match else None


def load_agent(name: str) -> Agent:
    """The function of that name.

    Raises:
        MixgymError: there is no such file, it cannot be run, or it holds no such function.
    """
    path, wanted = agent_file(name), name.rpartition(":")[2]
    if path is None or not path.is_file():
        raise MixgymError(f"There is no agent {name!r}; name a Python file and its function.")
    found = getattr(_module(path, path.read_bytes()), wanted, None)
    if not callable(found):
        raise MixgymError(f"{path} holds no function {wanted!r}; check the name behind the colon.")
    agent: Agent = found
    return agent


@cache
def _module(path: Path, code: bytes) -> ModuleType:
    """What a file holds, run once in a process while it stays as it is."""
    module = ModuleType(f"mixgym_agent_{blake2b(bytes(path), digest_size=8).hexdigest()}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # where data classes look for themselves
    try:
        exec(compile(code, path, "exec"), module.__dict__)
    except (Exception, SystemExit) as error:
        raise _failed(path, error) from error
    return module


def play_agent(
    name: str,
    excerpt: Song,
    budget: Budget,
    *,
    reward: Reward,
    seed: int,
    start: Mix | None,
    lean: Style | None,
) -> AgentMix:
    """Let an agent mix an excerpt.

    Args:
        name: of the agent.
        excerpt: what to mix.
        budget: evaluations that it may take.
        reward: that its mixes are scored by.
        seed: of what it draws.
        start: where it begins; all stems equally loud if None.
        lean: not for agents.

    Raises:
        MixgymError: it fails, takes more than its budget, or gives something else than a mix.
    """
    agent, evaluator = load_agent(name), Evaluator(excerpt, reward)
    try:
        mix = agent(evaluator, start or equal_loudness(excerpt), budget.evaluations, seed)
    except MixgymError:
        raise
    except (Exception, SystemExit) as error:
        raise _failed(agent_file(name), error) from error
    if evaluator.evaluations > budget.evaluations:
        raise MixgymError(
            f"{name} took {evaluator.evaluations} evaluations of {budget.evaluations}; let it keep "
            "to the budget that it is given."
        )
    _check(name, mix, excerpt)
    return AgentMix(mix, evaluator.evaluations)


def _check(name: str, mix: object, excerpt: Song) -> None:
    if not isinstance(mix, Mix) or mix.stems != tuple(stem.name for stem in excerpt.stems):
        raise MixgymError(f"{name} gave no mix of {excerpt.title!r}; return one with its stems.")
    count = len(excerpt.stems)
    for what, values, table, shape in (
        ("strips", mix.strips, STRIP, (count, len(STRIP))),
        ("buses", mix.buses, BUSES, (len(BUSES),)),
        ("master", mix.master, MASTER, (len(MASTER),)),
    ):
        if values.shape != shape:
            raise MixgymError(f"{name} gave {what} of the shape {values.shape}, not {shape}.")
        within = (values >= table.low) & (values <= table.high)
        if not within.all():  # nor is what is no number
            column = table[table.names[int((~within).nonzero()[-1][0])]]
            raise MixgymError(
                f"{name} sets {column.name} beyond its range; keep it from {column.low:g} to "
                f"{column.high:g}."
            )


def _failed(path: Path | None, error: BaseException) -> MixgymError:
    """What went wrong in a person's own file, and where."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    where = f" in line {lines[-1]}" if lines else ""
    told = next(iter(str(error).splitlines()), "")
    return MixgymError(f"{path} fails{where}: {type(error).__name__}: {told[:300]}.")
