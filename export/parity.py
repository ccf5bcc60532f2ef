"""How far a policy's file is from the network that it was made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..agents.network import TrackSetNetwork, act
from ..console.parameters import BUSES, MASTER, STRIP
from ..console.space import Space
from ..runtime.policy.contract import TASKS, lengths
from .deployed import TIME_LEFT

if TYPE_CHECKING:
    from ..runtime.policy.backends import Backend

Arrays = Mapping[str, NDArray[np.floating]]
Inputs = dict[str, NDArray[np.float32]]
Reference = Callable[[Inputs], Arrays]
STEM_COUNTS = (*range(1, 17), 24, 32, 48, 64)
SONGS = 4  # in a batch of each count
TOLERANCE = 1e-5  # of a parameter's range
TABLES = {"strips": STRIP, "buses": BUSES, "master": MASTER}


def random_inputs(task: str, batch: int, stems: int, seed: int) -> Inputs:
    """Inputs of a policy, about as large as features are; some stems are absent."""
    rng = np.random.default_rng(seed)
    arrays = {
        name: np.clip(rng.standard_normal(lengths(axes, batch, stems)), -3, 3).astype(np.float32)
        for name, axes in TASKS[task].inputs.items()
    }
    if "mask" in arrays:
        arrays["mask"] = (rng.random((batch, stems)) < 0.8).astype(np.float32)
        arrays["mask"][:, 0] = 1.0
    return arrays


def differences(backend: Backend, reference: Reference) -> dict[str, float]:
    """How far a file's outputs are from what they should be, over random inputs.

    Args:
        backend: what runs the file.
        reference: what should come out.

    Returns:
        By output, the largest difference as a share of a parameter's range.
    """
    described = backend.described
    task = TASKS[described.task]
    counts = STEM_COUNTS if "mask" in task.inputs else (1,)
    worst = dict.fromkeys(task.outputs, 0.0)
    for stems in counts:
        inputs = random_inputs(described.task, SONGS, stems, seed=stems)
        given, wanted = backend.run(inputs), reference(inputs)
        for name in worst:
            table = TABLES[name]
            apart = np.abs(given[name] - wanted[name]) / (table.high - table.low)
            worst[name] = max(worst[name], float(np.max(apart)))
    return worst


def reference_of(network: TrackSetNetwork, space: Space, task: str) -> Reference:
    """What a policy should give, by its network as it was trained and by `Space.decode`."""
    strip, shared = np.split(space.rest(1).astype(np.float32), [len(space.strip)])

    def observed(inputs: Inputs) -> Inputs:
        left = np.full((len(inputs["mix"]), 1), TIME_LEFT, np.float32)
        return {**inputs, "mix": np.concatenate((inputs["mix"], left), axis=1)}

    def mixing(inputs: Inputs) -> Arrays:
        mask = inputs["mask"]
        batch, stems = mask.shape
        settings = np.zeros((batch, stems + 1, max(len(strip), len(shared))), np.float32)
        settings[:, :stems, : len(strip)] = strip * mask[..., None]
        settings[:, stems, : len(shared)] = shared
        actions = act(network, {**observed(inputs), "settings": settings}, absolute=True)
        rows = actions[:, :stems, : len(strip)].reshape(batch, -1)
        genomes = np.concatenate((rows, actions[:, stems, : len(shared)]), axis=1)
        strips, buses, master = space.decode(genomes.astype(np.float64), stems)
        strips[mask < 0.5] = STRIP.defaults
        return {"strips": strips, "buses": buses, "master": master}

    def mastering(inputs: Inputs) -> Arrays:
        settings = np.tile(shared, (len(inputs["mix"]), 1))
        actions = act(network, {**observed(inputs), "settings": settings}, absolute=True)
        return {"master": space.decode(actions.astype(np.float64), 1)[2]}

    return mastering if task == "mastering" else mixing
