"""Audio files out: WAV, AIFF, FLAC, Ogg Vorbis and MP3, with dither where bits are dropped."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import MixgymError

if TYPE_CHECKING:
    from ..console.render import Rendering

LARGEST_WAV_BYTES = 4_000_000_000
LAST_FRAMES = 4096
LOSSY_ATTEMPTS = 5
LOSSY_MARGIN_DB = 0.02  # below the ceiling; another level is coded a little differently


@dataclass(frozen=True, slots=True)
class Format:
    """How an audio file is written.

    Attributes:
        container, subtype: libsndfile's names.
        bits: 16 or 24 where samples are integers, else None.
        lossy: whether decoding gives back other peaks than were written.
    """

    container: str
    subtype: str
    bits: int | None
    lossy: bool = False


_INTEGER = {16: "PCM_16", 24: "PCM_24"}
_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)


def choose_format(path: Path, sample_rate: int, bit_depth: int = 24) -> Format:
    """The format that a file's suffix asks for.

    Args:
        path: .wav, .aiff, .aif, .flac, .ogg or .mp3.
        sample_rate: in Hz.
        bit_depth: 16, 24 or 32 (floating point); FLAC holds at most 24, lossy formats have none.

    Raises:
        MixgymError: an unknown suffix, a bit depth or rate that the format cannot hold.
    """
    suffix = path.suffix.lower()
    if bit_depth not in (16, 24, 32):
        raise MixgymError(f"A bit depth of {bit_depth} is not on offer; choose 16, 24 or 32.")
    if suffix in (".wav", ".aif", ".aiff"):
        container = "WAV" if suffix == ".wav" else "AIFF"
        if bit_depth == 32:
            return Format(container, "FLOAT", None)
        return Format(container, _INTEGER[bit_depth], bit_depth)
    if suffix == ".flac":
        if bit_depth == 32:
            raise MixgymError(f"{path}: FLAC holds 16 or 24 bits; use .wav for 32-bit float.")
        return Format("FLAC", _INTEGER[bit_depth], bit_depth)
    if suffix == ".ogg":
        return Format("OGG", "VORBIS", None, lossy=True)
    if suffix == ".mp3":
        if sample_rate not in _MP3_RATES:
            raise MixgymError(f"{path}: MP3 cannot hold {sample_rate} Hz; use .wav, .flac or .ogg.")
        return Format("MP3", "MPEG_LAYER_III", None, lossy=True)
    raise MixgymError(f"{path}: unknown kind of file; end it in .wav, .flac, .aiff, .ogg or .mp3.")


class AudioWriter:
    """Writes a stereo stream to one file.

    Args:
        path: the file, replaced.
        sample_rate: in Hz.
        form: how to write it.
        frames: how many will come; chooses RF64 where a WAV would be too small.
        channels: 2; or 1, where samples are no integers.

    Raises:
        OSError: the disk is full, from any method.
    """

    def __init__(
        self, path: Path, sample_rate: int, form: Format, frames: int = 0, channels: int = 2
    ) -> None:
        import soundfile

        from ..songs._sndfile import native_name

        container = form.container
        if container == "WAV" and frames * channels * (form.bits or 32) // 8 > LARGEST_WAV_BYTES:
            container = "RF64"
        self._path, self._form, self._frame = path, form, 0
        with _as_os_errors(path):
            self._file = soundfile.SoundFile(
                native_name(path),
                "w",
                sample_rate,
                channels,
                subtype=form.subtype,
                format=container,
            )

    def write(self, audio: NDArray[np.float32]) -> None:
        """Add a block, shape (channels, frames)."""
        samples: NDArray[np.float32] | NDArray[np.int32] = audio.T
        if self._form.bits is not None:
            from ._dither import quantise

            samples = np.empty((audio.shape[1], 2), dtype=np.int32)
            quantise(audio, self._frame, self._form.bits, samples)
        with _as_os_errors(self._path):
            self._file.write(samples)
        self._frame += audio.shape[1]

    def close(self) -> None:
        """Finish the file, and see that its end is there.

        What a coder holds back until then may find the disk full, which libsndfile does not tell.
        """
        import soundfile

        from ..songs._sndfile import native_name

        with _as_os_errors(self._path):
            self._file.close()
            with soundfile.SoundFile(native_name(self._path)) as file:
                read = file.seek(max(0, self._frame - LAST_FRAMES))
                while block := len(file.read(LAST_FRAMES)):
                    read += block
        if read < self._frame:
            raise OSError(errno.ENOSPC, "the end is missing", str(self._path))

    def __enter__(self) -> AudioWriter:
        """Itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        """Finish the file; after a failure only let go of it."""
        if kind is None:
            self.close()
        else:
            with suppress(OSError), _as_os_errors(self._path):
                self._file.close()


@contextmanager
def _as_os_errors(path: Path) -> Iterator[None]:
    """libsndfile does not say why it cannot write; on a file just made it is for want of space."""
    from soundfile import SoundFileRuntimeError

    try:
        yield
    except SoundFileRuntimeError as error:
        raise OSError(errno.ENOSPC, str(error), str(path)) from error


def write_audio(
    path: Path, blocks: Iterable[NDArray[np.float32]], sample_rate: int, form: Format, frames: int
) -> None:
    """Write a stream of blocks, shape (2, frames) each.

    Raises:
        OSError: the disk is full.
    """
    with AudioWriter(path, sample_rate, form, frames) as writer:
        for block in blocks:
            writer.write(block)


def write_master(
    path: Path, rendering: Rendering, form: Format, ceiling_dbtp: float | None
) -> float:
    """Write a master; in a lossy format turn it down until what is decoded keeps the ceiling.

    Args:
        path: the file, replaced.
        rendering: the master.
        form: how to write it.
        ceiling_dbtp: true peak that must not be exceeded, None for no limit.

    Returns:
        How far it was turned down, in dB (at least 0).

    Raises:
        OSError: the disk is full.
        MixgymError: the decoded file keeps exceeding the ceiling.
    """
    turned_down_db = 0.0
    for attempt in range(1, LOSSY_ATTEMPTS + 1):
        gain = np.float32(10 ** (-turned_down_db / 20))
        blocks = (block * gain if turned_down_db else block for block in rendering.blocks())
        write_audio(path, blocks, rendering.sample_rate, form, rendering.frames)
        if not form.lossy or ceiling_dbtp is None:
            return turned_down_db
        over_db = decoded_true_peak_dbtp(path) - ceiling_dbtp
        if over_db <= 0:
            return turned_down_db
        turned_down_db += over_db + attempt * LOSSY_MARGIN_DB
    raise MixgymError(
        f"{form.container} cannot keep a true peak of {ceiling_dbtp:g} dBTP on this audio; "
        "use .wav or .flac."
    )


def decoded_true_peak_dbtp(path: Path) -> float:
    """True peak of an audio file as it decodes."""
    import soundfile

    from ..console.meters import TruePeakMeter
    from ..songs._sndfile import native_name

    with soundfile.SoundFile(native_name(path)) as file:
        meter = TruePeakMeter(file.samplerate, file.channels)
        for block in file.blocks(65_536, dtype="float32", always_2d=True):
            meter.push(np.ascontiguousarray(block.T))
    meter.finish()
    return meter.true_peak_dbtp
