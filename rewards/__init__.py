"""Rewards: how good a mix is, from what it reads.

terms       pure functions of readings, each in [0, 1], each with its source
gates       what no score survives: silence, lost stems, clipping, collapse to one side or mono
reward      Reward: terms with weights and gates from a YAML file; Scores
evaluator   Evaluator: many mixes of one song in, scores out, every evaluation counted
judges      metrics that nothing may optimise
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .evaluator import Evaluator
    from .reward import Reward, Scores
    from .scene import Scene

_LAZY = {
    "Evaluator": "evaluator",
    "Reward": "reward",
    "Scene": "scene",
    "Scores": "reward",
}

__all__ = ["Evaluator", "Reward", "Scene", "Scores"]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f".{_LAZY[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
