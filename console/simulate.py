"""Simulate: predict the meters of a render from band powers, without audio."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from . import _simulate as strips_stage
from . import _simulate_delivery as delivery_stage
from . import _simulate_master as master_stage
from . import _simulate_meters as meters
from . import _simulate_space as space_stage
from ._dynamics import CONSTANTS, GROUP
from .analysis import BANDS_PER_THIRD_OCTAVE, FRAMES_PER_S, SLOTS, Analysis
from .meters.k_weighting import k_weighting


LANES = 16  # frames are padded to whole vectors
(INTEGRATED, BUS, RANGE, PEAK, FOLD, DRIVE, REDUCTION) = range(7)
Arrays = tuple[NDArray[np.float32], ...]


@dataclass(frozen=True, slots=True)
class Simulated:
    """Predicted readings of a batch of mixes; of the mix bus where no master was given.

    Attributes:
        integrated_lufs, loudness_range_lu, true_peak_dbtp, mono_fold_loss_db: shape (mixes,).
        bus_lufs: integrated loudness of the mix bus, before mastering, (mixes,).
        drive_db: gain ahead of the limiter. mean_reduction_db: what the limiter takes off, (mixes,).
        short_term_lufs: (mixes, windows), window k ends at 3 s + k 100 ms; one window if shorter.
        stem_lufs: each stem's loudness in the mix, (mixes, stems).
        stem_powers: mean square of each stem in the mix, per third octave, both channels,
            (mixes, stems, bands).
        powers: mean square over time, averaged over channels, (mixes, seconds, bands).
        width, correlation: per third octave, (mixes, bands).
    """

    integrated_lufs: NDArray[np.float32]
    bus_lufs: NDArray[np.float32]
    loudness_range_lu: NDArray[np.float32]
    true_peak_dbtp: NDArray[np.float32]
    mono_fold_loss_db: NDArray[np.float32]
    drive_db: NDArray[np.float32]
    mean_reduction_db: NDArray[np.float32]
    short_term_lufs: NDArray[np.float32]
    stem_lufs: NDArray[np.float32]
    stem_powers: NDArray[np.float32]
    powers: NDArray[np.float32]
    width: NDArray[np.float32]
    correlation: NDArray[np.float32]
    seconds: NDArray[np.float32]

    @property
    def plr_db(self) -> NDArray[np.float32]:
        """Peak to loudness ratio, (mixes,)."""
        return self.true_peak_dbtp - self.integrated_lufs

    @property
    def max_short_term_lufs(self) -> NDArray[np.float32]:
        """The loudest 3 s, (mixes,)."""
        return np.asarray(self.short_term_lufs.max(axis=1))

    @property
    def spectrum_db(self) -> NDArray[np.float32]:
        """Level per third octave over the whole length, (mixes, bands)."""
        mean = np.einsum("s,msb->mb", self.seconds / self.seconds.sum(), self.powers)
        return _db(mean)

    @property
    def masked(self) -> NDArray[np.float32]:
        """How much of each stem the others cover, (mixes, stems): see `masking.masked_share`."""
        from .masking import masked_share

        return masked_share(self.stem_powers)


def _db(power: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(10 * np.log10(power + np.float32(1e-15)), dtype=np.float32)


class Simulator:
    """Simulates mixes of one analysed song.

    Safe to call from several threads. Neither the batch nor the number of threads changes a bit
    of a mix's readings.

    Args:
        analysis: of the song or excerpt.
        threads: among how many the mixes of a batch are shared out; None takes all processors.
    """

    def __init__(self, analysis: Analysis, *, threads: int | None = None) -> None:
        self.threads = threads or len(os.sched_getaffinity(0))
        self.analysis = a = analysis
        frames = a.fine.shape[3]
        padding = -frames % LANES
        fine = np.pad(a.fine, ((0, 0), (0, 0), (0, 0), (0, padding)))
        sums = np.add.reduceat(fine[:, 0] + fine[:, 1], a.edges[:-1], axis=1)
        slots = np.pad(a.slots, ((0, 0), (0, 0), (0, 0), (0, padding)))
        power = a.slots.sum(axis=1)[:, None]
        crest = np.zeros_like(a.slot_peaks)
        np.divide(np.square(a.slot_peaks), power, out=crest, where=power > 0)
        weights = _k_response(a.band_hz, a.sample_rate)
        w = 2 * np.pi * a.band_hz / a.sample_rate
        self._song = (
            a.channels,
            fine.reshape(*fine.shape[:2], -1),
            slots,
            np.pad(crest, ((0, 0), (0, 0), (0, 0), (0, padding))),
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
        )
        self._seconds = np.diff(
            np.minimum(np.arange(0, frames + FRAMES_PER_S, FRAMES_PER_S), frames)
        ).astype(np.float32)
        self._idle: list[Arrays] = []  # scratch arrays, one set per thread at work

    def __call__(
        self,
        strips: NDArray[np.float64],
        buses: NDArray[np.float64],
        master: NDArray[np.float64] | None = None,
        side_chains: NDArray[np.int64] | None = None,
    ) -> Simulated:
        """Predict the readings of a batch of mixes.

        Args:
            strips: physical values, shape (mixes, stems, len(STRIP)).
            buses: shape (mixes, len(BUSES)).
            master: shape (mixes, len(MASTER)); None reads the meters at the mix bus.
            side_chains: index of the stem that drives each compressor, (stems,); itself if None.
        """
        mixes, stems, _ = strips.shape
        frames = self.analysis.fine.shape[3]
        thirds = (len(self.analysis.band_hz) - 1) // BANDS_PER_THIRD_OCTAVE
        scalars = _empty(mixes, 7)
        readings = (
            _empty(mixes, max(1, frames - meters.WINDOW + 1)),
            _empty(mixes, stems),
            _empty(mixes, stems, len(self.analysis.band_hz)),
            _empty(mixes, len(self._seconds), thirds),
            _empty(mixes, thirds),
            _empty(mixes, thirds),
        )
        arguments = (
            np.ascontiguousarray(strips),
            np.ascontiguousarray(buses),
            np.empty((mixes, 0)) if master is None else np.ascontiguousarray(master),
            np.arange(stems) if side_chains is None else side_chains,
            self._song,
        )

        def run(part: tuple[int, int]) -> None:
            scratch = self._idle.pop() if self._idle else _scratch(self.analysis)
            _simulate_mixes(*part, *arguments, scratch, scalars, readings)
            self._idle.append(scratch)

        borders = np.linspace(0, mixes, min(self.threads, mixes) + 1).round().astype(int)
        parts = list(zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True))
        if len(parts) > 1:
            with ThreadPoolExecutor(len(parts)) as pool:
                list(pool.map(run, parts))
        else:
            run((0, mixes))
        short_term, stem_lufs, stem_bands, powers, width, correlation = readings
        pairs = stem_bands[..., 1:].reshape(mixes, stems, thirds, BANDS_PER_THIRD_OCTAVE)
        return Simulated(
            integrated_lufs=scalars[:, INTEGRATED],
            bus_lufs=scalars[:, BUS],
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
            seconds=self._seconds,
        )


def _empty(*shape: int) -> NDArray[np.float32]:
    """Uninitialised float32."""
    return np.empty(shape, dtype=np.float32)


def _k_response(band_hz: NDArray[np.float64], rate: int) -> NDArray[np.float32]:
    """BS.1770's weighting as squared magnitude at the bands."""
    z = np.exp(-2j * np.pi * band_hz / rate)
    gain = np.ones(len(band_hz))
    for b0, b1, b2, a1, a2 in k_weighting(rate):
        gain *= np.abs((b0 + b1 * z + b2 * z * z) / (1 + a1 * z + a2 * z * z)) ** 2
    return gain.astype(np.float32)


def _scratch(analysis: Analysis) -> Arrays:
    """Scratch arrays for one thread."""
    stems, _, bands, frames = analysis.fine.shape
    coarse = analysis.slots.shape[1]
    compressors = max(6, stems + -stems % GROUP + 1)
    padded = frames + -frames % LANES
    widest = int(np.diff(analysis.edges).max())
    drives = delivery_stage.DRIVES
    shapes: tuple[tuple[int, ...], ...] = (
        (bands,),  # response
        (3, 3),  # matrix
        (compressors, CONSTANTS),  # constants
        (2, widest * padded),  # chunk
        (coarse, padded),  # weight
        (compressors, SLOTS, padded),  # levels
        (SLOTS, padded),  # out
        (3, coarse, padded),  # bus_gains
        (coarse, padded),  # band_power
        (3, bands, padded),  # bus
        (4, bands, padded),  # sends
        (stems, padded),  # stem_k
        (coarse, SLOTS, padded),  # bus_slots
        (2, 2, SLOTS, padded),  # peaks
        (bands, padded),  # returned
        (2, padded),  # energy
        (3, bands),  # amplitudes
        (3, coarse, padded),  # shares
        (2, drives),  # held
        (drives, frames),  # limited
        (drives,),  # reduction
    )
    return tuple(np.zeros(shape, dtype=np.float32) for shape in shapes)


@njit(cache=True, nogil=True, error_model="numpy")
def _simulate_mixes(
    start, stop, all_strips, all_buses, all_masters, keys, song, scratch, all_scalars, readings
):  # fmt: skip
    """Mixes start to stop of a batch."""
    (
        channels, fine, slots, crest, fine_sums, slot_means, balance, edges, kweight, coarse_k,
        cos1, cos2, rate, slots_per_s,
    ) = song  # fmt: skip
    (
        response, matrix, constants, chunk, weight, levels, out, bus_gains, band_power, bus, sends,
        stem_k, bus_slots, peaks, returned, energies, amplitudes, shares, held, limited, reduction,
    ) = scratch  # fmt: skip
    short_terms, stem_lufs, stem_bands, powers, widths, correlations = readings
    frames = limited.shape[1]
    energy, mono, total_peaks = energies[0], energies[1], peaks[0, 0]
    for i in range(start, stop):
        strips, buses, master = all_strips[i], all_buses[i], all_masters[i]
        scalars, short_term = all_scalars[i], short_terms[i]
        strips_stage.run_strips(
            strips, keys, channels, fine, slots, crest, fine_sums, slot_means, balance, edges,
            kweight, cos1, cos2, rate, slots_per_s, response, matrix, constants, chunk, weight,
            levels, out, bus_gains[0], band_power, bus.reshape(3, -1), sends.reshape(4, -1),
            stem_k, stem_bands[i], bus_slots, peaks, master.size > 0,
        )  # fmt: skip
        for s in range(channels.size):
            stem_lufs[i, s] = meters.lufs(
                meters.gated_power(stem_k[s, :frames], stem_k[s, :frames])[0]
            )
        space_stage.run_space(
            strips, buses, sends, rate, cos1, cos2, edges, response, energy, bus, returned,
            bus_slots,
        )  # fmt: skip
        strips_stage.join_peaks(peaks)
        meters.weighted(bus, kweight, energy, mono)
        loud, folded = meters.gated_power(energy[:frames], mono[:frames])
        scalars[BUS] = meters.lufs(loud)
        scalars[INTEGRATED] = scalars[BUS]
        scalars[PEAK] = 10 * np.log10(total_peaks.max() + 1e-20)
        scalars[DRIVE] = 0.0
        scalars[REDUCTION] = 0.0
        if master.size and loud > 0.0:
            gain = np.float32(10 ** ((strips_stage.NOMINAL_LUFS - scalars[BUS]) / 10))
            master_stage.scale(bus, bus_slots, total_peaks, gain)
            master_stage.run_master(
                master, bus, bus_slots, total_peaks, edges, cos1, cos2, rate, slots_per_s,
                constants, levels, bus_gains, response, amplitudes, energy, shares,
            )  # fmt: skip
            meters.weighted(bus, kweight, energy, mono)
            loud, folded = meters.gated_power(energy[:frames], mono[:frames])
            delivery_stage.weigh_slots(bus_slots, coarse_k, out)
            mono[:] = energy
            scalars[DRIVE], scalars[PEAK], scalars[REDUCTION] = delivery_stage.deliver(
                master, energy[:frames], out, total_peaks, slots_per_s, levels[0], held, limited,
                reduction,
            )  # fmt: skip
            delivery_stage.apply_drive(bus, mono, energy, frames)
            loud_master = meters.gated_power(energy[:frames], energy[:frames])[0]
            scalars[INTEGRATED] = meters.lufs(loud_master)
        scalars[FOLD] = max(0.0, 10 * np.log10((loud + 1e-20) / (folded + 1e-20)))
        meters.short_term(energy[:frames], short_term)
        scalars[RANGE] = meters.loudness_range(short_term, out.reshape(-1))
        meters.read_bands(bus, frames, powers[i], widths[i], correlations[i])
