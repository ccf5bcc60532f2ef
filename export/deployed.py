"""A trained network as it is deployed: features of the neutral mix in, physical values out.

One look sets everything, so where the settings stand and how much time is left are the same for
every song: they are folded into the first layers' biases. Scales, switches and what is not free
are folded into the last ones, which give whole tables. Rows of absent stems are computed and
masked rather than left out, so that every operation has a shape that is known before it runs.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from ..agents.encoders import Encoder, FeatureEncoder
from ..agents.network import Block, TrackSetNetwork
from ..console.parameters import BUSES, MASTER, STRIP
from ..console.space import Space, Values
from ..console.table import ParameterTable
from ..errors import MixgymError

TIME_LEFT = 1.0  # of an environment's observation at the first step


class MixingPolicy(nn.Module):
    """A mixing policy; inputs and outputs as in `mixgym.runtime.policy.contract`.

    Args:
        network: trained to set everything at one look, under `absolute` control.
        space: what it sets.

    Raises:
        MixgymError: a network whose stems are not read from features.
    """

    neutral_strip: Tensor

    def __init__(self, network: TrackSetNetwork, space: Space) -> None:
        super().__init__()
        self.network = DenseNetwork(network, space)
        strips, buses, master = space.base
        own, shared = _layers(network, space)
        self.strips = TableHead(STRIP, space.strip, strips, own)
        self.buses = TableHead(BUSES, space.buses, buses, shared[: len(space.buses)])
        self.master = TableHead(MASTER, space.master, master, shared[len(space.buses) :])
        self.register_buffer("neutral_strip", torch.from_numpy(STRIP.defaults).float())

    def forward(self, stems: Tensor, mask: Tensor, mix: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Strips, buses and master of a batch of songs."""
        sounding = mask > 0.5
        tokens = self.network(stems, sounding, mix)
        strips = self.strips(tokens[:, 1:])
        strips = torch.where(sounding.unsqueeze(-1), strips, self.neutral_strip)
        whole = tokens[:, 0]
        return strips, self.buses(whole), self.master(whole)


class MasteringPolicy(nn.Module):
    """A mastering policy, to which a track is a set of one; arguments as `MixingPolicy`."""

    def __init__(self, network: TrackSetNetwork, space: Space) -> None:
        super().__init__()
        self.network = DenseNetwork(network, space)
        self.master = TableHead(MASTER, space.master, space.base[2], _layers(network, space)[1])

    def forward(self, track: Tensor, mix: Tensor) -> tuple[Tensor]:
        """The master's settings for a batch of tracks."""
        tokens = self.network(track.unsqueeze(1), torch.ones_like(track[:, :1]) > 0.5, mix)
        return (self.master(tokens[:, 0]),)


class DenseNetwork(nn.Module):
    """`TrackSetNetwork` up to its heads, over rows that may be absent; arguments as there.

    Args:
        network: whose weights it shares.
        space: what the policy sets.
    """

    def __init__(self, network: TrackSetNetwork, space: Space) -> None:
        super().__init__()
        strip, shared = _rest(space)
        self.stem_encoder = _folded(network.stem_encoder, strip)
        self.mix_encoder = _folded(network.mix_encoder, torch.cat((_TIME_LEFT, shared)))
        blocks = [block for block in network.blocks if isinstance(block, Block)]
        self.blocks = nn.ModuleList(map(DenseBlock, blocks))
        self.norm = network.norm

    def forward(self, stems: Tensor, sounding: Tensor, mix: Tensor) -> Tensor:
        """Tokens of the mix and of its stems, (batch, 1 + stems, width)."""
        heard = torch.where(sounding.unsqueeze(-1), stems, 0.0)
        tokens = torch.cat((self.mix_encoder(mix).unsqueeze(1), self.stem_encoder(heard)), dim=1)
        unheard = torch.where(sounding, 0.0, -torch.inf)
        unheard = torch.cat((torch.zeros_like(unheard[:, :1]), unheard), dim=1)
        for block in self.blocks:
            tokens = block(tokens, unheard[:, None, None, :])
        normed: Tensor = self.norm(tokens)
        return normed


class DenseBlock(nn.Module):
    """`Block` over rows that may be absent.

    Args:
        block: whose weights it shares.
    """

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.heads = block.heads
        self.attention_norm, self.norm = block.attention_norm, block.norm
        self.attend, self.joined, self.layers = block.attend, block.joined, block.layers
        self.scale = (block.joined.in_features // block.heads) ** -0.5

    def forward(self, tokens: Tensor, unheard: Tensor) -> Tensor:
        """Tokens (batch, length, width) anew; `unheard` is -inf where a token is absent, else 0."""
        asked = self.attend(self.attention_norm(tokens)).unflatten(-1, (3, self.heads, -1))
        query, key, value = asked.permute(2, 0, 3, 1, 4).unbind(0)
        likeness = query @ key.transpose(-1, -2) * self.scale + unheard
        heard = (torch.softmax(likeness, dim=-1) @ value).transpose(1, 2).flatten(2)
        tokens = tokens + self.joined(heard)
        changed: Tensor = tokens + self.layers(self.norm(tokens))
        return changed


class TableHead(nn.Module):
    """A head that gives a whole table in physical units.

    Args:
        table: whose columns it gives.
        free: names of those that are set.
        base: physical values of a row at rest, (columns,).
        layer: what sets the free ones in [-1, 1], weights and then bias, (free, width + 1).
    """

    centre: Tensor
    reach: Tensor
    logarithmic: Tensor
    switched: Tensor
    low: Tensor
    high: Tensor

    def __init__(
        self, table: ParameterTable, free: tuple[str, ...], base: Values, layer: Tensor
    ) -> None:
        super().__init__()
        columns = [table.index(name) for name in free]
        self.layer = nn.Linear(layer.shape[1] - 1, len(table))
        with torch.no_grad():
            self.layer.weight.zero_()[columns] = layer[:, :-1]
            self.layer.bias.zero_()[columns] = layer[:, -1]
        is_free = np.isin(np.arange(len(table)), columns)
        log, switch = (
            is_free & np.array([p.scale == scale for p in table]) for scale in ("log", "switch")
        )
        low, high = (
            np.where(log, np.log(np.where(log, end, 1.0)), end) for end in (table.low, table.high)
        )
        self._keep("centre", np.where(is_free, (low + high) / 2, base))
        self._keep("reach", np.where(is_free, (high - low) / 2, 0.0))
        self._keep("low", table.low)
        self._keep("high", table.high)
        self.register_buffer("logarithmic", torch.from_numpy(log))
        self.register_buffer("switched", torch.from_numpy(switch))
        self._has_log, self._has_switch = bool(log.any()), bool(switch.any())

    def forward(self, tokens: Tensor) -> Tensor:
        """From (..., width) to (..., columns)."""
        place = self.layer(tokens).clamp(-1.0, 1.0)
        values = self.centre + self.reach * place
        if self._has_log:
            raised = torch.exp(torch.where(self.logarithmic, values, 0.0))
            values = torch.where(self.logarithmic, raised, values)
        if self._has_switch:
            values = torch.where(self.switched, torch.where(place > 0.0, 1.0, 0.0), values)
        return torch.minimum(torch.maximum(values, self.low), self.high)

    def _keep(self, name: str, values: Values) -> None:
        self.register_buffer(name, torch.from_numpy(values).float())


_TIME_LEFT = torch.tensor([TIME_LEFT], dtype=torch.float64)


def _rest(space: Space) -> tuple[Tensor, Tensor]:
    """Where a stem's settings stand before they are set, and the shared ones."""
    rest = torch.from_numpy(space.rest(1))
    return rest[: len(space.strip)], rest[len(space.strip) :]


def _folded(encoder: Encoder, always: Tensor) -> nn.Sequential:
    """An encoder whose last inputs are always the same."""
    if not isinstance(encoder, FeatureEncoder):
        raise MixgymError(
            f"A policy with stems read by {type(encoder).__name__} cannot be exported; train one "
            "with `encoder: features`."
        )
    first, *others = encoder.layers
    assert isinstance(first, nn.Linear)
    varying = first.in_features - len(always)
    layer = nn.Linear(varying, first.out_features)
    with torch.no_grad():
        layer.weight.copy_(first.weight[:, :varying])
        layer.bias.copy_(first.bias.double() + first.weight[:, varying:].double() @ always)
    return nn.Sequential(layer, *others)


def _layers(network: TrackSetNetwork, space: Space) -> tuple[Tensor, Tensor]:
    """Weights and then bias of what is set for each stem, and of what is shared."""
    strip, shared = _rest(space)
    parts = []
    for head, rest in ((network.strip_head, strip), (network.bus_head, shared)):
        if head is None:
            parts.append(torch.zeros(0, network.sizes.width + 1))
        else:
            bias = head.bias.detach() + rest.to(head.bias.dtype)
            parts.append(torch.cat((head.weight.detach(), bias[:, None]), dim=1))
    return parts[0], parts[1]
