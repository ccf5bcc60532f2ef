"""Gymnasium environments: a console to mix on, a chain to master with.

    mixing        MixingEnv, MixingLevelsEnv
    mastering     MasteringEnv
    vector        the same, many at once
    sb3           SB3VecEnv, for Stable-Baselines3
    registration  their ids

Behind them: `options` (what can be chosen), `repertoire`, `sources` and `tracks` (the songs),
`episodes` (what an environment does, many at once and without Gymnasium), `single` (what all have
in common), `views` and `picture` (what rendering shows).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .mastering import MasteringEnv
    from .mixing import MixingEnv, MixingLevelsEnv
    from .sb3 import SB3VecEnv
    from .vector import MasteringVectorEnv, MixingLevelsVectorEnv, MixingVectorEnv

_LAZY = {
    "MasteringEnv": "mastering",
    "MasteringVectorEnv": "vector",
    "MixingEnv": "mixing",
    "MixingLevelsEnv": "mixing",
    "MixingLevelsVectorEnv": "vector",
    "MixingVectorEnv": "vector",
    "SB3VecEnv": "sb3",
}

__all__ = [
    "MasteringEnv",
    "MasteringVectorEnv",
    "MixingEnv",
    "MixingLevelsEnv",
    "MixingLevelsVectorEnv",
    "MixingVectorEnv",
    "SB3VecEnv",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f".{_LAZY[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
