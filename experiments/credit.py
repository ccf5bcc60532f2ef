"""`python -m mixgym.experiments.credit SONGS`: which way up, as told by equally many evaluations.

PPO follows an estimate of the gradient of the expected score about a mix all of whose settings are
noisy (R. J. Williams, "Simple Statistical Gradient-Following Algorithms for Connectionist
Reinforcement Learning", Machine Learning 8, 1992). Here the same gradient is estimated in several
ways, that differ in what a score is held against, and each estimate is held against one from very
many evaluations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import typer
from numpy.typing import NDArray

from .._terminal import progress_bars
from ..console.rules import equal_loudness
from ..errors import MixgymError
from ..evolution.genome import SongSpace
from ..rewards import Evaluator, Reward, load_reward
from ..runtime.mixers import POLICIES
from ..runtime.staging import Staged
from ..songs.training.splits import Split
from .arena.pieces import Piece, find_pieces, open_piece
from .arena.policy import load_policy
from .arena.settings import make_settings
from .arena.tables import Table, print_tables
from .mapper import make_mapper
from .statistics import interquartile_mean, stratified_bootstrap

Values = NDArray[np.float64]

NOISE = 0.1  # standard deviation of settings, which range from -1 to 1
MOST_AT_ONCE = 1024  # mixes
CENTRES = {
    "About all stems equally loud": None,
    "About the policy's mixes": POLICIES / "mixing.onnx",
}
ABOUT = (
    "Signal: r2 / (1 - r2) of the cosine r between an estimate and the gradient, as a multiple of "
    "the first row's mean on the excerpt; it grows in proportion to the evaluations, so that twice "
    "the signal saves half of them. Interquartile means over estimates and excerpts, with the 95 % "
    "interval of a bootstrap of the estimates within each excerpt."
)


class Noisy(NamedTuple):
    """A mix and what is tried about it.

    Attributes:
        score: of genomes, (mixes, genes), in `simulate`: (mixes,).
        centre: the mix's genome, (genes,).
        parts: genes of each stem, and of what stems share.
    """

    score: Callable[[Values], Values]
    centre: Values
    parts: list[NDArray[np.int64]]


Estimator = Callable[[Noisy, int, np.random.Generator], Values]


def against_the_centre(noisy: Noisy, evaluations: int, rng: np.random.Generator) -> Values:
    """Tries held against the score of the mix without noise; the gradient's estimate, (genes,)."""
    noise = _drawn(noisy, evaluations, rng)
    gained = noisy.score(noisy.centre + noise) - noisy.score(noisy.centre[None])
    return gained @ noise


def against_other_tries(noisy: Noisy, evaluations: int, rng: np.random.Generator) -> Values:
    """Each held against the mean of the others, as PPO here holds them; (genes,)."""
    noise = _drawn(noisy, evaluations, rng)
    scores = noisy.score(noisy.centre + noise)
    return (scores - float(scores.mean())) @ noise


def against_the_mirrored(noisy: Noisy, evaluations: int, rng: np.random.Generator) -> Values:
    """Each held against one with the opposite noise; (genes,)."""
    noise = _drawn(noisy, evaluations // 2, rng)
    one, other = (noisy.score(noisy.centre + side * noise) for side in (1, -1))
    return (one - other) @ noise


def against_the_muted(noisy: Noisy, evaluations: int, rng: np.random.Generator) -> Values:
    """For each part held against the same with that part's noise left out; (genes,).

    One try takes an evaluation for each part and one more, which is spent even if it was not given.
    Credit by difference rewards: D. H. Wolpert, K. Tumer, "Optimal Payoff Functions for Members of
    Collectives", Advances in Complex Systems 4, 2001.
    """
    noise = _drawn(noisy, max(1, evaluations // (1 + len(noisy.parts))), rng)
    scores = noisy.score(noisy.centre + noise)
    estimate = np.empty_like(noisy.centre)
    for part in noisy.parts:
        muted = noise.copy()
        muted[:, part] = 0.0
        estimate[part] = (scores - noisy.score(noisy.centre + muted)) @ noise[:, part]
    return estimate


ESTIMATORS: dict[str, Estimator] = {
    "the other tries": against_other_tries,
    "the mix without noise": against_the_centre,
    "the mirrored try": against_the_mirrored,
    "the same without a stem's noise": against_the_muted,
}


def signals(
    noisy: Noisy, evaluations: int, many: int, estimates: int, seed: int = 0
) -> dict[str, Values]:
    """What estimates of each kind tell of the gradient.

    Args:
        noisy: what they are about.
        evaluations: of an estimate.
        many: of the estimate that stands for the gradient.
        estimates: of each kind.
        seed: of all that is drawn.

    Returns:
        By estimator r2 / (1 - r2) of each estimate, (estimates,).
    """
    rng = np.random.default_rng([seed, 0])
    gradient = against_the_mirrored(noisy, many, rng)
    found = {}
    for number, (name, estimator) in enumerate(ESTIMATORS.items(), 1):
        rng = np.random.default_rng([seed, number])
        cosines = np.array(
            [_cosine(estimator(noisy, evaluations, rng), gradient) for _ in range(estimates)]
        )
        found[name] = cosines**2 / (1 - cosines**2)
    return found


def noisy_mix(piece: Piece, reward: Reward, policy: Path | None) -> Noisy:
    """Noise about a policy's mix of an excerpt, or about equal loudness.

    Raises:
        MixgymError: the excerpt cannot be read, or the file holds no policy.
    """
    excerpt = open_piece(piece)
    evaluator = Evaluator(excerpt, reward)
    mix = load_policy(policy)(excerpt, reward) if policy else equal_loudness(excerpt)
    stems = len(excerpt.stems)
    space = SongSpace(stems, around=mix)
    of_strips = stems * len(space.space.strip)
    parts = [*np.split(np.arange(of_strips), stems), np.arange(of_strips, space.genes)]

    def score(genomes: Values) -> Values:
        batches = np.array_split(genomes, -(-len(genomes) // MOST_AT_ONCE))
        return np.concatenate([space.scores(evaluator, batch).score for batch in batches])

    return Noisy(score, space.encode(mix), parts)


def find(
    pieces: Sequence[Piece],
    policy: Path | None,
    *,
    evaluations: int,
    many: int,
    estimates: int,
    tell: Callable[[float], None] = lambda share: None,
) -> dict[str, Values]:
    """Signals by estimator as multiples of the first one's mean on the excerpt.

    Args:
        pieces: the excerpts.
        policy: whose mixes the noise is about; equal loudness if None.
        evaluations, many, estimates: see `signals`.
        tell: told the share that is done.

    Returns:
        Arrays (estimates, excerpts).

    Raises:
        MixgymError: as `noisy_mix`.
    """
    reward = load_reward()
    found: dict[str, list[Values]] = {name: [] for name in ESTIMATORS}
    for number, piece in enumerate(pieces):
        told = signals(noisy_mix(piece, reward, policy), evaluations, many, estimates, number)
        usual = next(iter(told.values())).mean()
        for name, values in told.items():
            found[name].append(values / usual)
        tell((number + 1) / len(pieces))
    return {name: np.stack(values, axis=1) for name, values in found.items()}


def table_of(title: str, found: Mapping[str, Values]) -> Table:
    """A row for each estimator."""
    rows = []
    for name, values in found.items():
        low, high = stratified_bootstrap(values)
        rows.append((name, f"{interquartile_mean(values):.2f} [{low:.2f}, {high:.2f}]"))
    return Table(title, ("held against", "signal"), tuple(rows), ABOUT)


def main(
    songs: Annotated[list[Path], typer.Argument(help="Folders of songs, or training sets.")],
    split: Annotated[Split, typer.Option(help="Which of them.")] = "validation",
    excerpts: Annotated[int, typer.Option(min=1, help="At most.")] = 12,
    evaluations: Annotated[int, typer.Option(min=2, help="Of an estimate.")] = 128,
    many: Annotated[int, typer.Option(min=2, help="Of what stands for the gradient.")] = 32_768,
    estimates: Annotated[int, typer.Option(min=1, help="Of each kind, by excerpt.")] = 32,
    page: Annotated[Path | None, typer.Option(help="Write the tables as Markdown.")] = None,
) -> None:
    """Estimate the way up from equal loudness, and from mixes of the policy that comes along."""
    try:
        settings = make_settings(songs=songs, split=split, excerpts=1, seconds=10.0)
        sizes = {"evaluations": evaluations, "many": many, "estimates": estimates}
        with progress_bars(False) as tell:
            with make_mapper("inline") as mapper:
                pieces = find_pieces(settings, mapper, tell)[:excerpts]
            tables = [
                table_of(title, find(pieces, policy, **sizes, tell=partial(tell, title)))
                for title, policy in CENTRES.items()
            ]
        if page:
            write_page(page, tables, sizes, len(pieces), split)
    except (MixgymError, OSError) as error:
        typer.echo(f"mixgym: {error}", err=True)
        raise typer.Exit(2) from error
    print_tables(tables)


def write_page(
    page: Path, tables: Sequence[Table], sizes: Mapping[str, int], excerpts: int, split: str
) -> None:
    """Write the tables as Markdown.

    Raises:
        MixgymError: they cannot be written.
    """
    given = {"split": split, "excerpts": excerpts, **sizes}
    options = " ".join(f"--{name} {value}" for name, value in given.items())
    lines = [
        "# What an evaluation is held against",
        "",
        "Generated by the command; no number here was typed.",
        "",
        "```sh",
        f"python -m mixgym.experiments.credit SONGS {options}",
        "```",
        "",
        f"{excerpts} excerpts; noise of {NOISE:g} on every setting, in `simulate`.",
        "",
        *(table.markdown() for table in tables),
    ]
    with Staged() as staged:
        staged.file(page).write_text("\n".join(lines), encoding="utf-8")


def _drawn(noisy: Noisy, count: int, rng: np.random.Generator) -> Values:
    return NOISE * rng.standard_normal((count, len(noisy.centre)))


def _cosine(one: Values, other: Values) -> float:
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / max(lengths, 1e-30)


if __name__ == "__main__":
    typer.run(main)
