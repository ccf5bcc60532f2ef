"""Simulate: predict the meters of a render from band powers, without audio."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import get_num_threads, get_thread_id, njit, prange
from numpy.typing import NDArray

from . import _simulate as strips_stage
from . import _simulate_master as master_stage
from .analysis import BANDS_PER_OCTAVE_THIRD, FRAMES_PER_S, SLOTS, Analysis, slot_hop
from .meters.k_weighting import k_weighting


@dataclass(frozen=True, slots=True)
class Simulated:
    """Predicted readings of a batch of mixes.

    Attributes:
        integrated_lufs, loudness_range_lu, plr_db: shape (mixes,).
        bus_lufs: integrated loudness of the mix bus, before mastering, (mixes,).
        stem_lufs: each stem's loudness in the mix, (mixes, stems).
        spectrum_db, width, correlation: per third octave, (mixes, bands).
    """

    integrated_lufs: NDArray[np.float32]
    bus_lufs: NDArray[np.float32]
    loudness_range_lu: NDArray[np.float32]
    plr_db: NDArray[np.float32]
    stem_lufs: NDArray[np.float32]
    spectrum_db: NDArray[np.float32]
    width: NDArray[np.float32]
    correlation: NDArray[np.float32]


class Simulator:
    """Simulates mixes of one analysed song.

    Args:
        analysis: of the song or excerpt.
        threads: how many mixes are simulated at once; at most Numba's own number.
    """

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        a = analysis
        w = 2 * np.pi * a.band_hz / a.sample_rate
        sums = np.add.reduceat(a.fine[:, 0] + a.fine[:, 1], a.edges[:-1], axis=1)
        power = a.slots.sum(axis=1)
        crest = np.divide(np.square(a.slot_peaks), power, out=np.zeros_like(power), where=power > 0)
        self._fixed = (
            a.channels,
            a.fine,
            a.slots,
            crest,
            np.ascontiguousarray(sums),
            a.slots.sum(axis=3),
            a.edges,
            _k_response(a.band_hz, a.sample_rate),
            np.cos(w),
            np.cos(2 * w),
            float(a.sample_rate),
            a.sample_rate / slot_hop(a.sample_rate),
        )
        self._scratch: tuple[NDArray[np.float32], ...] = ()

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
        bands = (len(self.analysis.band_hz) - 1) // BANDS_PER_OCTAVE_THIRD
        keys = np.arange(stems) if side_chains is None else side_chains
        scalars = np.empty((mixes, 4), dtype=np.float32)
        stem_lufs = np.empty((mixes, stems), dtype=np.float32)
        spectra = np.empty((mixes, 3, bands), dtype=np.float32)
        if len(self._scratch) == 0 or len(self._scratch[0]) < get_num_threads():
            self._scratch = _scratch(self._fixed, get_num_threads())
        _simulate_batch(
            strips,
            buses,
            np.empty((0, 0)) if master is None else master,
            keys,
            self._fixed,
            self._scratch,
            scalars,
            stem_lufs,
            spectra,
        )
        return Simulated(
            integrated_lufs=scalars[:, 0],
            bus_lufs=scalars[:, 1],
            loudness_range_lu=scalars[:, 2],
            plr_db=scalars[:, 3],
            stem_lufs=stem_lufs,
            spectrum_db=spectra[:, 0],
            width=spectra[:, 1],
            correlation=spectra[:, 2],
        )


def _k_response(band_hz: NDArray[np.float64], rate: int) -> NDArray[np.float32]:
    """BS.1770's weighting as squared magnitude at the bands."""
    z = np.exp(-2j * np.pi * band_hz / rate)
    gain = np.ones(len(band_hz))
    for b0, b1, b2, a1, a2 in k_weighting(rate):
        gain *= np.abs((b0 + b1 * z + b2 * z * z) / (1 + a1 * z + a2 * z * z)) ** 2
    return gain.astype(np.float32)


def _scratch(fixed: tuple, threads: int) -> tuple[NDArray[np.float32], ...]:  # type: ignore[type-arg]
    """Scratch arrays, one of each per thread."""
    _, fine, slots, *_ = fixed
    stems, _, bands, frames = fine.shape
    coarse = slots.shape[1]
    shapes = (
        (bands,),  # response
        (bands,),  # key_response
        (3, 3),  # matrix
        (5,),  # constants
        (coarse, frames),  # weight
        (coarse, frames),  # passed
        (frames, SLOTS),  # gains
        (frames, SLOTS),  # out
        (coarse, frames),  # frame_gains
        (3, bands, frames),  # bus
        (4, bands, frames),  # sends
        (stems, frames),  # stem_k
        (coarse, frames, SLOTS),  # bus_slots
        (2, frames * SLOTS),  # peaks
        (bands, frames),  # returned
        (frames,),  # energy
        (5, frames, SLOTS),  # totals
        (3, coarse, frames),  # bus_gains
        (3, bands),  # amplitudes
        (3, coarse, frames),  # ratios
    )
    return tuple(np.zeros((threads, *shape), dtype=np.float32) for shape in shapes)


@njit(cache=True, nogil=True, error_model="numpy", parallel=True)
def _simulate_batch(strips, buses, master, keys, fixed, scratch, scalars, stem_lufs, spectra):
    for i in prange(strips.shape[0]):
        _simulate_one(
            strips[i],
            buses[i],
            master[i] if master.size else master[0:0].ravel(),
            keys,
            fixed,
            scratch,
            get_thread_id(),
            scalars[i],
            stem_lufs[i],
            spectra[i],
        )


@njit(cache=True, nogil=True, error_model="numpy")
def _simulate_one(strips, buses, master, keys, fixed, scratch, thread, scalars, stem_lufs, spectra):
    (
        channels, fine, slots, crest, sums, slot_sums, edges, kweight, cos1, cos2, rate, slots_per_s,
    ) = fixed  # fmt: skip
    (
        response, key_response, matrix, constants, weight, passed, gains, out, frame_gains, bus,
        sends, stem_k, bus_slots, peaks, returned, energy, totals, bus_gains, amplitudes, ratios,
    ) = scratch  # fmt: skip
    w = thread
    stems = fine.shape[0]
    strips_stage.run_strips(
        strips, keys, channels, fine, slots, crest, sums, slot_sums, edges, kweight, cos1, cos2,
        rate, slots_per_s, response[w], key_response[w], matrix[w], constants[w], weight[w],
        passed[w], gains[w], out[w], frame_gains[w], bus[w], sends[w], stem_k[w], bus_slots[w],
        peaks[w],
    )  # fmt: skip
    reverb, delay = False, False
    for s in range(stems):
        reverb = reverb or strips[s, strips_stage.REVERB_SEND] > strips_stage.SEND_OFF_DB
        delay = delay or strips[s, strips_stage.DELAY_SEND] > strips_stage.SEND_OFF_DB
    if reverb or delay:
        returned[w][:] = 0.0
    if reverb:
        strips_stage.run_reverb(
            buses, sends[w][0], rate, FRAMES_PER_S, cos1, cos2, response[w], bus[w], returned[w]
        )
    if delay:
        strips_stage.run_delay(
            buses, sends[w][1:], rate, FRAMES_PER_S, cos1, cos2, response[w], bus[w], returned[w]
        )
    if reverb or delay:
        strips_stage.add_returns_to_slots(returned[w], edges, energy[w], bus_slots[w])
    master_stage.weighted(bus[w], kweight, energy[w])
    bus_lufs = master_stage.gated_lufs(energy[w])
    if master.size and np.isfinite(bus_lufs):
        gain = np.float32(10 ** ((strips_stage.NOMINAL_LUFS - bus_lufs) / 10))
        master_stage.scale(bus[w], bus_slots[w], peaks[w], gain)
        master_stage.run_master(
            master, bus[w], bus_slots[w], peaks[w][0], edges, cos1, cos2, rate, slots_per_s,
            constants[w], totals[w], bus_gains[w], response[w], amplitudes[w], energy[w], ratios[w],
        )  # fmt: skip
        master_stage.weighted(bus[w], kweight, energy[w])
    lufs = master_stage.gated_lufs(energy[w])
    scalars[0] = lufs
    scalars[1] = bus_lufs
    scalars[2] = master_stage.loudness_range(energy[w], returned[w][0])
    scalars[3] = 10 * np.log10(peaks[w][0].max() + 1e-12) - lufs
    for s in range(stems):
        stem_lufs[s] = master_stage.gated_lufs(stem_k[w][s])
    _read_bands(bus[w], spectra)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _read_bands(bus, spectra):
    """Level, width and correlation per third octave from a bus (3, b, t); band 0 is left out."""
    frames = bus.shape[2]
    for band in range(spectra.shape[1]):
        left, right, cross = np.float32(0.0), np.float32(0.0), np.float32(0.0)
        for half in range(BANDS_PER_OCTAVE_THIRD):
            b = 1 + band * BANDS_PER_OCTAVE_THIRD + half
            for t in range(frames):
                left += bus[0, b, t]
                right += bus[1, b, t]
                cross += bus[2, b, t]
        spectra[0, band] = 10 * np.log10((left + right) / 2 / frames + 1e-15)
        spectra[1, band] = 0.5 - cross / (left + right + 1e-20)
        spectra[2, band] = cross / np.sqrt(left * right + 1e-30)
