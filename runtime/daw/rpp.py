"""Reaper projects as text.

The format has no specification; fields follow the "State Chunk Definitions" of the Cockos wiki
and the constants of the ReaScript API (GetMediaTrackInfo_Value).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from ..._text import printable
from ...console.buses import reverb_response
from .jsfx import (
    DELAY_EFFECT,
    MASTER_EFFECT,
    REVERB_EFFECT,
    STRIP_EFFECT,
    Effect,
    effects_folder,
)
from .session import Session, Track

PAN_LAW = math.sqrt(2)  # -3 dB with gain compensation: the centre is left untouched
SINE_TAPER = 0
TRIM_READ = 0  # automation mode
LINEAR = 0  # shape of an envelope
BALANCE = 3  # pan mode
SLIDERS = 64
POST_FADER, PRE_FX = 0, 1
SOURCES = {".flac": "FLAC"}

Lines = list[str]


def project_text(session: Session, files: Sequence[str]) -> str:
    """A whole project.

    Args:
        session: what to put in it.
        files: the path of each track's audio as the project names it.
    """
    buses = session.buses_in_use
    lines = [
        f"TEMPO {session.tempo_bpm or 120:.10g} 4 4",
        f"SAMPLERATE {session.sample_rate} 1 0",
        "PANLAW 1",
        f"PANMODE {BALANCE}",
        "MASTER_NCH 2 2",
        "MASTER_VOLUME 1 0 -1 -1 1",
        *_chunk("MASTERFXLIST", _effect(MASTER_EFFECT, _master_values(session))),
        *_track("Mix bus", ["ISBUS 1 1"], []),
    ]
    for number, (track, file) in enumerate(zip(session.tracks, files, strict=True)):
        last = not buses and number == len(files) - 1
        lines += _stem(track, file, session.tracks, last)
    for bus in buses:
        lines += _bus(bus, session, last=bus == buses[-1])
    return "\n".join(_chunk('REAPER_PROJECT 0.1 "7.0" 0', lines)) + "\n"


def quoted(text: str) -> str:
    """Text as one field: in a quotation mark that it does not hold, if there is one."""
    text = printable(text)
    for mark in "\"'`":
        if mark not in text:
            return f"{mark}{text}{mark}"
    return "`" + text.replace("`", "'") + "`"


def can_be_named(path: str) -> bool:
    """Whether a project can point to this path as it is."""
    return quoted(path)[1:-1] == path


def _chunk(head: str, lines: Iterable[str]) -> Lines:
    return [f"<{head}", *(f"  {line}" for line in lines), ">"]


def _track(
    name: str,
    lines: Iterable[str],
    effects: Lines,
    *,
    kind: str = "bus",
    volume: float = 1.0,
    pan: float = 0.0,
    channels: int = 2,
    muted: bool = False,
    moves: Sequence[tuple[float, float]] = (),
    items: Lines | None = None,
) -> Lines:
    guid = _guid(f"{kind} {name}")
    return _chunk(
        f"TRACK {guid}",
        [
            f"NAME {quoted(name)}",
            f"PANLAWFLAGS {SINE_TAPER}",
            f"VOLPAN {volume:.10g} {pan:.10g} {PAN_LAW:.10g} -1 1",
            f"MUTESOLO {int(muted)} 0 0",
            f"PANMODE {BALANCE}",
            f"NCHAN {channels}",
            "FX 1",
            f"TRACKID {guid}",
            "MAINSEND 1 0",
            *lines,
            *_volume_envelope(moves),
            *(_chunk("FXCHAIN", effects) if effects else []),
            *(items or []),
        ],
    )


def _volume_envelope(moves: Sequence[tuple[float, float]]) -> Lines:
    """Behind the effects, as gains by which the fader is trimmed."""
    if not moves:
        return []
    points = [f"PT {time_s:.10g} {gain:.10g} {LINEAR}" for time_s, gain in moves]
    head = ["ACT 1 -1", "VIS 1 1 1", "ARM 0", f"DEFSHAPE {LINEAR} -1 -1"]
    return [f"AUTOMODE {TRIM_READ}", *_chunk("VOLENV2", [*head, *points])]


def _stem(track: Track, file: str, tracks: Sequence[Track], last: bool) -> Lines:
    lines = ["ISBUS 2 -1"] if last else []
    effects: Lines = []
    channels = 2
    if track.loudness_lufs is not None:
        values = {
            **track.settings,
            "stem_lufs": track.loudness_lufs,
            "mono": float(track.channels == 1),
            "side_chain": float(track.side_chain is not None),
        }
        effects = _effect(STRIP_EFFECT, values)
    if track.side_chain is not None:
        channels = 4
        # A mono file plays in both channels, so its power would count twice.
        gain = track.key_gain * (math.sqrt(0.5) if tracks[track.side_chain].channels == 1 else 1)
        lines.append(_receive(track.side_chain + 1, PRE_FX, gain, to_channel=2))
    return _track(
        track.name,
        lines,
        effects,
        kind="stem",
        volume=10 ** (track.settings["fader_db"] / 20),
        pan=track.settings["pan"],
        channels=channels,
        muted=track.loudness_lufs is None,
        moves=track.moves,
        items=_item(track, file),
    )


def _item(track: Track, file: str) -> Lines:
    source = SOURCES.get(Path(file).suffix.lower(), "WAVE")
    return _chunk(
        "ITEM",
        [
            "POSITION 0",
            f"LENGTH {track.duration_s:.12g}",
            "LOOP 0",
            "FADEIN 0 0 0",
            "FADEOUT 0 0 0",
            f"IGUID {_guid(f'item {track.name}')}",
            f"NAME {quoted(track.name)}",
            "VOLPAN 1 0 1 -1",
            "SOFFS 0",
            *_chunk(f"SOURCE {source}", [f"FILE {quoted(file)}"]),
        ],
    )


def _bus(bus: str, session: Session, last: bool) -> Lines:
    settings = session.buses
    if bus == "reverb":
        power, _ = reverb_response(
            settings["reverb_size"], settings["reverb_damping"], settings["reverb_width"]
        )
        effect = _effect(REVERB_EFFECT, {**settings, "level_db": -10 * math.log10(power)})
    else:
        effect = _effect(DELAY_EFFECT, settings)
    receives = [
        _receive(number, POST_FADER, track.send(bus))
        for number, track in enumerate(session.tracks, start=1)
        if track.send(bus) and track.loudness_lufs is not None
    ]
    volume = 10 ** (settings[f"{bus}_return_db"] / 20)
    lines = [*(["ISBUS 2 -1"] if last else []), *receives]
    return _track(bus.capitalize(), lines, effect, volume=volume)


def _receive(source: int, mode: int, gain: float, to_channel: int = 0) -> str:
    return f"AUXRECV {source} {mode} {gain:.10g} 0 0 0 0 0 {to_channel} -1:U 0 -1 ''"


def _effect(effect: Effect, settings: Mapping[str, float]) -> Lines:
    values = [f"{value:.10g}" for value in effect.values(settings)]
    values += ["-"] * (SLIDERS - len(values))
    path = f"<Project>/{effects_folder()}/{effect.file}"
    return ["BYPASS 0 0 0", *_chunk(f'JS "{path}" ""', [" ".join(values)])]


def _master_values(session: Session) -> dict[str, float]:
    return {
        **session.master,
        "mix_lufs": session.bus_lufs,
        "drive_db": session.drive_db,
        "margin_db": session.margin_db,
    }


def _guid(name: str) -> str:
    return f"{{{str(uuid5(NAMESPACE_URL, f'mixgym:{printable(name)}')).upper()}}}"
