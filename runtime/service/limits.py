"""What one may ask of the service, and how it refuses."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import MixgymError


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the service takes on.

    Attributes:
        files: stems of one job.
        file_bytes, job_bytes: of one upload, and of all uploads of a job.
        song_s: length of a song.
        jobs: at once.
        workers: jobs worked on at once; others wait.
        reading_s: decoding the stems of a job may take this long.
        stalled_s: an upload may stand still for this long.
        away_s: a job whose page was closed is removed after this, with its work.
        idle_s: so is one that no page ever watched and nobody asks about.
        free_bytes: of disk that are left to others.
    """

    files: int = 64
    file_bytes: int = 500_000_000
    job_bytes: int = 2_000_000_000
    song_s: float = 900.0
    jobs: int = 16
    workers: int = 2
    reading_s: float = 180.0
    stalled_s: float = 30.0
    away_s: float = 60.0
    idle_s: float = 1800.0
    free_bytes: int = 1_000_000_000


class RefusalError(MixgymError):
    """A sentence, and the HTTP status that goes with it."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def megabytes(count: int) -> str:
    """A number of bytes as people read it."""
    return f"{count / 1e6:.0f} MB" if count >= 1_000_000 else f"{count} bytes"
