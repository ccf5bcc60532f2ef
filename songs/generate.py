"""Multitrack songs made from a seed: for the demo, for tests, and to train on by the thousand.

Everything is synthesised, from the score to the singer; no sample or recording is used.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray

from ..errors import MixgymError
from . import _drums, _melody, _parts, _tones
from ._score import Note, Score, compose
from ._singer import Singer, sing
from ._synth import FLOOR, Samples, Voice, bell_sos, filtered, high_pass_sos, pan_gains, perform
from .song import Song, check_sample_rate

_MIN_DURATION_S, _MAX_DURATION_S = 4.0, 600.0
_LEVEL_DB, _LEVEL_SPREAD_DB = -26.0, 12.0  # RMS of a stem while it plays
_PEAK = 0.9
_SILENCE = 1e-8  # below the least significant of 24 bits
_FADE_S = 0.25


class _Part(NamedTuple):
    """A kind of stem."""

    role: str
    stereo: float  # how likely it is a stereo stem
    notes: Callable[[Score], list[list[Note]]]  # lines, each for one player
    voice: Callable[[np.random.Generator, int], Voice] | None  # None is sung


def _solo(part: Callable[[Score], list[Note]]) -> Callable[[Score], list[list[Note]]]:
    return lambda score: [part(score)]


# In console order.
_PARTS = {
    "Kick": _Part("kick", 0.0, _solo(_parts.kick), _drums.kick),
    "Snare": _Part("snare", 0.0, _solo(_parts.snare), _drums.snare),
    "Hats": _Part("hats", 0.4, _solo(_parts.hats), _drums.hats),
    "Percussion": _Part("percussion", 0.5, _solo(_parts.percussion), _drums.percussion),
    "Bass": _Part("bass", 0.0, _solo(_parts.bass), _tones.bass),
    "Keys": _Part("keys", 0.7, _solo(_parts.keys), _tones.keys),
    "Guitar": _Part("guitar", 0.5, _solo(_parts.guitar), _tones.guitar),
    "Pad": _Part("pad", 0.9, _solo(_parts.pad), _tones.pad),
    "Arp": _Part("synth", 0.6, _solo(_parts.arp), _tones.arp),
    "Lead Vocal": _Part("lead_vocal", 0.0, _solo(_melody.lead), None),
    "Backing Vocal": _Part("backing_vocal", 0.7, _melody.backing, None),
}
_CORE = ("Kick", "Bass", "Lead Vocal", "Snare", "Hats")


def generate_song(
    seed: int = 0,
    duration_s: float = 24.0,
    sample_rate: int = 44100,
    stems: int | None = None,
) -> Song:
    """A song of its own: drums, bass, harmony, and a voice that sings words of no language.

    Tempo (70 to 150 BPM), key, chords, groove, instruments, timbres, stem levels (over +-12 dB) and
    which stems are stereo all follow from `seed`; the same arguments give the same samples, and a
    stem does not depend on which others there are. Stems are as if recorded and not yet mixed: dry,
    peaks at most 0.9, no DC.

    Args:
        seed: at least 0.
        duration_s: 4 to 600 s; the song is exactly `round(duration_s * sample_rate)` frames long.
        sample_rate: 8000 to 192000 Hz.
        stems: how many, 1 to 11; drawn from 7 to 10 when not given.

    Raises:
        MixgymError: an argument outside its range.
    """
    _check(seed, duration_s, sample_rate, stems)
    score = compose(seed, duration_s)
    names = _arrangement(score, stems)
    arrays = {name: _stem(name, score, sample_rate) for name in names}
    return Song.from_arrays(
        arrays,
        sample_rate,
        title=f"demo-{seed}",
        roles={name: _PARTS[name].role for name in names},
        tempo_bpm=score.tempo_bpm,
    )


def write_song(song: Song, folder: Path) -> None:
    """Write a song as 24-bit WAV stems (`01_Kick.wav`, ...) and a `song.json` beside them.

    The folder is made if need be; samples beyond full scale are clipped, as the format demands.
    Nothing stays behind when it fails.

    Raises:
        MixgymError: the folder exists and is not empty, is a file, or cannot be written.
    """
    folder = Path(folder)
    new = not folder.exists()
    written: list[Path] = []
    try:
        if not new and (not folder.is_dir() or any(folder.iterdir())):
            raise MixgymError(f"{folder} exists and is not an empty folder: name a new one.")
        folder.mkdir(parents=True, exist_ok=True)
        entries = []
        for number, stem in enumerate(song.stems, start=1):
            path = folder / f"{number:02d}_{_file_stem(stem.name)}.wav"
            written.append(path)
            audio = stem.read(0, stem.frames)
            soundfile.write(path, audio.T, song.sample_rate, subtype="PCM_24")
            entries.append({"file": path.name, "name": stem.name, "role": stem.role})
        about = {"title": song.title, "tempo_bpm": song.tempo_bpm, "stems": entries}
        written.append(folder / "song.json")
        written[-1].write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    except BaseException as error:
        for path in written:
            path.unlink(missing_ok=True)
        if new and folder.is_dir():
            folder.rmdir()
        if isinstance(error, OSError | soundfile.LibsndfileError):
            raise MixgymError(
                f"Cannot write the song to {folder} ({error}): name a folder that can be written."
            ) from error
        raise


def _check(seed: int, duration_s: float, sample_rate: int, stems: int | None) -> None:
    if seed < 0:
        raise MixgymError(f"Seed {seed} is negative: use 0 or more.")
    if not _MIN_DURATION_S <= duration_s <= _MAX_DURATION_S:
        raise MixgymError(
            f"Duration {duration_s} s is out of range: use {_MIN_DURATION_S:g} to "
            f"{_MAX_DURATION_S:g} s."
        )
    check_sample_rate(sample_rate, "A generated song")
    if stems is not None and not 1 <= stems <= len(_PARTS):
        raise MixgymError(f"{stems} stems cannot be made: ask for 1 to {len(_PARTS)}.")


def _arrangement(score: Score, stems: int | None) -> list[str]:
    """Which stems a song has, in console order: harmony and the core first, colour after it."""
    rng = score.rng("arrangement")
    count = int(rng.integers(7, 11)) if stems is None else stems
    harmony = "Keys" if rng.random() < 0.6 else "Guitar"
    wanted = [harmony, *_CORE]
    colour = [name for name in _PARTS if name not in wanted]
    rng.shuffle(colour)
    chosen = (wanted + colour)[:count]
    return [name for name in _PARTS if name in chosen]


def _stem(name: str, score: Score, sample_rate: int) -> NDArray[np.float32]:
    """One stem as `(channels, frames)`, at the level it was recorded."""
    rng = score.rng(name)
    frames = round(score.duration_s * sample_rate)
    part = _PARTS[name]
    lines = part.notes(score)
    stereo = bool(rng.random() < part.stereo)
    if part.voice is None:
        audio = _sung(lines, rng, stereo, frames, sample_rate)
    else:
        voice = part.voice(rng, sample_rate)
        audio = _played(name, lines[0], voice, rng, stereo, frames, sample_rate)
    return _recorded(audio, rng, sample_rate)


def _played(
    name: str,
    notes: list[Note],
    voice: Voice,
    rng: np.random.Generator,
    stereo: bool,
    frames: int,
    sample_rate: int,
) -> Samples:
    """Notes through an instrument; a stereo guitar is played twice, left and right."""
    if not stereo:
        return perform(_parts.humanised(notes, rng), voice, None, frames, sample_rate)
    if name == "Guitar":
        takes = [_parts.humanised(notes, rng, timing_s=0.006) for _ in range(2)]
        return np.concatenate([perform(take, voice, None, frames, sample_rate) for take in takes])
    notes = _parts.humanised(notes, rng)
    width = rng.uniform(0.2, 0.8)
    if name == "Keys":
        pans = [width * float(np.clip((note.pitch - 58.0) / 8.0, -1.0, 1.0)) for note in notes]
    elif name in ("Arp", "Percussion"):
        pans = [width * (-1.0) ** i for i in range(len(notes))]
    else:
        pans = [width * rng.choice([-1.0, 1.0])] * len(notes)
    return perform(notes, voice, pans, frames, sample_rate)


def _sung(
    lines: list[list[Note]], rng: np.random.Generator, stereo: bool, frames: int, sample_rate: int
) -> Samples:
    """Lines, one singer each, side by side where the stem is stereo."""
    voices = []
    for line in lines:
        singer = Singer.draw(rng, line)
        late = _parts.humanised(line, rng, timing_s=0.008)
        voices.append(sing(late, singer, rng, frames, sample_rate))
    if not stereo:
        return np.asarray(np.sum(voices, axis=0)[np.newaxis])
    gains = [pan_gains(position) for position in np.linspace(-0.7, 0.7, len(voices)).tolist()]
    return np.asarray(np.transpose(gains) @ np.stack(voices))


def _recorded(audio: Samples, rng: np.random.Generator, sample_rate: int) -> NDArray[np.float32]:
    """The colour of a microphone and a room, no DC, a level, and silence at the very end."""
    colour = bell_sos(
        float(np.exp(rng.uniform(np.log(150.0), np.log(6000.0)))),
        rng.uniform(-5.0, 5.0),
        rng.uniform(0.5, 1.5),
        sample_rate,
    )
    audio = filtered(np.concatenate([high_pass_sos(22.0, sample_rate), colour]), audio + FLOOR)
    fade = round(_FADE_S * sample_rate)
    audio[:, -fade:] *= np.cos(np.linspace(0.0, 0.5 * np.pi, fade)) ** 2
    level_db = _LEVEL_DB + rng.uniform(-_LEVEL_SPREAD_DB, _LEVEL_SPREAD_DB)
    gain = 10.0 ** (level_db / 20.0) / _active_rms(audio, sample_rate)
    gain = min(gain, _PEAK / float(np.abs(audio).max()))
    recorded: NDArray[np.float32] = (gain * audio).astype(np.float32)
    recorded[np.abs(recorded) < _SILENCE] = 0.0
    return recorded


def _active_rms(audio: Samples, sample_rate: int) -> float:
    """Root mean square of the 50 ms blocks within 20 dB of the loudest."""
    block = round(0.05 * sample_rate)
    whole = audio[:, : audio.shape[1] // block * block]
    blocks = whole.reshape(len(audio), -1, block)
    power = np.einsum("cbf,cbf->b", blocks, blocks) / (len(audio) * block)
    return float(np.sqrt(np.mean(power[power >= 0.01 * power.max()])))


def _file_stem(name: str) -> str:
    """A stem's name with nothing in it that a file name cannot hold."""
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in name) or "stem"
