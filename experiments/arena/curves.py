"""Anytime curves of an arena, as SVG to be set inside a page."""

from __future__ import annotations

import io
import re
from typing import Any

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from .standing import Standing

_SIZE_IN = (7.0, 4.2)
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


def evaluations_svg(standing: Standing) -> str:
    """Score by evaluations, with intervals."""
    figure, axes = _figure("evaluations")
    axes.set_xscale("symlog", linthresh=1.0)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
    axes.set_xticks([b for b in standing.budgets if b in (0, 1) or b >= 10])
    axes.set_xlim(-0.1, max(1, standing.last) * 1.3)
    for number, mixer in enumerate(standing.mixers):
        scores = standing.scores[mixer]
        budgets = [budget for budget in standing.budgets if budget in scores]
        _curve(axes, number, mixer, budgets, [scores[budget] for budget in budgets])
    return _svg(figure, axes, "Score on render by evaluations, a curve for each mixer.")


def seconds_svg(standing: Standing) -> str:
    """Score by median seconds, with intervals; a mixer that was run once is a point."""
    figure, axes = _figure("seconds")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    for number, mixer in enumerate(standing.mixers):
        points = {standing.seconds(mixer, b): s for b, s in standing.scores[mixer].items()}
        known = {max(x, 1e-3): score for x, score in points.items() if x is not None}
        ordered = sorted(known)
        _curve(axes, number, mixer, ordered, [known[x] for x in ordered])
    return _svg(figure, axes, "Score on render by seconds, a curve for each mixer.")


def _figure(label: str) -> tuple[Figure, Any]:
    with matplotlib.rc_context({"font.size": 9.5, "axes.edgecolor": "#7f858d"}):
        figure = Figure(figsize=_SIZE_IN, layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
    axes.set_facecolor("none")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#7f858d", alpha=0.22, linewidth=0.5)
    axes.set_xlabel(label)
    axes.set_ylabel("score on render, interquartile mean")
    figure.patch.set_visible(False)
    return figure, axes


def _curve(axes: Any, number: int, mixer: str, x: list[Any], estimates: list[Any]) -> None:
    colour = f"C{number % 10}"
    axes.fill_between(
        x, [e.low for e in estimates], [e.high for e in estimates], color=colour, alpha=0.15, lw=0
    )
    style = "-" if number < 10 else "--"
    axes.plot(
        x, [e.value for e in estimates], style, color=colour, marker="o", ms=3, lw=1.4, label=mixer
    )


def _svg(figure: Figure, axes: Any, about: str) -> str:
    """The figure without what only a file of its own needs; the same data give the same bytes."""
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=8.5)
    out = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": about}):
        figure.savefig(out, format="svg", metadata=_NO_METADATA)
    svg = out.getvalue()
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>\s*", "", body, flags=re.DOTALL)
    body = re.sub(r' width="[^"]*pt" height="[^"]*pt"', "", body, count=1)
    return body.replace("<svg ", f'<svg role="img" aria-label="{about}" ', 1)
