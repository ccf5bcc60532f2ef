"""A search as it goes, for a person who watches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..evolution.search import OnBatch, Progress

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 32


def sparkline(values: Sequence[float], width: int = WIDTH) -> str:
    """A curve in block characters, from its lowest value to its highest."""
    if not values:
        return ""
    places = min(width, len(values))
    shown = [values[(i + 1) * len(values) // places - 1] for i in range(places)]
    low, high = min(shown), max(shown)
    steps = len(BARS) - 1
    return "".join(
        BARS[round((value - low) / (high - low) * steps) if high > low else 0] for value in shown
    )


@contextmanager
def search_view(silent: bool, evaluations: int) -> Iterator[OnBatch]:
    """Curve, best score, terms and speed on standard error, where a person watches.

    Args:
        silent: show nothing.
        evaluations: the budget.
    """
    import sys

    if silent or sys.stderr is None or not sys.stderr.isatty():
        yield lambda progress: None
        return
    from rich.console import Console
    from rich.live import Live

    curve: list[float] = []
    with Live(console=Console(stderr=True), refresh_per_second=8, transient=True) as live:

        def show(progress: Progress) -> None:
            curve.append(progress.score)
            live.update(describe(progress, curve, evaluations))

        yield show


def describe(progress: Progress, curve: Sequence[float], evaluations: int) -> str:
    """Two lines about a search: how far and how good, and the best mix's terms."""
    rate = progress.evaluations / max(progress.seconds, 1e-9)
    terms = ", ".join(f"{name} {value:.2f}" for name, value in progress.terms.items())
    return (
        f"Searching {sparkline(curve)} {progress.score:.4f}   "
        f"{progress.evaluations} of {evaluations}, {rate:.0f} per second\n{terms}"
    )
