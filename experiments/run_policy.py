"""Open one policy's file in this process, run it, and print what that took as a line of JSON.

    python -m mixgym.experiments.run_policy FILE STEMS RUNS

A FILE of weights (.npz) is run as PyTorch runs the network when it is trained.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..runtime.policy.backends import MODULES, open_policy
from ..runtime.policy.contract import TASKS, lengths

Inputs = dict[str, NDArray[np.float32]]
WARM_UP = 20


def main(path: Path, stems: int, runs: int) -> dict[str, Any]:
    """Latencies of a batch of one song in ms, time to load in ms, resident memory in MB."""
    imports = time.perf_counter()
    _import_runtime(path.suffix)
    before_mb, started = _resident_mb(), time.perf_counter()
    run, runs_on = _opened(path)
    load_ms = 1e3 * (time.perf_counter() - started)
    rng = np.random.default_rng(0)
    inputs = {
        name: np.clip(rng.standard_normal(lengths(axes, 1, stems)), -3, 3).astype(np.float32)
        for name, axes in TASKS["mixing"].inputs.items()
    }
    inputs["mask"][:] = 1.0
    for _ in range(WARM_UP):
        run(inputs)
    taken_ms = []
    for _ in range(runs):
        began = time.perf_counter()
        run(inputs)
        taken_ms.append(1e3 * (time.perf_counter() - began))
    return {
        "runs_on": runs_on,
        "p50_ms": float(np.percentile(taken_ms, 50)),
        "p99_ms": float(np.percentile(taken_ms, 99)),
        "load_ms": load_ms,
        "import_ms": 1e3 * (started - imports),
        "resident_mb": None if before_mb is None else (_resident_mb() or 0.0) - before_mb,
        "file_mb": path.stat().st_size / 1e6,
    }


def _import_runtime(suffix: str) -> None:
    """What any file of the kind needs, so that it is no part of loading one."""
    from importlib import import_module

    import_module(MODULES.get(suffix, "mixgym.agents.load"))
    if suffix not in (".onnx", ".tflite"):
        import torch

        torch.set_num_threads(1)


def _opened(path: Path) -> tuple[Callable[[Inputs], object], str]:
    if path.suffix != ".npz":
        backend = open_policy(path)
        return backend.run, backend.runs_on
    from ..agents.load import read_network
    from ..console.space import Space
    from ..export.parity import reference_of

    network, about = read_network(path)
    space = Space(about.strip, about.buses, about.master)
    return reference_of(network, space, "mixing"), "the network in PyTorch"


def _resident_mb() -> float | None:
    """Memory that this process has in use now, None where the system does not say."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    (line,) = (s for s in status.read_text(encoding="ascii").splitlines() if "VmRSS" in s)
    return int(line.split()[1]) * 1024 / 1e6


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
