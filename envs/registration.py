"""The environments' ids. Nothing heavy is imported here: the command line passes through."""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

ENTRY_POINTS = {
    "mixgym/Mixing-v0": ("mixgym.envs.mixing:MixingEnv", "mixgym.envs.vector:MixingVectorEnv"),
    "mixgym/MixingLevels-v0": (
        "mixgym.envs.mixing:MixingLevelsEnv",
        "mixgym.envs.vector:MixingLevelsVectorEnv",
    ),
    "mixgym/Mastering-v0": (
        "mixgym.envs.mastering:MasteringEnv",
        "mixgym.envs.vector:MasteringVectorEnv",
    ),
}


def register_environments() -> None:
    """Make the ids known to Gymnasium: now where it is imported, else as soon as it is."""
    if "gymnasium" in sys.modules:
        _register()
    elif not any(isinstance(finder, _Expecting) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Expecting())


def _register() -> None:
    from gymnasium.envs.registration import register, registry

    for name, (single, vector) in ENTRY_POINTS.items():
        if name not in registry:
            register(id=name, entry_point=single, vector_entry_point=vector)


class _Expecting(MetaPathFinder):
    """Steps aside when Gymnasium is imported, and registers behind it.

    Gymnasium reads no package metadata to find environments, and importing it takes longer than
    all that most commands need.
    """

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name != "gymnasium":
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return None
        load = spec.loader.exec_module

        def load_and_register(module: ModuleType) -> None:
            load(module)
            _register()

        spec.loader.exec_module = load_and_register  # type: ignore[method-assign]
        return spec
