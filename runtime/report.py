"""The report: one HTML page that shows what was done to a song, needing nothing but itself."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import __version__
from ..console.meters import Readings
from ..console.render import Delivered
from ..errors import MixgymError
from ._clip import Clip, mp3_data_uri, outline_path
from .staging import Staged

if TYPE_CHECKING:
    from jinja2 import Template

    from .mix_score import MixScore

__all__ = ["Clip", "ReportData", "StemRow", "write_report"]


@dataclass(frozen=True, slots=True)
class StemRow:
    """One stem as it came: its loudness before anything was done, None where it is silent."""

    name: str
    role: str
    loudness_lufs: float | None


@dataclass(frozen=True, slots=True)
class ReportData:
    """Everything that a report shows.

    Attributes:
        title: of the song.
        kind: whether stems were mixed or a finished track was mastered.
        settings: lines of `console.describe.changes`, by stem name, "buses" and "master".
        reasons: sentences saying why, under the same keys.
        stems: in the song's order; empty for a master.
        before, after: readings of the whole song.
        before_label, after_label: what these two are, "plain sum of the stems" and "mix".
        delivered: what the finished file measures.
        target_hz, target_db: the target spectrum, shape (points,), frequencies ascending; only
            its shape counts.
        clip: what the player plays.
        notes: warnings, in sentences.
        ceiling_dbtp: highest true peak allowed, None without a limiter.
        score: what the style's reward thinks of it, if it was asked.
        baselines: what it thinks of mixes of the same part that were made otherwise, by name.
    """

    title: str
    kind: Literal["mix", "master"]
    settings: Mapping[str, list[str]]
    reasons: Mapping[str, tuple[str, ...]]
    stems: tuple[StemRow, ...]
    before: Readings
    after: Readings
    before_label: str
    after_label: str
    delivered: Delivered
    target_hz: NDArray[np.float64]
    target_db: NDArray[np.float64]
    clip: Clip
    notes: tuple[str, ...] = ()
    ceiling_dbtp: float | None = None
    score: MixScore | None = None
    baselines: Mapping[str, MixScore] = field(default_factory=dict)


class _Meter(NamedTuple):
    field: str
    label: str
    unit: str
    decimals: int
    about: str


METERS = (
    _Meter("integrated_lufs", "Integrated loudness", "LUFS", 1, "ITU-R BS.1770, gated"),
    _Meter("loudness_range_lu", "Loudness range", "LU", 1, "LRA, EBU Tech 3342"),
    _Meter("max_short_term_lufs", "Loudest 3 s", "LUFS", 1, "maximum short-term loudness"),
    _Meter("max_momentary_lufs", "Loudest 400 ms", "LUFS", 1, "maximum momentary loudness"),
    _Meter("true_peak_dbtp", "True peak", "dBTP", 1, "between the samples too"),
    _Meter("sample_peak_dbfs", "Sample peak", "dBFS", 1, "largest sample"),
    _Meter("rms_dbfs", "RMS", "dBFS", 1, "a sine of full scale reads −3.0"),
    _Meter("plr_db", "Peak to loudness (PLR)", "dB", 1, "true peak over integrated loudness"),
    _Meter("psr_db", "Peak to short-term (PSR)", "dB", 1, "of the densest 3 s"),
    _Meter("crest_db", "Crest factor", "dB", 1, "sample peak over RMS"),
    _Meter("correlation", "Correlation", "", 2, "of left and right: 1 mono, 0 unrelated"),
    _Meter("mono_fold_loss_db", "Loss in mono", "dB", 1, "loudness lost when summed to mono"),
    _Meter("dc_offset", "DC offset", "", 5, "mean of the samples"),
    _Meter("duration_s", "Duration", "s", 1, "tails included"),
    _Meter("sample_rate", "Sample rate", "Hz", 0, ""),
    _Meter("channels", "Channels", "", 0, ""),
)


def write_report(data: ReportData, path: Path) -> None:
    """Write the report as an HTML page; the same data give the same bytes.

    The page is written beside `path` and moved there when complete.

    Raises:
        MixgymError: the page cannot be written there.
    """
    if path.is_dir():
        raise MixgymError(f"The report cannot be {path}, a folder: name a file in it.")
    page = _page(data)
    try:
        with Staged() as staged:
            staged.file(path).write_text(page, encoding="utf-8", newline="\n")
    except OSError as error:
        raise MixgymError(
            f"Cannot write the report {path} ({error.strerror}): name a file that can be written."
        ) from error


def _page(data: ReportData) -> str:
    clip, gain = data.clip, data.clip.headroom_gain
    with ThreadPoolExecutor(2) as pool:
        sounds = [
            pool.submit(mp3_data_uri, audio * np.float32(gain), clip.sample_rate)
            for audio in (clip.before, clip.after)
        ]
        # Imported only now: matplotlib loads while the sounds are encoded.
        from . import _figures as figures

        start_s, end_s = clip.span_s
        pictures = {
            "spectrum": figures.spectrum_svg(
                data.before, data.after, data.target_hz, data.target_db
            ),
            "loudness": figures.loudness_svg(
                data.before, data.after, data.delivered.target_lufs, clip.span_s
            ),
            "stereo": figures.stereo_svg(data.before, data.after),
            "vectorscope": figures.vectorscope_svg(clip.after),
        }
        return _template().render(
            data=data,
            tiles=_tiles(data),
            meters=_meter_rows(data.before, data.after),
            pictures=pictures,
            colours={"before": figures.BEFORE, "after": figures.AFTER, "target": figures.TARGET},
            tolerance_db=figures.TOLERANCE_DB,
            sounds=dict(
                zip(("before", "after"), (sound.result() for sound in sounds), strict=True)
            ),
            outlines={
                "before": outline_path(clip.before, gain),
                "after": outline_path(clip.after, gain),
            },
            span=(figures.clock(start_s), figures.clock(end_s)),
            turned_down_db=-20 * math.log10(gain),
            embedded=_embedded(data),
            version=__version__,
        )


def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "unbroken": unbroken}
    return environment.get_template("report.html.j2")


class _Tile(NamedTuple):
    """A headline number, what it is to be held against, and whether it holds."""

    label: str
    value: str
    unit: str
    beside: str
    good: bool | None


def _tiles(data: ReportData) -> list[_Tile]:
    delivered, before, after = data.delivered, data.before, data.after
    peak, ceiling = delivered.true_peak_dbtp, data.ceiling_dbtp
    tiles = [
        _Tile("Loudness", number(delivered.loudness_lufs), "LUFS", *_against_target(delivered)),
        _Tile(
            "True peak",
            number(peak),
            "dBTP",
            "no ceiling asked for" if ceiling is None else f"ceiling {number(ceiling)}",
            None if ceiling is None else peak <= ceiling + 0.05,
        ),
        _Tile(
            "Loudness range",
            number(after.loudness_range_lu),
            "LU",
            f"was {number(before.loudness_range_lu)}",
            None,
        ),
        _Tile("Peak to loudness", number(after.plr_db), "dB", f"was {number(before.plr_db)}", None),
    ]
    idle = round(delivered.max_reduction_db, 1) == 0
    tiles.append(
        _Tile(
            "Limiter",
            number(-delivered.mean_reduction_db),
            "dB mean",
            "never at work" if idle else f"{number(-delivered.max_reduction_db)} at most",
            None,
        )
    )
    return tiles


def _against_target(delivered: Delivered) -> tuple[str, bool | None]:
    target = delivered.target_lufs
    if target is None:
        return "no target asked for", None
    if delivered.on_target:
        return f"target {number(target)}, met", True
    side = "below" if delivered.loudness_lufs < target else "above"
    return f"{number(abs(delivered.loudness_lufs - target))} LU {side} {number(target)}", False


class _MeterRow(NamedTuple):
    label: str
    about: str
    unit: str
    before: str
    after: str
    change: str


def _meter_rows(before: Readings, after: Readings) -> list[_MeterRow]:
    rows = []
    for meter in METERS:
        old, new = (float(getattr(readings, meter.field)) for readings in (before, after))
        change = new - old if math.isfinite(old) and math.isfinite(new) else math.nan
        rows.append(
            _MeterRow(
                meter.label,
                meter.about,
                meter.unit,
                number(old, meter.decimals),
                number(new, meter.decimals),
                number(change, meter.decimals, signed=True),
            )
        )
    return rows


def number(value: float, decimals: int = 1, signed: bool = False) -> str:
    """A number with a true minus; `–` for NaN, `−∞` for silence, no sign on what rounds to 0."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    rounded = round(value, decimals) + 0.0
    text = f"{rounded:+.{decimals}f}" if signed and rounded else f"{rounded:.{decimals}f}"
    return text.replace("-", "−")


def unbroken(text: str) -> str:
    """The same text with each number kept on one line with its unit."""
    return re.sub(r"(?<=\d) (?=(?:%|dB|dBTP|LUFS|LU|k?Hz|m?s)(?!\w))", "\u00a0", text)


def _embedded(data: ReportData) -> dict[str, Any]:
    """The report's data as numbers, strings and lists, for programs that read the page."""
    return {
        "format": "mixgym-report",
        "version": 1,
        "title": data.title,
        "kind": data.kind,
        "settings": dict(data.settings),
        "reasons": {key: list(lines) for key, lines in data.reasons.items()},
        "stems": [asdict(stem) for stem in data.stems],
        "before": data.before.to_json(),
        "after": data.after.to_json(),
        "before_label": data.before_label,
        "after_label": data.after_label,
        "delivered": {k: _finite_or_none(v) for k, v in asdict(data.delivered).items()},
        "ceiling_dbtp": data.ceiling_dbtp,
        "target_hz": data.target_hz.tolist(),
        "target_db": data.target_db.tolist(),
        "clip_s": list(data.clip.span_s),
        "notes": list(data.notes),
        "score": asdict(data.score) if data.score else None,
        "baselines": {name: asdict(score) for name, score in data.baselines.items()},
    }


def _finite_or_none(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
