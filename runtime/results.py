"""What mixing and mastering give back, and what they say about it."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..console.mix import Mix
    from ..console.render import Rendering
    from .mix_score import MixScore


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where results go; None is not made."""

    audio: Path
    preset: Path | None = None
    report: Path | None = None
    stems: Path | None = None
    rpp: Path | None = None
    dawproject: Path | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a mix or a master, for people and programs.

    Attributes:
        mix: the settings that were rendered; a master's has no stems.
        source_lufs: integrated loudness before the mastering chain.
        notes: what a person should know: silent stems, targets out of reach, how a preset fell.
        reference: the track that a master follows, if any.
        score: what the style's reward thinks of a mix, where a report was asked for.
    """

    title: str
    outputs: Outputs
    mix: Mix
    sample_rate: int
    duration_s: float
    source_lufs: float
    loudness_lufs: float
    target_lufs: float | None
    true_peak_dbtp: float
    ceiling_dbtp: float | None
    mean_reduction_db: float
    max_reduction_db: float
    seconds: float
    notes: tuple[str, ...]
    reference: str | None = None
    score: MixScore | None = None

    @classmethod
    def of(
        cls,
        title: str,
        outputs: Outputs,
        mix: Mix,
        rendering: Rendering,
        ceiling_dbtp: float | None,
        turned_down_db: float,
        notes: Sequence[str],
        started: float,
        reference: Path | None = None,
    ) -> Result:
        """The result of a rendering; `started` is a reading of `time.perf_counter`."""
        delivered = rendering.delivered
        return cls(
            title=title,
            outputs=outputs,
            mix=mix,
            sample_rate=rendering.sample_rate,
            duration_s=rendering.frames / rendering.sample_rate,
            source_lufs=rendering.bus_lufs,
            loudness_lufs=delivered.loudness_lufs - turned_down_db,
            target_lufs=delivered.target_lufs,
            true_peak_dbtp=delivered.true_peak_dbtp - turned_down_db,
            ceiling_dbtp=ceiling_dbtp,
            mean_reduction_db=delivered.mean_reduction_db,
            max_reduction_db=delivered.max_reduction_db,
            seconds=time.perf_counter() - started,
            notes=tuple(notes),
            reference=str(reference) if reference else None,
        )

    def to_json(self) -> dict[str, object]:
        """Numbers, strings and lists that JSON can hold."""
        paths = {
            name: str(path) if (path := getattr(self.outputs, name)) else None
            for name in ("audio", "preset", "report", "stems", "rpp", "dawproject")
        }
        return {
            "title": self.title,
            **paths,
            "reference": self.reference,
            "made_by": self.mix.made_by,
            "stem_names": list(self.mix.stems),
            "roles": list(self.mix.roles),
            "sample_rate": self.sample_rate,
            "duration_s": self.duration_s,
            "source_lufs": finite(self.source_lufs),
            "loudness_lufs": finite(self.loudness_lufs),
            "target_lufs": self.target_lufs,
            "true_peak_dbtp": finite(self.true_peak_dbtp),
            "ceiling_dbtp": self.ceiling_dbtp,
            "limiter_mean_reduction_db": self.mean_reduction_db,
            "limiter_max_reduction_db": self.max_reduction_db,
            "seconds": self.seconds,
            "realtime_factor": self.seconds / self.duration_s,
            "notes": list(self.notes),
            "score": asdict(self.score) if self.score else None,
        }


def asked_delivery(target_lufs: float | None, ceiling_dbtp: float | None) -> dict[str, float]:
    """Master settings for a loudness and a ceiling that were asked for; either may be None."""
    asked: dict[str, float] = {}
    if target_lufs is not None:
        asked |= {"loudness_on": 1.0, "target_lufs": target_lufs}
    if ceiling_dbtp is not None:
        asked |= {"limiter_on": 1.0, "ceiling_dbtp": ceiling_dbtp}
    return asked


def delivery_notes(rendering: Rendering, turned_down_db: float = 0.0) -> list[str]:
    """What a person should know about loudness and peaks."""
    delivered = rendering.delivered
    notes = []
    if not delivered.on_target and delivered.target_lufs is not None:
        notes.append(
            f"The ceiling allows {delivered.loudness_lufs:.1f} LUFS, "
            f"not the target of {delivered.target_lufs:.1f}."
        )
    if delivered.mean_reduction_db > 3.0:
        notes.append(
            f"The limiter takes off {delivered.mean_reduction_db:.1f} dB on average: "
            "a lower target would keep more of the dynamics."
        )
    if turned_down_db:
        notes.append(
            f"Turned down {turned_down_db:.2f} dB so that the lossy file's peaks keep the ceiling."
        )
    if delivered.true_peak_dbtp > 0:
        notes.append("There is no limiter and peaks exceed full scale: integer formats clip.")
    return notes


def finite(value: float) -> float | None:
    """A number for JSON, None where it is infinite or no number."""
    return value if math.isfinite(value) else None
