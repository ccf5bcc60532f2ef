"""A mix in an engineer's words: what differs from a neutral console.

Lines come from the parameter tables. `LINES` only gives the usual processors their usual
phrasing; a parameter that no phrase mentions is appended by its own name as soon as it differs
from its neutral value, or from its default where it has none.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from string import Formatter
from typing import NamedTuple

from .mix import Mix
from .parameters import BUSES, MASTER, SEND_OFF_DB, STRIP
from .table import Parameter, ParameterTable

_UNIT_SUFFIXES = ("_db", "_hz", "_ms", "_q", "_lufs", "_dbtp")


class Line(NamedTuple):
    """How one processor reads.

    A clause names parameters in braces. Where the first of them has a neutral value, the clause
    is left out at that value; the others only qualify it. A line without clauses is left out.
    """

    processor: str
    intro: str
    clauses: tuple[str, ...]


def _bells_and_shelves(prefix: str) -> tuple[str, ...]:
    return (
        f"low shelf {{{prefix}low_shelf_db}} at {{{prefix}low_shelf_hz}}",
        f"bell {{{prefix}bell_1_db}} at {{{prefix}bell_1_hz}} ({{{prefix}bell_1_q}})",
        f"bell {{{prefix}bell_2_db}} at {{{prefix}bell_2_hz}} ({{{prefix}bell_2_q}})",
        f"high shelf {{{prefix}high_shelf_db}} at {{{prefix}high_shelf_hz}}",
    )


def _dynamics(prefix: str, reference: str) -> tuple[str, ...]:
    return (
        f"{{{prefix}ratio}}, threshold {{{prefix}threshold_db}} re {reference} loudness, "
        f"attack {{{prefix}attack_ms}}, release {{{prefix}release_ms}}",
    )


LINES = (
    Line("fader", "", ("fader {fader_db}",)),
    Line("pan", "", ("pan {pan}", "width {width}")),
    Line("high_pass", "", ("high-pass {high_pass_hz}",)),
    Line("eq", "EQ: ", _bells_and_shelves("")),
    Line("compressor", "compressor ", _dynamics("compressor_", "its")),
    Line("reverb_send", "", ("reverb send {reverb_send_db}",)),
    Line("delay_send", "", ("delay send {delay_send_db}",)),
    Line(
        "reverb",
        "reverb: ",
        (
            "size {reverb_size}, damping {reverb_damping}, width {reverb_width}",
            "pre-delay {reverb_pre_delay_ms}, low cut {reverb_low_cut_hz}",
            "return {reverb_return_db}",
        ),
    ),
    Line(
        "delay",
        "delay: ",
        (
            "{delay_time_ms}, feedback {delay_feedback}",
            "low cut {delay_low_cut_hz}, high cut {delay_high_cut_hz}",
            "return {delay_return_db}",
        ),
    ),
    Line("bus_compressor", "compressor ", _dynamics("bus_compressor_", "the mix's")),
    Line("master_eq", "EQ: ", _bells_and_shelves("master_")),
    Line(
        "multiband",
        "",
        ("three-band compressor, split at {crossover_low_hz} and {crossover_high_hz}",),
    ),
    Line("multiband", "low band ", _dynamics("low_", "the mix's")),
    Line("multiband", "mid band ", _dynamics("mid_", "the mix's")),
    Line("multiband", "high band ", _dynamics("high_", "the mix's")),
    Line("saturation", "", ("saturation {saturation_mix}, driven by {saturation_drive_db}",)),
    Line("image", "", ("width {master_width}", "mono below {mono_below_hz}")),
    Line("loudness", "", ("target {target_lufs}",)),
    Line("limiter", "", ("true-peak limiter at {ceiling_dbtp}",)),
)


def changes(mix: Mix) -> dict[str, list[str]]:
    """What a mix does, in short lines: per stem, under "buses" and under "master".

    Parameters of a processor that is switched off, or that has no effect at its settings, are
    left out; the buses are described when a stem sends to them. A list may be empty.
    """
    lines: dict[str, list[str]] = {}
    for name, row, side_chain in zip(mix.stems, mix.strips, mix.side_chains, strict=True):
        settings = STRIP.settings(row)
        lines[name] = _table_lines(STRIP, settings)
        compresses = settings["compressor_on"] and differs(
            STRIP["compressor_ratio"], settings["compressor_ratio"]
        )
        if side_chain is not None and compresses:
            lines[name].append(f"compressor driven by {side_chain}")
    if mix.moves is not None:
        for name, gains_db in zip(mix.stems, mix.moves.gains_db, strict=True):
            if gains_db.any():
                low, high = min(0.0, gains_db.min()), max(0.0, gains_db.max())
                lines[name].append(f"fader {moves_text(low, high)}")
    lines["buses"] = _table_lines(
        BUSES, BUSES.settings(mix.buses), closed_buses(map(STRIP.settings, mix.strips))
    )
    lines["master"] = _table_lines(MASTER, MASTER.settings(mix.master))
    return lines


def moves_text(low_db: float, high_db: float) -> str:
    """How far automation takes a fader: `moves by −2.0 dB to +3.5 dB`."""
    fader = STRIP["fader_db"]
    return f"moves by {value_text(fader, low_db)} to {value_text(fader, high_db)}"


def closed_buses(strips: Iterable[Mapping[str, float]]) -> set[str]:
    """Buses that no stem sends to."""
    sends = {bus: f"{bus}_send_db" for bus in {p.processor for p in BUSES}}
    rows = list(strips)
    return {
        bus
        for bus, send in sends.items()
        if send in STRIP and all(row[send] <= SEND_OFF_DB for row in rows)
    }


def value_text(parameter: Parameter, value: float) -> str:
    """A value as an engineer writes it: `−3.0 dB`, `2.5 kHz`, `30 % left`, `Q 1.2`."""
    if parameter.name == "pan":
        side = "left" if value < 0 else "right"
        return f"{100 * abs(value):.0f} % {side}" if round(100 * value) else "centre"
    match parameter.unit:
        case "":
            return f"{100 * value:.0f} %"
        case "Hz" if value >= 1000:
            return f"{_two_digits(value / 1000)} kHz"
        case "Hz" | "ms":
            return f"{_two_digits(value)} {parameter.unit}"
        case "Q":
            return f"Q {_two_digits(value)}"
        case ":1":
            return f"{_two_digits(value)}:1"
        case "dB" if parameter.low < 0 < parameter.high:
            return f"{_minus(f'{value:+.1f}')} dB" if round(value, 1) else "0 dB"
        case "dB":
            return f"{_minus(f'{round(value, 1):g}')} dB" if round(value, 1) else "0 dB"
        case "on/off":
            return "on" if value else "off"
        case unit:
            return f"{_minus(f'{value:.1f}')} {unit}"


def _table_lines(
    table: ParameterTable, settings: Mapping[str, float], unused: Container[str] = ()
) -> list[str]:
    processors: dict[str, list[Parameter]] = {}
    for parameter in table:
        processors.setdefault(parameter.processor, []).append(parameter)
    lines: list[str] = []
    for processor, parameters in processors.items():
        if processor not in unused:
            lines += _processor_lines(processor, parameters, settings)
    return lines


def _processor_lines(
    processor: str, parameters: list[Parameter], settings: Mapping[str, float]
) -> Iterator[str]:
    """The lines of one processor; none where it is bypassed or does nothing."""
    words = processor.replace("_", " ")
    switches = [p for p in parameters if p.scale == "switch"]
    if not works(parameters, settings):
        if any(not settings[p.name] and p.default for p in switches):
            yield f"{words} off"
        return
    by_name = {p.name: p for p in parameters if p.scale != "switch"}
    phrased = [line for line in LINES if line.processor == processor]
    named = {name for line in phrased for clause in line.clauses for name in parameters_of(clause)}
    others = [
        f"{label(p)} {value_text(p, settings[p.name])}"
        for name, p in by_name.items()
        if name not in named and differs(p, settings[name])
    ]
    for line in phrased:
        clauses = [phrase(c, by_name, settings) for c in line.clauses]
        shown = [clause for clause in clauses if clause]
        if shown:
            yield line.intro + ", ".join(shown + others)
            others = []
    if others:
        yield f"{words}: " + ", ".join(others)
    elif not phrased and switches:
        yield f"{words} on"


def works(parameters: Iterable[Parameter], settings: Mapping[str, float]) -> bool:
    """Whether a processor with these parameters is switched on and does anything."""
    bearing = []
    for p in parameters:
        if p.scale == "switch":
            if not settings[p.name]:
                return False
        elif p.neutral is not None:
            bearing.append(p)
    return not bearing or any(differs(p, settings[p.name]) for p in bearing)


def parameters_of(clause: str) -> list[str]:
    """Names of the parameters that a clause mentions, in its order."""
    return [name for _, name, _, _ in Formatter().parse(clause) if name]


def phrase(
    clause: str, parameters: Mapping[str, Parameter], settings: Mapping[str, float]
) -> str | None:
    """A clause with its values, None where its first parameter is neutral."""
    names = parameters_of(clause)
    first = parameters[names[0]]
    if first.neutral is not None and not differs(first, settings[first.name]):
        return None
    texts = {name: value_text(parameters[name], settings[name]) for name in names}
    return clause.format(**texts)


def differs(parameter: Parameter, value: float) -> bool:
    """Whether a value reads otherwise than the one that is not worth a word."""
    usual = parameter.default if parameter.neutral is None else parameter.neutral
    return value_text(parameter, value) != value_text(parameter, usual)


def label(parameter: Parameter) -> str:
    """The name in words, without the unit and without the processor."""
    name = parameter.name
    for suffix in _UNIT_SUFFIXES:
        name = name.removesuffix(suffix)
    return name.removeprefix(f"{parameter.processor}_").replace("_", " ")


def _two_digits(value: float) -> str:
    """Two significant digits, and no fewer than the whole number."""
    return f"{value:.0f}" if value >= 10 else f"{float(f'{value:.2g}'):g}"


def _minus(number: str) -> str:
    return number.replace("-", "−")
