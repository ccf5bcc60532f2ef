"""What a reference track, or a folder of them, reads: something to be near to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..errors import MixgymError

if TYPE_CHECKING:
    from ..console.meters import Readings

MOST_BYTES = 100_000
MOST_TRACKS = 1000
AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".m4a", ".aif", ".aiff")
QUIET_DB = -120.0
BLOCK_FRAMES = 65_536


class Reference(BaseModel):
    """Medians of one or several finished tracks.

    Attributes:
        tracks: how many.
        centres_hz: of the third octaves. levels_db: of these, less their mean.
        width: of these, side over mid and side in power.
        plr_db, loudness_range_lu: peak to loudness ratio, EBU loudness range.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["mixgym-reference"] = "mixgym-reference"
    version: Literal[1] = 1
    tracks: int = Field(ge=1, le=MOST_TRACKS)
    centres_hz: tuple[float, ...] = Field(min_length=8, max_length=64)
    levels_db: tuple[float, ...] = Field(min_length=8, max_length=64)
    width: tuple[float, ...] = Field(min_length=8, max_length=64)
    plr_db: float = Field(ge=0, le=60)
    loudness_range_lu: float = Field(ge=0, le=60)

    @model_validator(mode="after")
    def _fits(self) -> Reference:
        hz, levels, width = (np.array(v) for v in (self.centres_hz, self.levels_db, self.width))
        if not len(hz) == len(levels) == len(width):
            raise ValueError("centres_hz, levels_db and width must be equally long")
        if not (np.all(hz > 0) and np.all(np.diff(hz) > 0) and hz[-1] < 1e6):
            raise ValueError("centres_hz must rise")
        if not (np.all(np.abs(levels) <= 200) and np.all((width >= 0) & (width <= 1))):
            raise ValueError("levels_db must be within 200 dB of 0, width from 0 to 1")
        return self

    def levels_at_db(self, centres_hz: NDArray[np.float64]) -> NDArray[np.float64]:
        """The curve at other bands, straight lines over the logarithm of frequency, (bands,)."""
        return np.interp(np.log(centres_hz), np.log(self.centres_hz), self.levels_db)

    def width_at(self, centres_hz: NDArray[np.float64]) -> NDArray[np.float64]:
        """The width at other bands, (bands,)."""
        return np.interp(np.log(centres_hz), np.log(self.centres_hz), self.width)

    def save(self, path: str | Path) -> None:
        """Write it as JSON; the file appears whole.

        Raises:
            MixgymError: the file cannot be written.
        """
        path = Path(path)
        partial = path.with_name(f"{path.name}.partial")
        try:
            partial.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")
            partial.replace(path)
        except OSError as error:
            raise MixgymError(f"{path} cannot be written ({error.strerror}).") from error


def load_reference(path: str | Path) -> Reference:
    """A reference that `Reference.save` wrote.

    Raises:
        MixgymError: the file cannot be read, or does not hold what it should.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise MixgymError(f"{path} is larger than a reference can be; check the name.")
        return Reference.model_validate_json(path.read_bytes())
    except OSError as error:
        raise MixgymError(f"The reference {path} cannot be read ({error.strerror}).") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise MixgymError(
            f"{path} is no reference: {place}: {first['msg']}; make one with learn_reference."
        ) from error


def learn_reference(paths: str | Path | Sequence[str | Path]) -> Reference:
    """Read finished tracks, and take the median of each reading.

    Args:
        paths: files, and folders that stand for the audio files in them.

    Raises:
        MixgymError: nothing to read, more than `MOST_TRACKS`, or a track that cannot be read.
    """
    given = [Path(p) for p in ([paths] if isinstance(paths, str | Path) else paths)]
    files = [file for path in given for file in _audio_files(path)]
    if not files:
        raise MixgymError(f"There are no audio files in {', '.join(map(str, given)) or 'nothing'}.")
    if len(files) > MOST_TRACKS:
        raise MixgymError(f"{len(files)} tracks are too many; give at most {MOST_TRACKS}.")
    readings = [_read(file) for file in files]
    bands = min(len(reading.spectrum_hz) for reading in readings)
    levels = np.array([np.maximum(reading.spectrum_db[:bands], QUIET_DB) for reading in readings])
    levels -= levels.mean(axis=1, keepdims=True)
    widths = np.array([np.nan_to_num(reading.band_width[:bands]) for reading in readings])
    return Reference(
        tracks=len(files),
        centres_hz=tuple(readings[0].spectrum_hz[:bands].tolist()),
        levels_db=tuple(np.median(levels, axis=0).tolist()),
        width=tuple(np.median(widths, axis=0).tolist()),
        plr_db=float(np.median([reading.plr_db for reading in readings])),
        loudness_range_lu=float(np.median([reading.loudness_range_lu for reading in readings])),
    )


def _audio_files(path: Path) -> list[Path]:
    if path.is_dir():
        return [file for file in sorted(path.iterdir()) if file.suffix.lower() in AUDIO_SUFFIXES]
    return [path]


def _read(path: Path) -> Readings:
    from ..console.meters import Measurement
    from ..songs import read_song

    with read_song(path) as song:
        stem = song.stems[0]
        meters = Measurement(song.sample_rate, stem.channels)
        for start in range(0, song.frames, BLOCK_FRAMES):
            meters.push(stem.read(start, min(BLOCK_FRAMES, song.frames - start)))
    readings = meters.finish()
    if not math.isfinite(readings.integrated_lufs):
        raise MixgymError(f"{path} is silent; leave it out.")
    return readings
