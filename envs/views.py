"""What rendering shows: the console of one episode, as data, as text, as sound."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..console.describe import changes
from ..console.hear import hear
from ..console.mix import Mix
from ..console.mix_readings import MixReadings
from ..rewards.features import target_curve_db
from ..songs import ROLES

if TYPE_CHECKING:
    from .episodes import Episodes

METER_DB, METER_CELLS = 36.0, 12
TRACK = "track"  # what the only stem of a finished track is called
SILENT_LUFS = -200.0


@dataclass(frozen=True)
class Desk:
    """One episode's console.

    Attributes:
        title: of the song. step, steps: taken, and in the episode.
        mix: the settings; stems are called by their roles.
        sample_rate: in Hz.
        readings: of the mix, a batch of one.
        target_db: curve by third octave that the spectrum is held against, (bands,).
        centres_hz: of the third octaves, (bands,).
        score: from 0 to 1.
        terms, gates: of the reward, by name.
    """

    title: str
    step: int
    steps: int
    mix: Mix
    sample_rate: int
    readings: MixReadings
    target_db: NDArray[np.float64]
    centres_hz: NDArray[np.float64]
    score: float
    terms: dict[str, float]
    gates: dict[str, float]

    @classmethod
    def of(cls, episodes: Episodes, place: int) -> Desk:
        """As it stands now; looking is not an evaluation."""
        listener, to = episodes.listener(place), episodes.physical(place)
        readings = episodes.evaluator.read([listener], to.strips, to.buses, to.master, to.inserts)
        score, terms, gates = episodes.scores()
        roles = tuple(ROLES[role] for role in listener.roles)
        stems = len(roles)
        names = numbered(roles) if episodes.task.stems else (TRACK,)
        return cls(
            episodes.repertoire.titles[episodes.songs[place]],
            int(episodes.taken[place]),
            episodes.options.episode_steps,
            Mix(names, roles, to.strips[0, :stems], to.buses[0], to.master[0], (None,) * stems),
            episodes.options.sample_rate,
            readings,
            target_curve_db(episodes.reward, listener.centres_hz),
            listener.centres_hz,
            float(score[place]),
            {name: float(value[place]) for name, value in terms.items()},
            {name: float(value[place]) for name, value in gates.items()},
        )

    @property
    def levels_lu(self) -> NDArray[np.float64]:
        """Loudness of the stems re the loudest, (stems,)."""
        lufs = np.maximum(self.readings.stem_lufs[0, : len(self.mix.stems)], SILENT_LUFS)
        return np.asarray(lufs - lufs.max(), dtype=np.float64)

    def text(self) -> str:
        """One line for each stem, then buses, master, meters and the reward."""
        lines = changes(self.mix)
        wide = max(len(name) for name in (*self.mix.stems, "master"))
        out = [f"{self.title}   step {self.step} of {self.steps}   score {self.score:.3f}"]
        for name, level in zip(self.mix.stems, self.levels_lu, strict=True):
            out.append(f"{name:>{wide}} |{_bar(level)}| {'; '.join(lines[name])}".rstrip())
        shared = [name for name in ("buses", "master") if lines[name]]
        out += [f"{name:>{wide}} : {'; '.join(lines[name])}" for name in shared]
        out.append(f"{'meters':>{wide}} : {self.meters()}")
        for name, values in (("terms", self.terms), ("gates", self.gates)):
            told = ", ".join(f"{key} {value:.2f}" for key, value in values.items())
            out.append(f"{name:>{wide}} : {told}")
        return "\n".join(out)

    def meters(self) -> str:
        """What the master reads."""
        r = self.readings
        return (
            f"{r.integrated_lufs[0]:.1f} LUFS, {r.true_peak_dbtp[0]:.1f} dBTP, "
            f"PLR {r.plr_db[0]:.1f} dB, LRA {r.loudness_range_lu[0]:.1f} LU, "
            f"limiter -{r.mean_reduction_db[0]:.1f} dB, mono -{r.mono_fold_loss_db[0]:.1f} dB"
        )


def _bar(level_lu: float) -> str:
    cells = round(METER_CELLS * max(0.0, 1 + level_lu / METER_DB))
    return "=" * cells + " " * (METER_CELLS - cells)


def numbered(roles: tuple[str, ...]) -> tuple[str, ...]:
    """A name for each role: those that come again get a number."""
    return tuple(
        role if roles[:i].count(role) == 0 else f"{role} {roles[:i].count(role) + 1}"
        for i, role in enumerate(roles)
    )


def sound(episodes: Episodes, place: int) -> NDArray[np.float32]:
    """The excerpt as the settings make it sound, delivered, shape (2, frames)."""
    song = episodes.repertoire.song(int(episodes.songs[place]))
    to, stems = episodes.physical(place), len(song.stems)
    mix = replace(
        Mix.neutral(song), strips=to.strips[0, :stems], buses=to.buses[0], master=to.master[0]
    )
    insert = episodes.options.insert
    values = None if to.inserts is None else to.inserts[0]
    return hear(song, mix, insert=insert.bound(values) if insert else None)[1]
