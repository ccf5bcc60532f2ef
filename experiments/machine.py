"""The machine that a benchmark ran on."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

RESULTS = ":!experiments/results"  # what benchmarks write is no difference from a commit
LIBRARIES = (
    "numpy",
    "scipy",
    "numba",
    "soundfile",
    "soxr",
    "pedalboard",
    "pyloudnorm",
    "matchering",
    "librosa",
    "torch",
    "dasp-pytorch",
)


def describe_machine() -> dict[str, object]:
    """Processor, cores, load, system, Python, library versions and the commit, where known.

    Returns:
        Keys `cpu`, `cores` (that this process may use), `load_1_min` (None where there is no such
        reading), `system`, `python`, `libraries` (name to version, installed ones only), `commit`
        (None outside a git checkout; ends in `+` where files differ from it).
    """
    return {
        "cpu": _cpu(),
        "cores": _cores(),
        "load_1_min": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        "libraries": _versions(),
        "commit": _commit(),
    }


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _versions() -> dict[str, str]:
    found = {}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found


def _commit() -> str | None:
    root = Path(__file__).parent.parent
    if not (root / ".git").exists():
        return None
    try:
        commit = _git(root, "rev-parse", "--short", "HEAD")
        return commit + ("+" if _git(root, "status", "--porcelain", "--", RESULTS) else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
