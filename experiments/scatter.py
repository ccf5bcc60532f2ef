"""Scatter plots of what was rendered against what was simulated."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .bench_fidelity import Readout

MOST_POINTS = 4000  # of a song in one plot


def write_scatter(folder: Path, readouts: Mapping[str, Readout]) -> None:
    """One PNG per meter, a colour per song; the folder is made if missing."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    meters = next(iter(readouts.values())).keys()
    for meter in meters:
        groups = len(next(iter(readouts.values()))[meter])
        figure = Figure(figsize=(6 * groups, 6), layout="constrained")
        FigureCanvasAgg(figure)
        for number in range(groups):
            axes = figure.add_subplot(1, groups, number + 1)
            for name, readout in readouts.items():
                pairs = readout[meter][number]
                step = max(1, len(pairs) // MOST_POINTS)
                rendered, simulated = zip(*pairs[::step], strict=True)
                axes.plot(rendered, simulated, ".", markersize=2, label=name)
            axes.axline((0, 0), slope=1, color="0.5", linewidth=0.8)
            axes.set_xlabel(f"rendered {meter}")
            axes.set_ylabel(f"simulated {meter}")
        figure.axes[0].legend(fontsize=6, markerscale=4)
        figure.savefig(folder / f"{meter}.png", dpi=120)
