"""The spaces of an environment's actions and observations."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from ..rewards import features
from .episodes import Episodes


def action_space(episodes: Episodes) -> spaces.Space[Any]:
    """Every parameter from -1, the low end of its range, to 1."""
    return spaces.Box(-1.0, 1.0, episodes.action_mask.shape, np.float32)


def observation_space(episodes: Episodes) -> spaces.Space[Any]:
    """What `Episodes.observe` gives of one episode."""
    track, mix = features.size(features.TRACK), features.size(features.MIX) + 1
    parts = {
        "mix": _features(mix),
        "settings": spaces.Box(-1.0, 1.0, episodes.action_mask.shape, np.float32),
    }
    if not episodes.task.stems:
        return spaces.Dict({"track": _features(track), **parts})
    stem = features.size(features.STEM) + features.size(features.STEM_IN_MIX)
    mask = spaces.Box(0.0, 1.0, (episodes.stems,), np.float32)
    return spaces.Dict({"stems": _features(episodes.stems, stem), "mask": mask, **parts})


def _features(*shape: int) -> spaces.Box:
    return spaces.Box(-features.BOUND, features.BOUND, shape, np.float32)
