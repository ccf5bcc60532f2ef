"""The standing of an arena for people: tables in Markdown, on a terminal and in a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .standing import BASELINES, Estimate, Standing

if TYPE_CHECKING:
    from rich.table import Table as Grid

JUDGES = {  # what is printed of them: heading and decimals
    "spectrogram": ("spectrogram", 3),
    "rms_db": ("RMS, dB", 2),
    "crest_db": ("crest, dB", 2),
    "width": ("width", 3),
    "imbalance": ("imbalance", 3),
    "bark_db": ("Bark bands, dB", 2),
    "levels_db": ("levels, dB", 2),
}


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        title: above it.
        columns: headings, that of the first column among them.
        rows: texts.
        about: a sentence beneath it.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    about: str = ""

    def markdown(self, level: int = 2) -> str:
        """As Markdown under a heading of that level, ending in a blank line."""
        lines = [f"{'#' * level} {self.title}", ""]
        lines += ["| " + " | ".join(self.columns) + " |"]
        lines += ["| --- |" + " ---: |" * (len(self.columns) - 1)]
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        return "\n".join([*lines, "", *([self.about, ""] if self.about else [])])

    def grid(self) -> Grid:
        """For a terminal."""
        from rich.table import Table as Grid

        grid = Grid(title=self.title, title_justify="left")
        for i, column in enumerate(self.columns):
            grid.add_column(column, justify="right" if i else "left")
        for row in self.rows:
            grid.add_row(*row)
        return grid


def tables(standing: Standing) -> list[Table]:
    """All of them."""
    made = [_scores(standing), _seconds(standing)]
    if standing.improvements:
        made.append(_improvements(standing))
    made.append(_ranks(standing))
    if standing.judges:
        made.append(_judges(standing))
    return [*made, _songs(standing)]


def print_tables(shown: Sequence[Table], notes: Sequence[str] = ()) -> None:
    """Print tables and sentences on the terminal."""
    from rich.console import Console

    console = Console()
    for table in shown:
        console.print(table.grid())
    for note in notes:
        console.print(note, markup=False)


def number(value: float, decimals: int = 3) -> str:
    """A number, three significant digits where it is large."""
    return f"{value:.{decimals}f}" if abs(value) < 100 else f"{value:.0f}"


def _scores(standing: Standing) -> Table:
    rows = []
    for mixer, by_budget in standing.scores.items():
        cells = [_estimate(by_budget.get(budget)) for budget in standing.budgets]
        rows.append((mixer, *cells))
    return Table(
        "Score on render by evaluations",
        ("mixer", *(f"{budget:,}" for budget in standing.budgets)),
        tuple(rows),
        "Interquartile mean over excerpts and seeds, with the 95 % interval of a bootstrap of the "
        "seeds within each excerpt. Rules draw nothing: they have one run, and no interval.",
    )


def _seconds(standing: Standing) -> Table:
    rows = []
    for mixer in standing.mixers:
        spent = [standing.seconds(mixer, budget) for budget in standing.budgets]
        rows.append((mixer, *("-" if s is None else number(s, 2) for s in spent)))
    return Table(
        "Seconds by evaluations",
        ("mixer", *(f"{budget:,}" for budget in standing.budgets)),
        tuple(rows),
        "Median, from an excerpt that was read and analysed to its settings, while "
        f"{' or '.join(map(str, standing.workers))} such runs shared the machines.",
    )


def _improvements(standing: Standing) -> Table:
    columns = [name for name in BASELINES if name in standing.mixers]
    rows = [
        (mixer, *(_estimate(by.get(name)) for name in columns))
        for mixer, by in standing.improvements.items()
    ]
    return Table(
        f"Probability of improvement at {standing.last:,} evaluations",
        ("mixer", *(f"over {name}" for name in columns)),
        tuple(rows),
        "Chance that a run beats one of the other on an excerpt drawn at random, ties counting "
        "half.",
    )


def _ranks(standing: Standing) -> Table:
    rows = [
        (mixer, *("" if share < 0.005 else f"{share:.2f}" for share in shares))
        for mixer, shares in standing.ranks.items()
    ]
    places = range(1, len(standing.ranks) + 1)
    return Table(
        f"Stability of ranks at {standing.last:,} evaluations",
        ("mixer", *map(str, places)),
        tuple(rows),
        "Share of bootstrap resamples in which a mixer comes in at a rank.",
    )


def _judges(standing: Standing) -> Table:
    names = [j for j in JUDGES if all(j in judged for judged in standing.judges.values())]
    rows = []
    for mixer, judged in standing.judges.items():
        score = number(standing.scores[mixer][standing.last].value)
        rows.append((mixer, score, *(number(judged[j], JUDGES[j][1]) for j in names)))
    headings = [JUDGES[j][0] for j in names]
    return Table(
        f"Judges beside the score at {standing.last:,} evaluations",
        ("mixer", "score", *headings),
        tuple(rows),
        f"Mean distance to a person's mix, over the {standing.judged} excerpts that have one; no "
        "mixer may optimise it, and less is nearer.",
    )


def _songs(standing: Standing) -> Table:
    rows = []
    for song, scores in standing.songs.items():
        best = max(scores.values())
        cells = [
            f"**{number(score)}**" if score == best else number(score) for score in scores.values()
        ]
        rows.append((song, *cells))
    return Table(
        f"Mean score by song at {standing.last:,} evaluations",
        ("song", *standing.ranked),
        tuple(rows),
        "Scores of two songs do not compare.",
    )


def _estimate(estimate: Estimate | None) -> str:
    if estimate is None:
        return "-"
    value, low, high = (number(v) for v in (estimate.value, estimate.low, estimate.high))
    return value if low == high else f"{value} [{low}, {high}]"
