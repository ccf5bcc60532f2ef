"""Target loudness under a true-peak ceiling, the twin of `console._simulate_delivery`."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ...console._simulate_delivery import STEPS_DB
from ...console.delivery import SAFETY_DB, TOLERANCE_LU
from ...console.parameters import MASTER
from .lag import lag
from .meters import gated_power, lufs
from .songs import SLOTS_PER_S
from .values import Settings, decibels, power

LEAST_PEAK = 1e-20


class Delivered(NamedTuple):
    """A master at its loudness.

    Attributes:
        energy: K-weighted, (mixes, frames). drive_db, true_peak_dbtp, reduction_db: (mixes,).
    """

    energy: Tensor
    drive_db: Tensor
    true_peak_dbtp: Tensor
    reduction_db: Tensor


def deliver(values: Tensor, energy: Tensor, slots: Tensor, peaks: Tensor) -> Delivered:
    """Drive, and what the limiter does.

    Args:
        values: physical values of the master, (mixes, len(MASTER)).
        energy: K-weighted, of a master that is not silent, (mixes, frames).
        slots: K-weighted power, (mixes, frames, slots).
        peaks: squared, (mixes, frames, slots).
    """
    master = Settings(MASTER, values.to(energy.dtype))
    loudness = lufs(gated_power(energy)[0])
    seeks = master.on("loudness_on")
    drive_db = torch.where(seeks, master["target_lufs"] - loudness, 0.0)
    peak_db = decibels(peaks.amax(dim=(1, 2)), LEAST_PEAK) + drive_db
    driven = Delivered(
        energy * power(drive_db)[:, None], drive_db, peak_db, torch.zeros_like(drive_db)
    )
    limits = master.on("limiter_on") & (peak_db > master["ceiling_dbtp"])
    if not bool(limits.any()):
        return driven
    at = limits.nonzero()[:, 0]
    limited = _limited(
        Settings(MASTER, master.values[at]),
        energy[at],
        slots[at],
        peaks[at],
        drive_db[at],
        loudness[at],
    )
    return Delivered(
        *(whole.index_copy(0, at, part) for whole, part in zip(driven, limited, strict=True))
    )


def _limited(
    master: Settings,
    energy: Tensor,
    slots: Tensor,
    peaks: Tensor,
    drive_db: Tensor,
    loudness: Tensor,
) -> Delivered:
    """What a limiter delivers, between the two of the tried drives that meet the target."""
    steps_db = torch.from_numpy(STEPS_DB).to(energy)
    ceiling = master["ceiling_dbtp"] - SAFETY_DB
    needs = (ceiling - drive_db)[:, None, None] - decibels(peaks, LEAST_PEAK)

    def reached(steps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Loudness gained, energies and reduction at drives (mixes, any)."""
        under, taken = _limit(master, needs, slots, energy, steps)
        return lufs(gated_power(under)[0]) - loudness[:, None], under, taken

    seeks = master.on("loudness_on")
    with torch.no_grad():
        gained = reached(steps_db.expand(len(energy), -1))[0]
        low, high = _bracket(gained)
        low, high = torch.where(seeks, low, 0), torch.where(seeks, high, 0)
    last = torch.full_like(low, len(steps_db) - 1)
    steps = steps_db[torch.stack((low, high, last), dim=1)]
    gained, under, taken = reached(steps)
    bottom, top, most = gained.unbind(1)
    wanted = (most - TOLERANCE_LU).clamp_max(0.0)
    rise = top - bottom
    part = ((wanted - bottom) / torch.where(rise > 0.0, rise, 1.0)).clamp(0.0, 1.0)
    part = torch.where(seeks & (rise > 0.0), part, 0.0)
    shares = torch.stack((1.0 - part, part), dim=1)
    mean = (shares[..., None] * under[:, :2]).sum(dim=1)
    return Delivered(
        mean * power(drive_db)[:, None],
        drive_db + (shares * steps[:, :2]).sum(dim=1),
        ceiling,
        (shares * taken[:, :2]).sum(dim=1),
    )


def _bracket(reached: Tensor) -> tuple[Tensor, Tensor]:
    """Neighbours among drives, (mixes,) each, between which what is reached meets what is wanted.

    reached is (mixes, drives), relative to the loudness without extra drive.
    """
    wanted = (reached[:, -1] - TOLERANCE_LU).clamp_max(0.0)
    low = torch.zeros(len(reached), dtype=torch.int64, device=reached.device)
    high = torch.full_like(low, reached.shape[1] - 1)
    for _ in range(math.ceil(math.log2(reached.shape[1]))):
        middle = (low + high) // 2
        short = reached.gather(1, middle[:, None])[:, 0] < wanted
        open_ = high - low > 1
        low, high = (
            torch.where(open_ & short, middle, low),
            torch.where(open_ & ~short, middle, high),
        )
    return low, high


def _limit(
    master: Settings, needs: Tensor, slots: Tensor, energy: Tensor, steps_db: Tensor
) -> tuple[Tensor, Tensor]:
    """A look-ahead limiter at the slots' rate under drives, steps_db (mixes, drives).

    needs: gain in dB that each slot may have without them, (mixes, frames, slots). Returns energies
    (mixes, drives, frames) and the mean gain reduction in dB, (mixes, drives).
    """
    slot_ms = 1000.0 / SLOTS_PER_S
    after = (0.5 + master["limiter_look_ahead_ms"] / slot_ms).clamp_max(1.0)
    release = master["limiter_release_ms"] / slot_ms
    left = torch.exp(-1.0 / release)
    zero = torch.zeros_like(left)
    moves = torch.stack((zero, 1.0 - after, left, (1.0 - left) * release), dim=-1)
    wanted = (needs.flatten(1)[:, None] - steps_db[..., None]).clamp_max(0.0)
    levels = lag(wanted, moves[:, None])
    gains = power(levels + steps_db[..., None]).reshape(*levels.shape[:2], *slots.shape[1:])
    share = energy / (slots.sum(dim=-1) + LEAST_PEAK)
    under = torch.einsum("mdtj,mtj->mdt", gains, slots) * share[:, None]
    return under, -levels.mean(dim=-1)
