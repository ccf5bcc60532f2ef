"""Two presets side by side, in an engineer's words."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from .describe import (
    LINES,
    closed_buses,
    differs,
    label,
    moves_text,
    parameters_of,
    phrase,
    value_text,
    works,
)
from .parameters import BUSES, MASTER, SEND_OFF_DB, STRIP
from .preset import Preset, StemSettings, match_stems
from .table import Parameter, ParameterTable

Settings = Mapping[str, float]
SWITCHED = 1.0  # share of a range that something which has none counts for


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is set otherwise.

    Attributes:
        words: `fader −3.0 dB → −1.0 dB`, `now …` or `no longer …`.
        share: how far the furthest of its parameters moves, as a share of its range.
        values: parameter name to the values before and after, in physical units.
    """

    words: str
    share: float
    values: Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed in one place, the biggest change first.

    Attributes:
        where: a stem of the second preset, "buses" or "master".
        matched: the stem of the first preset that it is held against, and why; None where there
            is none and the defaults stand in, "" for buses and master.
        changes: at least one.
    """

    where: str
    matched: str | None
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed between two presets.

    Attributes:
        differences: the place with the biggest change first.
        gone: stems of the first preset that none of the second is held against.
    """

    differences: tuple[Difference, ...]
    gone: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """What JSON can hold."""
        return {
            "differences": [
                {
                    "where": d.where,
                    "matched": d.matched,
                    "changes": [
                        {
                            "words": c.words,
                            "share_of_range": c.share,
                            "values": {name: list(pair) for name, pair in c.values.items()},
                        }
                        for c in d.changes
                    ],
                }
                for d in self.differences
            ],
            "gone": list(self.gone),
        }


def compare(before: Preset, after: Preset) -> Comparison:
    """What would be set otherwise if the second preset were applied instead of the first.

    Stems are matched as the first preset would be applied to the song of the second: by name, else
    by role, else by family. What has no effect at its settings is passed over.
    """
    differences, used = [], set()
    for stem, (source, how) in zip(
        after.stems, match_stems(before, [(s.name, s.role) for s in after.stems]), strict=True
    ):
        was = source or StemSettings(name=stem.name)
        used.add(was.name)
        found = [
            *_table(STRIP, was.settings, stem.settings),
            *_side_chain(was, stem),
            *_automation(before, was.name, after, stem.name),
        ]
        matched = f"{source.name} ({how})" if source else None
        differences.append((stem.name, matched, found))
    closed = _closed(before) & _closed(after)
    differences.append(("buses", "", [*_table(BUSES, before.buses, after.buses, closed)]))
    differences.append(("master", "", [*_table(MASTER, before.master, after.master)]))
    ordered = [
        Difference(where, matched, tuple(sorted(found, key=lambda c: -c.share)))
        for where, matched, found in differences
        if found
    ]
    ordered.sort(key=lambda d: -d.changes[0].share)
    return Comparison(tuple(ordered), tuple(s.name for s in before.stems if s.name not in used))


def _table(
    table: ParameterTable, before: Settings, after: Settings, unused: Collection[str] = ()
) -> Iterator[Change]:
    was, now = (table.settings(table.vector(part)) for part in (before, after))
    for processor, group in groupby(table, key=lambda p: p.processor):
        if processor not in unused:
            yield from _processor(processor, list(group), was, now)


def _processor(
    processor: str, parameters: list[Parameter], was: Settings, now: Settings
) -> Iterator[Change]:
    worked, working = works(parameters, was), works(parameters, now)
    if not worked and not working:
        return
    by_name = {p.name: p for p in parameters if p.scale != "switch"}
    clauses = [
        (line.intro, clause)
        for line in LINES
        if line.processor == processor
        for clause in line.clauses
    ]
    knobs = all(
        p.scale != "switch" and p.neutral != SEND_OFF_DB for p in parameters
    )  # always there
    named = {name for _, clause in clauses for name in parameters_of(clause)}
    for intro, clause in clauses:
        old = phrase(clause, by_name, was) if worked else None
        new = phrase(clause, by_name, now) if working else None
        moved = {name: by_name[name] for name in parameters_of(clause)}
        if (len(moved) == 1 and knobs) or (old is not None and new is not None):
            words = _moves(moved.values(), was, now)
            yield from [_change(intro + words, moved, was, now)] if words else []
        elif new is not None:
            yield _change(f"now {intro}{new}", moved, was, now, switched=not worked)
        elif old is not None:
            yield _change(f"no longer {intro}{old}", moved, was, now, switched=not working)
    for name, parameter in by_name.items():
        if name not in named and (words := _moves([parameter], was, now)):
            yield _change(f"{processor.replace('_', ' ')}: {words}", {name: parameter}, was, now)
    if worked != working and not clauses:
        yield Change(f"{processor.replace('_', ' ')} {'on' if working else 'off'}", SWITCHED, {})


def _moves(parameters: Collection[Parameter], was: Settings, now: Settings) -> str:
    """`threshold −6 dB → −8 dB, ratio 2:1 → 3:1`, of what reads otherwise; else nothing."""
    texts = [(p, value_text(p, was[p.name]), value_text(p, now[p.name])) for p in parameters]
    return ", ".join(f"{label(p)} {old} → {new}" for p, old, new in texts if old != new)


def _change(
    words: str,
    parameters: Mapping[str, Parameter],
    was: Settings,
    now: Settings,
    switched: bool = False,
) -> Change:
    """One change; of a processor that is switched, as far as its settings are from neutral."""
    values = {n: (was[n], now[n]) for n in parameters if was[n] != now[n]}
    shares = [_share(p, was[n], now[n]) for n, p in parameters.items()]
    if switched:
        shares += [
            max(_share(p, value, p.neutral) for value in (was[n], now[n]))
            for n, p in parameters.items()
            if p.neutral is not None and any(differs(p, value) for value in (was[n], now[n]))
        ] or [SWITCHED]
    return Change(words, max(shares), values)


def _share(parameter: Parameter, one: float, other: float) -> float:
    table = ParameterTable("", (parameter,))
    return float(abs(table.encode([one]) - table.encode([other]))[0]) / 2


def _side_chain(before: StemSettings, after: StemSettings) -> Iterator[Change]:
    compressor = [p for p in STRIP if p.processor == "compressor"]
    old, new = (
        stem.side_chain if works(compressor, STRIP.settings(STRIP.vector(stem.settings))) else None
        for stem in (before, after)
    )
    if old != new:
        words = f"compressor driven by {old or 'itself'} → {new or 'itself'}"
        yield Change(words, SWITCHED, {})


def _automation(before: Preset, was: str, after: Preset, now: str) -> Iterator[Change]:
    """A fader that moves in one of them alone, or otherwise."""
    old, new = _knots(before, was), _knots(after, now)
    if old == new:
        return
    gains_db = [0.0, *(new or old or {}).values()]
    low, high = min(gains_db), max(gains_db)
    words = f"{'no longer' if new is None else 'now'} {moves_text(low, high)}"
    yield Change(words, (high - low) / (STRIP["fader_db"].high - STRIP["fader_db"].low), {})


def _knots(preset: Preset, stem: str) -> dict[float, float] | None:
    """Gains of a stem's fader by time; None where it stays."""
    if preset.moves is None or stem not in preset.moves.gains_db:
        return None
    return dict(zip(preset.moves.times_s, preset.moves.gains_db[stem], strict=True))


def _closed(preset: Preset) -> set[str]:
    return closed_buses(STRIP.settings(STRIP.vector(stem.settings)) for stem in preset.stems)
