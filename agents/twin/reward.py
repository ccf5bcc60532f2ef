"""Scores of mixes that can be differentiated, the twin of `rewards.reward`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ...errors import MixgymError
from ...rewards import gates as true_gates
from ...rewards import terms as true_terms
from ...rewards.reward import Reward
from .effort import effort
from .facts import TwinFacts
from .gates import GATES
from .simulate import TwinReadings, simulate
from .songs import Songs
from .terms import TERMS


@dataclass(frozen=True, slots=True)
class TwinScores:
    """What mixes are worth.

    Attributes:
        score: from 0 to 1, (songs, mixes).
        terms, gates: by name, (songs, mixes) each.
        readings: what they were read from, (songs * mixes, ...).
    """

    score: Tensor
    terms: Mapping[str, Tensor]
    gates: Mapping[str, Tensor]
    readings: TwinReadings


class Twin:
    """Scores mixes as `Evaluator` does in `simulate`, differentiably.

    Args:
        reward: what mixes are worth.

    Raises:
        MixgymError: the reward has a term or a gate that has no twin.
    """

    def __init__(self, reward: Reward) -> None:
        self.reward = reward
        self._terms = {
            name: _bound(reward, name, TERMS, true_terms.TERMS) for name in reward.weights
        }
        self._gates = {name: _bound(reward, name, GATES, true_gates.GATES) for name in reward.gates}

    def __call__(
        self,
        songs: Songs,
        strips: Tensor,
        buses: Tensor,
        master: Tensor,
        side_chains: Tensor | None = None,
    ) -> TwinScores:
        """Score so many mixes of each song; arguments and errors as `simulate.simulate`."""
        readings = simulate(songs, strips, buses, master, side_chains)
        shape = strips.shape[:2]
        present = songs.sounds.repeat_interleave(shape[1], dim=0)
        spent = effort(strips.double().flatten(0, 1), master.double().flatten(0, 1), present)
        facts = TwinFacts(readings, songs, spent.to(readings.powers.dtype))
        terms = {name: _clean(term(facts)).reshape(shape) for name, term in self._terms.items()}
        gates = {name: _clean(gate(facts)).reshape(shape) for name, gate in self._gates.items()}
        total = sum(self.reward.weights.values())
        weights = self.reward.weights
        parts = [weights[name] / total * term for name, term in terms.items()]
        score = torch.stack(parts).sum(dim=0)
        for gate in gates.values():
            score = score * gate
        return TwinScores(score, terms, gates, readings)


def _bound(
    reward: Reward,
    name: str,
    twins: Mapping[str, Callable[..., Tensor]],
    truths: Mapping[str, Callable[..., Any]],
) -> Callable[..., Tensor]:
    """A twin with the options that the reward sets, and the defaults of what it is the twin of."""
    if name not in twins:
        raise MixgymError(f"{name!r} cannot be differentiated; leave it out of the reward.")
    options = {}
    for option, parameter in inspect.signature(truths[name]).parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY:
            given = reward.option(name, option)
            options[option] = parameter.default if given is None else given
    return partial(twins[name], **options)


def _clean(values: Tensor) -> Tensor:
    """Held within 0 and 1; what is not a number counts nothing."""
    return torch.where(values.isfinite(), values, 0.0).clamp(0.0, 1.0)
