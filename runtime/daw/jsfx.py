"""The console's processors as Reaper effects (JSFX): text, with sliders from the parameter tables.

Source of the format: Cockos, "REAPER JSFX Programming Reference".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path

from ...console.parameters import BUSES, MASTER, STRIP
from ...console.table import Parameter, ParameterTable

SOURCES = Path(__file__).parent / "effects"


@dataclass(frozen=True, slots=True)
class Slider:
    """One knob of an effect.

    Attributes:
        name: of the variable in the effect's code.
        label: what a person reads.
        default, low, high: in physical units.
        switch: whether it is off (0) or on (1).
    """

    name: str
    label: str
    default: float
    low: float
    high: float
    switch: bool = False

    def line(self, number: int) -> str:
        """Its declaration."""
        steps = "1{off,on}" if self.switch else "0.0001"
        return f"slider{number}:{self.default:g}<{self.low:g},{self.high:g},{steps}>{self.label}"


@dataclass(frozen=True, slots=True)
class Effect:
    """A Reaper effect.

    Attributes:
        file: its file's name.
        sliders: in the order of their numbers, which begin at 1.
    """

    file: str
    sliders: tuple[Slider, ...]

    def text(self) -> str:
        """What the effect's file holds; it needs no other file."""
        text = (SOURCES / self.file).read_text(encoding="utf-8")
        text = re.sub(r"^//\{include (\S+)\}\n", _included, text, flags=re.MULTILINE)
        numbered = list(enumerate(self.sliders, start=1))
        declared = "\n".join(slider.line(number) for number, slider in numbered)
        assigned = "\n".join(f"{slider.name} = slider{number};" for number, slider in numbered)
        return text.replace("//{sliders}", declared).replace("//{settings}", assigned)

    def values(self, settings: Mapping[str, float]) -> list[float]:
        """Values of the sliders in their order.

        Raises:
            KeyError: a slider's setting is missing.
        """
        return [settings[slider.name] for slider in self.sliders]


def _included(match: re.Match[str]) -> str:
    return (SOURCES / match[1]).read_text(encoding="utf-8")


def _sliders(table: ParameterTable, processors: Iterable[str]) -> list[Slider]:
    wanted = set(processors)
    return [
        _slider(p) for p in table if p.processor in wanted and not p.name.endswith("_return_db")
    ]


def _slider(parameter: Parameter) -> Slider:
    words = re.sub(r"_(db|hz|ms|q|on|lufs|dbtp)$", "", parameter.name).replace("_", " ")
    unit = f" ({parameter.unit})" if parameter.unit not in ("", "on/off") else ""
    return Slider(
        parameter.name,
        f"{words.capitalize()}{unit}",
        parameter.default,
        parameter.low,
        parameter.high,
        parameter.scale == "switch",
    )


STRIP_EFFECT = Effect(
    "strip.jsfx",
    (
        Slider("stem_lufs", "Loudness of the stem as recorded (LUFS)", -23, -100, 20),
        Slider("mono", "Mono file", 0, 0, 1, switch=True),
        Slider("side_chain", "Driven by channels 3 and 4", 0, 0, 1, switch=True),
        *_sliders(STRIP, ("high_pass", "eq", "compressor")),
        _slider(STRIP["width"]),
    ),
)
REVERB_EFFECT = Effect(
    "reverb.jsfx",
    (Slider("level_db", "Level (dB)", 0, -60, 60), *_sliders(BUSES, ("reverb",))),
)
DELAY_EFFECT = Effect("delay.jsfx", tuple(_sliders(BUSES, ("delay",))))
MASTER_EFFECT = Effect(
    "master.jsfx",
    (
        Slider("mix_lufs", "Loudness of the mix bus (LUFS)", -23, -100, 40),
        Slider("drive_db", "Drive into the limiter (dB)", 0, -60, 80),
        Slider("margin_db", "Kept below the ceiling (dB)", 0, 0, 12),
        *_sliders(
            MASTER, ("bus_compressor", "master_eq", "multiband", "saturation", "image", "limiter")
        ),
    ),
)
EFFECTS = (STRIP_EFFECT, REVERB_EFFECT, DELAY_EFFECT, MASTER_EFFECT)


@cache
def effects_folder() -> str:
    """Name of the folder of these effects; another version of them has another name."""
    digest = blake2b("".join(effect.text() for effect in EFFECTS).encode(), digest_size=4)
    return f"mixgym-{digest.hexdigest()}"
