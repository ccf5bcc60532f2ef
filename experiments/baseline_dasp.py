"""One step of a differentiable pipeline: the strip's processors by dasp-pytorch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyloudnorm
import torch
from dasp_pytorch import functional, signal
from numpy.typing import NDArray

from .baseline_step import FFT_FRAMES, FFT_HOP, STEM_LUFS

SHELF_Q = 0.7071
SHORTEST_KNEE_DB = 0.1  # the compressor divides by it


@torch.inference_mode()
def mix_and_read(
    stems: torch.Tensor,
    loudness_lufs: Sequence[float],
    strips: Sequence[Mapping[str, float]],
    rate: int,
) -> tuple[float, NDArray[np.float64]]:
    """Every stem through filters, compressor, fader and pan, all stems at once; summed and read.

    Reverb and delay are left out: the library has no counterpart of either.

    Args:
        stems: shape (stems, 2, frames).
        loudness_lufs: of the stems.
        strips: values of the strip's table by name, per stem.
        rate: in Hz.

    Returns:
        Integrated loudness, and the mean power spectrum in dB.
    """

    def column(name: str) -> torch.Tensor:
        return torch.tensor([strip[name] for strip in strips], dtype=torch.float32)

    levels = torch.tensor(loudness_lufs, dtype=torch.float32)
    audio = _equalise(stems, column, rate)
    audio = functional.compressor(
        audio,
        rate,
        levels + column("compressor_threshold_db"),
        column("compressor_ratio"),
        column("compressor_attack_ms"),
        column("compressor_release_ms"),
        column("compressor_knee_db").clamp(min=SHORTEST_KNEE_DB),
        STEM_LUFS - levels + column("fader_db"),
    )
    angle = math.pi / 4 * (1 + column("pan"))
    gains = math.sqrt(2) * torch.stack((torch.cos(angle), torch.sin(angle)), dim=1)
    total = torch.einsum("scf,sc->cf", audio, gains)
    loudness = pyloudnorm.Meter(rate).integrated_loudness(total.T.numpy())
    window = torch.hann_window(FFT_FRAMES)
    transform = torch.stft(
        total.mean(dim=0), FFT_FRAMES, FFT_HOP, window=window, return_complex=True
    )
    power = transform.abs().square().mean(dim=1).numpy().astype(np.float64)
    return loudness, 10 * np.log10(power + 1e-12)


def _equalise(stems: torch.Tensor, column: Any, rate: int) -> torch.Tensor:
    """High-pass, two shelves and two bells, by the library's own frequency sampling."""
    shelf_q, flat = torch.full((len(stems),), SHELF_Q), torch.zeros(len(stems))
    top_hz = 0.45 * rate
    bands = (
        (flat, column("high_pass_hz"), shelf_q, "high_pass"),
        (column("low_shelf_db"), column("low_shelf_hz"), shelf_q, "low_shelf"),
        (column("bell_1_db"), column("bell_1_hz"), column("bell_1_q"), "peaking"),
        (column("bell_2_db"), column("bell_2_hz"), column("bell_2_q"), "peaking"),
        (column("high_shelf_db"), column("high_shelf_hz"), shelf_q, "high_shelf"),
    )
    sections = [
        torch.cat(
            signal.biquad(
                gain_db[:, None, None],
                hz.clamp(max=top_hz)[:, None, None],
                q[:, None, None],
                rate,
                kind,
            ),
            dim=-1,
        ).reshape(-1, 1, 6)
        for gain_db, hz, q, kind in bands
    ]
    filtered: torch.Tensor = signal.sosfilt_via_fsm(torch.cat(sections, dim=1), stems)
    return filtered
