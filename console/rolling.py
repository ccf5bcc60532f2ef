"""The analysis of the last seconds of stems that go on, brought up to date piece by piece."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..songs import Song
from .analysis import (
    FRAMES_PER_S,
    Analysis,
    Powers,
    coarse_bands,
    fine_bands,
    nominal_gains,
    read_powers,
    strongest_pairs,
)
from .meters import LoudnessMeter
from .meters.loudness import gated_lufs

CONTEXT = 5  # frames of 100 ms that are read on both sides of new ones
STRIDE = 5  # new ones that are waited for, since reading one takes almost as long as reading five
SUB_BLOCKS = 10  # of the loudness meter in a frame


class RollingAnalysis:
    """What `analyse` would say of the last seconds of some stems.

    Twice a second the new frames are read, once each, with half a second around them; so what is
    said ends half a second to a second before what was heard. Bands that ring for longer than half
    a second, below 50 Hz, are read less sharply than in one piece.

    Args:
        channels: of each stem, 1 or 2.
        sample_rate: in Hz.
        window_s: how much is looked back on, at least 1.
    """

    def __init__(self, channels: Sequence[int], sample_rate: int, window_s: float = 10.0) -> None:
        self._channels, self._rate = tuple(channels), sample_rate
        self._window = round(window_s * FRAMES_PER_S)
        self._audio = [np.zeros((count, 0), dtype=np.float32) for count in channels]
        self._origin = self._done = 0  # sample that the audio begins at, frame that is read next
        self._meters = [LoudnessMeter(sample_rate, count) for count in channels]
        self._energies = [np.zeros(0) for _ in channels]
        self._powers: Powers | None = None

    def push(self, stems: Sequence[NDArray[np.float32]]) -> None:
        """Hear what comes next: (channels, frames) of each stem, of the same length."""
        for i, (meter, audio) in enumerate(zip(self._meters, stems, strict=True)):
            audio = np.ascontiguousarray(audio, dtype=np.float32)
            meter.push(audio)
            energies = np.concatenate((self._energies[i], meter.drain()))
            self._energies[i] = energies[-self._window * SUB_BLOCKS :]
            self._audio[i] = np.concatenate((self._audio[i], audio), axis=1)
        heard = self._origin + self._audio[0].shape[1]
        last = heard * FRAMES_PER_S // self._rate - CONTEXT
        if last >= self._done + STRIDE:
            self._read(max(self._done, last - self._window), last)

    @property
    def frames_read(self) -> int:
        """How many frames of 100 ms were read from the beginning on, those forgotten too."""
        return self._done

    @property
    def loudness_lufs(self) -> NDArray[np.float64]:
        """Of the stems in the window, (stems,); -inf where silent."""
        return np.array([gated_lufs(energies, self._rate) for energies in self._energies])

    def analysis(self) -> Analysis | None:
        """Of the window; None until a frame was read."""
        powers = self._powers
        if powers is None:
            return None
        rate, loudness_lufs = self._rate, self.loudness_lufs
        gains = nominal_gains(loudness_lufs).astype(np.float32)
        squared = np.square(gains)[:, None, None, None]
        first, second = np.triu_indices(len(gains), 1)
        products = (gains[first] * gains[second])[:, None, None, None]
        pairs, crosses = strongest_pairs(
            powers.crosses * products, int(np.isfinite(loudness_lufs).sum())
        )
        return Analysis(
            sample_rate=rate,
            frames=powers.fine.shape[-1] * rate // FRAMES_PER_S,
            fine=powers.fine * squared,
            slots=powers.slots * squared,
            samples=powers.samples * gains[:, None, None, None, None],
            pairs=pairs,
            crosses=crosses,
            band_hz=fine_bands(rate)[0],
            edges=coarse_bands(rate)[1],
            channels=np.array(self._channels, dtype=np.int32),
            loudness_lufs=loudness_lufs,
        )

    def _read(self, first: int, last: int) -> None:
        """Read frames, and forget what no later one needs."""
        begin = max(first - CONTEXT, -(-self._origin * FRAMES_PER_S // self._rate))
        start, end = self._sample(begin) - self._origin, self._sample(last + CONTEXT) - self._origin
        piece = Song.from_arrays(
            {str(i): audio[:, start:end] for i, audio in enumerate(self._audio)}, self._rate
        )
        # Gains say which samples are kept; as they are known now, and taken out again.
        gains = nominal_gains(self.loudness_lufs)
        read = read_powers(piece, gains, threads=1)
        inverse = np.divide(1.0, gains, out=np.zeros_like(gains), where=gains > 0)
        a, b = np.triu_indices(len(gains), 1)
        scales = (inverse**2, inverse**2, inverse, inverse[a] * inverse[b])
        raw = [
            part[..., first - begin : last - begin]
            * scale.astype(np.float32).reshape(-1, *[1] * (part.ndim - 1))
            for part, scale in zip(read, scales, strict=True)
        ]
        if self._powers is not None:
            raw = [np.concatenate(pair, axis=-1) for pair in zip(self._powers, raw, strict=True)]
        self._powers = Powers(*(part[..., -self._window :] for part in raw))
        self._done = last
        keep = self._sample(max(0, last - CONTEXT))
        self._audio = [audio[:, keep - self._origin :].copy() for audio in self._audio]
        self._origin = keep

    def _sample(self, frame: int) -> int:
        """First sample of a frame."""
        return round(frame * self._rate / FRAMES_PER_S)
