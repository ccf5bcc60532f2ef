"""Meters: what a mix reads, streaming or whole-file, the same for any block size.

| name | what it reads |
| --- | --- |
| `LoudnessMeter` | momentary, short-term, integrated loudness, range, mono fold (BS.1770-5) |
| `TruePeakMeter` | true peak at 8x oversampling, sample peak, peaks per hop (BS.1770-5 annex 2) |
| `SpectrumMeter` | third-octave levels, correlation and width per band (IEC 61260-1) |
| `LevelMeter` | RMS, DC offset, correlation over the whole band |
| `Measurement`, `measure` | all of the above, as one `Readings` |

Every meter is fed with `push(audio)`, planar float32 of shape `(channels, frames)`, one or two
channels at 8-192 kHz. The names load on first use, so importing this package compiles nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .levels import LevelMeter
    from .loudness import LoudnessMeter
    from .measurement import Measurement, measure
    from .readings import Readings
    from .spectrum import SpectrumMeter
    from .true_peak import TruePeakMeter

__all__ = [
    "LevelMeter",
    "LoudnessMeter",
    "Measurement",
    "Readings",
    "SpectrumMeter",
    "TruePeakMeter",
    "measure",
]

_MODULES = {
    "LevelMeter": "levels",
    "LoudnessMeter": "loudness",
    "Measurement": "measurement",
    "Readings": "readings",
    "SpectrumMeter": "spectrum",
    "TruePeakMeter": "true_peak",
    "measure": "measurement",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
