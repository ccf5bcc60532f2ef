"""Analyses of songs as tensors, several of one shape in one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ...console.analysis import FRAMES_PER_S, SLOTS, Analysis
from ...console.meters.k_weighting import k_weighting
from ...console.meters.spectrum import third_octave_centres
from ...console.simulate import AUDIBLE
from ...errors import MixgymError
from .responses import Bands

SLOTS_PER_S = float(FRAMES_PER_S * SLOTS)


@dataclass(frozen=True, slots=True)
class Grid:
    """What all songs of a batch share.

    Attributes:
        bands: of filters. kweight: BS.1770's weighting as power, (bands,); coarse_k: its mean in
            coarse bands, (coarse,). middles: of coarse bands in radians per sample, (coarse,).
            belongs: 1 where a fine band is in a coarse one, (coarse, bands); parts: the same as
            slices. frames: of 100 ms. centres_hz: of third octaves.
    """

    sample_rate: int
    frames: int
    bands: Bands
    kweight: Tensor
    coarse_k: Tensor
    middles: Tensor
    belongs: Tensor
    parts: tuple[slice, ...]
    centres_hz: NDArray[np.float64]

    def to(self, device: torch.device | str) -> Grid:
        """The same on another device."""
        tensors = {n: getattr(self, n).to(device) for n in _GRID_TENSORS}
        return replace(self, bands=self.bands.to(device), **tensors)

    def spread(self, coarse: Tensor) -> Tensor:
        """Coarse bands (..., coarse, frames) to the fine bands in them, (..., bands, frames)."""
        return self.belongs.T @ coarse

    def gather(self, fine: Tensor) -> Tensor:
        """Sums over coarse bands: (..., bands, frames) to (..., coarse, frames)."""
        return self.belongs @ fine


@dataclass(frozen=True, slots=True)
class Songs:
    """A batch of songs; stems that a song lacks are silent.

    Attributes:
        grid: what they share.
        fine: (songs, stems, 3, bands, frames). slots: (songs, stems, coarse, frames, slots).
        sums: of left and right over coarse bands, means: of slots over a frame,
            (songs, stems, coarse, frames).
        samples: (songs, stems, 2 sides, 2 channels, frames, slots). inverse: of the power of each
            slot, (songs, stems, frames, slots).
        balance: <LL>, <RR>, <LR> over everything, (songs, stems, 3).
        mono: (songs, stems). sounds: likewise. roles: indices, likewise.
        first, second: 1 at the stems of each pair, (songs, pairs, stems).
        crosses: (songs, pairs, 2 sides, coarse, frames).
    """

    grid: Grid
    fine: Tensor
    slots: Tensor
    sums: Tensor
    means: Tensor
    samples: Tensor
    inverse: Tensor
    balance: Tensor
    mono: Tensor
    sounds: Tensor
    roles: Tensor
    first: Tensor
    second: Tensor
    crosses: Tensor

    def __len__(self) -> int:
        """How many songs."""
        return len(self.fine)

    @property
    def stems(self) -> int:
        """How many stems each song has room for."""
        return int(self.fine.shape[1])

    @classmethod
    def of(
        cls,
        analysis: Analysis,
        roles: NDArray[np.int64],
        dtype: torch.dtype = torch.float32,
    ) -> Songs:
        """One song.

        Args:
            analysis: of the song or excerpt.
            roles: index in `ROLES` of each stem, (stems,).
            dtype: of powers; single precision is what the simulator has.
        """
        a = analysis
        parts = tuple(slice(int(i), int(j)) for i, j in pairwise(a.edges))
        bands = Bands(torch.from_numpy(a.band_hz), a.sample_rate)
        kweight = _k_response(bands).to(dtype)
        belongs = torch.zeros(len(parts), len(a.band_hz), dtype=dtype)
        for c, part in enumerate(parts):
            belongs[c, part] = 1.0
        grid = Grid(
            sample_rate=a.sample_rate,
            frames=a.fine.shape[3],
            bands=bands,
            kweight=kweight,
            coarse_k=torch.stack([kweight[part].mean() for part in parts]),
            middles=torch.stack([(bands.w[p.start] * bands.w[p.stop - 1]).sqrt() for p in parts]),
            belongs=belongs,
            parts=parts,
            centres_hz=third_octave_centres(a.sample_rate),
        )
        fine, slots, samples, crosses = (
            torch.from_numpy(x)[None].to(dtype) for x in (a.fine, a.slots, a.samples, a.crosses)
        )
        slots, samples = (x.swapaxes(-1, -2).contiguous() for x in (slots, samples))
        total = slots.sum(dim=2)
        ends = functional.one_hot(torch.from_numpy(a.pairs.astype(np.int64)), len(a.channels))
        first, second = ends.to(dtype)[None].unbind(dim=2)
        return cls(
            grid=grid,
            fine=fine,
            slots=slots,
            sums=grid.gather(fine[:, :, 0] + fine[:, :, 1]),
            means=slots.mean(dim=-1),
            samples=samples,
            inverse=torch.where(total > AUDIBLE, 1.0 / total.clamp_min(AUDIBLE), 0.0),
            balance=fine.sum(dim=(3, 4)),
            mono=torch.from_numpy(a.channels == 1)[None],
            sounds=torch.from_numpy(np.isfinite(a.loudness_lufs))[None],
            roles=torch.from_numpy(roles)[None],
            first=first,
            second=second,
            crosses=crosses,
        )

    def to(self, device: torch.device | str) -> Songs:
        """The same on another device."""
        moved = {f.name: getattr(self, f.name).to(device) for f in fields(self) if f.name != "grid"}
        return replace(self, grid=self.grid.to(device), **moved)


def _k_response(bands: Bands) -> Tensor:
    """BS.1770's weighting as squared magnitude, (bands,)."""
    response = torch.ones_like(bands.w)
    for section in k_weighting(bands.rate):
        b0, b1, b2, a1, a2 = torch.tensor(section, dtype=torch.float64)
        response = response * bands.section((b0, b1, b2), (torch.ones_like(a1), a1, a2))
    return response


def join_songs(songs: Sequence[Songs], stems: int | None = None) -> Songs:
    """One batch of several.

    Args:
        songs: of one length and sample rate.
        stems: how many each shall have room for; as many as the largest has if None.

    Raises:
        MixgymError: lengths or rates differ, or a song has more stems than that.
    """
    grids = {(one.grid.frames, one.grid.sample_rate) for one in songs}
    if len(grids) > 1:
        raise MixgymError(
            "Songs of one batch need one length and sample rate, these have "
            + " and ".join(f"{f / FRAMES_PER_S:g} s at {r} Hz" for f, r in sorted(grids))
            + "; take excerpts of the same length."
        )
    most = max(one.stems for one in songs)
    room = most if stems is None else stems
    if most > room:
        raise MixgymError(f"A song has {most} stems, there is room for {room}; give it more.")
    pairs = max(one.first.shape[1] for one in songs)
    joined: dict[str, Any] = {}
    for field in fields(Songs):
        if field.name == "grid":
            continue
        arrays = [getattr(one, field.name) for one in songs]
        axes = _AXES.get(field.name, ("stems",))
        joined[field.name] = torch.cat([_padded(x, axes, room, pairs) for x in arrays])
    return replace(songs[0], **joined)


_GRID_TENSORS = ("kweight", "coarse_k", "middles", "belongs")
_AXES = {"first": ("pairs", "stems"), "second": ("pairs", "stems"), "crosses": ("pairs",)}


def _padded(array: Tensor, axes: tuple[str, ...], stems: int, pairs: int) -> Tensor:
    """Zeros behind the leading axes, that of songs left out."""
    wanted = {"stems": stems, "pairs": pairs}
    widths: list[int] = []
    for axis, name in enumerate(axes, start=1):
        widths = [0, wanted[name] - array.shape[axis], *widths]
    behind = array.dim() - 1 - len(axes)
    return functional.pad(array, [0, 0] * behind + widths)
