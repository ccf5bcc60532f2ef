"""`mixgym bench mastering`: mastering after a reference, beside matchering."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import MixgymError
from .cost import Cost, run_apart
from .machine import describe_machine
from .needs import need

if TYPE_CHECKING:
    from ..console.meters import Readings

OURS, BASELINE = f"{__package__}.run_master", f"{__package__}.baseline_master"
CEILINGS_DBTP = {OURS: -1.0, BASELINE: 0.0}  # what each aims at
SAMPLE_RATE = 44_100  # matchering's
JUDGED_HZ = (39.0, 16_500.0)  # third octaves of 40 Hz to 16 kHz
BLOCK_FRAMES = 1 << 16
METRICS = (
    "true_peak_overshoot_db",
    "loudness_error_lu",
    "third_octave_db",
    "seconds_per_second",
    "peak_mb",
)
NOT_AUDIO = {".json", ".txt", ".md", ".csv", ".yaml", ".yml", ".pdf", ".jpg", ".png", ".html"}

Tell = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One program on one pair; all but `true_peak_dbtp` and `loudness_lufs` are better lower.

    Attributes:
        true_peak_overshoot_db: of the higher of two true-peak readings (ours, SciPy's) above the
            ceiling that the program aims at, at least 0.
        loudness_error_lu: distance of the integrated loudness from the reference's.
        third_octave_db: mean absolute difference of the third-octave levels from the reference's,
            40 Hz to 16 kHz, after both are brought to the same integrated loudness.
        seconds_per_second, cpu_seconds_per_second: run time over the track's length.
        peak_mb: of the process.
        true_peak_dbtp, loudness_lufs: by our meters.
        other_true_peak_dbtp, other_loudness_lufs: by SciPy and pyloudnorm.
    """

    true_peak_overshoot_db: float
    loudness_error_lu: float
    third_octave_db: float
    seconds_per_second: float
    cpu_seconds_per_second: float
    peak_mb: float
    true_peak_dbtp: float
    loudness_lufs: float
    other_true_peak_dbtp: float
    other_loudness_lufs: float


def bench_mastering(
    songs: Path, pairs: int = 12, seed: int = 0, tell: Tell | None = None
) -> dict[str, object]:
    """Master tracks after other tracks, with mixgym and with matchering 2.0.6.

    Both read the same 32-bit float WAV files at 44.1 kHz, write 24-bit WAV with their own default
    settings, run in processes of their own, in turn, and warm up on a few seconds before the clock
    starts.

    Args:
        songs: a folder, searched with its sub-folders; any audio that mixgym reads.
        pairs: how many (track, reference) to draw; no pair twice, a track never with itself.
        seed: of the draw.
        tell: told what is being done and the share of it that is done.

    Returns:
        Keys `benchmark`, `machine`, `inputs`, `ours` and `matchering` (metric to `median` and
        `worst`), `ahead` (metric to whether our median is lower, or our worst where medians are
        even), `true_peak_dbtp` (as it is, of both), `largest_meter_difference` (ours against
        SciPy and pyloudnorm over all outputs), `pairs` (everything raw).

    Raises:
        MixgymError: matchering or pyloudnorm is not installed, the folder holds fewer than two
            tracks, or a run failed.
    """
    need("matchering", "pyloudnorm")
    machine = describe_machine()
    tell = tell or (lambda what, share: None)
    drawn = draw_pairs(find_tracks(songs), pairs, seed)
    names = [tuple(str(path.relative_to(songs)) for path in pair) for pair in drawn]
    outcomes: dict[str, list[Outcome]] = {OURS: [], BASELINE: []}
    for number, (track, reference) in enumerate(drawn):
        tell("Mastering", number / len(drawn))
        programs = (OURS, BASELINE) if number % 2 == 0 else (BASELINE, OURS)
        for program, outcome in _compare(track, reference, programs).items():
            outcomes[program].append(outcome)
    tell("Mastering", 1.0)
    ours, theirs = outcomes[OURS], outcomes[BASELINE]
    mine, baseline = _summary(ours), _summary(theirs)
    return {
        "benchmark": "mastering",
        "machine": machine,
        "inputs": f"{len(drawn)} pairs from {songs.name}, 32-bit float WAV at {SAMPLE_RATE} Hz",
        "seed": seed,
        "ours": mine,
        "matchering": baseline,
        "ahead": {name: _ahead(mine[name], baseline[name]) for name in METRICS},
        "true_peak_dbtp": {
            "ours": _spread([outcome.true_peak_dbtp for outcome in ours]),
            "matchering": _spread([outcome.true_peak_dbtp for outcome in theirs]),
        },
        "largest_meter_difference": _meter_difference([*ours, *theirs]),
        "pairs": [
            {"track": track, "reference": reference, "ours": asdict(one), "matchering": asdict(two)}
            for (track, reference), one, two in zip(names, ours, theirs, strict=True)
        ],
    }


def _ahead(ours: dict[str, float], theirs: dict[str, float]) -> bool:
    """Lower on median; where that is even, as two overshoots of nothing are, at worst."""
    return (ours["median"], ours["worst"]) < (theirs["median"], theirs["worst"])


def find_tracks(folder: Path) -> list[Path]:
    """Every file below a folder that may be audio, sorted; hidden ones are left out.

    Raises:
        MixgymError: no such folder, or fewer than two tracks in it.
    """
    if not folder.is_dir():
        raise MixgymError(f"{folder} is not a folder; name one that holds finished tracks.")
    tracks = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix.lower() not in NOT_AUDIO
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    if len(tracks) < 2:
        raise MixgymError(f"{folder} holds {len(tracks)} tracks; at least two are needed.")
    return tracks


def draw_pairs(tracks: Sequence[Path], pairs: int, seed: int) -> list[tuple[Path, Path]]:
    """Different (track, reference) pairs, at random without replacement, as many as there are."""
    others = len(tracks) - 1
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(len(tracks) * others)[:pairs]
    chosen = []
    for track, other in zip(*np.divmod(drawn, others), strict=True):
        chosen.append((tracks[track], tracks[other + (other >= track)]))
    return chosen


def _compare(track: Path, reference: Path, programs: Sequence[str]) -> dict[str, Outcome]:
    """Each program over one pair, and what its output measures."""
    from ..runtime.measuring import measure_file

    with tempfile.TemporaryDirectory(prefix="mixgym-bench-") as name:
        folder = Path(name)
        sources = (folder / "track.wav", folder / "reference.wav")
        decode(track, sources[0])
        decode(reference, sources[1])
        wanted = measure_file(sources[1])
        outcomes = {}
        for program in programs:
            output = folder / f"{program}.wav"
            cost = run_apart(program, *sources, output)
            outcomes[program] = _outcome(output, wanted, cost, CEILINGS_DBTP[program])
        return outcomes


def decode(path: Path, output: Path) -> None:
    """Any track to a stereo 32-bit float WAV at 44.1 kHz."""
    import soundfile

    from ..runtime.measuring import Track
    from ..songs import read_song

    with (
        read_song(path, sample_rate=SAMPLE_RATE) as song,
        soundfile.SoundFile(output, "w", SAMPLE_RATE, 2, "FLOAT") as file,
    ):
        if len(song.stems) != 1:
            raise MixgymError(f"{path} holds {len(song.stems)} stems, not a finished track.")
        stereo = Track(song.stems[0])
        for start in range(0, stereo.frames, BLOCK_FRAMES):
            file.write(stereo.read(start, min(BLOCK_FRAMES, stereo.frames - start)).T)


def third_octave_distance_db(ours: Readings, wanted: Readings) -> float:
    """Mean absolute difference in dB, 40 Hz to 16 kHz, at the same integrated loudness."""
    hz = wanted.spectrum_hz
    judged = (hz > JUDGED_HZ[0]) & (hz < JUDGED_HZ[1])
    judged &= np.isfinite(wanted.spectrum_db) & np.isfinite(ours.spectrum_db)
    difference = (ours.spectrum_db - ours.integrated_lufs) - (
        wanted.spectrum_db - wanted.integrated_lufs
    )
    return float(np.abs(difference[judged]).mean())


def _outcome(output: Path, wanted: Readings, cost: Cost, ceiling_dbtp: float) -> Outcome:
    from ..runtime.measuring import measure_file
    from .independent import integrated_lufs, true_peak_dbtp

    readings = measure_file(output)
    other_dbtp = true_peak_dbtp(output)
    highest_dbtp = max(readings.true_peak_dbtp, other_dbtp)
    return Outcome(
        true_peak_overshoot_db=max(0.0, highest_dbtp - ceiling_dbtp),
        loudness_error_lu=abs(readings.integrated_lufs - wanted.integrated_lufs),
        third_octave_db=third_octave_distance_db(readings, wanted),
        seconds_per_second=cost.seconds / readings.duration_s,
        cpu_seconds_per_second=cost.cpu_seconds / readings.duration_s,
        peak_mb=cost.peak_mb,
        true_peak_dbtp=readings.true_peak_dbtp,
        loudness_lufs=readings.integrated_lufs,
        other_true_peak_dbtp=other_dbtp,
        other_loudness_lufs=integrated_lufs(output),
    )


def _summary(outcomes: Sequence[Outcome]) -> dict[str, dict[str, float]]:
    return {name: _spread([getattr(outcome, name) for outcome in outcomes]) for name in METRICS}


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "worst": max(values)}


def _meter_difference(outcomes: Sequence[Outcome]) -> dict[str, float]:
    return {
        "true_peak_db": max(abs(o.true_peak_dbtp - o.other_true_peak_dbtp) for o in outcomes),
        "loudness_lu": max(abs(o.loudness_lufs - o.other_loudness_lufs) for o in outcomes),
    }
