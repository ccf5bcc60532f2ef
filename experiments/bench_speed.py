"""`mixgym bench speed`: steps per second of `simulate`, beside rendering and a plain pipeline."""

from __future__ import annotations

import importlib.util
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import MixgymError
from .machine import describe_machine
from .needs import need

if TYPE_CHECKING:
    from ..songs import Song

RATE = 48_000
STEMS, SECONDS, BATCH = 8, 10.0, 64
SLOW_STEPS = 3  # of each repetition of what takes a fraction of a second
STEPS_GOAL, RATIO_GOAL, ANALYSIS_GOAL_S = 3000.0, 1000.0, 0.3
STEM_COUNTS = (1, 2, 4, 8, 16, 32, 64)
LENGTHS_S = (5.0, 10.0, 20.0, 40.0)
BATCHES = (1, 4, 16, 64, 256)
AUDIBLE = 0.01  # amplitude

Tell = Callable[[str, float], None]


def bench_speed(
    songs: Path, repeats: int = 5, plots: Path | None = None, tell: Tell | None = None
) -> dict[str, Any]:
    """Steps per second and core for 8 stereo stems of 10 s, everything on and drawn at random.

    All ways to make a step take turns in one process and one thread; processor time counts, so
    that other work on the machine does less harm. A step is one mix, read at the mix bus.

    Args:
        songs: a folder of song folders; their stems are taken in turn, again from the start
            where there are too few, at 48 kHz, mono ones as stereo.
        repeats: of everything; medians are given.
        plots: folder for a plot of the scaling, made if missing.
        tell: told what is being done and the share of it that is done.

    Returns:
        Keys `benchmark`, `machine`, `inputs`; in steps/s/core `simulate`, `simulate_master`
        (mastering chain and delivery included), `render` (mix bus and all meters), `pipeline`
        (pedalboard, pyloudnorm, librosa or SciPy in its place: `pipeline_spectrum`) and `dasp`
        (strips by dasp-pytorch; None where it is not installed); `ratio`, simulate over pipeline;
        `analysis_s`, wall-clock; `scaling`, each by `stems`, `seconds`, `batch` and `threads`:
        steps per second of wall-clock time for `threads`, else per core; `goals`.

    Raises:
        MixgymError: no stems in the folder, or pyloudnorm is not installed.
    """
    need("pyloudnorm")
    tell = tell or (lambda what, share: None)
    sources = _load_stems(songs, max(LENGTHS_S), max(STEM_COUNTS), tell)
    speed = _compare(sources, repeats, tell)
    scaling = _scaling(sources, repeats, tell)
    if plots is not None:
        _plot(plots, scaling)
    goals = {
        "simulate": {"goal": STEPS_GOAL, "met": speed["simulate"] >= STEPS_GOAL},
        "ratio": {"goal": RATIO_GOAL, "met": speed["ratio"] >= RATIO_GOAL},
        "analysis_s": {"goal": ANALYSIS_GOAL_S, "met": speed["analysis_s"] <= ANALYSIS_GOAL_S},
    }
    return {
        "benchmark": "speed",
        "machine": describe_machine(),
        "inputs": f"{STEMS} stereo stems x {SECONDS:g} s at {RATE} Hz, batches of {BATCH}",
        **speed,
        "scaling": scaling,
        "goals": goals,
    }


def _load_stems(songs: Path, seconds: float, count: int, tell: Tell) -> list[NDArray[np.float32]]:
    """Stereo stems (2, frames) of this length, from where they set in, repeated where too short."""
    from ..songs import most_active_excerpt, read_song

    folders = sorted(path for path in songs.iterdir() if path.is_dir()) if songs.is_dir() else []
    frames = round(seconds * RATE)
    found: list[NDArray[np.float32]] = []
    for number, folder in enumerate(folders):
        with read_song(folder, sample_rate=RATE) as song:
            excerpt = most_active_excerpt(song, seconds)
            for stem in excerpt.stems:
                audio = stem.read(0, excerpt.frames)
                heard = np.flatnonzero(np.abs(audio).max(axis=0) > AUDIBLE)
                if len(heard):
                    again = np.arange(heard[0], heard[0] + frames) % excerpt.frames
                    found.append(np.broadcast_to(audio[:, again], (2, frames)))
        tell("Reading", (number + 1) / len(folders))
        if len(found) >= count:
            break
    if not found:
        raise MixgymError(f"{songs} holds no folders of stems; give a folder of song folders.")
    return [found[i % len(found)] for i in range(count)]


def _song(sources: list[NDArray[np.float32]], stems: int, seconds: float) -> Song:
    from ..songs import Song

    frames = round(seconds * RATE)
    return Song.from_arrays({f"{i}": sources[i][:, :frames] for i in range(stems)}, RATE)


def _compare(sources: list[NDArray[np.float32]], repeats: int, tell: Tell) -> dict[str, Any]:
    from dataclasses import replace

    from ..console.analysis import analyse
    from ..console.levels import stem_levels
    from ..console.meters import Measurement
    from ..console.mix import Mix
    from ..console.mixbus import MixBus
    from ..console.parameters import BUSES, MASTER, STRIP
    from ..console.simulate import Simulator
    from .baseline_step import mix_and_read

    song = _song(sources, STEMS, SECONDS)
    simulator = Simulator(analyse(song), threads=1)
    rng = np.random.default_rng(0)
    strips, buses = STRIP.sample(rng, (BATCH, STEMS)), BUSES.sample(rng, (BATCH,))
    masters = MASTER.sample(rng, (BATCH,))
    neutral = Mix.neutral(song)
    drawn = [replace(neutral, strips=strips[i], buses=buses[i]) for i in range(SLOW_STEPS)]
    levels = [level.loudness_lufs for level in stem_levels(song)]

    def render() -> None:
        for mix in drawn:
            meter = Measurement(RATE, 2)
            for block in MixBus(song, mix, threads=1, tail=False).blocks():
                meter.push(block.total)
            meter.finish()

    def pipeline() -> None:
        audio = sources[:STEMS]
        for i in range(SLOW_STEPS):
            rows = [STRIP.settings(row) for row in strips[i]]
            mix_and_read(
                [stem[:, : song.frames] for stem in audio],
                levels, rows, BUSES.settings(buses[i]), RATE,
            )  # fmt: skip

    ways: dict[str, tuple[Callable[[], Any], int]] = {
        "simulate": (lambda: simulator(strips, buses), BATCH),
        "simulate_master": (lambda: simulator(strips, buses, masters), BATCH),
        "render": (render, SLOW_STEPS),
        "pipeline": (pipeline, SLOW_STEPS),
    }
    if importlib.util.find_spec("dasp_pytorch"):
        ways["dasp"] = (_dasp(sources, levels, strips), SLOW_STEPS)
    for run, _ in ways.values():
        run()
    rates: dict[str, list[float]] = {name: [] for name in ways}
    analyses = []
    for repeat in range(repeats):
        for name, (run, steps) in ways.items():
            rates[name].append(steps / _processor_s(run))
        fresh = _song(sources, STEMS, SECONDS)
        start = time.perf_counter()
        analyse(fresh)
        analyses.append(time.perf_counter() - start)
        tell("Timing", (repeat + 1) / repeats)
    speed: dict[str, Any] = {name: statistics.median(values) for name, values in rates.items()}
    return {
        "dasp": None,
        **speed,
        "ratio": speed["simulate"] / speed["pipeline"],
        "analysis_s": statistics.median(analyses),
        "pipeline_spectrum": "librosa" if importlib.util.find_spec("librosa") else "scipy",
        "all": rates,
    }


def _dasp(
    sources: list[NDArray[np.float32]], levels: list[float], strips: NDArray[np.float64]
) -> Callable[[], Any]:
    """Steps by dasp-pytorch in one thread."""
    import torch

    from ..console.parameters import STRIP
    from .baseline_dasp import mix_and_read

    torch.set_num_threads(1)
    stems = torch.from_numpy(np.stack([s[:, : round(SECONDS * RATE)] for s in sources[:STEMS]]))

    def run() -> None:
        for i in range(SLOW_STEPS):
            mix_and_read(stems, levels, [STRIP.settings(row) for row in strips[i]], RATE)

    return run


def _processor_s(run: Callable[[], Any]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def _scaling(sources: list[NDArray[np.float32]], repeats: int, tell: Tell) -> dict[str, Any]:
    """Steps per second of `simulate` where one of its sizes changes."""
    import os

    cores = os.cpu_count() or 1
    cases: list[tuple[str, float, tuple[int, float, int, int]]] = [
        *(("stems", count, (count, SECONDS, BATCH, 1)) for count in STEM_COUNTS),
        *(("seconds", length, (STEMS, length, BATCH, 1)) for length in LENGTHS_S),
        *(("batch", batch, (STEMS, SECONDS, batch, 1)) for batch in BATCHES),
        *(("threads", n, (STEMS, SECONDS, BATCH, n)) for n in range(1, cores + 1)),
    ]
    scaling: dict[str, dict[str, float]] = {}
    for number, (what, value, case) in enumerate(cases):
        scaling.setdefault(what, {})[f"{value:g}"] = _steps_per_s(sources, *case, repeats)
        tell("Scaling", (number + 1) / len(cases))
    return scaling


def _steps_per_s(
    sources: list[NDArray[np.float32]],
    stems: int,
    seconds: float,
    batch: int,
    threads: int,
    repeats: int,
) -> float:
    from ..console.analysis import analyse
    from ..console.parameters import BUSES, STRIP
    from ..console.simulate import Simulator

    simulator = Simulator(analyse(_song(sources, stems, seconds)), threads=threads)
    rng = np.random.default_rng(1)
    strips, buses = STRIP.sample(rng, (batch, stems)), BUSES.sample(rng, (batch,))
    simulator(strips, buses)
    clock = time.process_time if threads == 1 else time.perf_counter
    rounds = max(1, BATCH // batch)
    rates = []
    for _ in range(repeats):
        start = clock()
        for _ in range(rounds):
            simulator(strips, buses)
        rates.append(rounds * batch / (clock() - start))
    return statistics.median(rates)


def _plot(folder: Path, scaling: dict[str, dict[str, float]]) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    figure = Figure(figsize=(4 * len(scaling), 4), layout="constrained")
    FigureCanvasAgg(figure)
    for number, (what, rates) in enumerate(scaling.items()):
        axes = figure.add_subplot(1, len(scaling), number + 1)
        axes.loglog([float(value) for value in rates], list(rates.values()), "o-")
        axes.set_xlabel(what)
        axes.set_ylabel("steps per second")
        axes.grid(True, which="both", alpha=0.3)
    figure.savefig(folder / "speed.png", dpi=120)
