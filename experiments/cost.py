"""What a run costs: seconds, processor seconds and peak memory of a process of its own."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import MixgymError

BYTES_PER_MB = 1e6


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run cost.

    Attributes:
        seconds: of the work alone, without starting Python and importing.
        process_seconds: of the whole process.
        cpu_seconds: user and system time of the work, all threads.
        peak_mb: most memory resident in the process, imports included, in 10^6 bytes.
    """

    seconds: float
    process_seconds: float
    cpu_seconds: float
    peak_mb: float


def median_cost(costs: Sequence[Cost]) -> Cost:
    """The median of each figure, over at least one run."""
    return Cost(
        statistics.median(cost.seconds for cost in costs),
        statistics.median(cost.process_seconds for cost in costs),
        statistics.median(cost.cpu_seconds for cost in costs),
        statistics.median(cost.peak_mb for cost in costs),
    )


def run_apart(module: str, *arguments: object) -> Cost:
    """Run a module as a program in a fresh process and read what `report` printed.

    Args:
        module: its full name; it must call `report` last.
        arguments: of its command line.

    Raises:
        MixgymError: it failed; the sentence holds the last line of its error output.
    """
    command = [sys.executable, "-m", module, *map(str, arguments)]
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    process_seconds = time.perf_counter() - started
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it said nothing"]
        raise MixgymError(f"The benchmark program {module} failed: {lines[-1]}")
    figures = json.loads(done.stdout.splitlines()[-1])
    return Cost(process_seconds=process_seconds, **figures)


def report(work: Callable[[], object]) -> None:
    """Do the work in this process and print its cost as one line of JSON for `run_apart`."""
    cpu_started, started = time.process_time(), time.perf_counter()
    work()
    figures = {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - cpu_started,
        "peak_mb": _peak_bytes() / BYTES_PER_MB,
    }
    sys.stdout.write(json.dumps(figures) + "\n")


def _peak_bytes() -> float:
    """Peak resident memory since this program began.

    Linux lets a new program's `ru_maxrss` begin at what the process that started it held, so the
    high-water mark of the program's own memory is read there instead.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return float(line.split()[1]) * 1024
    peak = float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return peak if sys.platform == "darwin" else peak * 1024
