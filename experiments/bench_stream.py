"""`mixgym bench stream`: what a block costs in real time, beside a board of plain plug-ins."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..console.mix import Mix
from ..console.parameters import BUSES, MASTER, STRIP
from ..runtime.mixers import listener_named
from ..runtime.stream.engine import Stream, check_block
from ..runtime.stream.levels import Levels
from ..runtime.stream.policy_loop import FixedLevels, PolicyLoop
from .machine import describe_machine

SAMPLE_RATE = 48_000
STEMS = (8, 16)
STEM_LUFS = -23.0
CHANGES_PER_S = 10
HEARD_S = 10.0  # history, and what is played before anything is timed
SHARE_GOAL, LATENCY_GOAL_MS = 0.15, 20.0
ON = ("high_pass_on", "eq_on", "compressor_on")
MASTER_ON = ("bus_compressor_on", "master_eq_on", "multiband_on", "saturation_on", "image_on")

Tell = Callable[[str, float], None]
Audio = NDArray[np.float32]
Process = Callable[[Audio, Audio], None]


def bench_stream(
    seconds: float = 20.0, block_frames: int = 256, seed: int = 0, tell: Tell | None = None
) -> dict[str, Any]:
    """Time blocks of 8 and of 16 stereo stems at 48 kHz with every processor on.

    Three runs for each: `alone`, block after block, with new random settings for everything ten
    times a second; `steered`, a block whenever one is due, while a control thread asks the policy
    about the last 10 s, again as soon as it has answered; `board`, the baseline, one pedalboard of
    plug-ins a stem, a shared reverb and a limiter, block after block. The stems are noise.

    Args:
        seconds: of audio in each run.
        block_frames: of one block.
        seed: of the noise and of the settings.
        tell: told what is being done and the share of it that is done.

    Returns:
        Keys `benchmark`, `machine`, `inputs`, `block_ms`, `latency_ms`, `runs` and `goals`. Times
        in ms: `wall` as a clock on the wall sees them, `cpu` what the thread itself worked; `share`
        is the thread's work over the audio's length.

    Raises:
        MixgymError: a block length that cannot be streamed.
    """
    check_block(block_frames, SAMPLE_RATE)
    machine = describe_machine()
    tell = tell or (lambda what, share: None)
    rng = np.random.default_rng(seed)
    runs: dict[str, dict[str, Any]] = {}
    latency = 0
    for stems in STEMS:
        tell(f"{stems} stems", 0.0)
        noise = _noise(rng, stems, block_frames)
        mixes = _mixes(rng, stems)
        stream = _stream(mixes[0], stems)
        latency = max(latency, stream.latency)
        _play(stream.process, noise, HEARD_S, block_frames)
        alone = _play(stream.process, noise, seconds, block_frames, partial(_turn, stream, mixes))
        tell(f"{stems} stems", 1 / 3)
        steered = _steered(stream, mixes[0], noise, seconds, block_frames)
        tell(f"{stems} stems", 2 / 3)
        board = _play(_board(stems), noise, seconds, block_frames)
        runs[str(stems)] = {"alone": alone, "steered": steered, "board": board}
        tell(f"{stems} stems", 1.0)
    block_ms = 1000 * block_frames / SAMPLE_RATE
    latency_ms = 1000 * latency / SAMPLE_RATE
    whole_ms = latency_ms + 2 * block_ms
    least = runs[str(STEMS[0])]
    p99_ms = least["steered"]["wall"]["p99"]
    return {
        "benchmark": "stream",
        "machine": machine,
        "inputs": f"stereo noise at {SAMPLE_RATE} Hz, every processor on, blocks of {block_frames}",
        "block_ms": block_ms,
        "latency_ms": {"stream": latency_ms, "with a block in and one out": whole_ms},
        "runs": runs,
        "goals": {
            "share of one core, 8 stems": _goal(SHARE_GOAL, least["alone"]["share"]),
            "99th percentile in ms, 8 stems, steered": _goal(block_ms, p99_ms),
            "whole latency in ms": _goal(LATENCY_GOAL_MS, whole_ms),
        },
    }


def _goal(goal: float, value: float) -> dict[str, Any]:
    return {"goal": goal, "value": value, "met": value < goal}


def _noise(rng: np.random.Generator, stems: int, block_frames: int) -> Audio:
    """A second of blocks, (blocks, stems, 2, frames)."""
    shape = (-(-SAMPLE_RATE // block_frames), stems, 2, block_frames)
    return np.asarray(rng.normal(0, 0.07, shape), dtype=np.float32)


def _mixes(rng: np.random.Generator, stems: int) -> list[Mix]:
    """Settings drawn from the priors with every processor on."""
    names = tuple(f"stem {i}" for i in range(stems))
    mixes = []
    for _ in range(CHANGES_PER_S):
        strips, master = STRIP.sample(rng, (stems,)), MASTER.sample(rng)
        strips[:, [STRIP.index(name) for name in ON]] = 1
        master[[MASTER.index(name) for name in MASTER_ON]] = 1
        roles = ("other",) * stems
        mixes.append(Mix(names, roles, strips, BUSES.sample(rng), master, (None,) * stems))
    return mixes


def _stream(mix: Mix, stems: int) -> Stream:
    return Stream(mix, _levels(stems), (2,) * stems, SAMPLE_RATE, history_s=HEARD_S)


def _levels(stems: int) -> Levels:
    return Levels((STEM_LUFS,) * stems, -10.0, 9.0)


def _turn(stream: Stream, mixes: list[Mix]) -> None:
    """The next of the settings."""
    mixes.append(mixes.pop(0))
    stream.set(mixes[0], _levels(len(stream.stems)))


def _play(
    process: Process,
    noise: Audio,
    seconds: float,
    block_frames: int,
    change: Callable[[], None] | None = None,
    paced: bool = False,
) -> dict[str, Any]:
    """Time blocks; `change` is called ten times a second, outside of what is timed."""
    out = np.zeros((2, block_frames), dtype=np.float32)
    blocks = max(1, round(seconds * SAMPLE_RATE / block_frames))
    every = max(1, round(SAMPLE_RATE / block_frames / CHANGES_PER_S))
    wall, cpu = np.zeros(blocks), np.zeros(blocks)
    began = time.perf_counter()
    for n in range(blocks):
        if change is not None and n % every == 0:
            change()
        if paced:
            time.sleep(max(0.0, began + n * block_frames / SAMPLE_RATE - time.perf_counter()))
        inputs = noise[n % len(noise)]
        wall_ns, cpu_ns = time.perf_counter_ns(), time.thread_time_ns()
        process(inputs, out)
        cpu[n], wall[n] = time.thread_time_ns() - cpu_ns, time.perf_counter_ns() - wall_ns
    block_ms = 1000 * block_frames / SAMPLE_RATE
    return {
        "wall": _spread(wall),
        "cpu": _spread(cpu),
        "share": float(cpu.mean() / 1e6 / block_ms),
        "late": float((wall / 1e6 > block_ms).mean()),
    }


def _spread(ns: NDArray[np.float64]) -> dict[str, float]:
    ms = ns / 1e6
    return {
        "median": float(np.median(ms)),
        "p99": float(np.percentile(ms, 99)),
        "longest": float(ms.max()),
    }


def _steered(
    stream: Stream, mix: Mix, noise: Audio, seconds: float, block_frames: int
) -> dict[str, Any]:
    levels = FixedLevels(_levels(len(stream.stems)))
    loop = PolicyLoop(stream, mix, levels, listener_named(), window_s=HEARD_S)
    loop.start()
    try:
        result = _play(stream.process, noise, seconds, block_frames, paced=True)
    finally:
        loop.stop()
    result["updates_per_s"] = loop.steps / seconds
    return result


def _board(stems: int) -> Process:
    """The baseline: as many processors of pedalboard's, with states kept from block to block."""
    import pedalboard as pb

    def strip() -> pb.Pedalboard:
        return pb.Pedalboard(
            [
                pb.HighpassFilter(60),
                pb.LowShelfFilter(120, gain_db=-1),
                pb.PeakFilter(500, gain_db=1),
                pb.PeakFilter(3000, gain_db=1),
                pb.HighShelfFilter(8000, gain_db=1),
                pb.Compressor(threshold_db=-20, ratio=2.5, attack_ms=10, release_ms=120),
                pb.Gain(-6),
            ]
        )

    strips = [strip() for _ in range(stems)]
    reverb = pb.Pedalboard([pb.Reverb(wet_level=1, dry_level=0)])
    delay = pb.Pedalboard([pb.Delay(0.375, 0.3, 1.0)])
    master = pb.Pedalboard([pb.Compressor(-10, 1.5), pb.Gain(3), pb.Limiter(-1)])

    def process(inputs: Audio, out: Audio) -> None:
        bus = np.zeros_like(out)
        for board, stem in zip(strips, inputs, strict=True):
            bus += board.process(stem, SAMPLE_RATE, reset=False)
        sent = bus * np.float32(0.1)
        bus += reverb.process(sent, SAMPLE_RATE, reset=False)
        bus += delay.process(sent, SAMPLE_RATE, reset=False)
        out[:] = master.process(bus, SAMPLE_RATE, reset=False)

    return process
