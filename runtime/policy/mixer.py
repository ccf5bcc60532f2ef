"""A policy's file as a mixer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...console.mix import Mix
from ...console.parameters import BUSES, MASTER, STRIP
from ...errors import MixgymError
from ...rewards import Reward, load_reward
from .backends import open_policy
from .contract import Described
from .look import Look, Settings, look_at

if TYPE_CHECKING:
    from ...console.analysis import Analysis
    from ...songs import Song

BEYOND = 1e-3  # of a parameter's range that a value may lie outside it, by rounding
LOOKS = 1  # evaluations that a mix takes


class PolicyMixer:
    """Mixes songs, or masters tracks, by a policy in a file.

    Safe to call from several threads, as often as wished.

    Args:
        path: .onnx, .tflite, .pt or .pt2, as `mixgym export` writes.
        threads: at work on one mix.
        providers: of ONNX Runtime's, by preference; those that are there if None.

    Attributes:
        backend: what runs the file, with what the file says of itself.

    Raises:
        MixgymError: the file holds no policy for this mixgym, or what runs it is not installed.
    """

    def __init__(
        self, path: Path | str, *, threads: int = 1, providers: Sequence[str] | None = None
    ) -> None:
        self.path, self.threads = Path(path), threads
        self.backend = open_policy(self.path, threads=threads, providers=providers)

    @property
    def described(self) -> Described:
        """What the file says of itself."""
        return self.backend.described

    def mix(
        self,
        song: Song,
        style: str | Path | Reward | None = None,
        analysis: Analysis | None = None,
    ) -> Mix:
        """A song's mix.

        A track that its master would score below is left as it came.

        Args:
            song: what is looked at, as a whole; policies learn on excerpts of some 10 s. Where the
                policy masters, a finished track as its only stem.
            style: whose reward the policy is shown, or the reward; None takes the first style that
                it learned.
            analysis: of the song; from the cache, or made and kept there, if None.

        Raises:
            MixgymError: no such style, a stem cannot be read, nothing sounds, more stems than the
                file has room for, or the policy gives what cannot be set.
        """
        if style is None:
            style = next(iter(self.described.styles), "balanced")
        reward = style if isinstance(style, Reward) else load_reward(style)
        look = look_at(song, reward, self.described, self.threads, analysis)
        given = self.backend.run(look.inputs)
        settings = settled(self.path, self.described, given, look)
        if self.described.task == "mastering" and look.scored(settings) < look.score:
            settings = look.rest
        strips, buses, master = settings
        return replace(
            Mix.neutral(song),
            strips=strips,
            buses=buses,
            master=master,
            made_by=f"policy {self.path.name}",
        )


def settled(
    path: Path, described: Described, given: Mapping[str, NDArray[np.floating]], look: Look
) -> Settings:
    """What a policy gives as settings: within their ranges, and at rest where it sets nothing.

    Args:
        path: of its file, for messages.
        described: the policy.
        given: its outputs for a batch of 1.
        look: what it was shown.

    Raises:
        MixgymError: values of another shape, beyond their ranges, or none.
    """
    tables = (
        ("strips", STRIP, described.strip),
        ("buses", BUSES, described.buses),
        ("master", MASTER, described.master),
    )
    parts = []
    for (name, table, free), rest in zip(tables, look.rest, strict=True):
        if name not in given:
            parts.append(rest)
            continue
        values = given[name][0].astype(np.float64)
        if values.shape != rest.shape:
            raise MixgymError(f"{path}: {name} has the shape {values.shape}, not {rest.shape}.")
        slack = BEYOND * (table.high - table.low)
        within = (values >= table.low - slack) & (values <= table.high + slack)
        if not within.all():  # nor is what is no number
            column = table.names[int(np.argwhere(~within)[0][-1])]
            raise MixgymError(f"{path} sets {column} beyond its range; train it again.")
        values = np.clip(values, table.low, table.high)
        for place, parameter in enumerate(table):
            if parameter.name not in free:
                values[..., place] = rest[..., place]
            elif parameter.scale == "switch":
                values[..., place] = np.round(values[..., place])
        parts.append(values)
    strips, buses, master = parts
    return strips, buses, master
