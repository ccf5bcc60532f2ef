"""Squared magnitudes of the console's filters, the twin of `console._responses`.

In double precision: close to 0 Hz, numerators and denominators are small differences.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ...console._responses import HIGHEST, SHELF_Q
from .values import Settings, cut


class Bands:
    """Where filters are read.

    Args:
        hz: centres, (bands,).
        sample_rate: in Hz.
    """

    def __init__(self, hz: Tensor, sample_rate: int) -> None:
        self.hz, self.rate = hz, sample_rate
        self.w = 2 * math.pi * hz.double() / sample_rate
        self.cos1, self.cos2 = torch.cos(self.w), torch.cos(2 * self.w)

    def to(self, device: torch.device | str) -> Bands:
        """The same on another device."""
        return Bands(self.hz.to(device), self.rate)

    def section(self, numerator: tuple[Tensor, ...], denominator: tuple[Tensor, ...]) -> Tensor:
        """|H|^2 of a biquad, (..., bands), from coefficients (...) of z^0, z^-1, z^-2."""
        return self._magnitude(*numerator).clamp_min(0.0) / self._magnitude(*denominator)

    def _magnitude(self, c0: Tensor, c1: Tensor, c2: Tensor) -> Tensor:
        square = c0 * c0 + c1 * c1 + c2 * c2
        first, second = 2 * c1 * (c0 + c2), 2 * c0 * c2
        return square[..., None] + first[..., None] * self.cos1 + second[..., None] * self.cos2

    def bell(self, hz: Tensor, gain_db: Tensor, q: Tensor) -> Tensor:
        """A peaking filter."""
        root = torch.pow(10.0, gain_db / 40.0)
        w = 2 * math.pi * hz / self.rate
        alpha, c = torch.sin(w) / (2 * q), -2 * torch.cos(w)
        response = self.section(
            (1 + alpha * root, c, 1 - alpha * root), (1 + alpha / root, c, 1 - alpha / root)
        )
        return self._below_highest(hz, response)

    def shelf(self, hz: Tensor, gain_db: Tensor, *, high: bool) -> Tensor:
        """A low or high shelf."""
        root = torch.pow(10.0, gain_db / 40.0)
        w = 2 * math.pi * hz / self.rate
        sign = -1.0 if high else 1.0
        c, beta = sign * torch.cos(w), torch.sin(w) * torch.sqrt(root) / SHELF_Q
        up, down = root + 1, root - 1
        response = self.section(
            (
                root * (up - down * c + beta),
                sign * 2 * root * (down - up * c),
                root * (up - down * c - beta),
            ),
            (up + down * c + beta, -sign * 2 * (down + up * c), up + down * c - beta),
        )
        return self._below_highest(hz, response)

    def _below_highest(self, hz: Tensor, response: Tensor) -> Tensor:
        return torch.where((hz < HIGHEST * self.rate)[..., None], response, 1.0)

    def _prewarped(self, hz: Tensor) -> Tensor:
        return torch.tan(math.pi * hz.clamp_max(HIGHEST * self.rate) / self.rate)

    def high_pass(self, hz: Tensor) -> Tensor:
        """Two first-order high-passes."""
        n = self._prewarped(hz)
        one, zero = torch.ones_like(n), torch.zeros_like(n)
        return self.section((one, -one, zero), (n + 1.0, n - 1.0, zero)) ** 2

    def high_pass_phase(self, hz: Tensor, w: Tensor) -> Tensor:
        """Phase of two first-order high-passes at w (any,) radians per sample, (..., any)."""
        return 2.0 * torch.atan2(self._prewarped(hz)[..., None], torch.tan(w / 2.0))

    def low_pass(self, hz: Tensor) -> Tensor:
        """A first-order low-pass."""
        n = self._prewarped(hz)
        return self.section((n, n, torch.zeros_like(n)), (n + 1.0, n - 1.0, torch.zeros_like(n)))

    def low_pass_amplitude(self, hz: Tensor) -> Tensor:
        """Amplitude of a fourth-order Linkwitz-Riley low-pass; the high-pass is 1 - it."""
        k = self._prewarped(hz)
        square, root = k * k, math.sqrt(2.0) * k
        return self.section(
            (square, 2 * square, square), (1 + root + square, 2 * (square - 1), 1 - root + square)
        )

    def equaliser(self, settings: Settings, prefix: str = "") -> Tensor:
        """The four bands of a strip or master, whether or not they are switched on."""
        gains = {
            name: (settings[f"{prefix}{name}_hz"], settings[f"{prefix}{name}_db"])
            for name in ("low_shelf", "bell_1", "bell_2", "high_shelf")
        }
        response = self.shelf(*gains["low_shelf"], high=False)
        for name in ("bell_1", "bell_2"):
            response = response * self.bell(*gains[name], settings[f"{prefix}{name}_q"])
        return response * self.shelf(*gains["high_shelf"], high=True)

    def high_pass_above(self, hz: Tensor, lowest_hz: float) -> Tensor:
        """A high-pass that at its lowest does nothing."""
        response = self.high_pass(hz)
        return cut(response, (hz <= lowest_hz)[..., None], 1.0)
