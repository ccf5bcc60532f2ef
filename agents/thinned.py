"""Songs of which little plays: a few stems, or short bursts of all; a policy is to mix them too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..console.analysis import FRAMES_PER_S, Analysis
from ..console.meters.k_weighting import k_response
from ..console.meters.loudness import gated_lufs
from ..console.parameters import NOMINAL_LUFS
from ..envs.repertoire import Repertoire
from ..rewards.listeners import Listener, SimulatedSong

VARIANTS = 8  # of each song, of either kind
MOST_STEMS = 4  # that play in one
MOST_BURSTS = 3  # of a stem
BURST_S = (0.3, 2.0)
HEARD_DB = 20.0  # below a stem's loudest frame: where a burst may be
SUB_BLOCKS = 10  # of the loudness meter in a frame


class Thinned(Repertoire):
    """A repertoire, and behind it variants of its songs in which little plays.

    Number `song + count * variant` is a variant of a song, `count` that of songs. Variant 0 is the
    song itself; in the first `VARIANTS` behind it all but a few stems are silent, in as many more
    every stem is but for a few bursts.

    Args:
        songs: simulated.
        seed: of what plays.
    """

    def __init__(self, songs: Repertoire, seed: int) -> None:
        super().__init__(songs.sources, songs.seconds, songs.sample_rate)
        self._seed = seed

    def numbers(
        self, songs: NDArray[np.int64], thinned: float, bursts: float, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Songs with so many of them, on average, in few stems or in bursts."""
        variants = 1 + rng.integers(VARIANTS, size=len(songs))
        drawn = rng.random(len(songs))
        few, short = drawn < thinned, drawn >= 1.0 - bursts
        chosen = np.where(few, variants, np.where(short, VARIANTS + variants, 0))
        return np.asarray(songs + len(self) * chosen)

    def listener(self, number: int) -> Listener:
        """See `Repertoire.listener`."""
        whole = super().listener(number % len(self))
        if number < len(self):
            return whole
        assert isinstance(whole, SimulatedSong)
        rng = np.random.default_rng((self._seed, number))
        if number < len(self) * (1 + VARIANTS):
            sounding = np.flatnonzero(whole.present)
            count = int(rng.integers(1, MOST_STEMS + 1))
            kept = np.zeros(len(whole.roles), dtype=bool)
            kept[rng.permutation(sounding)[:count]] = True
            return SimulatedSong(silenced(whole.analysis, ~kept), whole.roles)
        return SimulatedSong(in_bursts(whole.analysis, rng), whole.roles)


def silenced(analysis: Analysis, stems: NDArray[np.bool_]) -> Analysis:
    """The analysis of a song in which some stems, (stems,), are silent.

    Instants at which peaks are read stay those of all stems together.
    """
    played = _played(analysis, np.repeat(~stems[:, None], analysis.fine.shape[3], axis=1))
    return replace(played, loudness_lufs=np.where(stems, -np.inf, analysis.loudness_lufs))


def in_bursts(analysis: Analysis, rng: np.random.Generator) -> Analysis:
    """The analysis of a song of which every stem plays in one to `MOST_BURSTS` bursts alone.

    Stems are brought to the nominal loudness again, so bursts of equal loudness are as loud as the
    stems were.
    """
    powers = analysis.fine[:, :2].sum(axis=(1, 2))
    levels_db = 10 * np.log10(powers + 1e-12)
    plays = np.zeros(powers.shape, dtype=bool)
    for row, levels in zip(plays, levels_db, strict=True):
        heard = np.flatnonzero(levels >= levels.max() - HEARD_DB)
        for middle in rng.choice(heard, size=rng.integers(1, MOST_BURSTS + 1)):
            length = round(rng.uniform(*BURST_S) * FRAMES_PER_S)
            row[max(0, middle - length // 2) :][:length] = True
    played = _played(analysis, plays)
    lost = NOMINAL_LUFS - _loudness_lufs(played)
    return _amplified(replace(played, loudness_lufs=analysis.loudness_lufs - lost), lost)


def _played(analysis: Analysis, plays: NDArray[np.bool_]) -> Analysis:
    """Frames in which stems play, (stems, frames), as they are, and silence elsewhere."""
    play = plays.astype(np.float32)
    first, second = analysis.pairs.T
    return replace(
        analysis,
        fine=analysis.fine * play[:, None, None],
        slots=analysis.slots * play[:, None, None],
        samples=analysis.samples * play[:, None, None, None],
        crosses=analysis.crosses * (play[first] * play[second])[:, None, None],
    )


def _loudness_lufs(analysis: Analysis) -> NDArray[np.float64]:
    """Integrated loudness of the stems as the analysis has them, (stems,)."""
    rate = analysis.sample_rate
    weights = k_response(analysis.band_hz, rate).astype(np.float64)
    powers = np.einsum("scbt,b->st", analysis.fine[:, :2].astype(np.float64), weights)
    energies = np.repeat(powers, SUB_BLOCKS, axis=1) * rate / (FRAMES_PER_S * SUB_BLOCKS)
    return np.array([gated_lufs(stem, rate) for stem in energies])


def _amplified(analysis: Analysis, gains_db: NDArray[np.float64]) -> Analysis:
    """Every stem by its gain, (stems,); what is not finite is that of silence."""
    gains = np.where(np.isfinite(gains_db), 10 ** (gains_db / 20), 0.0).astype(np.float32)
    first, second = analysis.pairs.T
    return replace(
        analysis,
        fine=analysis.fine * np.square(gains)[:, None, None, None],
        slots=analysis.slots * np.square(gains)[:, None, None, None],
        samples=analysis.samples * gains[:, None, None, None, None],
        crosses=analysis.crosses * (gains[first] * gains[second])[:, None, None, None],
    )
