"""Whole mixes through all stages of `simulate`, in Numba.

Every stage is inlined (`forceinline`): of a stage that were linked, whichever copy was loaded first
would run, and copies differ in the last bits.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..compiled import kernel
from . import _simulate as strips_stage
from . import _simulate_crosses as crosses_stage
from . import _simulate_delivery as delivery_stage
from . import _simulate_master as master_stage
from . import _simulate_meters as meters
from . import _simulate_peaks as peaks_stage
from . import _simulate_space as space_stage
from ._dynamics import CONSTANTS, GROUP
from .analysis import SLOTS, Analysis
from .parameters import NOMINAL_LUFS

LANES = 16  # frames are padded to whole vectors
(INTEGRATED, BUS, BUS_PEAK, RANGE, PEAK, FOLD, DRIVE, REDUCTION) = range(8)
SCALARS = 8
Arrays = tuple[NDArray[np.float32], ...]


def scratch_arrays(analysis: Analysis) -> Arrays:
    """Scratch arrays for one thread."""
    stems, _, bands, frames = analysis.fine.shape
    coarse = analysis.slots.shape[1]
    compressors = max(6, stems + -stems % GROUP + 1)
    padded = frames + -frames % LANES
    widest = int(np.diff(analysis.edges).max())
    drives = delivery_stage.DRIVES
    shapes: tuple[tuple[int, ...], ...] = (
        (bands,),  # response
        (stems, bands),  # responses
        (7, 3),  # matrix
        (2, 2),  # pan_matrix
        (compressors, CONSTANTS),  # constants
        (2, widest * padded),  # chunk
        (coarse, padded),  # weight
        (compressors, SLOTS, padded),  # levels
        (SLOTS, padded),  # out
        (3, coarse, padded),  # bus_gains
        (coarse, padded),  # band_power
        (7, bands, padded),  # placed
        (stems, padded),  # stem_k
        (coarse, SLOTS, padded),  # bus_slots
        (2, SLOTS, padded),  # peaks
        (bands, padded),  # returned
        (2, padded),  # energy
        (3, bands),  # amplitudes
        (3, coarse, padded),  # shares
        (2, drives),  # held
        (drives, frames),  # limited
        (drives,),  # reduction
        (stems, 2, 2),  # sides
        (stems, coarse, padded),  # amplitude_gains
        (stems, coarse, 2),  # turns
        (2, coarse, padded),  # extra
    )
    return tuple(np.zeros(shape, dtype=np.float32) for shape in shapes)


@kernel(error_model="numpy")
def simulate_mixes(
    start, stop, all_strips, all_buses, all_masters, keys, song, scratch, all_scalars, readings
):  # fmt: skip
    """Mixes start to stop of a batch."""
    (
        channels, fine, slots, samples, inverse_power, fine_sums, slot_means, balance, edges,
        kweight, coarse_k, cos1, cos2, rate, slots_per_s,
        pairs, crosses, coarse_w,
    ) = song  # fmt: skip
    (
        response, responses, matrix, pan_matrix, constants, chunk, weight, levels, out, bus_gains,
        band_power, placed, stem_k, bus_slots, peaks, returned, energies, amplitudes, shares, held,
        limited, reduction, sides, amplitude_gains, turns, extra,
    ) = scratch  # fmt: skip
    short_terms, stem_lufs, stem_bands, powers, widths, correlations, balances = readings
    frames = limited.shape[1]
    energy, mono, total_peaks = energies[0], energies[1], peaks[0]
    bus, sends = placed[:3], placed[3:]
    for i in range(start, stop):
        strips, buses, master = all_strips[i], all_buses[i], all_masters[i]
        scalars, short_term = all_scalars[i], short_terms[i]
        strips_stage.run_strips(
            strips, keys, channels, fine, slots, samples, inverse_power, fine_sums, slot_means,
            balance, edges, kweight, cos1, cos2, rate, slots_per_s, response, responses, matrix,
            pan_matrix, constants, chunk, weight, levels, out, bus_gains[0], band_power,
            placed.reshape(7, -1), stem_k, stem_bands[i], bus_slots, peaks, sides, amplitude_gains,
            master.size > 0,
        )  # fmt: skip
        crosses_stage.add_crosses(
            strips, channels, pairs, crosses, sides, amplitude_gains, edges, coarse_w, rate, turns,
            extra, energies, bus, bus_slots, master.size > 0,
        )  # fmt: skip
        for s in range(channels.size):
            stem_lufs[i, s] = meters.lufs(
                meters.gated_power(stem_k[s, :frames], stem_k[s, :frames])[0]
            )
        space_stage.run_space(
            strips, buses, sends, rate, cos1, cos2, edges, response, energy, mono, bus, returned,
            bus_slots,
        )  # fmt: skip
        peaks_stage.join_peaks(peaks, mono)
        meters.weighted(bus, kweight, energy, mono)
        loud, folded = meters.gated_power(energy[:frames], mono[:frames])
        scalars[BUS] = meters.lufs(loud)
        scalars[INTEGRATED] = scalars[BUS]
        scalars[BUS_PEAK] = 10 * np.log10(total_peaks.max() + 1e-20)
        scalars[PEAK] = scalars[BUS_PEAK]
        scalars[DRIVE] = 0.0
        scalars[REDUCTION] = 0.0
        if master.size and loud > 0.0:
            gain = np.float32(10 ** ((NOMINAL_LUFS - scalars[BUS]) / 10))
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
                master, energy[:frames], meters.lufs(loud), out, total_peaks, slots_per_s,
                levels[0], held, limited, reduction,
            )  # fmt: skip
            delivery_stage.apply_drive(bus, mono, energy, frames)
            loud_master = meters.gated_power(energy[:frames], energy[:frames])[0]
            scalars[INTEGRATED] = meters.lufs(loud_master)
        scalars[FOLD] = max(0.0, 10 * np.log10((loud + 1e-20) / (folded + 1e-20)))
        meters.short_term(energy[:frames], short_term)
        scalars[RANGE] = meters.loudness_range(short_term, out.reshape(-1))
        meters.read_bands(bus, frames, powers[i], widths[i], correlations[i], balances[i])
