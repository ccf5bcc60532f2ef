"""Whether different songs get different mixes, and whether what they sound like explains it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..console.space import Space

Values = NDArray[np.float64]

RIDGE = 10.0  # penalty on slopes of standardised features


class Seen(NamedTuple):
    """A song as a policy saw and set it.

    Attributes:
        song: its name; excerpts of one song are left out together.
        stems: features of its stems, (stems, features).
        roles: of the stems, (stems,).
        strips: what the policy set, in [-1, 1], (stems, parameters).
    """

    song: str
    stems: Values
    roles: NDArray[np.int64]
    strips: Values


def spread(seen: Sequence[Seen]) -> dict[str, dict[str, float]]:
    """By strip parameter how settings vary, and how much of it is explained.

    Returns:
        `sd`: of the setting over all stems of all songs, in [-1, 1]. `sd_within_role`: over stems
        of one role, the mean over roles weighted by stems. `explained`: share of the variance that
        a ridge regression on the stem's features predicts for songs that were left out of it.
        `explained_by_role`: the same for the mean of the role. "all" is the mean over parameters,
        shares weighted by variance.
    """
    x = np.concatenate([one.stems for one in seen]).astype(np.float64)
    y = np.concatenate([one.strips for one in seen])
    roles = np.concatenate([one.roles for one in seen])
    songs = np.concatenate([np.full(len(one.roles), one.song) for one in seen])
    linear, by_role = np.empty_like(y), np.empty_like(y)
    for song in np.unique(songs):
        held = songs == song
        linear[held] = _ridge(x[~held], y[~held], x[held])
        by_role[held] = _means(roles[~held], y[~held], roles[held])
    total = np.square(y - y.mean(axis=0)).sum(axis=0)
    left = {
        "explained": np.square(y - linear).sum(axis=0),
        "explained_by_role": np.square(y - by_role).sum(axis=0),
    }
    within = np.sqrt(np.square(y - _means(roles, y, roles)).mean(axis=0))
    rows = {
        name: {
            "sd": float(y[:, i].std()),
            "sd_within_role": float(within[i]),
            **{key: float(1 - rest[i] / max(total[i], 1e-12)) for key, rest in left.items()},
        }
        for i, name in enumerate(Space().strip)
    }
    rows["all"] = {
        "sd": float(y.std(axis=0).mean()),
        "sd_within_role": float(within.mean()),
        **{key: float(1 - rest.sum() / max(total.sum(), 1e-12)) for key, rest in left.items()},
    }
    return rows


def _ridge(x: Values, y: Values, asked: Values) -> Values:
    centre, scale = x.mean(axis=0), x.std(axis=0) + 1e-9
    z = (x - centre) / scale
    slopes = np.linalg.solve(z.T @ z + RIDGE * np.eye(z.shape[1]), z.T @ (y - y.mean(axis=0)))
    return np.asarray((asked - centre) / scale @ slopes + y.mean(axis=0))


def _means(roles: NDArray[np.int64], y: Values, asked: NDArray[np.int64]) -> Values:
    """Mean settings of each role asked for; of all stems where none has it."""
    means = np.tile(y.mean(axis=0), (int(max(roles.max(), asked.max())) + 1, 1))
    for role in np.unique(roles):
        means[role] = y[roles == role].mean(axis=0)
    return means[asked]
