"""Simulate: predict the meters of a render from band powers, without audio."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import get_num_threads, get_thread_id, njit, prange
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

    Mixes are spread over Numba's threads; their number and the batch change no bit of a result.

    Args:
        analysis: of the song or excerpt.
    """

    def __init__(self, analysis: Analysis) -> None:
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
        self._scratch: Arrays = ()

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
        if len(self._scratch) == 0 or len(self._scratch[0]) < get_num_threads():
            self._scratch = _scratch(self.analysis, get_num_threads())
        empty = partial_empty
        scalars = empty(mixes, 7)
        readings = (
            empty(mixes, max(1, frames - meters.WINDOW + 1)),
            empty(mixes, stems),
            empty(mixes, stems, len(self.analysis.band_hz)),
            empty(mixes, len(self._seconds), thirds),
            empty(mixes, thirds),
            empty(mixes, thirds),
        )
        _simulate_batch(
            np.ascontiguousarray(strips),
            np.ascontiguousarray(buses),
            np.empty((mixes, 0)) if master is None else np.ascontiguousarray(master),
            np.arange(stems) if side_chains is None else side_chains,
            self._song,
            self._scratch,
            scalars,
            readings,
        )
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


def partial_empty(*shape: int) -> NDArray[np.float32]:
    """Uninitialised float32."""
    return np.empty(shape, dtype=np.float32)


def _k_response(band_hz: NDArray[np.float64], rate: int) -> NDArray[np.float32]:
    """BS.1770's weighting as squared magnitude at the bands."""
    z = np.exp(-2j * np.pi * band_hz / rate)
    gain = np.ones(len(band_hz))
    for b0, b1, b2, a1, a2 in k_weighting(rate):
        gain *= np.abs((b0 + b1 * z + b2 * z * z) / (1 + a1 * z + a2 * z * z)) ** 2
    return gain.astype(np.float32)


def _scratch(analysis: Analysis, threads: int) -> Arrays:
    """Scratch arrays, one of each per thread."""
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
    return tuple(np.zeros((threads, *shape), dtype=np.float32) for shape in shapes)


@njit(cache=True, nogil=True, error_model="numpy", parallel=True)
def _simulate_batch(strips, buses, master, keys, song, scratch, scalars, readings):
    short_term, stem_lufs, stem_bands, powers, width, correlation = readings
    for i in prange(strips.shape[0]):
        _simulate_one(
            strips[i], buses[i], master[i], keys, song, scratch, get_thread_id(), scalars[i],
            short_term[i], stem_lufs[i], stem_bands[i], powers[i], width[i], correlation[i],
        )  # fmt: skip


@njit(cache=True, nogil=True, error_model="numpy")
def _simulate_one(
    strips, buses, master, keys, song, scratch, thread, scalars, short_term, stem_lufs, stem_bands,
    powers, width, correlation,
):  # fmt: skip
    (
        channels, fine, slots, crest, fine_sums, slot_means, balance, edges, kweight, coarse_k,
        cos1, cos2, rate, slots_per_s,
    ) = song  # fmt: skip
    (
        responses, matrices, constants, chunks, weights, levels, outs, bus_gains, band_powers,
        buses_3, sends_4, stem_ks, slots_3, peaks_4, returns, energies, amplitudes,
        shares, held, limited, reductions,
    ) = scratch  # fmt: skip
    w = thread
    stems, frames = slots.shape[0], limited.shape[2]
    bus, sends, bus_slots = buses_3[w], sends_4[w], slots_3[w]
    returned, energy, mono = returns[w], energies[w, 0], energies[w, 1]
    strips_stage.run_strips(
        strips, keys, channels, fine, slots, crest, fine_sums, slot_means, balance, edges, kweight,
        cos1, cos2, rate, slots_per_s, responses[w], matrices[w], constants[w], chunks[w],
        weights[w], levels[w], outs[w], bus_gains[w, 0], band_powers[w], bus.reshape(3, -1),
        sends.reshape(4, -1), stem_ks[w], stem_bands, bus_slots, peaks_4[w], master.size > 0,
    )  # fmt: skip
    reverb, delay = False, False
    for s in range(stems):
        reverb = reverb or strips[s, strips_stage.REVERB_SEND] > strips_stage.SEND_OFF_DB
        delay = delay or strips[s, strips_stage.DELAY_SEND] > strips_stage.SEND_OFF_DB
        stem_lufs[s] = meters.lufs(
            meters.gated_power(stem_ks[w, s, :frames], stem_ks[w, s, :frames])[0]
        )
    if reverb or delay:
        returned[:] = 0.0
        if reverb:
            space_stage.run_reverb(buses, sends[0], rate, cos1, cos2, responses[w], bus, returned)
        if delay:
            space_stage.run_delay(buses, sends[1:], rate, cos1, cos2, responses[w], bus, returned)
        space_stage.add_returns_to_slots(returned, edges, energy, bus_slots)
    peaks = peaks_4[w, 0, 0]
    strips_stage.join_peaks(peaks_4[w])
    meters.weighted(bus, kweight, energy, mono)
    loud, folded = meters.gated_power(energy[:frames], mono[:frames])
    scalars[BUS] = meters.lufs(loud)
    scalars[DRIVE] = 0.0
    scalars[REDUCTION] = 0.0
    if master.size and loud > 0.0:
        gain = np.float32(10 ** ((strips_stage.NOMINAL_LUFS - scalars[BUS]) / 10))
        master_stage.scale(bus, bus_slots, peaks, gain)
        master_stage.run_master(
            master, bus, bus_slots, peaks, edges, cos1, cos2, rate, slots_per_s, constants[w],
            levels[w], bus_gains[w], responses[w], amplitudes[w], energy, shares[w],
        )  # fmt: skip
        meters.weighted(bus, kweight, energy, mono)
        loud, folded = meters.gated_power(energy[:frames], mono[:frames])
        delivery_stage.weigh_slots(bus_slots, coarse_k, levels[w, 0])
        before = energies[w, 1]
        before[:] = energy
        scalars[DRIVE], scalars[PEAK], scalars[REDUCTION] = delivery_stage.deliver(
            master, energy[:frames], levels[w, 0], peaks, slots_per_s,
            levels[w, 1], held[w], limited[w], reductions[w],
        )  # fmt: skip
        delivery_stage.apply_drive(bus, before, energy, frames)
        scalars[INTEGRATED] = meters.lufs(
            meters.gated_power(energy[:frames], energy[:frames])[0]
        )
    else:
        scalars[INTEGRATED] = scalars[BUS]
        scalars[PEAK] = 10 * np.log10(peaks.max() + 1e-20)
    scalars[FOLD] = max(0.0, 10 * np.log10((loud + 1e-20) / (folded + 1e-20)))
    meters.short_term(energy[:frames], short_term)
    scalars[RANGE] = meters.loudness_range(short_term, levels[w, 0].reshape(-1))
    meters.read_bands(bus, frames, powers, width, correlation)
