"""The console of one episode as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ..console._simulate import strip_response
from ..console.describe import changes
from ..console.parameters import SEND_OFF_DB, STRIP
from .views import METER_DB, TRACK, Desk

Point = tuple[float, float]
HEIGHT, CHANNEL, MASTER, MARGIN = 440, 68, 400, 8
BACK, PANEL, LINE, INK, DIM = "#15181c", "#20252b", "#39414a", "#e6e9ec", "#8b96a1"
GREEN, AMBER, RED, BLUE = "#4fc38a", "#e0b14a", "#e06356", "#5aa7e6"
CURVE_POINTS, CURVE_DB, LOWEST_HZ = 56, 12.0, 20.0
SPECTRUM_DB = 24.0  # above and below the target
MOST_CHANNELS, MOST_ROWS, LINES = 24, 8, 4


def draw(desk: Desk) -> NDArray[np.uint8]:
    """Channel strips from left to right, then the master's meters and the reward.

    Returns:
        RGB, shape (height, width, 3).
    """
    channels = min(len(desk.mix.stems), MOST_CHANNELS) if desk.mix.stems != (TRACK,) else 0
    image = Image.new("RGB", (2 * MARGIN + channels * CHANNEL + MASTER, HEIGHT), BACK)
    pen = _Pen(image)
    for i in range(channels):
        _channel(pen, desk, i, MARGIN + i * CHANNEL)
    _master(pen, desk, MARGIN + channels * CHANNEL)
    return np.array(image)


class _Pen:
    """Shapes and words."""

    def __init__(self, image: Image.Image) -> None:
        self._draw = ImageDraw.Draw(image)
        self._fonts = {size: ImageFont.load_default(size) for size in (10, 11, 15)}

    def box(self, x0: float, y0: float, x1: float, y1: float, fill: str) -> None:
        if x1 > x0 and y1 > y0:
            self._draw.rectangle((x0, y0, x1, y1), fill=fill)

    def line(self, points: Sequence[Point], fill: str, width: int = 1) -> None:
        self._draw.line(points, fill=fill, width=width)

    def arc(self, x: float, y: float, radius: float, fill: str) -> None:
        self._draw.arc((x - radius, y - radius, x + radius, y + radius), 135, 45, fill, 2)

    def text(
        self, x: float, y: float, words: str, fill: str = DIM, size: int = 10, anchor: str = "la"
    ) -> None:
        self._draw.text((x, y), words, fill=fill, font=self._fonts[size], anchor=anchor)


def _channel(pen: _Pen, desk: Desk, i: int, x: float) -> None:
    row = desk.mix.strips[i]
    at = STRIP.settings(row)
    left, right, middle = x + 3, x + CHANNEL - 3, x + CHANNEL / 2
    pen.box(left, MARGIN, right, HEIGHT - MARGIN, PANEL)
    pen.text(middle, 22, desk.mix.stems[i].replace("_", " ")[:13], INK, 10, "mm")
    _curve(pen, left + 3, 36, right - 3, 86, row, desk.sample_rate)
    works = at["compressor_on"] and at["compressor_ratio"] > 1.05
    pen.text(middle, 99, f"{at['compressor_ratio']:.1f} : 1" if works else "-", DIM, 10, "mm")
    for y, name, send in ((112, "rev", "reverb_send_db"), (126, "dly", "delay_send_db")):
        pen.text(left + 4, y, name)
        share = 1 - at[send] / SEND_OFF_DB
        pen.box(left + 24, y + 3, right - 5, y + 8, LINE)
        pen.box(left + 24, y + 3, left + 24 + share * (right - left - 29), y + 8, BLUE)
    _knob(pen, middle, 165, at["pan"])
    top, bottom = 205, HEIGHT - 42
    low, high = STRIP["fader_db"].low, STRIP["fader_db"].high
    cap = bottom - (at["fader_db"] - low) / (high - low) * (bottom - top)
    zero = bottom + low / (high - low) * (bottom - top)
    pen.box(left + 18, top, left + 20, bottom, LINE)
    pen.line(((left + 10, zero), (left + 28, zero)), DIM)
    pen.box(left + 9, cap - 6, left + 29, cap + 6, INK)
    pen.line(((left + 9, cap), (left + 29, cap)), BACK, 2)
    pen.box(right - 17, top, right - 9, bottom, BACK)
    level = max(0.0, 1 + desk.levels_lu[i] / METER_DB)
    pen.box(right - 17, bottom - level * (bottom - top), right - 9, bottom, GREEN)
    pen.text(middle, HEIGHT - 25, f"{at['fader_db']:+.1f} dB", INK, 10, "mm")


def _knob(pen: _Pen, x: float, y: float, pan: float) -> None:
    pen.arc(x, y, 14, LINE)
    angle = pan * 0.75 * np.pi
    pen.line(((x, y), (x + 13 * np.sin(angle), y - 13 * np.cos(angle))), AMBER, 3)
    side = "C" if abs(pan) < 0.005 else f"{'L' if pan < 0 else 'R'}{100 * abs(pan):.0f}"
    pen.text(x, y + 24, side, DIM, 10, "mm")


def _curve(
    pen: _Pen, x0: float, y0: float, x1: float, y1: float, row: NDArray[np.float64], rate: int
) -> None:
    """What high-pass and equaliser do."""
    hz = np.geomspace(LOWEST_HZ, 0.45 * rate, CURVE_POINTS)
    w = 2 * np.pi * hz / rate
    power = np.empty(CURVE_POINTS, dtype=np.float32)
    strip_response(row, float(rate), np.cos(w), np.cos(2 * w), power)
    gain_db = 10 * np.log10(power + 1e-9)
    middle, half = (y0 + y1) / 2, (y1 - y0) / 2
    pen.box(x0, y0, x1, y1, BACK)
    pen.line(((x0, middle), (x1, middle)), LINE)
    ys = np.clip(middle - gain_db / CURVE_DB * half, y0, y1)
    xs = np.linspace(x0, x1, CURVE_POINTS)
    pen.line(list(zip(xs.tolist(), ys.tolist(), strict=True)), GREEN, 2)


def _master(pen: _Pen, desk: Desk, x: float) -> None:
    left, right = x + 6, x + MASTER - 6
    pen.box(left, MARGIN, right, HEIGHT - MARGIN, PANEL)
    pen.text(left + 10, 16, desk.title[:32], INK, 15)
    about = f"step {desk.step} of {desk.steps}   score {desk.score:.3f}"
    pen.text(right - 10, 19, about, INK, 11, "ra")
    _spectrum(pen, desk, left + 10, 46, right - 10, 176)
    r = desk.readings
    _readings(
        pen,
        (
            ("loudness", f"{r.integrated_lufs[0]:.1f} LUFS"),
            ("true peak", f"{r.true_peak_dbtp[0]:.1f} dBTP"),
            ("peak to loudness", f"{r.plr_db[0]:.1f} dB"),
            ("loudness range", f"{r.loudness_range_lu[0]:.1f} LU"),
            ("limiter", f"-{r.mean_reduction_db[0]:.1f} dB"),
            ("lost in mono", f"{r.mono_fold_loss_db[0]:.1f} dB"),
        ),
        left + 10,
        right - 10,
    )
    shut = {name: value for name, value in desk.gates.items() if value < 1}
    rows = [*desk.terms.items(), *shut.items()][:MOST_ROWS]
    for k, (name, value) in enumerate(rows):
        y = 252 + k * 14
        fill = GREEN if value > 0.7 else AMBER if value > 0.35 else RED
        pen.text(left + 10, y - 1, name, RED if name in shut else DIM)
        pen.box(left + 110, y + 2, right - 46, y + 8, BACK)
        pen.box(left + 110, y + 2, left + 110 + value * (right - left - 156), y + 8, fill)
        pen.text(right - 10, y - 1, f"{value:.2f}", INK, 10, "ra")
    for k, words in enumerate(wrap("; ".join(changes(desk.mix)["master"]), 74)[:LINES]):
        pen.text(left + 10, 258 + (len(rows) + k) * 14, words)


def _readings(pen: _Pen, rows: Sequence[tuple[str, str]], left: float, right: float) -> None:
    for k, (name, value) in enumerate(rows):
        x = left if k % 2 == 0 else (left + right) / 2 + 8
        y = 186 + 18 * (k // 2)
        pen.text(x, y, name)
        pen.text(x + (right - left) / 2 - 12, y, value, INK, 11, "ra")


def _spectrum(pen: _Pen, desk: Desk, x0: float, y0: float, x1: float, y1: float) -> None:
    """Third octaves of the master about the target curve."""
    pen.box(x0, y0, x1, y1, BACK)
    levels = desk.readings.spectrum_db[0]
    heard = (desk.centres_hz > 38) & (desk.centres_hz < 16_800)
    error = levels - desk.target_db
    error = error - np.median(error[heard])
    middle, half = (y0 + y1) / 2, (y1 - y0) / 2
    step = (x1 - x0) / len(levels)
    for k, value in enumerate(np.clip(error / SPECTRUM_DB, -1, 1).tolist()):
        fill = GREEN if abs(value) * SPECTRUM_DB < 3 else AMBER
        y = middle - value * half
        pen.box(x0 + k * step + 1, min(y, middle), x0 + (k + 1) * step - 1, max(y, middle), fill)
    pen.line(((x0, middle), (x1, middle)), DIM)
    pen.text(x0 + 4, y0 + 3, "spectrum re target")
