"""`mixgym mix` on every song of a folder, measured without our meters."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from ..console.parameters import MASTER
from ..console.styles import style
from ..errors import MixgymError
from ..runtime.mixers import mixer_named
from ..runtime.mixing import MixOptions, mix_song
from ..runtime.results import Outputs
from ..songs import read_song
from .independent import integrated_lufs, true_peak_dbtp
from .machine import describe_machine
from .needs import need

if TYPE_CHECKING:
    from ..console.render import Progress


def bench_songs(songs: Path, mixer: str, tell: Progress) -> dict[str, Any]:
    """Mix every folder of stems in a folder, and read what comes out.

    Args:
        songs: a folder of song folders.
        mixer: by rule.
        tell: told which song is being mixed.

    Returns:
        JSON: `machine`, `inputs`, `songs` (per song `stems`, `duration_s`, `loudness_error_lu`
        against the target by pyloudnorm, `true_peak_dbtp` by SciPy at 8x, `on_target` as the
        mixer itself says, `seconds` from files to file, `seconds_per_second`), and `overall`
        with medians and worst cases.

    Raises:
        MixgymError: no song folders, or pyloudnorm is not installed.
    """
    need("pyloudnorm")
    if not songs.is_dir():
        raise MixgymError(f"{songs} is no folder: name one that holds song folders.")
    folders = sorted(folder for folder in songs.iterdir() if folder.is_dir())
    if not folders:
        raise MixgymError(f"{songs} holds no folders of stems.")
    rows: dict[str, dict[str, Any]] = {}
    for i, folder in enumerate(folders):
        rows[folder.name] = _mix(folder, mixer)
        tell("Mixing songs", (i + 1) / len(folders))
    errors = [abs(row["loudness_error_lu"]) for row in rows.values()]
    peaks = [row["true_peak_dbtp"] for row in rows.values()]
    rates = [row["seconds_per_second"] for row in rows.values()]
    return {
        "benchmark": "songs",
        "machine": describe_machine(),
        "inputs": f"{len(rows)} songs, mixed by {mixer}, 24-bit WAV",
        "songs": rows,
        "overall": {
            "loudness_error_lu": {"median": median(errors), "worst": max(errors)},
            "true_peak_dbtp": {"median": median(peaks), "worst": max(peaks)},
            "seconds_per_second": {"median": median(rates), "worst": max(rates)},
        },
    }


def _mix(folder: Path, mixer: str) -> dict[str, Any]:
    lean = style("balanced")
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary) / "mix.wav"
        started = time.perf_counter()
        with read_song(folder) as song:
            options = MixOptions(mixer=mixer_named(mixer), lean=lean)
            result = mix_song(song, Outputs(out), options)
        seconds = time.perf_counter() - started
        return {
            "stems": len(result.mix.stems),
            "duration_s": result.duration_s,
            "loudness_error_lu": integrated_lufs(out) - MASTER["target_lufs"].default,
            "true_peak_dbtp": true_peak_dbtp(out),
            "on_target": abs(result.loudness_lufs - MASTER["target_lufs"].default) <= 0.1,
            "seconds": seconds,
            "seconds_per_second": seconds / result.duration_s,
        }
