"""What stems' settings cost while a policy learns, so that what brings less is left alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ..errors import MixgymError


class Costs:
    """Costs in proportion to how far settings are from neutral, the mean over a song's stems.

    In proportion, rather than with the square, so that a setting stays at neutral until it brings
    more than it costs (Tibshirani, "Regression Shrinkage and Selection via the Lasso", JRSS B 58,
    1996).

    Args:
        by_name: of score, at a distance of 1 from neutral.
        free: a stem's free settings, in their order.

    Raises:
        MixgymError: a name is none of theirs.
    """

    def __init__(self, by_name: Mapping[str, float], free: Sequence[str]) -> None:
        for name in by_name:
            if name not in free:
                raise MixgymError(
                    f"gradient.costs: {name!r} is no free setting of a stem; these are "
                    f"{', '.join(free) or 'none'}."
                )
        self._of = torch.tensor([by_name.get(name, 0.0) for name in free] if by_name else [])

    def paid(self, actions: Tensor, observations: Mapping[str, Tensor]) -> Tensor:
        """What a batch of mixes costs, (batch,); tracks have no stems, and cost nothing.

        Args:
            actions: settings, (batch, *action).
            observations: of neutral mixes, as the environment gives them.
        """
        if not len(self._of):
            return actions.new_zeros(len(actions))
        mask, costs = observations["mask"], self._of.to(actions.device)
        stems = (slice(None), slice(mask.shape[1]), slice(len(costs)))
        change = (actions[stems] - observations["settings"][stems]).abs() * mask[:, :, None]
        paid: Tensor = (change * costs).sum(dim=(1, 2)) / mask.sum(dim=1).clamp(min=1)
        return paid
