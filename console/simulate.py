"""Simulate: predict the meters of a render from band powers, without audio."""

from __future__ import annotations

import os
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ._simulate_batch import (
    BUS,
    BUS_PEAK,
    DRIVE,
    FOLD,
    INTEGRATED,
    LANES,
    PEAK,
    RANGE,
    REDUCTION,
    SCALARS,
    Arrays,
    scratch_arrays,
    simulate_mixes,
)
from ._simulate_meters import WINDOW
from .analysis import BANDS_PER_THIRD_OCTAVE, FRAMES_PER_S, SLOTS, Analysis
from .meters.k_weighting import k_response
from .mix_readings import MixReadings
from .parameters import BUSES, MASTER, STRIP

_IDLE: defaultdict[object, list[Arrays]] = defaultdict(list)  # scratch arrays by their shapes
AUDIBLE = 1e-30  # power; what is below makes no peak


class Simulator:
    """Simulates mixes of one analysed song.

    Safe to call from several threads. Neither the batch nor the number of threads changes a bit
    of a mix's readings.

    Args:
        analysis: of the song or excerpt.
        threads: among how many the mixes of a batch are shared out; None takes all processors.
    """

    def __init__(self, analysis: Analysis, *, threads: int | None = None) -> None:
        self.threads = threads or os.cpu_count() or 1
        frames = analysis.fine.shape[3]
        fine, slots, samples, crosses = (
            _padded(array)
            for array in (analysis.fine, analysis.slots, analysis.samples, analysis.crosses)
        )
        self.analysis = a = replace(  # what is padded is not held twice
            analysis,
            fine=fine[..., :frames],
            slots=slots[..., :frames],
            samples=samples[..., :frames],
            crosses=crosses[..., :frames],
        )
        sums = np.add.reduceat(fine[:, 0] + fine[:, 1], a.edges[:-1], axis=1)
        power = slots.sum(axis=1)
        inverse = np.divide(1, power, out=np.zeros_like(power), where=power > AUDIBLE)
        weights = k_response(a.band_hz, a.sample_rate)
        w = 2 * np.pi * a.band_hz / a.sample_rate
        self._song = (
            a.channels,
            fine.reshape(*fine.shape[:2], -1),
            slots,
            samples,
            inverse,
            np.ascontiguousarray(sums),
            slots.mean(axis=2),
            a.fine.sum(axis=(2, 3), dtype=np.float64),
            a.edges,
            weights,
            np.add.reduceat(weights, a.edges[:-1]) / np.diff(a.edges).astype(np.float32),
            np.cos(w),
            np.cos(2 * w),
            float(a.sample_rate),
            float(FRAMES_PER_S * SLOTS),
            a.pairs,
            crosses,
            _middles(a),
        )
        self._seconds = np.diff(
            np.minimum(np.arange(0, frames + FRAMES_PER_S, FRAMES_PER_S), frames)
        ).astype(np.float32)
        self._idle = _IDLE[(a.fine.shape, a.slots.shape, tuple(a.edges.tolist()))]

    def __call__(
        self,
        strips: NDArray[np.float64],
        buses: NDArray[np.float64],
        master: NDArray[np.float64] | None = None,
        side_chains: NDArray[np.int64] | None = None,
    ) -> MixReadings:
        """Predict the readings of a batch of mixes.

        Args:
            strips: physical values, shape (mixes, stems, len(STRIP)).
            buses: shape (mixes, len(BUSES)).
            master: shape (mixes, len(MASTER)); None reads the meters at the mix bus.
            side_chains: index of the stem that drives each compressor, (stems,); itself if None,
                and where that stem is silent.

        Raises:
            ValueError: a shape does not fit the tables or the song.
        """
        stems = len(self.analysis.channels)
        mixes = len(strips)
        self._check("strips", strips, (mixes, stems, len(STRIP)))
        self._check("buses", buses, (mixes, len(BUSES)))
        if master is not None:
            self._check("master", master, (mixes, len(MASTER)))
        frames = self.analysis.fine.shape[3]
        thirds = (len(self.analysis.band_hz) - 1) // BANDS_PER_THIRD_OCTAVE
        scalars = _empty(mixes, SCALARS)
        readings = (
            _empty(mixes, max(1, frames - WINDOW + 1)),
            _empty(mixes, stems),
            _empty(mixes, stems, len(self.analysis.band_hz)),
            _empty(mixes, len(self._seconds), thirds),
            _empty(mixes, thirds),
            _empty(mixes, thirds),
            _empty(mixes, thirds),
        )
        arguments = (
            np.ascontiguousarray(strips),
            np.ascontiguousarray(buses),
            np.empty((mixes, 0)) if master is None else np.ascontiguousarray(master),
            self._keys(side_chains),
            self._song,
        )

        def run(part: tuple[int, int]) -> None:
            try:
                scratch = self._idle.pop()
            except IndexError:
                scratch = scratch_arrays(self.analysis)
            simulate_mixes(*part, *arguments, scratch, scalars, readings)
            self._idle.append(scratch)

        borders = np.linspace(0, mixes, min(self.threads, mixes) + 1).round().astype(int)
        parts = list(zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True))
        if len(parts) > 1:
            with ThreadPoolExecutor(len(parts)) as pool:
                list(pool.map(run, parts))
        else:
            run((0, mixes))
        short_term, stem_lufs, stem_bands, powers, width, correlation, balance = readings
        pairs = stem_bands[..., 1:].reshape(mixes, stems, thirds, BANDS_PER_THIRD_OCTAVE)
        return MixReadings(
            integrated_lufs=scalars[:, INTEGRATED],
            bus_lufs=scalars[:, BUS],
            bus_peak_dbtp=scalars[:, BUS_PEAK],
            loudness_range_lu=scalars[:, RANGE],
            true_peak_dbtp=scalars[:, PEAK],
            mono_fold_loss_db=scalars[:, FOLD],
            drive_db=scalars[:, DRIVE],
            mean_reduction_db=scalars[:, REDUCTION],
            short_term_lufs=short_term,
            stem_lufs=stem_lufs,
            stem_powers=pairs.sum(axis=3) / np.float32(frames),
            powers=powers,
            width=width,
            correlation=correlation,
            balance=balance,
            seconds=self._seconds,
        )

    @staticmethod
    def _check(name: str, values: NDArray[np.generic], shape: tuple[int, ...]) -> None:
        if values.shape != shape:
            raise ValueError(f"{name} has the shape {values.shape}, not {shape}")

    def _keys(self, side_chains: NDArray[np.int64] | None) -> NDArray[np.int64]:
        own = np.arange(len(self.analysis.channels))
        if side_chains is None:
            return own
        self._check("side_chains", side_chains, own.shape)
        if side_chains.min() < 0 or side_chains.max() >= len(own):
            raise ValueError(f"side_chains must be from 0 to {len(own) - 1}")
        silent = np.isinf(self.analysis.loudness_lufs[side_chains])
        return np.where(silent, own, side_chains)


def _empty(*shape: int) -> NDArray[np.float32]:
    """Uninitialised float32."""
    return np.empty(shape, dtype=np.float32)


def _padded(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """Frames, the last axis, filled up with zeros to whole vectors."""
    padding = [(0, 0)] * (array.ndim - 1) + [(0, -array.shape[-1] % LANES)]
    return np.pad(array, padding)


def _middles(analysis: Analysis) -> NDArray[np.float64]:
    """Middles of the coarse bands, in radians per sample."""
    hz, edges = analysis.band_hz, analysis.edges
    middle_hz = np.sqrt(hz[edges[:-1]] * hz[edges[1:] - 1])
    return np.asarray(2 * np.pi * middle_hz / analysis.sample_rate)


def master_track(simulator: Simulator, master: NDArray[np.float64]) -> MixReadings:
    """Predict the readings of a finished track behind mastering chains.

    Args:
        simulator: of the analysis of a song whose only stem is the track.
        master: physical values, shape (mixes, len(MASTER)).
    """
    strips = np.tile(STRIP.defaults, (len(master), 1, 1))
    return simulator(strips, np.tile(BUSES.defaults, (len(master), 1)), master)
