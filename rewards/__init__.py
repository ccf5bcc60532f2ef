"""Rewards: how good a mix is, from what it reads.

terms       pure functions of readings, each in [0, 1], each with its source
gates       what no score survives: silence, lost stems, clipping, collapse to one side or mono
reward      Reward: terms with weights and gates from a YAML file; Scores
reference   Reference: what a track, or the median of several, reads
evaluator   Evaluator: many mixes of one song in, scores out, every evaluation counted
listeners   what mixes of one song read, simulated or rendered
batch       BatchEvaluator: mixes of several songs as one batch
features    what a policy sees of songs and mixes
judges      distances to a person's mix, which nothing may optimise

Beside them: `facts` (what terms and gates share), `effort` (how much a mix does), `scene` (who
plays), and `presets/`, a YAML file for each style.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .evaluator import Evaluator
    from .reference import Reference, learn_reference
    from .reward import Reward, Scores, load_reward
    from .scene import Scene

_LAZY = {
    "Evaluator": "evaluator",
    "Reference": "reference",
    "Reward": "reward",
    "Scene": "scene",
    "Scores": "reward",
    "learn_reference": "reference",
    "load_reward": "reward",
}

__all__ = [
    "Evaluator",
    "Reference",
    "Reward",
    "Scene",
    "Scores",
    "learn_reference",
    "load_reward",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f".{_LAZY[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
