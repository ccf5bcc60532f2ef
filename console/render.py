"""Render: run a mix over the audio of a whole song, in blocks.

Three passes over the song, each a stream, so memory does not grow with its length: the mix bus
(kept in a nameless temporary file, its loudness measured), the mastering chain on the bus at
nominal loudness (kept likewise, its peaks and loudness measured), and delivery: the gain that
reaches the target loudness under the true-peak ceiling, verified on the result.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from ..songs.spool import SpoolReader
from .control import whole_quanta
from .delivery import TOLERANCE_LU, Drive, Programme, plan_drive
from .feeding import feed
from .insert import MakeInsert
from .limiter import apply_curve, limiter_hop
from .mastering import MasteringChain
from .meters import LoudnessMeter, TruePeakMeter
from .mix import Mix
from .mixbus import BLOCK_FRAMES, BusBlock, MixBus
from .parameters import MASTER, NOMINAL_LUFS
from .reconstruction import LongFilterPeak, ShortFilterPeak

if TYPE_CHECKING:
    from ..songs import Song

Progress = Callable[[str, float], None]  # what is being done, and the share of it that is done

LOUDNESS_TOLERANCE_LU = 0.05
ATTEMPTS = 4
CLEAR_DB = 1.0  # below the ceiling no reconstruction filter can reach it


class StereoSource(Protocol):
    """Stereo audio that can be read anywhere: the spooled mix bus, or a file."""

    @property
    def frames(self) -> int:
        """Its length."""
        ...

    def read(self, start: int, frames: int) -> NDArray[np.float32]:
        """Shape (2, frames), a new array."""
        ...


@dataclass(frozen=True, slots=True)
class Delivered:
    """What was measured on the finished master.

    Attributes:
        loudness_lufs: integrated loudness.
        true_peak_dbtp: at 8x oversampling.
        target_lufs: what was asked for, None where the mix asks for none.
        drive_db: gain ahead of the limiter.
        mean_reduction_db, max_reduction_db: what the limiter takes off.
        margin_db: how far below its ceiling the limiter was kept, and
        lowered_db: what was taken off behind it, so that what lies between samples keeps the
            ceiling too.
    """

    loudness_lufs: float
    true_peak_dbtp: float
    target_lufs: float | None
    drive_db: float
    mean_reduction_db: float
    max_reduction_db: float
    margin_db: float = 0.0
    lowered_db: float = 0.0

    @property
    def on_target(self) -> bool:
        """Whether the loudness is within 0.1 LU of the target, or none was asked for."""
        return self.target_lufs is None or abs(self.loudness_lufs - self.target_lufs) <= 0.1


class Rendering:
    """A finished master, to be read in blocks.

    Attributes:
        sample_rate: in Hz.
        frames: length, reverb and delay tails included.
        delivered: what the master measures.
        bus_lufs: integrated loudness of the mix bus before mastering.
    """

    def __init__(
        self,
        audio: SpoolReader,
        sample_rate: int,
        drive: Drive,
        delivered: Delivered,
        bus_lufs: float,
    ) -> None:
        self._audio, self._drive = audio, drive
        self.sample_rate, self.frames = sample_rate, audio.frames
        self.delivered, self.bus_lufs = delivered, bus_lufs

    def blocks(self, block_frames: int = BLOCK_FRAMES) -> Iterator[NDArray[np.float32]]:
        """The master in blocks of shape (2, <= block_frames)."""
        yield from _driven(self._audio, self._drive, self.sample_rate, block_frames)

    def array(self) -> NDArray[np.float32]:
        """The whole master, shape (2, frames)."""
        return np.concatenate(list(self.blocks()), axis=1)

    def close(self) -> None:
        """Give the temporary file back."""
        self._audio.close()

    def __enter__(self) -> Rendering:
        """Itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close."""
        self.close()


def render(
    song: Song,
    mix: Mix,
    *,
    tail: bool = True,
    threads: int = 2,
    block_frames: int = BLOCK_FRAMES,
    on_bus: Callable[[BusBlock], None] | None = None,
    insert: MakeInsert | None = None,
    progress: Progress | None = None,
) -> Rendering:
    """Run a mix over a song.

    Args:
        song: the stems.
        mix: settings for exactly these stems.
        tail: let reverb and delay ring out behind the last stem.
        threads: how many strips are processed at once.
        block_frames: frames per block; does not change the result.
        on_bus: sees every block of the mix bus, for stem outputs.
        insert: makes a plug-in for each strip.
        progress: told what is being done and how far it is.

    Raises:
        MixgymError: unreadable stems, other stems than the mix's, nothing but silence, or a full
            disk.
    """
    bus = MixBus(song, mix, threads=threads, tail=tail, insert=insert)
    with closing(SpoolReader(2)) as spool:
        meter = LoudnessMeter(song.sample_rate, 2)
        for block in bus.blocks(block_frames):
            spool.append(block.total.T)
            meter.push(block.total)
            if on_bus:
                on_bus(block)
            _tell(progress, "Mixing", spool.frames / bus.frames)
        return master(
            spool,
            song.sample_rate,
            MASTER.settings(mix.master),
            meter.integrated_lufs,
            threads=threads,
            block_frames=block_frames,
            progress=progress,
        )


def master(
    source: StereoSource,
    sample_rate: int,
    settings: Mapping[str, float],
    source_lufs: float,
    *,
    matching_taps: NDArray[np.float32] | None = None,
    threads: int = 2,
    block_frames: int = BLOCK_FRAMES,
    progress: Progress | None = None,
) -> Rendering:
    """Run the mastering chain and delivery over stereo audio.

    Args:
        source: the mix bus or a finished track, two channels.
        sample_rate: in Hz.
        settings: values of the master table by name.
        source_lufs: its integrated loudness.
        matching_taps: of a linear-phase filter at the head of the chain, if any.
        threads: how many bands are processed at once.
        block_frames: frames per block; does not change the result.
        progress: told what is being done and how far it is.

    Raises:
        MixgymError: a full disk.
    """
    input_gain_db = NOMINAL_LUFS - source_lufs if math.isfinite(source_lufs) else 0.0
    spool = SpoolReader(2)
    try:
        loudness = LoudnessMeter(sample_rate, 2)
        peaks = TruePeakMeter(sample_rate, 2, hop=limiter_hop(sample_rate))
        with ThreadPoolExecutor(max(1, threads)) as pool:
            chain = MasteringChain(settings, input_gain_db, sample_rate, pool, matching_taps)
            mastered = _chained(source, chain, block_frames)
            for block in feed(mastered, (peaks, loudness), threads):
                spool.append(block.T)
                _tell(progress, "Mastering", spool.frames / source.frames)
        peaks.finish()
        programme = Programme(peaks.hop_peaks, loudness.powers, sample_rate)
        drive, delivered = _deliver(spool, programme, settings, block_frames, threads, progress)
    except BaseException:
        spool.close()
        raise
    return Rendering(spool, sample_rate, drive, delivered, source_lufs)


def _chained(
    source: StereoSource, chain: MasteringChain, block_frames: int
) -> Iterator[NDArray[np.float32]]:
    """The chain's output with its latency taken out, exactly as long as the source."""
    step = whole_quanta(block_frames)
    for start in range(0, source.frames + chain.latency, step):
        audio = np.zeros((2, step), dtype=np.float32)
        there = min(step, source.frames - start)
        if there > 0:
            audio[:, :there] = source.read(start, there)
        first = max(0, chain.latency - start)
        last = min(step, source.frames + chain.latency - start)
        out = chain.process(audio)[:, first:last]
        if out.shape[1]:
            yield np.ascontiguousarray(out)


def _driven(
    audio: SpoolReader, drive: Drive, sample_rate: int, block_frames: int
) -> Iterator[NDArray[np.float32]]:
    for start in range(0, audio.frames, block_frames):
        block = audio.read(start, min(block_frames, audio.frames - start))
        apply_curve(block, start, drive.gains, sample_rate)
        yield block


def _deliver(
    audio: SpoolReader,
    programme: Programme,
    settings: Mapping[str, float],
    block_frames: int,
    threads: int,
    progress: Progress | None,
) -> tuple[Drive, Delivered]:
    """Plan the drive, measure what comes of it, and correct until both limits hold.

    Where another attempt comes no nearer to the target, the ceiling allows no more.
    """
    target = settings["target_lufs"] if settings["loudness_on"] else None
    ceiling_dbtp = settings["ceiling_dbtp"] if settings["limiter_on"] else math.inf
    drive = plan_drive(programme, settings)
    peak_dbtp = _db(float(programme.peaks.max(initial=0))) + drive.drive_db
    if not drive.limited and peak_dbtp <= ceiling_dbtp - CLEAR_DB:
        loudness_lufs = programme.loudness_lufs + drive.drive_db
        return drive, _delivered(loudness_lufs, peak_dbtp, target, drive)
    margin_db = trim_lu = 0.0
    best: tuple[Drive, Delivered] | None = None
    least_lu = math.inf
    for _ in range(ATTEMPTS):
        measured = _measure(audio, programme, drive, block_frames, threads, progress)
        over_db = max(0.0, measured.highest_dbtp - ceiling_dbtp)
        lowered = drive.lowered(over_db)
        delivered = _delivered(
            measured.loudness_lufs - over_db, measured.true_peak_dbtp - over_db, target, lowered
        )
        delivered = replace(delivered, margin_db=margin_db, lowered_db=over_db)
        short_lu = 0.0 if target is None else target - delivered.loudness_lufs
        if best is None or abs(short_lu) < least_lu:
            best, least_lu = (lowered, delivered), abs(short_lu)
        if least_lu <= LOUDNESS_TOLERANCE_LU or not math.isfinite(short_lu):
            break
        margin_db += over_db
        trim_lu += short_lu
        last, drive = drive, plan_drive(programme, settings, margin_db, trim_lu)
        if over_db == 0.0 and abs(drive.drive_db - last.drive_db) <= TOLERANCE_LU:
            break
    assert best is not None
    return best


@dataclass(frozen=True, slots=True)
class _Measured:
    loudness_lufs: float
    true_peak_dbtp: float
    highest_dbtp: float  # behind any reconstruction filter


def _measure(
    audio: SpoolReader,
    programme: Programme,
    drive: Drive,
    block_frames: int,
    threads: int,
    progress: Progress | None,
) -> _Measured:
    loudness = LoudnessMeter(programme.sample_rate, 2)
    peaks = TruePeakMeter(programme.sample_rate, 2)
    long, short = LongFilterPeak(), ShortFilterPeak()
    done = 0
    blocks = _driven(audio, drive, programme.sample_rate, block_frames)
    for block in feed(blocks, (long, peaks, short, loudness), threads):
        done += block.shape[1]
        _tell(progress, "Verifying", done / audio.frames)
    for meter in (peaks, short, long):
        meter.finish()
    return _Measured(
        loudness.integrated_lufs,
        peaks.true_peak_dbtp,
        max(peaks.true_peak_dbtp, _db(short.peak), _db(long.peak)),
    )


def _db(amplitude: float) -> float:
    return 20 * math.log10(max(amplitude, 1e-12))


def _delivered(loudness: float, peak: float, target: float | None, drive: Drive) -> Delivered:
    reduction = drive.reduction_db if drive.limited else np.zeros(1)
    return Delivered(
        loudness_lufs=loudness,
        true_peak_dbtp=peak,
        target_lufs=target,
        drive_db=drive.drive_db,
        mean_reduction_db=float(reduction.mean()),
        max_reduction_db=float(reduction.max()),
    )


def _tell(progress: Progress | None, what: str, share: float) -> None:
    if progress:
        progress(what, share)
