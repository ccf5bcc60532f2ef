"""`mixgym bench fidelity`: how well `simulate` foretells what `render` gives."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import MixgymError
from .fidelity import Nearness, Pairs, nearness, overall
from .machine import describe_machine

if TYPE_CHECKING:
    from ..console.meters import Readings
    from ..console.mix_readings import MixReadings
    from ..songs import Song

SPECTRUM_DEPTH_DB = 50.0  # below the loudest band; what is further down is not compared
# Mean absolute error and Spearman correlation to reach, None where there is no goal.
Goals = dict[str, tuple[float | None, float | None]]
MIX_GOALS: Goals = {
    "integrated_lufs": (0.2, 0.995),
    "spectrum_db": (0.5, 0.98),
    "stem_lufs": (0.3, 0.99),
    "loudness_range_lu": (0.5, 0.97),
    "plr_db": (1.0, 0.90),
    "stereo": (0.05, 0.95),
}
MASTER_GOALS: Goals = {
    "integrated_lufs": (0.2, 0.995),
    "spectrum_db": (0.5, 0.98),
    "loudness_range_lu": (None, None),
    "plr_db": (1.0, 0.90),
    "stereo": (None, None),
    "mean_reduction_db": (0.5, None),
}

Tell = Callable[[str, float], None]
Readout = dict[str, tuple[Pairs, ...]]


def bench_fidelity(
    songs: Path,
    mixes: int = 200,
    seed: int = 0,
    seconds: float = 10.0,
    plots: Path | None = None,
    off: Sequence[str] = (),
    tell: Tell | None = None,
) -> dict[str, Any]:
    """Render and simulate random mixes of every song, and compare the meters.

    Mixes are drawn from the priors of the parameter tables and read at the mix bus, reverb and
    delay cut off with the excerpt. Then the equal-loudness sum of each song is taken as a finished
    track, and the mastering chain with a tenth as many draws of its settings is compared.

    Args:
        songs: a folder of song folders.
        mixes: of every song.
        seed: of the draws.
        seconds: length of each song's most active excerpt.
        plots: folder for scatter plots, made if missing.
        off: processors of the strip that stay out of use, to find where errors come from.
        tell: told what is being done and the share of it that is done.

    Returns:
        Keys `benchmark`, `machine`, `inputs`, `overall`, `songs`, `mastering` (with `overall` and
        `songs` again) and `goals`. Errors are simulated minus rendered; `mae` in `overall` is the
        mean over songs.

    Raises:
        MixgymError: there is no song in the folder, or no such processor.
    """
    tell = tell or (lambda what, share: None)
    folders = sorted(path for path in songs.iterdir() if path.is_dir()) if songs.is_dir() else []
    if not folders:
        raise MixgymError(f"{songs} holds no folders of stems; give a folder of song folders.")
    neutral = _neutral(off)
    masters = max(3, mixes // 10)
    readouts: dict[str, tuple[Readout, Readout]] = {}
    for number, folder in enumerate(folders):
        rng = np.random.default_rng([seed, number])

        def step(done: int, place: int = number) -> None:
            share = done / (mixes + masters)
            tell("Comparing", (place + share) / len(folders))

        readouts[folder.name] = _compare_song(folder, mixes, masters, seconds, neutral, rng, step)
    mixed = {name: _summary(pair[0]) for name, pair in readouts.items()}
    mastered = {name: _summary(pair[1]) for name, pair in readouts.items()}
    mix_overall = overall(mixed.values(), list(MIX_GOALS))
    master_overall = overall(mastered.values(), list(MASTER_GOALS))
    if plots is not None:
        from .scatter import write_scatter

        write_scatter(plots, {name: pair[0] for name, pair in readouts.items()})
    return {
        "benchmark": "fidelity",
        "machine": describe_machine(),
        "inputs": f"{len(folders)} songs x {mixes} mixes, {seconds:g} s each, seed {seed}"
        + (f", without {', '.join(off)}" if off else ""),
        "overall": mix_overall,
        "songs": mixed,
        "mastering": {"overall": master_overall, "songs": mastered},
        "goals": {
            "mix": _goals(MIX_GOALS, mix_overall),
            "mastering": _goals(MASTER_GOALS, master_overall),
        },
    }


def _neutral(processors: Sequence[str]) -> dict[int, float]:
    """Columns of the strip's table that put these processors out of use, and their values."""
    from ..console.parameters import STRIP

    known = {parameter.processor for parameter in STRIP}
    for name in processors:
        if name not in known:
            raise MixgymError(
                f"There is no processor {name!r}; choose from {', '.join(sorted(known))}."
            )
    return {
        i: parameter.default if parameter.neutral is None else parameter.neutral
        for i, parameter in enumerate(STRIP)
        if parameter.processor in processors
    }


def _compare_song(
    folder: Path,
    mixes: int,
    masters: int,
    seconds: float,
    fixed: dict[int, float],
    rng: np.random.Generator,
    step: Callable[[int], None],
) -> tuple[Readout, Readout]:
    """What was read of one song's mixes, and of the mastering of its equal-loudness sum."""
    from ..console.analysis import analyse
    from ..console.mix import Mix
    from ..console.parameters import BUSES, MASTER, STRIP
    from ..console.simulate import Simulator, master_track
    from ..songs import Song, most_active_excerpt, read_song

    with read_song(folder) as song:
        excerpt = most_active_excerpt(song, seconds)
        strips = STRIP.sample(rng, (mixes, len(excerpt.stems)))
        buses = BUSES.sample(rng, (mixes,))
        for column, value in fixed.items():
            strips[..., column] = value
        simulated = Simulator(analyse(excerpt))(strips, buses)
        neutral = Mix.neutral(excerpt)
        drawn = [replace(neutral, strips=strips[i], buses=buses[i]) for i in range(mixes)]
        mixed = _empty_readout(MIX_GOALS)
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            rendered = pool.map(lambda mix: _read_bus(excerpt, mix), drawn)
            for i, (readings, stem_lufs) in enumerate(rendered):
                _add(mixed, readings, simulated, i)
                mixed["stem_lufs"][0].extend(
                    zip(stem_lufs, simulated.stem_lufs[i].tolist(), strict=True)
                )
                step(i + 1)
            track = _bus_audio(excerpt, neutral)
            settings = MASTER.sample(rng, (masters,))
            finished = Song.from_arrays({"track": track}, excerpt.sample_rate)
            foretold = master_track(Simulator(analyse(finished)), settings)
            mastered = _empty_readout(MASTER_GOALS)
            heard = pool.map(lambda row: _read_master(finished, row), settings)
            for i, (readings, reduction_db) in enumerate(heard):
                _add(mastered, readings, foretold, i)
                mastered["mean_reduction_db"][0].append(
                    (reduction_db, float(foretold.mean_reduction_db[i]))
                )
                step(mixes + i + 1)
    return mixed, mastered


def _empty_readout(meters: dict[str, Any]) -> Readout:
    return {meter: ([], []) if meter == "stereo" else ([],) for meter in meters}


def _add(readout: Readout, rendered: Readings, simulated: MixReadings, i: int) -> None:
    """Add mix i of a batch to what all mixes read."""
    for meter in ("integrated_lufs", "loudness_range_lu", "plr_db"):
        readout[meter][0].append((getattr(rendered, meter), float(getattr(simulated, meter)[i])))
    bands = len(rendered.spectrum_db)
    audible = rendered.spectrum_db > rendered.spectrum_db.max() - SPECTRUM_DEPTH_DB
    for pairs, heard, foretold in (
        (readout["spectrum_db"][0], rendered.spectrum_db, simulated.spectrum_db[i]),
        (readout["stereo"][0], rendered.band_width, simulated.width[i]),
        (readout["stereo"][1], rendered.band_correlation, simulated.correlation[i]),
    ):
        pairs.extend(zip(heard[audible].tolist(), foretold[:bands][audible].tolist(), strict=True))


def _read_bus(song: Song, mix: Any) -> tuple[Readings, list[float]]:
    """Meters of the mix bus, and loudness of every stem in it."""
    from ..console.meters import LoudnessMeter, Measurement
    from ..console.mixbus import MixBus

    measurement = Measurement(song.sample_rate, 2)
    meters = [LoudnessMeter(song.sample_rate, 2) for _ in song.stems]
    for block in MixBus(song, mix, threads=1, tail=False).blocks():
        measurement.push(block.total)
        for meter, strip in zip(meters, block.strips, strict=True):
            if strip is not None:
                meter.push(np.ascontiguousarray(strip))
    return measurement.finish(), [meter.integrated_lufs for meter in meters]


def _bus_audio(song: Song, mix: Any) -> NDArray[np.float32]:
    from ..console.mixbus import MixBus

    blocks = MixBus(song, mix, threads=1, tail=False).blocks()
    return np.concatenate([block.total.copy() for block in blocks], axis=1)


def _read_master(track: Song, row: NDArray[np.float64]) -> tuple[Readings, float]:
    """Meters of a mastered track, and the limiter's mean gain reduction."""
    from ..console.meters import measure
    from ..console.parameters import MASTER
    from ..console.render import master

    stem = track.stems[0]
    source_lufs = measure(stem.read(0, track.frames), track.sample_rate).integrated_lufs
    settings = MASTER.settings(row)
    with master(stem, track.sample_rate, settings, source_lufs, threads=1) as rendering:
        return (
            measure(rendering.array(), track.sample_rate),
            rendering.delivered.mean_reduction_db,
        )


def _summary(readout: Readout) -> dict[str, Nearness]:
    return {meter: nearness(*groups) for meter, groups in readout.items()}


def _goals(goals: Goals, reached: dict[str, Nearness]) -> dict[str, dict[str, Any]]:
    rows = {}
    for meter, (mae, spearman) in goals.items():
        error, rank = reached[meter]["mae"], reached[meter]["spearman_median"]
        near = mae is None or (error is not None and error <= mae)
        ordered = spearman is None or (rank is not None and rank >= spearman)
        rows[meter] = {"mae": mae, "spearman_median": spearman, "met": near and ordered}
    return rows
