"""The track-set network: any number of stems in, a row of settings for each out.

Stems and the mix are tokens that attend to one another (Vaswani et al. 2017, with the norm ahead of
each layer as Xiong et al. 2020); one encoder and one head serve all stems, as in Deep Sets (Zaheer
et al. 2017). So the order of stems changes nothing but the order of rows, and rows of absent stems
nothing at all. The mix's token is what buses and the value are read from.
"""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn
from torch.nn import functional

from .encoders import ENCODERS, FeatureEncoder, packed, unpacked

FEED_FORWARD = 2  # width of a block's inner layer re its own


class Sizes(BaseModel):
    """What a network is like.

    Attributes:
        stem, mix: features of a stem and of the mix, the settings left out.
        strip, bus: parameters of a stem's row and of the shared row; one of them may be 0. Without
            the former it sets the master of finished tracks, each a set of one.
        width: of tokens.
        blocks: of self-attention.
        heads: of each; they share the width.
        encoder: of stems, see `ENCODERS`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    stem: int = Field(ge=1, le=10_000)
    mix: int = Field(ge=1, le=10_000)
    strip: int = Field(ge=0, le=1000)
    bus: int = Field(ge=0, le=1000)
    width: int = Field(ge=4, le=2048)
    blocks: int = Field(ge=0, le=32)
    heads: int = Field(ge=1, le=64)
    encoder: str

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is no multiple of heads {self.heads}")
        return self


class Seen(NamedTuple):
    """What a network is shown of a batch of mixes.

    Attributes:
        stems: features, (batch, stems, features).
        mask: above 0.5 where a stem sounds, (batch, stems).
        mix: features, (batch, features).
        strips: settings of the stems, (batch, stems, parameters).
        buses: shared settings, (batch, parameters).
        pictures: of the stems, (batch, stems, BANDS, FRAMES), where the encoder looks at any.
    """

    stems: Tensor
    mask: Tensor
    mix: Tensor
    strips: Tensor
    buses: Tensor
    pictures: Tensor | None = None


class Answer(NamedTuple):
    """What it says: changes (batch, stems, parameters) and (batch, parameters); value, (batch,)."""

    strips: Tensor
    buses: Tensor
    value: Tensor


class TrackSetNetwork(nn.Module):
    """Changes of settings, all zero before any training, and how much a mix can still gain.

    Args:
        sizes: all that decides its shape; the number of stems is none of it.
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        width = sizes.width
        self.stem_encoder = ENCODERS[sizes.encoder](sizes.stem + sizes.strip, width)
        self.mix_encoder = FeatureEncoder(sizes.mix + sizes.bus, width)
        self.blocks = nn.ModuleList(Block(width, sizes.heads) for _ in range(sizes.blocks))
        self.norm = nn.LayerNorm(width)
        self.strip_head = nn.Linear(width, sizes.strip) if sizes.strip else None
        self.bus_head = nn.Linear(width, sizes.bus) if sizes.bus else None
        self.value_head = nn.Linear(width, 1)
        for head in (self.strip_head, self.bus_head, self.value_head):
            if head is not None:
                nn.init.zeros_(head.weight)
                nn.init.zeros_(head.bias)

    def forward(self, seen: Seen) -> Answer:
        """Rows of absent stems are zero."""
        batch, stems = seen.mask.shape
        sounding = seen.mask > 0.5
        mixes = torch.ones_like(sounding[:, :1])
        present = torch.cat((mixes, sounding), dim=1)
        places = present.flatten().nonzero().squeeze(1)
        stem_places = sounding.flatten().nonzero().squeeze(1)
        rows = packed(torch.cat((seen.stems, seen.strips), dim=2), stem_places)
        pictures = seen.pictures
        if pictures is not None:
            pictures = pictures.flatten(0, 1).index_select(0, stem_places)
        encoded = unpacked(self.stem_encoder(rows, pictures), stem_places, batch, stems)
        mix = self.mix_encoder(torch.cat((seen.mix, seen.buses), dim=1))
        tokens = packed(torch.cat((mix[:, None], encoded), dim=1), places)
        for block in self.blocks:
            tokens = block(tokens, places, present)
        full = unpacked(self.norm(tokens), places, batch, 1 + stems)
        whole = full[:, 0]
        strips = packed(full[:, 1:], stem_places)
        strips = self.strip_head(strips) if self.strip_head is not None else strips[:, :0]
        return Answer(
            unpacked(strips, stem_places, batch, stems),
            self.bus_head(whole) if self.bus_head is not None else whole[:, :0],
            self.value_head(whole).squeeze(1),
        )


class Look(NamedTuple):
    """What a network wants of a batch of observations.

    Attributes:
        mean: actions, not yet held within [-1, 1], (batch, *action).
        cells: which of them set anything, bool, the same shape.
        value: (batch,).
    """

    mean: Tensor
    cells: Tensor
    value: Tensor


def look(network: TrackSetNetwork, observations: dict[str, Tensor], absolute: bool) -> Look:
    """Show a network an environment's observations.

    Args:
        network: to be shown them.
        observations: as the environment gives them, the first axis the batch; with `pictures`
            where the encoder looks at any.
        absolute: whether actions are settings, and so begin with where these stand.
    """
    sizes, settings = network.sizes, observations["settings"]
    if not sizes.strip:
        return _look_at_tracks(network, observations, absolute)
    mask = observations["mask"]
    stems = mask.shape[1]
    strips, buses = settings[:, :stems, : sizes.strip], settings[:, stems:, : sizes.bus]
    pictures = observations.get("pictures")
    seen = Seen(
        observations["stems"], mask, observations["mix"], strips, buses.flatten(1), pictures
    )
    answer = network(seen)
    mean = settings.clone() if absolute else torch.zeros_like(settings)
    mean[:, :stems, : sizes.strip] += answer.strips
    cells = torch.zeros_like(settings, dtype=torch.bool)
    cells[:, :stems, : sizes.strip] = (mask > 0.5)[:, :, None]
    if sizes.bus:
        mean[:, stems, : sizes.bus] += answer.buses
        cells[:, stems, : sizes.bus] = True
    return Look(mean, cells, answer.value)


def _look_at_tracks(
    network: TrackSetNetwork, observations: dict[str, Tensor], absolute: bool
) -> Look:
    settings, track = observations["settings"], observations["track"][:, None]
    present, strips = torch.ones_like(track[..., 0]), track[..., :0]
    pictures = observations.get("pictures")
    answer = network(Seen(track, present, observations["mix"], strips, settings, pictures))
    mean = settings + answer.buses if absolute else answer.buses
    return Look(mean, torch.ones_like(mean, dtype=torch.bool), answer.value)


def act(
    network: TrackSetNetwork, observations: dict[str, NDArray[np.float32]], absolute: bool
) -> NDArray[np.float32]:
    """Mean actions within [-1, 1], (batch, *action); arguments as `look`, but in NumPy."""
    device = next(network.parameters()).device
    seen = {name: torch.from_numpy(values).to(device) for name, values in observations.items()}
    with torch.inference_mode():
        mean = look(network, seen, absolute).mean
    actions: NDArray[np.float32] = mean.clamp(-1.0, 1.0).cpu().numpy()
    return actions


class Block(nn.Module):
    """Self-attention among the tokens of each mix, then two layers on each token.

    Args:
        width: of tokens.
        heads: of attention.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm, self.norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attend = nn.Linear(width, 3 * width)
        self.joined = nn.Linear(width, width)
        inner = FEED_FORWARD * width
        self.layers = nn.Sequential(nn.Linear(width, inner), nn.ReLU(), nn.Linear(inner, width))

    def forward(self, tokens: Tensor, places: Tensor, present: Tensor) -> Tensor:
        """Tokens anew.

        Args:
            tokens: of all mixes, (tokens, width).
            places: where they stand in (batch * length,).
            present: the same as a mask, (batch, length).
        """
        batch, length = present.shape
        asked = unpacked(self.attend(self.attention_norm(tokens)), places, batch, length)
        query, key, value = asked.view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        heard = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=present[:, None, None, :]
        )
        heard = packed(heard.transpose(1, 2).reshape(batch, length, -1), places)
        tokens = tokens + self.joined(heard)
        changed: Tensor = tokens + self.layers(self.norm(tokens))
        return changed
