"""`mixgym bench render`: time and memory of a whole mix, beside a plain script."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from .cost import Cost, median_cost, run_apart
from .long_stems import SAMPLE_RATE, write_long_stems
from .machine import describe_machine
from .needs import need

OURS, BASELINE = f"{__package__}.run_mix", f"{__package__}.baseline_render"
REALTIME_GOAL = 0.05  # of the song's length, load to written file
MEMORY_GOAL_MB = 500.0
WARM_UP_STEMS, WARM_UP_S = 2, 4.0

Tell = Callable[[str, float], None]


def bench_render(
    stems: int = 8,
    minutes: float = 4.0,
    repeats: int = 3,
    memory_stems: int = 32,
    memory_minutes: float = 5.0,
    tell: Tell | None = None,
) -> dict[str, object]:
    """Mix a long song by the policy, and by a plain pedalboard and pyloudnorm script.

    The two programs take turns, each run in a process of its own, after one run each over a short
    song that is not counted. All stems are stereo 24-bit WAV at 48 kHz, in a temporary folder (35
    MB for a stereo stem of two minutes) that is always removed.

    Args:
        stems, minutes: of the song that is timed.
        repeats: runs of each program; medians are given.
        memory_stems, memory_minutes: of the song that memory is read on, once; 0 stems skips it.
        tell: told what is being done and the share of it that is done.

    Returns:
        Keys `benchmark`, `machine`, `inputs`, `speed`, `memory` (None if skipped), `goals`. Under
        `speed`, `seconds` run from the first byte read to the file written, `process_seconds`
        include starting Python and importing, `realtime_factor` is `seconds` over the song's
        length and `ratio` the baseline's seconds over ours: above 1, ours is faster.

    Raises:
        MixgymError: pyloudnorm is not installed, too little disk space, or a run failed.
    """
    need("pyloudnorm")
    machine = describe_machine()
    tell = tell or (lambda what, share: None)
    with tempfile.TemporaryDirectory(prefix="mixgym-bench-") as folder:
        _compare(Path(folder), WARM_UP_STEMS, WARM_UP_S, 1, "Warming up", tell)
    with tempfile.TemporaryDirectory(prefix="mixgym-bench-") as folder:
        runs = _compare(Path(folder), stems, minutes * 60, repeats, "Timing", tell)
    speed = _speed(*runs, stems, minutes)
    goals = {"realtime_factor": _goal(REALTIME_GOAL, speed["realtime_factor"])}
    memory = None
    if memory_stems:
        with tempfile.TemporaryDirectory(prefix="mixgym-bench-") as folder:
            duration_s = memory_minutes * 60
            ours, theirs = _compare(
                Path(folder), memory_stems, duration_s, 1, "Reading memory", tell
            )
        memory = _memory(ours[0], theirs[0], memory_stems, memory_minutes)
        goals["peak_mb"] = _goal(MEMORY_GOAL_MB, ours[0].peak_mb)
    return {
        "benchmark": "render",
        "machine": machine,
        "inputs": f"stereo 24-bit WAV stems at {SAMPLE_RATE} Hz, mixed by the policy, 2 threads",
        "speed": speed,
        "memory": memory,
        "goals": goals,
    }


def _compare(
    folder: Path, stems: int, duration_s: float, repeats: int, what: str, tell: Tell
) -> tuple[list[Cost], list[Cost]]:
    """Ours and the baseline in turn over one song; whoever goes first changes every time."""
    tell(what, 0.0)
    write_long_stems(folder / "stems", stems, duration_s)
    costs: dict[str, list[Cost]] = {OURS: [], BASELINE: []}
    for repeat in range(repeats):
        programs = (OURS, BASELINE) if repeat % 2 == 0 else (BASELINE, OURS)
        for program in programs:
            costs[program].append(run_apart(program, folder / "stems", folder / f"{program}.wav"))
        tell(what, (repeat + 1) / repeats)
    return costs[OURS], costs[BASELINE]


def _figures(cost: Cost, duration_s: float) -> dict[str, float]:
    return {
        "seconds": cost.seconds,
        "realtime_factor": cost.seconds / duration_s,
        "process_seconds": cost.process_seconds,
        "cpu_seconds": cost.cpu_seconds,
        "peak_mb": cost.peak_mb,
    }


def _speed(ours: list[Cost], theirs: list[Cost], stems: int, minutes: float) -> dict[str, object]:
    mine, baseline = median_cost(ours), median_cost(theirs)
    return {
        "stems": stems,
        "minutes": minutes,
        "repeats": len(ours),
        **_figures(mine, minutes * 60),
        "baseline": _figures(baseline, minutes * 60),
        "ratio": baseline.seconds / mine.seconds,
        "all_seconds": [cost.seconds for cost in ours],
        "baseline_all_seconds": [cost.seconds for cost in theirs],
    }


def _memory(ours: Cost, theirs: Cost, stems: int, minutes: float) -> dict[str, object]:
    return {
        "stems": stems,
        "minutes": minutes,
        "peak_mb": ours.peak_mb,
        "baseline_peak_mb": theirs.peak_mb,
        "seconds": ours.seconds,
        "realtime_factor": ours.seconds / (minutes * 60),
        "baseline_seconds": theirs.seconds,
        "ratio": theirs.seconds / ours.seconds,
    }


def _goal(goal: float, value: object) -> dict[str, object]:
    assert isinstance(value, float)
    return {"goal": goal, "value": value, "met": value <= goal}
