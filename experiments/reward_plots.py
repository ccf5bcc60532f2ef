"""Curves of a reward: how it falls as a mix is spoiled, and where the red team and people stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from .order import STEPS


def write_reward_plots(
    folder: Path,
    curves: Mapping[str, Sequence[float]],
    red_team: Mapping[str, Mapping[str, Mapping[str, float]]],
    people: Mapping[str, Mapping[str, float]],
) -> None:
    """Write `curves.png`, `red_team.png` and `people.png`; the folder is made if missing."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    figure = Figure(figsize=(7, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for kind, changes in curves.items():
        axes.plot(STEPS, changes, marker="o", markersize=3, label=kind)
    axes.axhline(0, color="0.5", linewidth=0.8)
    axes.set_xlabel("size of the perturbation (1 is strong, 0.5 mild)")
    axes.set_ylabel("change of the score, mean over songs")
    axes.legend(fontsize=8)
    figure.savefig(folder / "curves.png", dpi=120)

    figure = Figure(figsize=(7, 6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for row, songs in enumerate(red_team.values()):
        margins = [leaf["score"] - leaf["equal_loudness"] for leaf in songs.values()]
        axes.plot(margins, [row] * len(margins), ".")
    axes.set_yticks(range(len(red_team)), list(red_team))
    axes.axvline(0, color="0.5", linewidth=0.8)
    axes.set_xlabel("score less that of equal loudness, a point per song")
    figure.savefig(folder / "red_team.png", dpi=120)

    if not people:
        return
    figure = Figure(figsize=(7, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for label, key, mark in (("within 12 dB", "wide", "o"), ("within 6 dB", "narrow", "x")):
        axes.plot([ranks[key] for ranks in people.values()], range(len(people)), mark, label=label)
    axes.set_yticks(range(len(people)), list(people))
    axes.set_xlim(0, 1)
    axes.axvline(0.5, color="0.5", linewidth=0.8)
    axes.set_xlabel("share of random balances that score below the person's")
    axes.legend()
    figure.savefig(folder / "people.png", dpi=120)
