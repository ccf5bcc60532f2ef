"""Mixing from Python: `mixgym.mix("stems/").save("mix.wav")`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from ..console.meters import Measurement
from ..console.mix import Mix, Mixer, Strength
from ..console.parameters import MASTER
from ..console.preset import Preset, dumps
from ..console.render import Rendering, render
from ..errors import MixgymError
from ..songs import Song, read_song
from .mixers import POLICY, automation_by_policy, mixer_named
from .mixing import MixOptions, mix_settings
from .output import choose_format, write_master
from .results import delivery_notes
from .staging import Staged, refuse_existing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..console.meters import Readings
    from ..console.render import Delivered

Stems = Song | str | Path | Sequence[str | Path]


class Wishes(TypedDict, total=False):
    """What a mix may be asked for.

    Attributes:
        target_lufs, ceiling_dbtp: override the mix's own.
        amount, strengths: how much of the mix to keep, whole and per component, 0..1.
        preset: settings to apply by name and role, instead of letting the mixer make them; its
            own fader moves are then all that moves.
    """

    target_lufs: float
    ceiling_dbtp: float
    amount: float
    strengths: Mapping[Strength, float]
    preset: Preset


@dataclass(frozen=True, slots=True)
class Mixed:
    """A mix that was rendered: its settings and its audio.

    The audio lies in a nameless temporary file (8 bytes a frame) until this is closed or forgotten.
    Any number of threads may read it.

    Attributes:
        title: of the song.
        mix: the settings that were rendered.
        notes: what a person should know, such as a target out of reach.
    """

    title: str
    mix: Mix
    notes: tuple[str, ...]
    _rendering: Rendering = field(repr=False)
    _sources: tuple[Path | None, ...] = field(repr=False)

    @property
    def sample_rate(self) -> int:
        """In Hz."""
        return self._rendering.sample_rate

    @property
    def duration_s(self) -> float:
        """Length in seconds, reverb and delay tails included."""
        return self._rendering.frames / self._rendering.sample_rate

    @property
    def delivered(self) -> Delivered:
        """Loudness, true peak and what the limiter took off, as measured on the master."""
        return self._rendering.delivered

    def audio(self) -> NDArray[np.float32]:
        """The master, a new array of shape (2, frames)."""
        return self._rendering.array()

    def readings(self) -> Readings:
        """All meters over the master."""
        meters = Measurement(self.sample_rate, 2)
        for block in self._rendering.blocks():
            meters.push(block)
        return meters.finish()

    def save(self, path: str | Path, *, bit_depth: int = 24, overwrite: bool = False) -> None:
        """Write the master; a lossy one is turned down until what is decoded keeps the ceiling.

        Args:
            path: .wav, .aiff, .flac, .ogg or .mp3.
            bit_depth: 16, 24 or 32 (floating point).
            overwrite: replace a file that exists; never a stem.

        Raises:
            MixgymError: the file is in the way or of an unknown kind, or the disk is full.
        """
        path = Path(path)
        refuse_existing([path], overwrite, inputs=self._sources)
        form = choose_format(path, self.sample_rate, bit_depth)
        master = MASTER.settings(self.mix.master)
        ceiling_dbtp = master["ceiling_dbtp"] if master["limiter_on"] else None
        with Staged() as staged:
            write_master(staged.file(path), self._rendering, form, ceiling_dbtp)

    def save_preset(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the settings as JSON.

        Raises:
            MixgymError: the file is in the way, or the disk is full.
        """
        path = Path(path)
        refuse_existing([path], overwrite, inputs=self._sources)
        with Staged() as staged:
            staged.file(path).write_text(dumps(self.mix), encoding="utf-8")

    def close(self) -> None:
        """Give the temporary file back; the audio is gone then."""
        self._rendering.close()

    def __enter__(self) -> Mixed:
        """Itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close."""
        self.close()


class AutoMixer:
    """Mixes songs; make one and use it as often as wished, from several threads if need be.

    Args:
        style: how mixes lean.
        mixer: one of `runtime.mixers.MIXERS`, or what makes a mix of a song: `mixer(song, budget)`,
            called from every thread that mixes.
        policy: another policy's file than the one that comes along.
        search_s: seconds that a search goes on from a named mixer's mix.
        automation: let the faders move between a song's sections; for the policy only.
        threads: at work on one song.

    Raises:
        MixgymError: no such style or mixer, or a file that holds no policy.
    """

    def __init__(
        self,
        *,
        style: str = "balanced",
        mixer: str | Mixer = POLICY,
        policy: str | Path | None = None,
        search_s: float = 0.0,
        automation: bool = False,
        threads: int = 2,
    ) -> None:
        self._threads = threads
        if automation and mixer != POLICY:
            raise MixgymError("Automation is the policy's; leave out the other mixer.")
        if policy is not None and mixer != POLICY:
            raise MixgymError("A policy is a mixer of its own; give a policy or another mixer.")
        path = None if policy is None else Path(policy)
        self._automation = (
            automation_by_policy(style, policy=path, threads=threads) if automation else None
        )
        self._mixer: Mixer
        if isinstance(mixer, str):
            self._mixer = mixer_named(mixer, style, policy=path, search_s=search_s, threads=threads)
        else:
            self._mixer = mixer

    def mix(
        self,
        song: Stems,
        *,
        sample_rate: int | None = None,
        tail: bool = True,
        **wishes: Unpack[Wishes],
    ) -> Mixed:
        """A song's mix.

        Args:
            song: open, or a folder of stems, a file, or several; an open one stays open.
            sample_rate: to read files at, in Hz; by default what most of them have.
            tail: let reverb and delay ring out behind the last stem.
            wishes: see `Wishes`.

        Raises:
            MixgymError: the stems cannot be read or are silent, a value is out of range, or the
                disk of the temporary folder is full.
        """
        automation = None if "preset" in wishes else self._automation
        options = MixOptions(self._mixer, automation=automation, **wishes)
        with _opened(song, sample_rate) as opened:
            mix, notes = mix_settings(opened, options)
            return self._rendered(opened, mix, tail, notes)

    def render(
        self, song: Stems, mix: Mix, *, sample_rate: int | None = None, tail: bool = True
    ) -> Mixed:
        """A song with settings that are there, such as another mix's after a change.

        Args:
            song: as for `mix`.
            mix: settings for exactly its stems.
            sample_rate, tail: as for `mix`.

        Raises:
            MixgymError: as `mix` does, or the settings are another song's.
        """
        with _opened(song, sample_rate) as opened:
            return self._rendered(opened, mix, tail, [])

    def _rendered(self, song: Song, mix: Mix, tail: bool, notes: Sequence[str]) -> Mixed:
        rendering = render(song, mix, tail=tail, threads=self._threads)
        return Mixed(
            song.title,
            mix,
            (*notes, *delivery_notes(rendering)),
            rendering,
            tuple(stem.path for stem in song.stems),
        )


def mix(
    song: Stems,
    *,
    style: str = "balanced",
    mixer: str | Mixer = POLICY,
    policy: str | Path | None = None,
    automation: bool = False,
    threads: int = 2,
    **wishes: Unpack[Wishes],
) -> Mixed:
    """One song's mix: `AutoMixer(style=..., ...).mix(song, ...)`.

    Raises:
        MixgymError: as `AutoMixer` and its `mix` do.
    """
    made = AutoMixer(
        style=style, mixer=mixer, policy=policy, automation=automation, threads=threads
    )
    return made.mix(song, **wishes)


def _opened(song: Stems, sample_rate: int | None) -> Song | nullcontext[Song]:
    """A song to be used in a `with` block, which closes it only where it is opened here."""
    if isinstance(song, Song):
        return nullcontext(song)
    return read_song(song, sample_rate=sample_rate)
