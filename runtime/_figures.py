"""The report's pictures, as SVG to be set inside an HTML page.

Text takes the page's own colour and font (the style sheet sets both), lines are of middle tones
that read on light and dark paper alike, and the same readings give the same bytes.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from markupsafe import escape
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import NDArray

from ..console.meters import Readings

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]  # x and y

BEFORE, AFTER, TARGET, RULE = "#868c95", "#0d8f7f", "#c07f1f", "#7f858d"
TOLERANCE_DB = 3.0

_SIZE_IN = (5.0, 3.0)
_SHAPE_HZ = (50.0, 12_500.0)  # the bands whose mean places a spectrum
_SHOWN_DB = (-24.0, 18.0)  # about that mean
_QUIET_LU = 30.0  # how far below the loudest window the time axis reaches
_SCOPE_CELLS = 160
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


def spectrum_svg(
    before: Readings,
    after: Readings,
    target_hz: NDArray[np.float64],
    target_db: NDArray[np.float64],
) -> str:
    """Third-octave spectra against the target with its tolerance, each about its own mean."""
    figure, (axes,) = _figure()
    _frequency_axis(axes, after.spectrum_hz)
    hz = after.spectrum_hz
    target = _about_mean(hz, np.interp(np.log(hz), np.log(target_hz), target_db))
    axes.fill_between(
        hz, target - TOLERANCE_DB, target + TOLERANCE_DB, color=TARGET, alpha=0.18, linewidth=0
    )
    axes.plot(hz, target, color=TARGET, linewidth=1.0)
    shapes = [_about_mean(one.spectrum_hz, one.spectrum_db) for one in (before, after)]
    _before_and_after(axes, (before.spectrum_hz, shapes[0]), (hz, shapes[1]))
    axes.set_ylabel("dB about the mean")
    shown = np.concatenate([*shapes, target - TOLERANCE_DB, target + TOLERANCE_DB])
    axes.set_ylim(*_limits(shown, *_SHOWN_DB))
    return _svg(
        figure,
        "spectrum",
        "Third-octave spectrum from 20 Hz to 20 kHz, before and after, against the target.",
    )


def loudness_svg(
    before: Readings,
    after: Readings,
    target_lufs: float | None,
    clip_s: tuple[float, float],
) -> str:
    """Short-term loudness over time; the part that the player holds is shaded."""
    figure, (axes,) = _figure()
    axes.axvspan(*clip_s, color=RULE, alpha=0.13, linewidth=0)
    if target_lufs is not None:
        axes.axhline(target_lufs, color=TARGET, linewidth=1.0)
    curves = _short_term(before), _short_term(after)
    _before_and_after(axes, *curves)
    end_s = max(before.duration_s, after.duration_s)
    axes.set_xlim(0.0, end_s)
    axes.xaxis.set_major_locator(FixedLocator(_time_ticks(end_s)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda t, _: clock(t)))
    axes.set_ylabel("short-term loudness, LUFS")
    shown = np.concatenate(
        [curves[0][1], curves[1][1], [] if target_lufs is None else [target_lufs]]
    )
    loudest = max(shown[np.isfinite(shown)], default=0.0)
    axes.set_ylim(*_limits(shown, loudest - _QUIET_LU, loudest))
    return _svg(figure, "loudness", "Short-term loudness over time, before and after.")


def stereo_svg(before: Readings, after: Readings) -> str:
    """Correlation and width of the stereo field, band by band."""
    figure, (top, bottom) = _figure(rows=2)
    for axes, name, label in (
        (top, "band_correlation", "correlation"),
        (bottom, "band_width", "width"),
    ):
        _frequency_axis(axes, after.spectrum_hz)
        _before_and_after(
            axes,
            (before.spectrum_hz, getattr(before, name)),
            (after.spectrum_hz, getattr(after, name)),
        )
        axes.set_ylabel(label)
    top.axhline(0.0, color=RULE, linewidth=0.8)
    top.tick_params(labelbottom=False)
    top.set_ylim(-1.05, 1.05)
    widths = np.concatenate([before.band_width, after.band_width])
    bottom.set_ylim(0.0, 1.0 if (widths > 0.5).any() else 0.55)
    return _svg(
        figure,
        "stereo",
        "Correlation of left and right, and share of the side signal, in third-octave bands.",
    )


def vectorscope_svg(audio: NDArray[np.float32]) -> str:
    """Density of left against right, shape (2, frames), turned so that mono stands upright."""
    figure, (axes,) = _figure()
    figure.subplots_adjust(left=0.0, right=1.0, bottom=0.0, top=1.0)
    axes.set_aspect("equal")
    axes.set_axis_off()
    for x in (-1.0, 1.0):
        axes.plot([-x, x], [-1.0, 1.0], color=RULE, linewidth=0.6, alpha=0.6)
    axes.plot([0.0, 0.0], [-1.0, 1.0], color=RULE, linewidth=0.6, alpha=0.6)
    axes.imshow(
        _density(audio), extent=(-1.0, 1.0, -1.0, 1.0), origin="lower", interpolation="none"
    )
    for x, y, text in ((-1.08, 1.0, "L"), (1.08, 1.0, "R"), (0.0, 1.1, "mono")):
        axes.text(x, y, text, ha="center", va="center")
    axes.set_xlim(-1.2, 1.2)
    axes.set_ylim(-1.05, 1.2)
    return _svg(figure, "vectorscope", "Vectorscope: density of left against right, after.")


def clock(seconds: float) -> str:
    """A time as `1:05`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def _figure(rows: int = 1) -> tuple[Figure, Sequence[Axes]]:
    with matplotlib.rc_context({"font.size": 9.5, "axes.edgecolor": RULE}):
        figure = Figure(figsize=_SIZE_IN)
        FigureCanvasSVG(figure)
        figure.subplots_adjust(left=0.115, right=0.97, bottom=0.095, top=0.985, hspace=0.1)
        grid = figure.subplots(rows, 1, squeeze=False, sharex=True)[:, 0]
    for axes in grid:
        axes.set_facecolor("none")
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(color=RULE, length=3)
        axes.grid(color=RULE, alpha=0.22, linewidth=0.5)
    figure.patch.set_visible(False)
    return figure, list(grid)


def _svg(figure: Figure, salt: str, about: str) -> str:
    """The figure without what only a file of its own needs, its identifiers those of `salt`."""
    out = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": salt}):
        figure.savefig(out, format="svg", metadata=_NO_METADATA)
    svg = out.getvalue()
    view_box = re.search(r'viewBox="[^"]*"', svg)
    assert view_box is not None
    body = svg[svg.index(">", view_box.end()) + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>\s*", "", body, flags=re.DOTALL)
    body = re.sub(r'<g id="[^"]*"', "<g", body).replace("xlink:href", "href")
    body = re.sub(r"(\d\.\d\d)\d+(?=[ \"\nLMz])", r"\1", body)
    return f'<svg {view_box[0]} role="img" aria-label="{escape(about)}">{body}'


def _before_and_after(axes: Axes, before: Curve, after: Curve) -> None:
    axes.plot(*before, color=BEFORE, linewidth=1.2, dashes=(4, 2))
    axes.plot(*after, color=AFTER, linewidth=1.8)


def _short_term(readings: Readings) -> Curve:
    """Where each 3 s window ends, in seconds, and its loudness, NaN where silent."""
    level = _finite(readings.short_term_lufs)
    return np.arange(30, 30 + len(level), dtype=np.float64) / 10, level


def _frequency_axis(axes: Axes, hz: NDArray[np.float64]) -> None:
    axes.set_xscale("log")
    axes.set_xlim(20.0, min(20_000.0, float(hz[-1]) * 1.12))
    ticks = [20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda f, _: f"{f / 1000:g}k" if f >= 1000 else f"{f:g}")
    )
    axes.xaxis.set_minor_locator(NullLocator())


def _about_mean(hz: NDArray[np.float64], level_db: NDArray[np.float64]) -> NDArray[np.float64]:
    """Levels less their mean over the bands of `_SHAPE_HZ`; NaN where silent."""
    level_db = _finite(level_db)
    shape = level_db[(hz >= _SHAPE_HZ[0]) & (hz <= _SHAPE_HZ[1]) & np.isfinite(level_db)]
    return level_db - (shape.mean() if shape.size else 0.0)


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isfinite(values), values, np.nan)


def _limits(values: NDArray[np.float64], lowest: float, highest: float) -> tuple[float, float]:
    """Limits that hold the finite values, within `lowest` and `highest`."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return lowest, highest
    low, high = max(lowest, finite.min()), min(highest, finite.max())
    margin = max(1.0, 0.06 * (high - low))
    return float(low - margin), float(high + margin)


def _time_ticks(end_s: float) -> list[float]:
    steps = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200)
    step = next((step for step in steps if end_s / step <= 8), 3600)
    return [float(t) for t in range(0, math.floor(end_s) + 1, step)]


def _density(audio: NDArray[np.float32]) -> NDArray[Any]:
    """How often each place is visited, as an image (rows, columns, RGBA) with a log opacity."""
    left, right = audio[0], audio[1]
    points = np.stack([right - left, left + right]) / math.sqrt(2.0)
    reach = max(float(np.abs(points).max(initial=0.0)), 1e-9)
    cells = np.minimum((points / reach + 1.0) * (_SCOPE_CELLS / 2), _SCOPE_CELLS - 1).astype(int)
    counts = np.bincount(cells[1] * _SCOPE_CELLS + cells[0], minlength=_SCOPE_CELLS**2)
    opacity = np.log1p(counts) / math.log1p(max(1, int(counts.max())))
    image = np.zeros((_SCOPE_CELLS, _SCOPE_CELLS, 4))
    image[..., :3] = matplotlib.colors.to_rgb(AFTER)
    image[..., 3] = opacity.reshape(_SCOPE_CELLS, _SCOPE_CELLS)
    return np.asarray(255 * image, dtype=np.uint8)
