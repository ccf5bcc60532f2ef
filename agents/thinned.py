"""Songs of which something is missing, so that a policy learns to mix those too."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..console.analysis import FRAMES_PER_S, Analysis
from ..console.meters.k_weighting import k_response
from ..console.meters.loudness import gated_lufs
from ..console.parameters import NOMINAL_LUFS
from ..envs.repertoire import Repertoire
from ..rewards.listeners import Listener, SimulatedSong
from ..songs.roles import ROLES

VARIANTS = 8  # of each song and kind
MOST_STEMS = 4  # that play in one
MOST_BURSTS = 3  # of a stem
BURST_S = (0.3, 2.0)
HEARD_DB = 20.0  # below a stem's loudest frame: where a burst may be
SUB_BLOCKS = 10  # of the loudness meter in a frame


class Shares(NamedTuple):
    """Of songs of which something is missing, at most 1 together; the others are whole.

    Attributes:
        thinned: in which a few stems alone play.
        bursts: in which every stem plays in short bursts alone.
        nameless: in which nothing is known of what all stems, or half of them, are.
        mono: in which all stems, or half of them, are folded to one channel.
    """

    thinned: float = 0.0
    bursts: float = 0.0
    nameless: float = 0.0
    mono: float = 0.0


class Thinned(Repertoire):
    """A repertoire, and behind it variants of its songs in which something is missing.

    Number `song + count * variant` is a variant of a song, `count` that of songs. Variant 0 is the
    song itself; behind it are `VARIANTS` of each kind, in the order of `Shares`.

    Args:
        songs: simulated.
        seed: of what is missing.
    """

    def __init__(self, songs: Repertoire, seed: int) -> None:
        super().__init__(songs.sources, songs.seconds, songs.sample_rate)
        self._seed = seed

    def numbers(
        self, songs: NDArray[np.int64], shares: Shares, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Songs, of which on average such shares are of each kind."""
        variants = 1 + rng.integers(VARIANTS, size=len(songs))
        kinds = np.searchsorted(np.cumsum(shares), rng.random(len(songs)), side="right")
        chosen = np.where(kinds < len(shares), kinds * VARIANTS + variants, 0)
        return np.asarray(songs + len(self) * chosen)

    def listener(self, number: int) -> Listener:
        """See `Repertoire.listener`."""
        whole = super().listener(number % len(self))
        if number < len(self):
            return whole
        assert isinstance(whole, SimulatedSong)
        analysis, roles = whole.analysis, whole.roles
        rng = np.random.default_rng((self._seed, number))
        kind, variant = divmod(number // len(self) - 1, VARIANTS)
        if kind == Shares._fields.index("thinned"):
            count = int(rng.integers(1, MOST_STEMS + 1))
            silent = np.ones(len(roles), dtype=bool)
            silent[rng.permutation(np.flatnonzero(whole.present))[:count]] = False
            analysis = silenced(analysis, silent)
        elif kind == Shares._fields.index("bursts"):
            analysis = in_bursts(analysis, rng)
        else:
            spared = (rng.random(len(roles)) < 0.5) & (variant % 2 == 1)
            if kind == Shares._fields.index("nameless"):
                roles = np.where(spared, roles, ROLES.index("other"))
            else:
                analysis = folded(analysis, ~spared)
        return SimulatedSong(analysis, roles)


def silenced(analysis: Analysis, stems: NDArray[np.bool_]) -> Analysis:
    """The analysis of a song in which some stems, (stems,), are silent.

    Instants at which peaks are read stay those of all stems together.
    """
    played = _played(analysis, np.repeat(~stems[:, None], analysis.fine.shape[3], axis=1))
    return replace(played, loudness_lufs=np.where(stems, -np.inf, analysis.loudness_lufs))


def in_bursts(analysis: Analysis, rng: np.random.Generator) -> Analysis:
    """The analysis of a song of which every stem plays in bursts alone, all alike in number.

    Stems are brought to the nominal loudness again, so bursts of equal loudness are as loud as the
    stems were.
    """
    powers = analysis.fine[:, :2].sum(axis=(1, 2))
    levels_db = 10 * np.log10(powers + 1e-12)
    plays = np.zeros(powers.shape, dtype=bool)
    bursts, longest_s = rng.integers(1, MOST_BURSTS + 1), rng.uniform(*BURST_S)
    for row, levels in zip(plays, levels_db, strict=True):
        heard = np.flatnonzero(levels >= levels.max() - HEARD_DB)
        for middle in rng.choice(heard, size=bursts):
            length = round(rng.uniform(BURST_S[0], longest_s) * FRAMES_PER_S)
            row[max(0, middle - length // 2) :][:length] = True
    played = _played(analysis, plays)
    lost = NOMINAL_LUFS - _loudness_lufs(played)
    return _amplified(replace(played, loudness_lufs=analysis.loudness_lufs - lost), lost)


def folded(analysis: Analysis, stems: NDArray[np.bool_]) -> Analysis:
    """The analysis of a song in which some stems, (stems,), are folded to one channel.

    When in a frame a stem plays, and how far stems interfere, stays in proportion to what is left
    of each band. Stems are brought to the nominal loudness again.
    """
    stems = stems & (analysis.channels == 2)
    left, right, both = analysis.fine[stems].swapaxes(0, 1)
    middle = np.maximum(0.0, (left + right + 2 * both) / 4)
    there, kept = (
        np.add.reduceat(powers, analysis.edges[:-1], axis=1) for powers in (left + right, middle)
    )
    kept = np.divide(kept, there, out=np.zeros_like(there), where=there > 0)
    fine, slots, samples = (x.copy() for x in (analysis.fine, analysis.slots, analysis.samples))
    fine[stems, 0], fine[stems, 1:] = middle, 0.0
    slots[stems] *= kept[:, :, None]
    samples[stems, :, 0], samples[stems, :, 1] = samples[stems].mean(axis=2), 0.0

    channels = np.where(stems, 1, analysis.channels).astype(np.int32)
    shares = np.ones((len(stems), *kept.shape[1:]), dtype=np.float32)
    shares[stems] = 2 * kept
    first, second = analysis.pairs.T
    crosses = analysis.crosses * np.sqrt(shares[first] * shares[second])[:, None]
    single = (channels[first] == 1) & (channels[second] == 1)
    crosses[single] = crosses[single].mean(axis=1, keepdims=True)

    mono = replace(
        analysis, fine=fine, slots=slots, samples=samples, crosses=crosses, channels=channels
    )
    lost = np.where(stems, NOMINAL_LUFS - _loudness_lufs(mono), 0.0)
    return _amplified(replace(mono, loudness_lufs=analysis.loudness_lufs - lost), lost)


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
