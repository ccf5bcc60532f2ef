"""Preset files: a mix as JSON that people can read, edit, keep and apply to another song."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import MixgymError
from ..songs.roles import ROLES
from .mix import Mix, check_values
from .moves import FaderMoves
from .parameters import BUSES, MASTER, STRIP

if TYPE_CHECKING:
    from ..songs import Song

VERSION = 2  # with fader moves; without them files are written as version 1
MAX_BYTES = 4_000_000
MAX_STEMS = 256
MAX_KNOTS = 1000
MAX_SECONDS = 1e6
MOST_MOVED_DB = 24.0
MADE_BY = "preset"
SAME_S = 1.0  # by so much two songs of one length may differ

Value = Annotated[float, Field(allow_inf_nan=False)]
Text = Annotated[str, Field(max_length=500)]
Name = Annotated[str, Field(max_length=100)]
Settings = Annotated[dict[Name, Value], Field(max_length=1000)]

FAMILIES: tuple[frozenset[str], ...] = (
    frozenset({"lead_vocal", "backing_vocal"}),
    frozenset({"kick", "snare", "hats", "toms", "percussion", "drums"}),
    frozenset({"keys", "synth", "pad", "strings", "guitar", "brass", "winds"}),
)


class StemSettings(BaseModel):
    """One stem's part of a preset file."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Text
    role: Text = "other"
    side_chain: Text | None = None
    settings: Settings = Field(default_factory=dict)
    reasons: list[Text] = Field(default_factory=list, max_length=50)


Seconds = Annotated[float, Field(ge=-MAX_SECONDS, le=MAX_SECONDS, allow_inf_nan=False)]
Moved = Annotated[float, Field(ge=-MOST_MOVED_DB, le=MOST_MOVED_DB, allow_inf_nan=False)]


class Moves(BaseModel):
    """Fader moves in a preset file: for each stem that moves its gain at every knot."""

    model_config = ConfigDict(extra="forbid", strict=True)

    duration_s: Seconds
    times_s: Annotated[list[Seconds], Field(min_length=1, max_length=MAX_KNOTS)]
    gains_db: Annotated[dict[Text, list[Moved]], Field(max_length=MAX_STEMS)]


class Preset(BaseModel):
    """The schema of a preset file; settings left out keep their defaults."""

    model_config = ConfigDict(extra="forbid", strict=True)

    format: Literal["mixgym-preset"] = "mixgym-preset"
    version: Annotated[int, Field(ge=1, le=VERSION)] = 1
    made_by: Text = ""
    stems: list[StemSettings] = Field(max_length=MAX_STEMS)
    buses: Settings = Field(default_factory=dict)
    master: Settings = Field(default_factory=dict)
    reasons: dict[Name, list[Text]] = Field(default_factory=dict, max_length=10)
    moves: Moves | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """A preset's mix for a song, and how each stem came by its settings."""

    mix: Mix
    matches: Mapping[str, str]


def preset_of(mix: Mix) -> Preset:
    """The preset that holds a mix."""
    return Preset(
        version=1 if mix.moves is None else VERSION,
        made_by=mix.made_by,
        stems=[
            StemSettings(
                name=name,
                role=role,
                side_chain=side_chain,
                settings=STRIP.settings(strip),
                reasons=list(mix.reasons.get(name, ())),
            )
            for name, role, side_chain, strip in zip(
                mix.stems, mix.roles, mix.side_chains, mix.strips, strict=True
            )
        ],
        buses=BUSES.settings(mix.buses),
        master=MASTER.settings(mix.master),
        reasons={k: list(v) for k, v in mix.reasons.items() if k in ("buses", "master")},
        moves=_moves_of(mix),
    )


def _moves_of(mix: Mix) -> Moves | None:
    if mix.moves is None:
        return None
    return Moves(
        duration_s=mix.moves.duration_s,
        times_s=mix.moves.times_s.tolist(),
        gains_db={
            name: row.tolist()
            for name, row in zip(mix.stems, mix.moves.gains_db, strict=True)
            if row.any()
        },
    )


def dumps(mix: Mix) -> str:
    """A mix as the text of a preset file."""
    left_out = {"moves"} if mix.moves is None else None
    return preset_of(mix).model_dump_json(indent=1, exclude=left_out) + "\n"


def load_preset(path: str | Path) -> Preset:
    """Read and check a preset file.

    Raises:
        MixgymError: the file is missing, too large, not JSON, of a newer version, or holds
            unknown names or roles, a name twice, or values out of range.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise MixgymError(f"{path} is larger than {MAX_BYTES} bytes: not a mixgym preset.")
        document = json.loads(content.decode("utf-8-sig"), object_pairs_hook=_once_each)
    except OSError as error:
        raise MixgymError(f"Cannot read the preset {path}: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise MixgymError(
            f"{path} is not JSON ({error}); save a preset with --save-preset."
        ) from error
    if not isinstance(document, dict) or document.get("format") != "mixgym-preset":
        raise MixgymError(f'{path} is no mixgym preset: it lacks "format": "mixgym-preset".')
    version = document.get("version", VERSION)
    if isinstance(version, int) and version > VERSION:
        raise MixgymError(
            f"{path} was saved by a newer mixgym (preset version {version}, this one reads up to "
            f"{VERSION}): upgrade mixgym."
        )
    try:
        preset = Preset.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = _place(first["loc"], document)
        raise MixgymError(f"{path}: {where}: {first['msg']}.") from error
    _check(preset, path)
    return preset


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON object; JSON itself would let the last of two equal names win, in silence."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice[:100]!r} stands twice in one pair of braces")
    return found


def _place(location: tuple[int | str, ...], document: dict[str, Any]) -> str:
    """Where in a preset file: `stems.0.settings.pan (stem 'Kick')`."""
    where = ".".join(str(part)[:100] for part in location)
    if len(location) > 2 and location[0] == "stems":
        name = document["stems"][location[1]].get("name")
        if isinstance(name, str) and len(name) <= 100:
            return f"{where} (stem {name!r})"
    return where


def apply_preset(preset: Preset, song: Song) -> Applied:
    """The preset's settings on a song's stems.

    A stem takes the settings of the preset's stem with its name, else of one with its role,
    else of one with a role of the same family (drums, voices, harmony), else the defaults.
    Several of one role are dealt out in turn. A compressor that another stem drives is driven by
    the one of that name, else by the first that took that stem's settings. Fader moves belong to a
    song: they come along where it is as long as theirs, for the stems that are found by name.
    """
    names = tuple(stem.name for stem in song.stems)
    found = match_stems(preset, [(stem.name, stem.role) for stem in song.stems])
    chosen = [source for source, _ in found]
    takes: dict[str, str] = {}
    for name, source in zip(names, chosen, strict=True):
        if source is not None:
            takes.setdefault(source.name, name)
    takes |= {name: name for name in names}
    keys = {s.name: takes.get(s.side_chain) for s in preset.stems if s.side_chain is not None}
    matches = {}
    for name, (source, how) in zip(names, found, strict=True):
        lost = source is not None and keys.get(source.name, "") is None
        note = "; what drove its compressor is not here" if lost else ""
        matches[name] = f"{source.name} ({how}{note})" if source else "defaults"
    mix = Mix(
        stems=names,
        roles=tuple(stem.role for stem in song.stems),
        strips=np.array([STRIP.vector(s.settings if s else {}) for s in chosen]),
        buses=BUSES.vector(preset.buses),
        master=MASTER.vector(preset.master),
        side_chains=tuple(keys.get(s.name) if s else None for s in chosen),
        made_by=_made_by(preset),
        reasons={
            **{
                name: tuple(s.reasons)
                for name, s in zip(names, chosen, strict=True)
                if s and s.reasons
            },
            **{key: tuple(value) for key, value in preset.reasons.items()},
        },
        moves=_applied_moves(preset.moves, names, song.duration_s),
    )
    return Applied(mix, matches)


def _made_by(preset: Preset) -> str:
    """Who made what a preset makes: whoever made the first in a row of presets."""
    if not preset.made_by or preset.made_by.startswith(MADE_BY):
        return preset.made_by or MADE_BY
    return f"{MADE_BY} ({preset.made_by})"


def _applied_moves(
    moves: Moves | None, names: tuple[str, ...], duration_s: float
) -> FaderMoves | None:
    if moves is None or abs(moves.duration_s - duration_s) > SAME_S:
        return None
    still = [0.0] * len(moves.times_s)
    gains_db = np.array([moves.gains_db.get(name, still) for name in names])
    if not gains_db.any():
        return None
    return FaderMoves(np.array(moves.times_s), gains_db, moves.duration_s)


def match_stems(
    preset: Preset, stems: Iterable[tuple[str, str]]
) -> list[tuple[StemSettings | None, str]]:
    """The preset's stem whose settings each of some stems takes, and how it was found.

    Args:
        preset: of these or of other stems.
        stems: name and role of each; `apply_preset` says in which order they are tried.
    """
    by_name = {stem.name: stem for stem in preset.stems}
    dealt: dict[str, int] = {}
    return [
        (by_name[name], "by name") if name in by_name else _by_role(role, preset.stems, dealt)
        for name, role in stems
    ]


def _by_role(
    role: str, stems: list[StemSettings], dealt: dict[str, int]
) -> tuple[StemSettings | None, str]:
    candidates = [stem for stem in stems if stem.role == role]
    how = f"by role {role}"
    if not candidates:
        family = next((f for f in FAMILIES if role in f), frozenset())
        candidates = [stem for stem in stems if stem.role in family]
        how = f"nearest to role {role}"
    if not candidates:
        return None, how
    turn = dealt.get(role, 0)
    dealt[role] = turn + 1
    return candidates[turn % len(candidates)], how


def _check(preset: Preset, path: Path) -> None:
    names = [stem.name for stem in preset.stems]
    for name in names:
        if names.count(name) > 1:
            raise MixgymError(f"{path}: two stems are called {name!r}; rename one.")
    for stem in preset.stems:
        if stem.role not in ROLES:
            near = get_close_matches(stem.role, ROLES, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(ROLES)}."
            raise MixgymError(
                f"{path}: stem {stem.name!r}: there is no role {stem.role[:100]!r}; {hint}"
            )
        check_values(STRIP, stem.settings, f"{path}: stem {stem.name!r}")
        if stem.side_chain is not None and stem.side_chain not in names:
            raise MixgymError(
                f"{path}: stem {stem.name!r} is side-chained to {stem.side_chain!r}, "
                "which the preset does not hold."
            )
    if preset.moves is not None:
        _check_moves(preset.moves, names, path)
    check_values(BUSES, preset.buses, f"{path}: buses")
    check_values(MASTER, preset.master, f"{path}: master")


def _check_moves(moves: Moves, names: list[str], path: Path) -> None:
    knots = len(moves.times_s)
    if any(late <= early for early, late in pairwise(moves.times_s)):
        raise MixgymError(f"{path}: moves: times_s do not rise; sort them, each once.")
    for name, gains_db in moves.gains_db.items():
        if name not in names:
            raise MixgymError(f"{path}: moves: there is no stem {name!r} in the preset.")
        if len(gains_db) != knots:
            raise MixgymError(
                f"{path}: moves of {name!r}: {len(gains_db)} gains for {knots} times; "
                "give one for each."
            )
