"""`mixgym bench inference`: what it takes to run policies of several sizes, in every format."""

from __future__ import annotations

import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ..errors import MixgymError
from ..runtime.mixers import POLICIES
from .machine import describe_machine

MODULE = "mixgym.experiments.run_policy"
STEMS = 16
SIZES = {"small": (96, 2), "medium": (256, 4), "large": (384, 4)}  # width and blocks
PRECISIONS = ("fp32", "fp16", "int8", "int8-static")
GOALS = {  # at most, of fp32 in ONNX Runtime
    "small": {"p50_ms": 5.0, "load_ms": 500.0, "resident_mb": 100.0},
    "medium": {"p50_ms": 10.0, "load_ms": 500.0, "resident_mb": 100.0},
    "large": {"p50_ms": 20.0, "load_ms": 500.0, "resident_mb": 100.0},
    "policy": {"p50_ms": 1.0, "load_ms": 100.0},
}
NEEDED = ("torch", "onnx", "onnxscript")

Tell = Callable[[str, float], None]


def bench_inference(
    policy: Path | None = None,
    runs: int = 1000,
    repeats: int = 3,
    sizes: Sequence[str] = tuple(SIZES),
    tell: Tell | None = None,
) -> dict[str, Any]:
    """Latency, time to load, memory and size of policies for 16 stems, one song at a time.

    Networks of each size with random weights are written in every format and precision, and run
    one by one on one thread, each in fresh processes; the baseline is the network as PyTorch runs
    it when it is trained. LiteRT takes part where its converter is installed.

    Args:
        policy: a policy's file that is measured too, held against goals of its own; the one that
            comes along if None.
        runs: of each process.
        repeats: processes for each file; medians of what they say.
        sizes: names in `SIZES`.
        tell: told what is being done and the share of it that is done.

    Returns:
        Keys `benchmark`, `machine`, `inputs`; `rows`: size, format and precision, `runs_on`,
        `p50_ms`, `p99_ms`, `load_ms`, `import_ms` (once in a process, libraries), `resident_mb`
        (None where the system does not say), `file_mb`; `goals`.

    Raises:
        MixgymError: what is needed to write the files is not installed, or a policy that cannot be
            run.
    """
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise MixgymError(f"This benchmark needs {missing[0]}: pip install 'mixgym[export]'.")
    tell = tell or (lambda what, share: None)
    policy = policy or POLICIES / "mixing.onnx"
    _run(policy, 1)  # what cannot be measured is refused before minutes of work
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        files = [file for size in sizes for file in _written(Path(folder), size, tell)]
        files.append(("policy", policy.suffix, "", policy))
        for number, (size, suffix, precision, path) in enumerate(files):
            tell("Running", number / len(files))
            said = [_run(path, runs) for _ in range(repeats)]
            rows.append({"size": size, "format": suffix, "precision": precision, **_median(said)})
    tell("Running", 1.0)
    return {
        "benchmark": "inference",
        "machine": describe_machine(),
        "inputs": f"{STEMS} stems, batch of 1, one thread, {repeats} processes x {runs} runs",
        "rows": rows,
        "goals": {
            f"{row['size']} {name}": {"goal": goal, "value": row[name], "met": row[name] <= goal}
            for row in rows
            if row["size"] == "policy" or (row["format"], row["precision"]) == (".onnx", "fp32")
            for name, goal in GOALS[row["size"]].items()
            if row[name] is not None
        },
    }


def _written(folder: Path, size: str, tell: Tell) -> Iterator[tuple[str, str, str, Path]]:
    """Size, suffix, precision and path of every file of a network; its weights first."""
    from ..export.deployed import MixingPolicy
    from ..export.export import Wanted, describe
    from ..export.parity import random_inputs
    from ..export.writers import writer
    from .random_policy import random_policy

    tell(f"Writing {size}", 0.0)
    weights = folder / f"{size}.npz"
    network, about = random_policy(weights, *SIZES[size])
    yield size, ".npz", "fp32", weights
    examples = [random_inputs("mixing", 1, stems, seed=stems) for stems in (2, 4, 8, 16)]
    suffixes = [".pt", ".pt2", *([".tflite"] if importlib.util.find_spec("litert_torch") else [])]
    wanted = [(".onnx", precision) for precision in PRECISIONS]
    wanted += [(suffix, "fp32") for suffix in suffixes]
    for number, (suffix, precision) in enumerate(wanted):
        path = folder / f"{size}-{precision}{suffix}"
        described = describe(weights, about, Wanted(precision=precision))
        policy = MixingPolicy(network, described.space)
        writer(path, precision)(policy, described, examples, path)
        tell(f"Writing {size}", (number + 1) / len(wanted))
        yield size, suffix, precision, path


def _run(path: Path, runs: int) -> dict[str, Any]:
    command = [sys.executable, "-m", MODULE, str(path), str(STEMS), str(runs)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        told = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        kind, _, sentence = told.partition(": ")
        if kind == f"{MixgymError.__module__}.{MixgymError.__name__}":
            raise MixgymError(sentence)
        raise MixgymError(f"{path} cannot be measured: {told}")
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def _median(said: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        name: statistics.median(one[name] for one in said) if isinstance(value, float) else value
        for name, value in said[0].items()
    }
